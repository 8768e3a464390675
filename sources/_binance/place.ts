/**
 * Where a series stands, as a position keeps it.
 *
 * @module
 */

import { FatalError } from "../../engine/errors.ts";
import { floorToInterval, INTERVALS, missingBetween } from "../../engine/interval.ts";
import type { Schema } from "../../engine/options.ts";
import type { Position, SeriesPlace } from "../../engine/plugin.ts";

/** How to read a series from its beginning once more. */
export const START_AGAIN =
  "To read from the beginning, remove the pipeline's checkpoint: its folder in .penstock";

/**
 * Where a series stands.
 *
 * @param schema What the position must hold of it.
 * @param position The position of the source.
 * @param key The name of the series in it.
 * @returns Undefined for a series that is new.
 * @throws {FatalError} If the position holds something else.
 */
export function placeOf<Place>(
  schema: Schema<Place>,
  position: Position,
  key: string,
): Place | undefined {
  const place = position[key];
  if (place === undefined) return undefined;
  const checked = schema.safeParse(place);
  if (checked.success) return checked.data;
  throw new FatalError(`Cannot resume ${key} as its position must say where: it does not`, {
    hint: START_AGAIN,
  });
}

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
