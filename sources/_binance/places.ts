/**
 * Where the series of a position stand, in words.
 *
 * @module
 */

import { floorToInterval, INTERVALS, missingBetween } from "../../engine/interval.ts";
import type { Position, SeriesPlace } from "../../engine/plugin.ts";

/**
 * Where each series stands, for people.
 *
 * @param position Series by `SYMBOL@interval`, each with the open time of its last candle in `after`.
 * @param endMs Candles that have closed by then should have been given, in epoch milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const from = Date.UTC(2024, 0, 1);
 * const position = { "BTCUSDT@1h": { from, after: from }, "ETHUSDT@1h": { from } };
 * assertEquals(describePlaces(position, from + 4 * 3_600_000), [
 *   { series: "BTCUSDT 1h", lastMs: from, behind: 3, unit: "candles" },
 *   { series: "ETHUSDT 1h", lastMs: undefined, behind: undefined, unit: "candles" },
 * ]);
 * ```
 */
export function describePlaces(position: Position, endMs: number): SeriesPlace[] {
  return Object.entries(position).map(([key, place]) => {
    const [, symbol, name] = /^(.*)@(.*)$/.exec(key) ?? [];
    const interval = INTERVALS.find((one) => one === name);
    const { after } = Object(place);
    const lastMs = typeof after === "number" ? after : undefined;
    return {
      series: symbol === undefined ? key : `${symbol} ${name}`,
      lastMs,
      behind: lastMs === undefined || interval === undefined
        ? undefined
        // Where candles of three days open is not documented, but it is at the turn of a day.
        : missingBetween(
          interval,
          lastMs,
          floorToInterval(interval === "3d" ? "1d" : interval, endMs),
        ),
      unit: "candles",
    };
  });
}
