/**
 * Times in which the whole exchange is away.
 *
 * @module
 */

/** A time without the exchange. */
export interface Outage {
  /** First moment without it, in epoch milliseconds. */
  readonly fromMs: number;
  /** First moment at which it is back. */
  readonly toMs: number;
}

/** Why a request got no answer. */
export class AwayError extends TypeError {
  /** Makes the error. */
  constructor() {
    super("Connection refused: the simulated exchange is away");
  }
}

/**
 * All outages.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const outages = new Outages([{ fromMs: 10, toMs: 20 }]);
 * assertEquals([9, 10, 19, 20].map((ms) => outages.isAway(ms)), [false, true, true, false]);
 * assertEquals([outages.nextMs(9), outages.nextMs(10)], [10, Infinity]);
 * ```
 */
export class Outages {
  readonly #outages: readonly Outage[];

  /** Takes outages in any order. */
  constructor(outages: readonly Outage[]) {
    this.#outages = outages;
  }

  /** Whether the exchange is away at a moment. */
  isAway(atMs: number): boolean {
    return this.#outages.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
  }

  /** When the next one begins after a moment; Infinity when none does. */
  nextMs(atMs: number): number {
    const ahead = this.#outages.filter(({ fromMs }) => fromMs > atMs);
    return Math.min(Infinity, ...ahead.map(({ fromMs }) => fromMs));
  }
}
