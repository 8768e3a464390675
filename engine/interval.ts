/**
 * Candle intervals: which there are, and where their candles open.
 *
 * @module
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** The epoch began on a Thursday; weeks begin on Monday. */
const WEEK_OFFSET_MS = 4 * DAY_MS;

/** The intervals, shortest first. Upper case matters: `1m` is a minute, `1M` a month. */
export const INTERVALS = [
  "1s",
  "1m",
  "3m",
  "5m",
  "15m",
  "30m",
  "1h",
  "2h",
  "4h",
  "6h",
  "8h",
  "12h",
  "1d",
  "3d",
  "1w",
  "1M",
] as const;

/** One of {@linkcode INTERVALS}. */
export type Interval = typeof INTERVALS[number];

/** Looked up for each record. */
const LENGTHS_MS: Readonly<Record<Interval, number>> = {
  "1s": 1_000,
  "1m": MINUTE_MS,
  "3m": 3 * MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "30m": 30 * MINUTE_MS,
  "1h": HOUR_MS,
  "2h": 2 * HOUR_MS,
  "4h": 4 * HOUR_MS,
  "6h": 6 * HOUR_MS,
  "8h": 8 * HOUR_MS,
  "12h": 12 * HOUR_MS,
  "1d": DAY_MS,
  "3d": 3 * DAY_MS,
  "1w": 7 * DAY_MS,
  "1M": 31 * DAY_MS,
};

/**
 * The length of an interval.
 *
 * @param interval One of {@linkcode INTERVALS}; `1M` has no fixed length.
 * @returns Milliseconds; for `1M` the length of the longest month.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(intervalMs("4h"), 14_400_000);
 * ```
 */
export function intervalMs(interval: Interval): number {
  return LENGTHS_MS[interval];
}

/**
 * The open time of the candle that a moment lies in.
 *
 * Candles of `3d` have no documented alignment: multiples of three days since the epoch are
 * assumed, so read real open times from the exchange where they matter.
 *
 * @param interval The interval.
 * @param atMs Epoch milliseconds.
 * @returns Epoch milliseconds, UTC; weeks open on Monday, months on the first.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const at = Date.UTC(2024, 0, 31, 13, 5);
 * assertEquals(floorToInterval("1w", at), Date.UTC(2024, 0, 29));
 * assertEquals(floorToInterval("1M", at), Date.UTC(2024, 0, 1));
 * ```
 */
export function floorToInterval(interval: Interval, atMs: number): number {
  if (interval === "1M") {
    const date = new Date(atMs);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const lengthMs = intervalMs(interval);
  const offsetMs = interval === "1w" ? WEEK_OFFSET_MS : 0;
  return Math.floor((atMs - offsetMs) / lengthMs) * lengthMs + offsetMs;
}

/**
 * The open time of the next candle.
 *
 * @param interval The interval.
 * @param openMs An open time, in epoch milliseconds. It may lie off the grid: the halts of 2018
 * left such candles behind.
 * @returns The open time that follows, in epoch milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nextOpen("1M", Date.UTC(2024, 0, 1)), Date.UTC(2024, 1, 1));
 * ```
 */
export function nextOpen(interval: Interval, openMs: number): number {
  if (interval !== "1M") return openMs + intervalMs(interval);
  const date = new Date(openMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/**
 * How many candles are missing between two that follow each other.
 *
 * @param interval The interval of both.
 * @param openMs Open time of the earlier one, in epoch milliseconds.
 * @param laterOpenMs Open time of the later one.
 * @returns A whole number, 0 where nothing is missing. An off-grid candle counts for the slot
 * nearest to it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(missingBetween("1h", 0, 3_600_000), 0);
 * assertEquals(missingBetween("1h", 0, 4 * 3_600_000), 3);
 * ```
 */
export function missingBetween(interval: Interval, openMs: number, laterOpenMs: number): number {
  if (interval === "1M") {
    const from = new Date(openMs);
    const to = new Date(laterOpenMs);
    const months = 12 * (to.getUTCFullYear() - from.getUTCFullYear()) +
      to.getUTCMonth() - from.getUTCMonth();
    return Math.max(0, months - 1);
  }
  return Math.max(0, Math.round((laterOpenMs - openMs) / intervalMs(interval)) - 1);
}
