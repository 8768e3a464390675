/**
 * A series of candles as a reader sees it, whether made up or recorded.
 *
 * @module
 */

import type { Writer } from "./writer.ts";

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
  /** Writes one of them as a REST row. */
  writeRow(candle: number, view: View, unit: TimeUnit, writer: Writer): void;
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
 * Writes a time.
 *
 * @param ms Epoch milliseconds.
 * @param unit The unit it is written in.
 * @param lastDigits The microseconds in it: `000`, or `999` for the end of a candle.
 * @param writer Where it is written.
 */
export function writeTime(
  ms: number,
  unit: TimeUnit,
  lastDigits: "000" | "999",
  writer: Writer,
): void {
  writer.whole(ms);
  if (unit === "us") writer.text(lastDigits);
}
