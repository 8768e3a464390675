/**
 * Trying again: longer each time, at random, as long as it takes.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { describeError, FatalError, hintForDenied, isDenied, RetryableError } from "./errors.ts";

const BASE_MS = 500;
const CAP_MS = 60_000;
/** Nobody bans for longer: an answer that asks for more is broken. */
const LONGEST_ASKED_MS = 3 * 86_400_000;

/** What trying again needs of the world. */
export type RetryContext = Pick<Context, "sleep" | "random"> & {
  readonly log: Pick<Context["log"], "warn" | "info">;
};

/** How long to go on. */
export interface RetryLimits {
  /** Attempts in all; no limit where it is left out. */
  readonly maxAttempts?: number;
}

/**
 * Tries until it works, as {@linkcode Context.retry} promises.
 *
 * Full jitter: the first wait is drawn between 0 and 500 ms, each one after it between 0 and twice
 * as much, up to 60 s. It comes on top of what the error asks for, so that clients told the same
 * `Retry-After` spread.
 *
 * @param action What is tried, to follow "Cannot".
 * @param attempt Called once per attempt.
 * @param context Time, randomness and log.
 * @param limits When to give up.
 * @throws {FatalError} When the limit is reached, so that nobody starts the attempts anew.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { VirtualClock } from "./clock.ts";
 * import { RetryableError } from "./errors.ts";
 *
 * const clock = new VirtualClock(0);
 * const context = {
 *   sleep: (ms: number) => clock.sleep(ms),
 *   random: () => 0,
 *   log: { warn: () => {}, info: () => {} },
 * };
 * let attempts = 0;
 * await retry("connect", () => {
 *   if (++attempts === 3) return Promise.resolve();
 *   return Promise.reject(new RetryableError("refused", { retryAfterMs: 1_000 }));
 * }, context);
 * assertEquals(clock.now(), 2_000);
 * ```
 */
export async function retry<T>(
  action: string,
  attempt: () => Promise<T>,
  context: RetryContext,
  limits: RetryLimits = {},
): Promise<T> {
  for (let failures = 0;; failures++) {
    try {
      const result = await attempt();
      if (failures > 0) context.log.info(`Could ${action} at last`, { attempts: failures + 1 });
      return result;
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (isDenied(error)) throw givenUp(action, error, failures + 1);
      if (failures + 1 >= (limits.maxAttempts ?? Infinity)) {
        throw givenUp(action, error, failures + 1);
      }
      const waitMs = waitBeforeRetry(failures, error, context.random);
      context.log.warn(`Cannot ${action}: ${describeError(error)}`, {
        attempt: failures + 1,
        next_attempt_ms: waitMs,
      });
      await context.sleep(waitMs);
    }
  }
}

function givenUp(action: string, error: RetryableError, attempts: number): FatalError {
  const tried = attempts === 1 ? "in one attempt" : `in ${attempts} attempts`;
  return new FatalError(`Cannot ${action} ${tried}`, {
    cause: error,
    hint: error.hint ?? hintForDenied(error),
  });
}

/**
 * How long to wait after a failure: full jitter, on top of what the error asks for, which counts up
 * to three days.
 *
 * @param failures How many failures came before this one, without a success between.
 * @param error The failure.
 * @param random Gives a number from 0 up to, not including, 1.
 * @returns Whole milliseconds.
 */
export function waitBeforeRetry(
  failures: number,
  error: RetryableError,
  random: () => number,
): number {
  const jitterMs = random() * Math.min(CAP_MS, BASE_MS * 2 ** failures);
  // What the other side asks for may be anything, and not a number would mean not to wait at all.
  const askedMs = Math.min(LONGEST_ASKED_MS, Math.max(0, error.retryAfterMs ?? 0) || 0);
  return Math.round(askedMs + jitterMs);
}
