/**
 * A series of candles as a reader sees it, whether made up or recorded.
 *
 * @module
 */

/** How a reader sees a series: the moment, and how far answers lag behind it. */
export interface View {
  /** The moment, in epoch milliseconds. */
  readonly nowMs: number;
  /** How long after its close a candle is missing, along with all after it, in milliseconds. */
  readonly absentMs: number;
  /** How long it then still changes. */
  readonly changingMs: number;
}

/** A stretch of candles to choose from. */
export interface Window {
  /** The earliest open time, in epoch milliseconds. */
  readonly fromMs: number;
  /** The latest open time. */
  readonly toMs: number;
  /** The most candles. */
  readonly limit: number;
  /** Which ones, when there are more. */
  readonly keep: "oldest" | "newest";
}

/** The unit of the times in an answer. */
export type TimeUnit = "ms" | "us";

/** Candles of one symbol at one interval. A candle is named by a number that grows with time. */
export interface Series {
  /** The candles whose open time lies in a window, in order of time. */
  find(window: Window, view: View): number[];
  /** When one of them opens, in epoch milliseconds. */
  open(candle: number): number;
  /** The last moment of one of them, in epoch milliseconds. */
  close(candle: number): number;
  /** One of them as a REST row, in JSON. */
  row(candle: number, view: View, unit: TimeUnit): string;
}

/**
 * Whether answers hold a candle yet.
 *
 * @param startMs The first moment at which it may trade, in epoch milliseconds.
 * @param closeMs Its last moment.
 * @param view What the reader sees.
 */
export function isServed(startMs: number, closeMs: number, view: View): boolean {
  const seenMs = view.nowMs - view.absentMs;
  return closeMs < seenMs || (closeMs >= view.nowMs && startMs <= seenMs);
}

/**
 * The text of a row.
 *
 * @param openMs Open time, in epoch milliseconds.
 * @param prices Open, high, low, close and volume, as JSON strings with commas between.
 * @param closeMs Close time.
 * @param rest What follows the close time, in JSON.
 * @param unit The unit of both times.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rowText(1_000, '"1"', 1_999, "7", "ms"), '[1000,"1",1999,7]');
 * assertEquals(rowText(1_000, '"1"', 1_999, "7", "us"), '[1000000,"1",1999999,7]');
 * ```
 */
export function rowText(
  openMs: number,
  prices: string,
  closeMs: number,
  rest: string,
  unit: TimeUnit,
): string {
  return unit === "ms"
    ? `[${openMs},${prices},${closeMs},${rest}]`
    : `[${openMs}000,${prices},${closeMs}999,${rest}]`;
}
