/**
 * The exchange's rate limits, and how much of them is left.
 *
 * @module
 */

/** A limit as the exchange states it: so much per window of the clock. */
export interface RateLimit {
  /** What is counted: request weight, or requests. */
  readonly kind: "weight" | "requests";
  /** The length of a window in milliseconds. Windows begin at multiples of it, not at a request. */
  readonly windowMs: number;
  /** The most in one window. */
  readonly limit: number;
  /** The header in which answers tell what was used, lower case. None for requests. */
  readonly header?: string;
}

/** What the first request may use: no exchange of this kind ever stated a lower limit. */
const UNTIL_STATED: RateLimit = {
  kind: "weight",
  windowMs: 60_000,
  limit: 1_200,
  header: "x-mbx-used-weight-1m",
};

/** How much of a limit all users of an address may use together before this one waits. */
const MOST_IN_ALL = 0.9;

/** The counts of one limit in one window of the clock. */
interface Usage {
  readonly limit: RateLimit;
  window: number;
  /** What we asked for in this window. */
  asked: number;
  /** The part of it that was answered in this window. */
  answered: number;
  /** What others used, as far as the exchange told: the address may be shared. */
  others: number;
}

/**
 * Counts what requests use of the exchange's limits and says when the next one may go out.
 *
 * It keeps what the run's requests use of each limit within a share of it, and what all users of
 * this address use, as far as the exchange tells, within nine tenths. One budget serves all sources
 * of a run that read from one host; each may have a share of its own, and counts what the others
 * used. Times are the exchange's, in epoch milliseconds, as its counters start afresh with its
 * minute, unless it is said that they are this machine's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new WeightBudget();
 * budget.setLimits([{ kind: "weight", windowMs: 60_000, limit: 100 }]);
 * assertEquals(budget.take(50, 10_000, 0.5), 0);
 * assertEquals(budget.take(2, 10_000, 0.5), 50_000);
 * assertEquals(budget.take(2, 60_000, 0.5), 0);
 * ```
 */
export class WeightBudget {
  #usages: Usage[] = [unused(UNTIL_STATED)];
  #closedUntilMs = -Infinity;

  /** Lets no request go out before a moment on the steady clock: the exchange asked for it. */
  closeUntil(untilMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, untilMs);
  }

  /** How long no request may go out, in milliseconds, at a moment on the steady clock. */
  closedForMs(nowMs: number): number {
    return Math.max(0, this.#closedUntilMs - nowMs);
  }

  /** Takes over the limits the exchange states. What was used of a limit of the same kind and window stays. */
  setLimits(limits: readonly RateLimit[]): void {
    const stated = limits.some(({ kind }) => kind === "weight")
      ? limits
      : [...limits, UNTIL_STATED];
    this.#usages = stated.map((limit) => {
      const known = this.#usages.find((usage) =>
        usage.limit.kind === limit.kind && usage.limit.windowMs === limit.windowMs
      );
      return known ? { ...known, limit } : unused(limit);
    });
  }

  /**
   * Takes what a request weighs.
   *
   * @param weight Its weight.
   * @param nowMs The exchange's time.
   * @param share What may be used of each limit, above 0 up to 1.
   * @returns 0 when it may go out now, and is counted; else how many milliseconds to wait before
   * asking again. The first request of a window goes out whatever it weighs.
   */
  take(weight: number, nowMs: number, share: number): number {
    let waitMs = 0;
    for (const usage of this.#usages) {
      enterWindow(usage, nowMs);
      const { limit, windowMs } = usage.limit;
      const asked = usage.asked + costOf(usage.limit, weight);
      const own = limit * share;
      const isTooMuch = asked > own || asked + usage.others > Math.max(own, limit * MOST_IN_ALL);
      if (isTooMuch && usage.asked > 0) {
        waitMs = Math.max(waitMs, (usage.window + 1) * windowMs - nowMs);
      }
    }
    if (waitMs > 0) return waitMs;
    for (const usage of this.#usages) usage.asked += costOf(usage.limit, weight);
    return 0;
  }

  /**
   * Learns from an answer what all users of this address have used.
   *
   * @param weight What the request weighed.
   * @param headers The answer's headers.
   * @param askedMs The exchange's time when the request went out.
   * @param nowMs The exchange's time now.
   */
  learn(weight: number, headers: Headers, askedMs: number, nowMs: number): void {
    for (const usage of this.#usages) {
      enterWindow(usage, nowMs);
      // Whether an answer that took until the next window tells of that one cannot be known.
      if (Math.floor(askedMs / usage.limit.windowMs) !== usage.window) continue;
      usage.answered += costOf(usage.limit, weight);
      const told = usage.limit.header === undefined ? null : headers.get(usage.limit.header);
      if (told === null || !/^\d+$/.test(told)) continue;
      // Requests that were counted there but not answered here make this too much, never too little.
      usage.others = Math.max(usage.others, Number(told) - usage.answered);
    }
  }

  /** What is known to be used of the weight in the current window, that of others included. */
  used(nowMs: number): number {
    const usage = this.#usages.find(({ limit }) => limit.kind === "weight");
    if (!usage) return 0;
    enterWindow(usage, nowMs);
    return usage.asked + usage.others;
  }
}

function unused(limit: RateLimit): Usage {
  return { limit, window: 0, asked: 0, answered: 0, others: 0 };
}

function costOf(limit: RateLimit, weight: number): number {
  return limit.kind === "weight" ? weight : 1;
}

/** A clock that was set back takes along what was used: how much of it still counts is not known. */
function enterWindow(usage: Usage, nowMs: number): void {
  const window = Math.floor(nowMs / usage.limit.windowMs);
  if (window > usage.window) usage.asked = usage.answered = usage.others = 0;
  usage.window = window;
}
