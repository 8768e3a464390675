/** Reading `binance_websocket` from the simulator on a virtual clock, as its tests do. */

import { VirtualClock } from "../../engine/clock.ts";
import type { Position, SourceBatch } from "../../engine/plugin.ts";
import type { RawCandle } from "../../engine/point.ts";
import { createSimulator, type Scenario, type Simulator } from "../../simulator/mod.ts";
import { binanceWebsocket } from "../../sources/binance_websocket.ts";
import { type FakeContext, fakeContext } from "../contracts/context.ts";

/** Options of `binance_websocket` as a pipeline file has them. */
export type LiveOptions = Readonly<Record<string, unknown>>;

/** A world with an exchange in it. */
export interface LiveWorld {
  readonly clock: VirtualClock;
  readonly simulator: Simulator;
  /** Addresses of the sockets that were opened. */
  readonly sockets: WebSocket[];
  /** A context of this world: a process, so to say. */
  context(signal?: AbortSignal, seed?: number, aheadMs?: number): FakeContext;
}

/** What was read. */
export interface LiveReading {
  readonly batches: SourceBatch<RawCandle>[];
  readonly records: RawCandle[];
  readonly position: Position;
  readonly context: FakeContext;
}

/** Makes a world. */
export function liveWorld(scenario: Scenario, nowMs: number): LiveWorld {
  const clock = new VirtualClock(nowMs, { eager: true });
  const simulator = createSimulator(scenario, { clock });
  const sockets: WebSocket[] = [];
  return {
    clock,
    simulator,
    sockets,
    context: (signal = new AbortController().signal, seed = 1, aheadMs = 0) =>
      fakeContext({
        clock: {
          now: () => clock.now() + aheadMs,
          steady: () => clock.steady(),
          sleep: (ms, own) => clock.sleep(ms, own),
        },
        signal,
        seed,
        fetch: (url, init) => simulator.handle(new Request(url, init)),
        webSocket: (url) => {
          const socket = simulator.connect(url);
          sockets.push(socket);
          return socket;
        },
      }),
  };
}

/** How to read. */
export interface LiveRun {
  /** When to stop, in epoch milliseconds. */
  readonly untilMs: number;
  /** Where to read on from. */
  readonly from?: Position;
  /** Called with each batch; what it waits for holds back the next pull. */
  each?(batch: SourceBatch<RawCandle>, context: FakeContext): void | Promise<void>;
  /** Another context than one of the world's. */
  readonly context?: (signal: AbortSignal) => FakeContext;
}

/** Reads until a moment, as a process does that is then stopped. */
export async function readLive(
  world: LiveWorld,
  options: LiveOptions,
  run: LiveRun,
): Promise<LiveReading> {
  const checked = binanceWebsocket.options.safeParse(options);
  if (!checked.success) throw new Error(JSON.stringify(checked.error.issues));
  const stopping = new AbortController();
  const context = run.context?.(stopping.signal) ?? world.context(stopping.signal);
  const timer = world.clock.sleep(Math.max(0, run.untilMs - world.clock.now()), stopping.signal)
    .then(() => stopping.abort(new DOMException("Time is up", "AbortError")), () => {});
  const batches: SourceBatch<RawCandle>[] = [];
  try {
    for await (const batch of binanceWebsocket.read(checked.data, run.from ?? {}, context)) {
      batches.push(batch);
      await run.each?.(batch, context);
    }
  } catch (error) {
    if (error !== stopping.signal.reason) throw error;
  } finally {
    stopping.abort();
    await timer;
  }
  return {
    batches,
    records: batches.flatMap(({ records }) => records),
    position: Object.assign({}, run.from, ...batches.map(({ position }) => position)),
    context,
  };
}

/** The closed candles among records, by series, as REST rows of text. */
export function closedRows(records: readonly RawCandle[]): Record<string, string[]> {
  const rows: Record<string, string[]> = {};
  for (const { series, candle, closed } of records) {
    if (closed !== true || !Array.isArray(candle)) continue;
    (rows[`${series.symbol}@${series.interval}`] ??= []).push(rowText(candle));
  }
  return rows;
}

/** A row as text, whatever its values are made of. */
export function rowText(row: readonly unknown[]): string {
  return row.slice(0, 11).map(String).join(" ");
}

/** The order in which closed candles came: series and open time. */
export function orderOf(records: readonly RawCandle[]): string[] {
  return records.flatMap(({ series, candle, closed }) =>
    closed === true && Array.isArray(candle)
      ? [`${series.symbol}@${series.interval} ${new Date(Number(candle[0])).toISOString()}`]
      : []
  );
}

/** The warnings that were given. */
export function warningsOf({ said }: FakeContext): string[] {
  return said.filter(({ level }) => level === "warn").map(({ message }) => message);
}
