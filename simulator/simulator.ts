/**
 * The simulator: a scripted Binance that answers requests.
 *
 * @module
 */

import type { Clock } from "../engine/context.ts";
import { OptionsError } from "../engine/errors.ts";
import { INTERVALS } from "../engine/interval.ts";
import { resolveTime } from "../engine/time.ts";
import { type Answer, ApiError, errorAnswer, htmlAnswer, refusalAnswer, textOf } from "./answer.ts";
import type {
  Counters,
  KlineRow,
  RequestInfo,
  RequestRecord,
  Simulator,
  SimulatorOptions,
} from "./contract.ts";
import { Exchange, readSpan } from "./exchange.ts";
import type { FaultRule } from "./fault_rule.ts";
import { errorOf, Faults, truncated, withRowChanged } from "./faults.ts";
import { Limiter, type Limits, type Refusal } from "./limits.ts";
import { AwayError, Outages } from "./outages.ts";
import { Recent } from "./recent.ts";
import { answerRequest, type ApiRequest, isEndpoint, rowsJson, weightOf } from "./rest.ts";
import { parseScenario, type Scenario } from "./scenario.ts";
import { StreamFaults } from "./stream_faults.ts";
import type { ConnectionRecord, SentClose } from "./stream_records.ts";
import { type Handshake, Streams } from "./streams.ts";

/**
 * Makes a simulator.
 *
 * @param scenario What the market does and what the exchange does wrong; nothing is required.
 * @param options The clock, and who is told of requests.
 * @throws {OptionsError} If the scenario is wrong, or a file in it cannot be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { VirtualClock } from "../engine/clock.ts";
 *
 * const clock = new VirtualClock(Date.UTC(2024, 0, 1));
 * const simulator = createSimulator({}, { clock });
 * const response = await simulator.handle(
 *   new Request("http://localhost/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3"),
 * );
 * assertEquals((await response.json()).length, 3);
 * assertEquals(response.headers.get("x-mbx-used-weight-1m"), "2");
 * ```
 */
export function createSimulator(scenario: Scenario, options: SimulatorOptions): Simulator {
  return new ScriptedBinance(scenario, options);
}

const KEPT_REQUESTS = 10_000;
const KEPT_CLOSES = 10_000;

class ScriptedBinance implements Simulator {
  readonly clock: Clock;
  readonly #exchange: Exchange;
  readonly #faults: Faults;
  readonly #limits: Limits;
  readonly #limiter: Limiter;
  readonly #outages: Outages;
  readonly #streams: Streams;
  readonly #lag: { readonly absentMs: number; readonly changingMs: number };
  readonly #onRequest: SimulatorOptions["onRequest"];
  readonly #byPath: Record<string, number> = {};
  readonly #byStatus: Record<number, number> = {};
  readonly #requests = new Recent<RequestRecord>(KEPT_REQUESTS);
  #sequence = 0;

  constructor(scenario: Scenario, options: SimulatorOptions) {
    const checked = parseScenario(scenario);
    const machineMs = options.clock.now();
    const startMs = checked.now ? resolveTime(checked.now, machineMs) : machineMs;
    this.clock = {
      now: () => options.clock.now() + startMs - machineMs,
      steady: () => options.clock.steady(),
      sleep: (ms, signal) => options.clock.sleep(ms, signal),
    };
    this.#exchange = new Exchange(checked, startMs);
    this.#faults = new Faults(checked.faults, startMs);
    this.#limits = {
      weightPerMinute: checked.limits.weight_per_minute,
      requestsPer5Minutes: checked.limits.requests_per_5_minutes,
      othersPerMinute: checked.limits.others_per_minute,
      banAfter: checked.limits.ban_after,
      banS: checked.limits.ban_s,
    };
    this.#limiter = new Limiter(this.#limits);
    this.#lag = { absentMs: checked.lag.absent_ms, changingMs: checked.lag.changing_ms };
    this.#outages = new Outages(
      checked.outages.map((one) => readSpan(one, (time) => resolveTime(time, startMs))),
    );
    this.#streams = new Streams({
      clock: this.clock,
      exchange: this.#exchange,
      settings: checked.streams,
      faults: new StreamFaults(checked.stream_faults, startMs),
      outages: this.#outages,
      keptCloses: options.keptCloses ?? KEPT_CLOSES,
    });
    this.#onRequest = options.onRequest;
  }

  get requests(): readonly RequestRecord[] {
    return this.#requests.all();
  }

  get connections(): readonly ConnectionRecord[] {
    return this.#streams.records.connections;
  }

  get closes(): readonly SentClose[] {
    return this.#streams.records.closes;
  }

  get counters(): Counters {
    const { peakWeight, bans } = this.#limiter;
    const [byPath, byStatus] = [{ ...this.#byPath }, { ...this.#byStatus }];
    const streams = this.#streams.records.counters;
    return { requests: this.#sequence, byPath, byStatus, peakWeight, bans, streams };
  }

  async handle(request: Request): Promise<Response> {
    if (this.#outages.isAway(this.clock.now())) throw new AwayError();
    const url = new URL(request.url);
    const info = this.#receive(url);
    await this.#onRequest?.(info);
    const weight = weightOf(url.pathname);
    const refusal = this.#limiter.use(weight, this.clock.now());
    const usedWeight = this.#limiter.usedWeight;
    const fault = refusal ? undefined : this.#faults.next({
      path: url.pathname,
      query: url.searchParams,
      nowMs: this.clock.now(),
    });
    if (fault?.kind === "slow") await this.clock.sleep(fault.delay_ms, request.signal);
    const answer = refusal ? this.#refuse(refusal) : this.#answer(request, url, fault);
    this.#record({ ...info, status: answer.status, weight, usedWeight });
    return respond(answer, usedWeight, fault);
  }

  connect(url: string | URL): WebSocket {
    return this.#streams.connect(url);
  }

  handshake(url: string): Handshake {
    return this.#streams.handshake(url);
  }

  close(): void {
    this.#streams.close();
  }

  candles(symbol: string, interval: string, fromMs: number, toMs: number): KlineRow[] {
    const listed = this.#exchange.symbol(symbol);
    const known = INTERVALS.find((one) => one === interval);
    if (!listed || !known) {
      throw new OptionsError(
        `Cannot give candles: symbol and interval must exist, found "${symbol}" and "${interval}"`,
      );
    }
    const nowMs = this.clock.now();
    const window = { fromMs, toMs: toMs - 1, limit: Infinity, keep: "oldest" } as const;
    const view = { nowMs, absentMs: 0, changingMs: 0 };
    const json = rowsJson(this.#exchange.series(listed, known), window, view, "ms");
    const rows: KlineRow[] = JSON.parse(new TextDecoder().decode(json));
    return rows.filter((row) => row[6] < nowMs);
  }

  #receive(url: URL): RequestInfo {
    const path = url.pathname;
    // Paths that a client makes up are counted as one, so that they fill no memory.
    const counted = isEndpoint(path) ? path : "other";
    const pathSequence = (this.#byPath[counted] ?? 0) + 1;
    this.#byPath[counted] = pathSequence;
    this.#sequence++;
    return {
      path,
      params: Object.fromEntries(url.searchParams),
      atMs: this.clock.now(),
      sequence: this.#sequence,
      pathSequence,
    };
  }

  #record(record: RequestRecord): void {
    this.#byStatus[record.status] = (this.#byStatus[record.status] ?? 0) + 1;
    this.#requests.add(record);
  }

  #refuse(refusal: Refusal): Answer {
    const { weightPerMinute } = this.#limits;
    return refusalAnswer(refusal, this.clock.now(), weightPerMinute);
  }

  #answer(request: Request, url: URL, fault: FaultRule | undefined): Answer {
    if (fault?.kind === "status") return this.#fail(fault);
    if (fault?.kind === "html") return htmlAnswer(fault.status);
    const answer = this.#rightAnswer({
      path: url.pathname,
      query: url.searchParams,
      unit: request.headers.get("x-mbx-time-unit")?.toUpperCase() === "MICROSECOND" ? "us" : "ms",
      gone: new Set(fault?.kind === "vanish" ? [fault.gone] : []),
    });
    if (fault?.kind === "truncate") return truncated(answer, fault.share);
    return fault?.kind === "rows" ? withRowChanged(answer, fault.rows) : answer;
  }

  #rightAnswer(request: ApiRequest): Answer {
    const view = { nowMs: this.clock.now(), ...this.#lag };
    try {
      return answerRequest(request, { exchange: this.#exchange, view, limits: this.#limits });
    } catch (error) {
      if (error instanceof ApiError) return errorAnswer(error);
      throw error;
    }
  }

  #fail(fault: FaultRule & { kind: "status" }): Answer {
    const { status, retry_after_s: retryAfterS } = fault;
    const nowMs = this.clock.now();
    if (status === 418) {
      return this.#refuse(this.#limiter.refuse(418, nowMs + 1_000 * (retryAfterS ?? 120)));
    }
    if (status === 429 && retryAfterS !== undefined) {
      this.#limiter.refuse(429, nowMs + 1_000 * retryAfterS);
    }
    const known = errorOf(status);
    const error = { status, code: fault.code ?? known.code, message: fault.msg ?? known.message };
    return errorAnswer(error, retryAfterS === undefined ? {} : { "retry-after": `${retryAfterS}` });
  }
}

function respond(answer: Answer, usedWeight: number, fault: FaultRule | undefined): Response {
  const headers = new Headers(answer.headers);
  if (fault?.kind !== "html") {
    headers.set("x-mbx-used-weight", `${usedWeight}`);
    headers.set("x-mbx-used-weight-1m", `${usedWeight}`);
  }
  if (fault?.kind !== "reset") return new Response(answer.body, { status: answer.status, headers });
  const bytes = new TextEncoder().encode(textOf(answer));
  headers.set("content-length", `${bytes.length}`);
  return new Response(breakingBody(bytes), { status: answer.status, headers });
}

/** Half of a body, then a broken connection. */
function breakingBody(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let isSent = false;
  return new ReadableStream({
    pull(controller) {
      if (isSent) controller.error(new TypeError("Connection reset by the simulated exchange"));
      else controller.enqueue(bytes.subarray(0, bytes.length >> 1));
      isSent = true;
    },
  });
}
