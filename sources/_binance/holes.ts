/**
 * Reads when a row's candle opens, and finds the candles that are missing between rows.
 *
 * @module
 */

import {
  floorToInterval,
  type Interval,
  intervalMs,
  missingBetween,
} from "../../engine/interval.ts";

/** Candles that the exchange never made. */
export interface Hole {
  /** The open time of the candle before the hole, in epoch milliseconds. */
  readonly afterMs: number;
  /** The open time of the candle after the hole. */
  readonly toMs: number;
  /** How many are missing. */
  readonly missing: number;
}

/** Times in milliseconds lie between these; seconds and microseconds do not. */
const EARLIEST_MS = 1_000_000_000_000;
const LATEST_MS = 10_000_000_000_000;

/** Whether a value is a time in epoch milliseconds. */
export function isTime(value: unknown): value is number {
  return Number.isInteger(value) && typeof value === "number" && value >= EARLIEST_MS &&
    value < LATEST_MS;
}

/** When a row's candle opens, in epoch milliseconds; undefined where the row does not say. */
export function openOf(row: unknown): number | undefined {
  return Array.isArray(row) && isTime(row[0]) ? row[0] : undefined;
}

/**
 * Finds the holes between rows.
 *
 * @param rows Rows in order. One without an open time counts as a candle that is there.
 * @param interval Their interval. Rows off its grid are nearest to a slot of it.
 * @param afterMs The open time of the row before them; undefined where there is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const openMs = Date.UTC(2024, 0, 1);
 * const rows = [[openMs], [openMs + 60_000], [openMs + 240_000]];
 * assertEquals(findHoles(rows, "1m", undefined), [
 *   { afterMs: openMs + 60_000, toMs: openMs + 240_000, missing: 2 },
 * ]);
 * ```
 */
export function findHoles(
  rows: readonly unknown[],
  interval: Interval,
  afterMs: number | undefined,
): Hole[] {
  const holes: Hole[] = [];
  const lengthMs = interval === "1M" ? NaN : intervalMs(interval);
  let previousMs = afterMs;
  let unreadable = 0;
  for (const row of rows) {
    const openMs = openOf(row);
    if (openMs === undefined) {
      unreadable++;
      continue;
    }
    if (previousMs !== undefined && openMs - previousMs !== lengthMs) {
      const missing = missingBetween(interval, previousMs, openMs) - unreadable;
      if (missing > 0) holes.push({ afterMs: previousMs, toMs: openMs, missing });
    }
    previousMs = openMs;
    unreadable = 0;
  }
  return holes;
}

/**
 * What may be missing between the first time asked for and the first row: a hole, unless no candle
 * had been made yet.
 */
export function holeBefore(firstMs: number, startMs: number, interval: Interval): Hole | undefined {
  const afterMs = startMs - 1;
  const missing = missingBetween(interval, floorToInterval(interval, afterMs), firstMs);
  return missing === 0 ? undefined : { afterMs, toMs: firstMs, missing };
}
