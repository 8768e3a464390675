/**
 * Puts a page of candles in order: what a page must be, what it may be instead, and what then.
 *
 * A row takes part by its open time and its close time alone; whatever else is wrong with it is
 * left to the transform that reads it. Nothing is dropped but what is there twice or was not asked
 * for, and each of these is counted.
 *
 * @module
 */

import { Decimal } from "../../engine/decimal.ts";
import { FatalError } from "../../engine/errors.ts";
import { floorToInterval, type Interval, nextOpen } from "../../engine/interval.ts";
import { findHoles, type Hole, holeBefore, isTime, openOf } from "./holes.ts";

/** What was asked for. */
export interface PageQuery {
  /** The symbol, for messages. */
  readonly symbol: string;
  /** The interval of the candles. */
  readonly interval: Interval;
  /** The open time of the candle before, in epoch milliseconds; undefined before the first. */
  readonly afterMs: number | undefined;
  /** The first open time asked for. */
  readonly startMs: number;
  /** The end of the open times asked for, exclusive. */
  readonly endMs: number;
  /** The exchange's time at which a candle must have closed to count as closed. */
  readonly nowMs: number;
}

/** How many rows were not as they should be, by the name of their counter. */
export interface Oddities {
  /** The same row once more: given once. */
  doubled_rows: number;
  /** Another row of the same open time came later in the answer: that one counts. */
  replaced_rows: number;
  /** Rows that came later than they should: put where they belong. */
  unsorted_rows: number;
  /** Rows outside of the open times asked for: left out. */
  unasked_rows: number;
  /** Rows that the answer lacked at first. */
  recovered_rows: number;
  /** Rows without an open time: given where they stood, for the transform to refuse. */
  unreadable_rows: number;
}

/** Names of their counters. */
export const ODDITIES: readonly string[] = Object.keys(noOddities());

/** A page in order. */
export interface Page {
  /** The rows of closed candles, as they came, strictly ascending. */
  readonly rows: readonly unknown[];
  /** The open time these rows reach; undefined where they reach no further than the page before. */
  readonly lastMs: number | undefined;
  /** Whether nothing can follow. */
  readonly isLast: boolean;
  /** Holes before and between its rows. */
  readonly holes: readonly Hole[];
  /** What was not as it should be. */
  readonly oddities: Oddities;
}

/**
 * Puts the rows of an answer in order.
 *
 * Rows from the first candle on that has not closed are left out: they come again once they have.
 * So are rows without an open time at the end, which stand at the beginning of the next page; where
 * a page has no others they are given, and taken to fill one slot each.
 *
 * @param rows The answer, not changed.
 * @param query What was asked for.
 * @throws {FatalError} If no row is one that was asked for, as the same would come again for ever.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const openMs = Date.UTC(2024, 0, 1);
 * const row = [openMs, "1", "2", "1", "2", "9", openMs + 59_999, "12", 3, "4", "5", "0"];
 * const page = arrangePage([row], {
 *   symbol: "BTCUSDT",
 *   interval: "1m",
 *   afterMs: openMs - 180_000,
 *   startMs: openMs - 179_999,
 *   endMs: openMs + 60_000,
 *   nowMs: openMs + 60_000,
 * });
 * assertEquals(page.lastMs, openMs);
 * assertEquals(page.holes, [{ afterMs: openMs - 180_000, toMs: openMs, missing: 2 }]);
 * ```
 */
export function arrangePage(rows: readonly unknown[], query: PageQuery): Page {
  const oddities = noOddities();
  if (rows.length === 0) {
    return { rows, lastMs: undefined, isLast: true, holes: [], oddities };
  }
  if (isInOrder(rows, query)) {
    return finish(rows, openOf(rows.at(-1)), false, query, oddities);
  }
  const sorted = sortRows(rows, query, oddities);
  if (sorted.length === 0) {
    throw new FatalError(
      `Cannot read candles of ${query.symbol} as an answer must hold some that were asked for: ` +
        `none of ${rows.length} rows opens from ${isoOf(query.startMs)} to ${isoOf(query.endMs)}`,
      { hint: "Check that `base_url` is the address of the exchange itself" },
    );
  }
  const unique = mergeRows(sorted, oddities);
  const openAt = unique.findIndex((row) => isOpen(row, query));
  const closed = openAt < 0 ? unique : unique.slice(0, openAt);
  const lastAt = closed.findLastIndex((row) => openOf(row) !== undefined);
  if (lastAt < 0) return fillSlots(closed, query, oddities);
  oddities.unreadable_rows = countUnreadable(closed, 0, lastAt);
  const lastMs = openOf(closed[lastAt]);
  // What is missing before the open candle is asked for by the next page.
  const hasEnd = openAt >= 0 && lastAt === closed.length - 1 &&
    nextOpen(query.interval, lastMs ?? NaN) >= (openOf(unique[openAt]) ?? NaN);
  return finish(closed.slice(0, lastAt + 1), lastMs, hasEnd, query, oddities);
}

/** Where candles may be missing: the holes of a page, and the time before its first row. */
export function suspectHoles(page: Page, query: PageQuery): readonly Hole[] {
  const firstMs = openOf(page.rows[0]);
  if (query.afterMs !== undefined || firstMs === undefined) return page.holes;
  const before = holeBefore(firstMs, query.startMs, query.interval);
  return before ? [before, ...page.holes] : page.holes;
}

/**
 * Puts the rows that a hole had after all where they belong.
 *
 * @param page The page with the hole.
 * @param part The rows, in order.
 * @param toMs The open time of the row behind the hole.
 * @param query What the page was asked for.
 */
export function insertRows(page: Page, part: Page, toMs: number, query: PageQuery): Page {
  const at = page.rows.findIndex((row) => openOf(row) === toMs);
  const rows = [...page.rows.slice(0, at), ...part.rows, ...page.rows.slice(at)];
  const oddities = { ...page.oddities };
  oddities.recovered_rows += part.rows.length;
  return { ...page, rows, holes: findHoles(rows, query.interval, query.afterMs), oddities };
}

/** Whether the rows are as they should be: ascending within the window, and closed. */
function isInOrder(rows: readonly unknown[], { startMs, endMs, nowMs }: PageQuery): boolean {
  let previous = startMs - 1;
  for (const row of rows) {
    if (!Array.isArray(row)) return false;
    const openMs = row[0];
    const closeMs = row[6];
    if (!isTime(openMs) || openMs <= previous || openMs >= endMs) return false;
    if (!isTime(closeMs) || closeMs < openMs || closeMs >= nowMs) return false;
    previous = openMs;
  }
  return true;
}

function finish(
  rows: readonly unknown[],
  lastMs: number | undefined,
  hasEnd: boolean,
  query: PageQuery,
  oddities: Oddities,
): Page {
  const isLast = hasEnd || (lastMs !== undefined && lastMs + 1 >= query.endMs);
  return { rows, lastMs, isLast, holes: findHoles(rows, query.interval, query.afterMs), oddities };
}

interface Placed {
  readonly row: unknown;
  readonly orderMs: number;
}

/** Leaves out what was not asked for and sorts. A row without an open time stays behind its neighbour. */
function sortRows(rows: readonly unknown[], query: PageQuery, oddities: Oddities): unknown[] {
  const placed: Placed[] = [];
  let latestMs = query.startMs;
  let orderMs = query.startMs;
  for (const row of rows) {
    const openMs = openOf(row);
    if (openMs !== undefined) {
      if (openMs < query.startMs || openMs >= query.endMs) {
        oddities.unasked_rows++;
        continue;
      }
      if (openMs < latestMs) oddities.unsorted_rows++;
      latestMs = Math.max(latestMs, openMs);
      orderMs = openMs;
    }
    placed.push({ row, orderMs });
  }
  return placed.sort((a, b) => a.orderMs - b.orderMs).map(({ row }) => row);
}

/** Gives one row per open time: the one that came last. */
function mergeRows(rows: readonly unknown[], oddities: Oddities): unknown[] {
  const merged: unknown[] = [];
  let lastAt = -1;
  for (const row of rows) {
    const openMs = openOf(row);
    if (openMs !== undefined && lastAt >= 0 && openOf(merged[lastAt]) === openMs) {
      if (isSame(merged[lastAt], row)) oddities.doubled_rows++;
      else oddities.replaced_rows++;
      merged[lastAt] = row;
      continue;
    }
    if (openMs !== undefined) lastAt = merged.length;
    merged.push(row);
  }
  return merged;
}

/**
 * Lets rows without an open time fill the slots that follow, one each, as far as candles have
 * closed: the position must move, or the same rows would be read for ever.
 */
function fillSlots(rows: readonly unknown[], query: PageQuery, oddities: Oddities): Page {
  const { interval, afterMs, startMs, endMs, nowMs } = query;
  let lastMs = afterMs ?? floorToInterval(interval, startMs - 1);
  let count = 0;
  while (count < rows.length) {
    const openMs = nextOpen(interval, lastMs);
    if (openMs >= endMs || nextOpen(interval, openMs) > nowMs) break;
    lastMs = openMs;
    count++;
  }
  oddities.unreadable_rows = count;
  return {
    rows: rows.slice(0, count),
    lastMs: count === 0 ? undefined : lastMs,
    isLast: count < rows.length || rows.length === 0 || lastMs + 1 >= endMs,
    holes: [],
    oddities,
  };
}

function countUnreadable(rows: readonly unknown[], from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (openOf(rows[at]) === undefined) count++;
  return count;
}

/**
 * Whether a row is that of the open candle. A close time that is not to be believed, as the next
 * candle should have opened, would end the reading for good.
 */
function isOpen(row: unknown, { interval, nowMs }: PageQuery): boolean {
  const openMs = openOf(row);
  if (openMs === undefined || !Array.isArray(row) || nextOpen(interval, openMs) <= nowMs) {
    return false;
  }
  const hasCloseTime = isTime(row[6]) && row[6] >= openMs;
  return !hasCloseTime || row[6] >= nowMs;
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((value, at) => value === b[at] || isSameDecimal(value, b[at]));
}

function isSameDecimal(a: unknown, b: unknown): boolean {
  return a instanceof Decimal && b instanceof Decimal && String(a) === String(b);
}

function noOddities(): Oddities {
  return {
    doubled_rows: 0,
    replaced_rows: 0,
    unsorted_rows: 0,
    unasked_rows: 0,
    recovered_rows: 0,
    unreadable_rows: 0,
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
