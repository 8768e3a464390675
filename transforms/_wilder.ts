/**
 * Wilder's averages of gains and losses, and the RSI they give.
 *
 * The order of the operations is that of TA-Lib, so that the results are the same to the last bit.
 *
 * @module
 */

/** The averages after a bar. Plain JSON. */
export type Averages = {
  /** Open time of the bar, in epoch milliseconds. */
  readonly t: number;
  /** How many values went in. */
  readonly n: number;
  /** The last value that went in. */
  readonly close: number;
  /** The average gain; before `n` exceeds the period, the sum of the gains. */
  readonly gain: number;
  /** The average loss, not negative; before `n` exceeds the period, the sum of the losses. */
  readonly loss: number;
};

/** What an RSI is called where the price has not moved at all. */
export type Flat = "neutral" | "talib" | "tradingview" | null;

/** Below it, denormal numbers bend the ratio of the averages. */
const NOTHING = 1e-290;
/** What TA-Lib 0.6 takes for zero. */
const TALIB_ZERO = 1e-14;
const FLAT_RSI = { neutral: 50, talib: 0, tradingview: 100 } as const;

/** Averages that nothing went into. */
export const START: Averages = { t: 0, n: 0, close: 0, gain: 0, loss: 0 };

/**
 * Takes one more value in.
 *
 * @param averages What was before.
 * @param t Time of the bar.
 * @param close Its value: finite.
 * @param period Number of changes the averages begin with; they follow the slower the larger it is.
 * @returns The averages after it. There is an RSI once `n` exceeds `period`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * let averages = START;
 * for (const close of [10, 12, 11, 11]) averages = advance(averages, 60_000, close, 3);
 * assertEquals(averages, { t: 60_000, n: 4, close: 11, gain: 2 / 3, loss: 1 / 3 });
 * ```
 */
export function advance(averages: Averages, t: number, close: number, period: number): Averages {
  const { n } = averages;
  let { gain, loss } = averages;
  if (n === 0) return { t, n: 1, close, gain, loss };
  if (n > period) {
    gain *= period - 1;
    loss *= period - 1;
  }
  const change = close - averages.close;
  if (change < 0) loss -= change;
  else gain += change;
  if (n >= period) {
    gain /= period;
    loss /= period;
  }
  if (gain + loss < NOTHING) gain = loss = 0;
  return { t, n: n + 1, close, gain, loss };
}

/**
 * Takes in bars in which the value did not move.
 *
 * @param averages What was before.
 * @param bars How many. It takes no longer than the averages take to fade to nothing.
 * @param period As for {@linkcode advance}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const averages = { t: 60_000, n: 4, close: 11, gain: 0.75, loss: 0.375 };
 * assertEquals(idle(averages, 1, 3), { t: 60_000, n: 5, close: 11, gain: 0.5, loss: 0.25 });
 * ```
 */
export function idle(averages: Averages, bars: number, period: number): Averages {
  if (averages.n === 0) return averages;
  const end = averages.n + bars;
  let now = averages;
  while (now.n < end && now.gain + now.loss > 0) now = advance(now, now.t, now.close, period);
  return { ...now, n: end };
}

/**
 * The RSI of two averages.
 *
 * @returns From 0 to 100, or null where there is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rsiOf(3, 1, "neutral"), 75);
 * assertEquals(rsiOf(0, 0, "neutral"), 50);
 * ```
 */
export function rsiOf(gain: number, loss: number, flat: Flat): number | null {
  const sum = gain + loss;
  if (sum === 0 || (flat === "talib" && sum < TALIB_ZERO)) return flat && FLAT_RSI[flat];
  return 100 * (gain / sum);
}
