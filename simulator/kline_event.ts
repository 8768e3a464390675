/**
 * Kline events, as streams send them.
 *
 * @module
 */

import type { Series, TimeUnit, View } from "./series.ts";
import { Writer } from "./writer.ts";

/** Room for the trades of a millisecond. Ids of trades only have to grow. */
const IDS_PER_MS = 100;

/** A candle of a stream as it stood at a moment. */
export interface KlineState {
  /** Open time in epoch milliseconds. */
  readonly openMs: number;
  /** Whether it is closed. */
  readonly closed: boolean;
  /** The cells of its REST row in JSON. */
  readonly cells: readonly string[];
}

/** Reads a candle of a series in the state it has at a moment. */
export function stateOf(series: Series, candle: number, view: View): KlineState {
  const writer = new Writer();
  series.writeRow(candle, view, "ms", writer);
  // No cell of a row holds a comma.
  const cells = DECODER.decode(writer.bytes()).slice(1, -1).split(",");
  return { openMs: series.open(candle), closed: series.close(candle) < view.nowMs, cells };
}

/** How many trades a candle has. */
export function tradesOf(state: KlineState): number {
  return Number(state.cells[8]);
}

/**
 * An event in JSON.
 *
 * @param state The candle.
 * @param event The symbol and interval, the time of the event in epoch milliseconds, the unit in
 * which times are written, and whether there are fields that are not documented.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const row = '0,"1.0","1.2","0.9","1.1","5.0",59999,"5.5",3,"2.0","2.2","0"';
 * const state = { openMs: 0, closed: true, cells: row.split(",") };
 * const json = eventJson(state, { symbol: "ADAUSDT", interval: "1m", atMs: 60_003, unit: "ms" });
 * const { E, k: { t, T, f, L, x } } = JSON.parse(json);
 * assertEquals([E, t, T, f, L, x], [60_003, 0, 59_999, 0, 2, true]);
 * ```
 */
export function eventJson(
  state: KlineState,
  event: {
    readonly symbol: string;
    readonly interval: string;
    readonly atMs: number;
    readonly unit: TimeUnit;
    readonly extra?: boolean;
  },
): string {
  const [, open, high, low, close, volume, closeMs, quote, trades, taker, takerQuote] = state.cells;
  const [zeros, nines] = event.unit === "us" ? ["000", "999"] : ["", ""];
  const first = trades === "0" ? -1 : IDS_PER_MS * state.openMs;
  const last = trades === "0" ? -1 : first + Number(trades) - 1;
  const symbol = `"s":"${event.symbol}"`;
  return `{"e":"kline","E":${event.atMs}${zeros},${symbol},` +
    `"k":{"t":${state.openMs}${zeros},"T":${closeMs}${nines},${symbol},"i":"${event.interval}",` +
    `"f":${first},"L":${last},"o":${open},"c":${close},"h":${high},"l":${low},"v":${volume},` +
    `"n":${trades},"x":${state.closed},"q":${quote},"V":${taker},"Q":${takerQuote},"B":"0"${
      event.extra ? EXTRA_INNER : ""
    }}${event.extra ? EXTRA_OUTER : ""}}`;
}

const EXTRA_INNER = ',"z":{"venue":"main"},"W":null';
const EXTRA_OUTER = ',"st":0,"tags":["new"]';
const DECODER = new TextDecoder();
