/** Reading `binance_rest` from a scripted exchange, as its tests do. */

import { VirtualClock } from "../../engine/clock.ts";
import type { Position, SourceBatch } from "../../engine/plugin.ts";
import type { RawCandle } from "../../engine/point.ts";
import { binanceRest } from "../../sources/binance_rest.ts";
import { type FakeContext, fakeContext } from "../contracts/context.ts";
import { inText as textOf } from "../contracts/pure.ts";
import {
  type Script,
  type ScriptedExchange,
  scriptedExchange,
} from "./_binance/scripted_exchange.ts";

/** Options of `binance_rest` as a pipeline file has them. */
export type RestOptions = Readonly<Record<string, unknown>>;

/** A world with an exchange in it. */
export interface World {
  readonly clock: VirtualClock;
  readonly exchange: ScriptedExchange;
  readonly context: FakeContext;
}

/** What was read. */
export interface Reading {
  readonly batches: SourceBatch<RawCandle>[];
  readonly records: RawCandle[];
  readonly position: Position;
}

/** Makes a world. */
export function worldOf(
  script: Omit<Script, "clock">,
  nowMs: number,
  signal: AbortSignal = new AbortController().signal,
): World {
  const clock = new VirtualClock(nowMs);
  const exchange = scriptedExchange({ ...script, clock });
  return { clock, exchange, context: fakeContext({ clock, fetch: exchange.fetch, signal }) };
}

/** The source's iteration, with options as a pipeline file has them. */
export function iterate(
  context: FakeContext,
  options: RestOptions,
  from: Position = {},
): AsyncIterator<SourceBatch<RawCandle>> {
  const checked = binanceRest.options.safeParse(options);
  if (!checked.success) throw new Error(JSON.stringify(checked.error.issues));
  return binanceRest.read(checked.data, from, context)[Symbol.asyncIterator]();
}

/** A batch with decimals as text, to compare it. */
function inText(batch: SourceBatch<RawCandle>): SourceBatch<RawCandle> {
  const records = batch.records.map((record) => ({ ...record, candle: textOf(record.candle) }));
  return { ...batch, records };
}

/** Reads to the end; decimals are given as text. */
export async function read(
  { context }: { readonly context: FakeContext },
  options: RestOptions,
  from: Position = {},
): Promise<Reading> {
  const batches: SourceBatch<RawCandle>[] = [];
  const iterator = iterate(context, options, from);
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    batches.push(inText(next.value));
  }
  return {
    batches,
    records: batches.flatMap(({ records }) => records),
    position: Object.assign({}, from, ...batches.map(({ position }) => position)),
  };
}

/** The open times of records, by symbol. */
export function opensOf(records: readonly RawCandle[]): Record<string, unknown[]> {
  const opens: Record<string, unknown[]> = {};
  for (const { series, candle } of records) {
    (opens[series.symbol] ??= []).push(Array.isArray(candle) ? candle[0] : candle);
  }
  return opens;
}

/** The warnings that were given, details included. */
export function warnings({ said }: FakeContext): unknown[] {
  return said.filter(({ level }) => level === "warn")
    .map(({ message, details }) => ({ message, ...details }));
}
