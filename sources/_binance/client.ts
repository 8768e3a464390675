/**
 * Asks the exchange over HTTP: one attempt per call, within the limits, in bounded time.
 *
 * @module
 */

import { hostOf } from "../../engine/address.ts";
import type { Context } from "../../engine/context.ts";
import { FatalError, RetryableError } from "../../engine/errors.ts";
import { isHtml, type RawAnswer, valueOf } from "./answer.ts";
import { WeightBudget } from "./weight.ts";

/**
 * How long the head of an answer may take, and then its body. The exchange itself gives up on a
 * request after 10 s.
 */
const TIMEOUT_MS = 11_000;
/** More than a clock that is kept right moves by. */
const JUMP_MS = 1_000;

/** What a client needs of the world. */
export type ClientContext = Pick<
  Context,
  "fetch" | "now" | "steady" | "sleep" | "log" | "metrics" | "shared"
>;

/** What a client is made of. */
export interface ClientParts {
  /** Where the exchange is, such as `https://api.binance.com`. */
  readonly baseUrl: string;
  /** What may be used of its limits, above 0 up to 1. */
  readonly weightShare: number;
  /** The world. */
  readonly context: ClientContext;
}

/** One request. */
export interface ApiRequest {
  /** What it is for, to follow "Cannot" in messages. */
  readonly action: string;
  /** Path from the root, such as `/api/v3/klines`. */
  readonly path: string;
  /** Parameters. The exchange refuses `undefined` as text, so an undefined one is left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** What it weighs. */
  readonly weight: number;
  /**
   * Reads the body of a good answer faster than `JSON.parse`. What it gives nothing for is parsed
   * as JSON.
   */
  readonly parse?: (body: Uint8Array) => unknown;
}

/** What the exchange answered. */
export interface Answer {
  /** The parsed JSON, or what the request's own parser gave. */
  readonly value: unknown;
  /** When the head of the answer came in, by the steady clock of this machine. */
  readonly steadyMs: number;
}

/**
 * A client of one exchange.
 *
 * A request waits until the budget has room for it. When one answer asks to wait, because of a
 * limit, a ban or a firewall, no request goes out before that time has passed. All clients of one
 * host in a run share its budget and this waiting.
 */
export class BinanceClient {
  readonly #baseUrl: string;
  readonly #budget: WeightBudget;
  readonly #weightShare: number;
  readonly #context: ClientContext;
  /** The exchange's time when the steady clock showed 0. */
  #baseMs: number;
  /** What the clock of this machine showed then. */
  #machineBaseMs: number;

  /** Makes a client. Nothing is sent. */
  constructor(parts: ClientParts) {
    this.#baseUrl = parts.baseUrl.replace(/\/+$/, "");
    this.#weightShare = parts.weightShare;
    this.#context = parts.context;
    this.#baseMs = this.#machineBaseMs = this.#machineBase();
    this.#budget = parts.context.shared(
      `request limits of ${hostOf(parts.baseUrl)}`,
      () => new WeightBudget(),
    );
    for (const name of ["requests", "failed_requests"]) this.#context.metrics.count(name, 0);
  }

  /** The limits and what is left of them. */
  get budget(): WeightBudget {
    return this.#budget;
  }

  /**
   * The exchange's time, in epoch milliseconds, as far as it is known: never ahead of it. It goes on
   * steadily though the clock of this machine may be set, as a candle must not be taken for closed
   * by a clock that is wrong.
   */
  now(): number {
    return Math.floor(this.#context.steady() + this.#baseMs);
  }

  /**
   * Learns the exchange's time.
   *
   * @param exchangeMs What the exchange's clock showed, in epoch milliseconds.
   * @param steadyMs What the steady clock of this machine showed.
   * @returns How far the exchange was ahead of what was known, in milliseconds.
   */
  setTime(exchangeMs: number, steadyMs: number): number {
    const baseMs = exchangeMs - steadyMs;
    const aheadMs = baseMs - this.#baseMs;
    this.#baseMs = baseMs;
    this.#machineBaseMs = this.#machineBase();
    return aheadMs;
  }

  /**
   * Whether the clock of this machine was set since the exchange's time was learnt, or the machine
   * was suspended, which look the same from here: the time has to be learnt again.
   */
  hasJumped(): boolean {
    return Math.abs(this.#machineBase() - this.#machineBaseMs) > JUMP_MS;
  }

  /**
   * Sends one request.
   *
   * @param request What is asked.
   * @param signal Ends the waiting and the request.
   * @throws {RetryableError} If it may work later.
   * @throws {FatalError} If it cannot work.
   * @throws The signal's reason, once it has aborted.
   */
  async get(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    await this.#admit(request.weight, signal);
    const { metrics } = this.#context;
    metrics.count("requests");
    try {
      return await this.#send(request, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RetryableError) {
        metrics.count("failed_requests");
        this.#budget.closeUntil(this.#context.steady() + (error.retryAfterMs ?? 0));
      }
      throw error;
    }
  }

  async #admit(weight: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const closedMs = this.#budget.closedForMs(this.#context.steady());
      const waitMs = closedMs > 0
        ? closedMs
        : this.#budget.take(weight, this.now(), this.#weightShare);
      if (waitMs <= 0) break;
      if (closedMs <= 0) this.#context.log.debug("Waiting for weight", { wait_ms: waitMs });
      await this.#context.sleep(waitMs, signal);
    }
    this.#context.metrics.gauge("weight_used", this.#budget.used(this.now()));
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const askedMs = this.now();
    const attempt = new AbortController();
    const stop = () => attempt.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const response = await this.#within(attempt, "answer", this.#fetch(request, attempt.signal));
      const steadyMs = this.#context.steady();
      this.#budget.learn(request.weight, response.headers, askedMs, this.now());
      const body = await this.#within(
        attempt,
        "finish its answer",
        bodyOf(response, attempt.signal),
      );
      const { status, headers } = response;
      const value = status === 200 && !isHtml(headers) ? request.parse?.(body) : undefined;
      if (value !== undefined) return { value, steadyMs };
      const answer: RawAnswer = { status, headers, body: new TextDecoder().decode(body) };
      return { value: valueOf(request.action, answer, this.now()), steadyMs };
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #machineBase(): number {
    return this.#context.now() - this.#context.steady();
  }

  async #fetch({ path, query }: ApiRequest, signal: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await this.#context.fetch(`${this.#baseUrl}${path}${queryOf(query)}`, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(error);
    }
    if (signal.aborted) await response.body?.cancel();
    signal.throwIfAborted();
    return response;
  }

  /** Waits for a part of an attempt, and ends the attempt when that takes too long. */
  async #within<T>(attempt: AbortController, what: string, work: Promise<T>): Promise<T> {
    const done = new AbortController();
    attempt.signal.addEventListener("abort", () => done.abort(), { once: true });
    this.#context.sleep(TIMEOUT_MS, done.signal).then(
      () => attempt.abort(new RetryableError(`The exchange did not ${what} in ${TIMEOUT_MS} ms`)),
      () => {},
    );
    try {
      return await work;
    } finally {
      done.abort();
    }
  }
}

async function bodyOf(response: Response, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await response.bytes();
  } catch (error) {
    signal.throwIfAborted();
    throw new RetryableError("The answer broke off", { cause: error });
  }
}

function unreachable(error: unknown): Error {
  if (error instanceof Error && error.name === "NotCapable") {
    return new FatalError("Cannot reach the exchange as penstock was started without permission", {
      cause: error,
    });
  }
  return new RetryableError("The exchange cannot be reached", { cause: error });
}

function queryOf(query: ApiRequest["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}
