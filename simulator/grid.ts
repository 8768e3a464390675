/**
 * Slots: the places where candles of an interval may open, numbered.
 *
 * @module
 */

import { floorToInterval, type Interval, intervalMs } from "../engine/interval.ts";

/** Numbers the slots of one interval; number 0 holds the epoch. */
export interface Grid {
  /** The number of the slot that a moment (epoch milliseconds) lies in. */
  index(atMs: number): number;
  /** Where a slot opens, in epoch milliseconds. */
  open(index: number): number;
}

/**
 * The slots of an interval.
 *
 * @param interval The interval.
 * @param offsetMs How far the day begins before that of UTC: 8 hours for `+08:00`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const grid = gridOf("1M");
 * const march = grid.index(Date.UTC(2024, 2, 15));
 * assertEquals(grid.open(march), Date.UTC(2024, 2, 1));
 * assertEquals(grid.open(march + 1), Date.UTC(2024, 3, 1));
 * ```
 */
export function gridOf(interval: Interval, offsetMs = 0): Grid {
  if (interval === "1M") return months(offsetMs);
  const lengthMs = intervalMs(interval);
  const anchorMs = floorToInterval(interval, 0) - offsetMs;
  return {
    index: (atMs) => Math.floor((atMs - anchorMs) / lengthMs),
    open: (index) => anchorMs + index * lengthMs,
  };
}

function months(offsetMs: number): Grid {
  return {
    index: (atMs) => {
      const date = new Date(atMs + offsetMs);
      return 12 * (date.getUTCFullYear() - 1970) + date.getUTCMonth();
    },
    open: (index) => Date.UTC(1970, index) - offsetMs,
  };
}
