/**
 * Which slots of a series are filled, and which are not.
 *
 * @module
 */

import { type Interval, INTERVALS } from "../interval.ts";
import type { SeriesRange } from "../plugin.ts";
import { firstIndex, type Grid, gridOf, type SlotRange, slotRange } from "./grid.ts";

/** Gaps that are told apart: what lies between further ones counts as missing, too. */
const MOST_GAPS = 10_000;
const KNOWN_INTERVALS: ReadonlySet<unknown> = new Set(INTERVALS);

/** What a point is to the slots of its series. */
export interface Placed {
  /** Whether slots before it are missing that may be had: not a hole. */
  readonly isBehindGap: boolean;
  /** What is odd about its place. */
  readonly oddity: "stored twice" | "off the grid" | undefined;
}

/** The interval of a series; undefined where its tags do not say which points it must have. */
export function intervalOf({ tags }: Pick<SeriesRange, "tags">): Interval | undefined {
  const { interval } = tags;
  return isInterval(interval) ? interval : undefined;
}

/**
 * Finds the slots of a range that no point fills. Memory is bounded, whatever the range.
 *
 * A point off the grid fills the slot it lies in.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const coverage = new Coverage("1m", { fromMs: 0, toMs: 300_000 }, []);
 * for (const timeMs of [0, 180_000, 240_000]) coverage.take(timeMs);
 * coverage.end();
 * assertEquals(coverage.expected, 5);
 * assertEquals(coverage.gaps, [{ fromMs: 60_000, toMs: 180_000, slots: 2 }]);
 * ```
 */
export class Coverage {
  /** The slots that are missing and may be had. */
  readonly gaps: SlotRange[] = [];
  /** The slots that the origin of the points never made. */
  readonly holes: SlotRange[] = [];
  readonly #interval: Interval;
  readonly #range: { readonly fromMs: number; readonly toMs: number };
  readonly #known: readonly SlotRange[];
  #grid: Grid | undefined;
  #next = 0;
  #end = 0;
  #expected = 0;
  #lastMs = -Infinity;
  #isEnded = false;

  /**
   * Begins with nothing filled.
   *
   * @param interval The interval of the series.
   * @param range From the first open time up to the end, exclusive.
   * @param known Holes that are known, in order.
   */
  constructor(
    interval: Interval,
    range: { readonly fromMs: number; readonly toMs: number },
    known: readonly SlotRange[],
  ) {
    this.#interval = interval;
    this.#range = range;
    this.#known = known;
  }

  /** How many slots must be filled: all but the holes. Call after {@linkcode Coverage.end}. */
  get expected(): number {
    return this.#expected - this.holes.reduce((sum, { slots }) => sum + slots, 0);
  }

  /** Takes a point, in order of time. */
  take(timeMs: number): Placed {
    const grid = this.#grid ?? this.#start(timeMs);
    const index = grid.indexOf(timeMs);
    const isTwice = timeMs === this.#lastMs;
    this.#lastMs = timeMs;
    const isBehindGap = this.#miss(grid, Math.min(index, this.#end));
    this.#next = Math.max(this.#next, index + 1);
    const isOff = grid.openOf(index) !== timeMs;
    return { isBehindGap, oddity: isTwice ? "stored twice" : isOff ? "off the grid" : undefined };
  }

  /** Ends: what no point has filled is missing. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#miss(this.#grid ?? this.#start(this.#range.fromMs), this.#end);
  }

  #start(knownMs: number): Grid {
    const grid = gridOf(this.#interval, knownMs);
    this.#next = firstIndex(grid, this.#range.fromMs);
    this.#end = Math.max(this.#next, firstIndex(grid, this.#range.toMs));
    this.#expected = this.#end - this.#next;
    return this.#grid = grid;
  }

  /** Notes the slots up to one as missing: those of known holes, and the others. */
  #miss(grid: Grid, until: number): boolean {
    let at = this.#next;
    let hasGap = false;
    const gap = (to: number) => {
      if (to <= at) return;
      hasGap = true;
      addRange(this.gaps, slotRange(grid, at, to));
    };
    if (at >= until) return false;
    for (const hole of this.#known) {
      const from = Math.max(at, grid.indexOf(hole.fromMs));
      const to = Math.min(until, firstIndex(grid, hole.toMs));
      if (from >= to) continue;
      gap(from);
      addRange(this.holes, slotRange(grid, from, to));
      at = to;
    }
    gap(until);
    this.#next = until;
    return hasGap;
  }
}

/** Adds a range behind the others. Once there are too many, it becomes one with the last. */
function addRange(ranges: SlotRange[], range: SlotRange): void {
  const last = ranges.at(-1);
  if (last && (last.toMs === range.fromMs || ranges.length >= MOST_GAPS)) {
    ranges[ranges.length - 1] = {
      fromMs: last.fromMs,
      toMs: range.toMs,
      slots: last.slots + range.slots,
    };
  } else ranges.push(range);
}

function isInterval(text: string | undefined): text is Interval {
  return KNOWN_INTERVALS.has(text);
}
