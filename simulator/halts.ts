/**
 * Times in which the exchange makes no candles, or makes them off the grid.
 *
 * @module
 */

/** A time without candles. */
export interface Halt {
  /** First moment without trades, in epoch milliseconds; -Infinity before the listing. */
  readonly fromMs: number;
  /** First moment with trades again; Infinity when it is for good. */
  readonly toMs: number;
  /** Whether a candle under way closes at once rather than at its usual end. */
  readonly cut: boolean;
}

/** A time in which candles open off the grid. */
export interface Shift {
  /** First open time on the grid that is moved, in epoch milliseconds. */
  readonly fromMs: number;
  /** First one that is not. */
  readonly toMs: number;
  /** How far they move; of it counts what is left after whole intervals. */
  readonly byMs: number;
}

/**
 * Puts halts in order and makes one of those that touch.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const merged = mergeHalts([
 *   { fromMs: 20, toMs: 30, cut: false },
 *   { fromMs: 0, toMs: 20, cut: true },
 *   { fromMs: 40, toMs: 50, cut: false },
 * ]);
 * assertEquals(merged, [
 *   { fromMs: 0, toMs: 30, cut: true },
 *   { fromMs: 40, toMs: 50, cut: false },
 * ]);
 * ```
 */
export function mergeHalts(halts: readonly Halt[]): Halt[] {
  const merged: Halt[] = [];
  for (const halt of halts.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (!last || last.toMs < halt.fromMs) merged.push(halt);
    else merged.splice(-1, 1, { ...last, toMs: Math.max(last.toMs, halt.toMs) });
  }
  return merged;
}

/** The halt, if any, in which the whole of a span lies. */
export function haltOver(halts: readonly Halt[], fromMs: number, toMs: number): Halt | undefined {
  for (const halt of halts) {
    if (halt.fromMs > fromMs) return undefined;
    if (halt.toMs >= toMs) return halt;
  }
}

/** The halt, if any, that begins within a span and outlasts it. */
export function haltAtEnd(halts: readonly Halt[], fromMs: number, toMs: number): Halt | undefined {
  return halts.find((halt) => halt.fromMs > fromMs && halt.fromMs < toMs && halt.toMs >= toMs);
}

/** The halt, if any, that goes on at the start of a span and ends within it. */
export function haltAtStart(
  halts: readonly Halt[],
  fromMs: number,
  toMs: number,
): Halt | undefined {
  return halts.find((halt) => halt.fromMs <= fromMs && halt.toMs > fromMs && halt.toMs < toMs);
}
