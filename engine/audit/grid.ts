/**
 * The slots of an interval, by number: in each of them opens one candle.
 *
 * @module
 */

import { floorToInterval, type Interval, intervalMs } from "../interval.ts";

/** Numbers the slots of an interval. */
export interface Grid {
  /** The number of the slot that a moment lies in. */
  indexOf(timeMs: number): number;
  /** When a slot begins, in epoch milliseconds. */
  openOf(index: number): number;
}

/** Part of a series: slots that follow each other. */
export interface SlotRange {
  /** When the first slot begins, in epoch milliseconds. */
  readonly fromMs: number;
  /** When the last slot ends, exclusive. */
  readonly toMs: number;
  /** How many slots it has. */
  readonly slots: number;
}

/**
 * The grid of an interval.
 *
 * @param interval The interval.
 * @param knownMs When any of its slots begins. It matters for `3d` alone, whose alignment is not
 * documented.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const months = gridOf("1M", 0);
 * const at = months.indexOf(Date.UTC(2024, 1, 29));
 * assertEquals(months.openOf(at + 1), Date.UTC(2024, 2, 1));
 * ```
 */
export function gridOf(interval: Interval, knownMs: number): Grid {
  if (interval === "1M") return MONTHS;
  const lengthMs = intervalMs(interval);
  // Where candles of three days open is not documented, but it is at the turn of a day.
  const anchorMs = floorToInterval(interval === "3d" ? "1d" : interval, knownMs);
  return {
    indexOf: (timeMs) => Math.floor((timeMs - anchorMs) / lengthMs),
    openOf: (index) => anchorMs + index * lengthMs,
  };
}

/** The number of the first slot that begins at a moment or later. */
export function firstIndex(grid: Grid, timeMs: number): number {
  const index = grid.indexOf(timeMs);
  return grid.openOf(index) === timeMs ? index : index + 1;
}

/** The range of slots from one number up to, not including, another. */
export function slotRange(grid: Grid, from: number, to: number): SlotRange {
  return { fromMs: grid.openOf(from), toMs: grid.openOf(to), slots: to - from };
}

const MONTHS: Grid = {
  indexOf(timeMs) {
    const date = new Date(timeMs);
    return 12 * date.getUTCFullYear() + date.getUTCMonth();
  },
  openOf: (index) => Date.UTC(Math.floor(index / 12), index % 12, 1),
};
