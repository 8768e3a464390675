/**
 * How often connections may be opened.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";

/** The exchange bans an address after 300 attempts in five minutes. */
const MOST = 120;
const WINDOW_MS = 300_000;
/** The least and the longest wait before a connection that broke is opened again. */
const LEAST_MS = 1_000;
const CAP_MS = 30_000;
/** The exchange closed it for a fault of ours, such as too many frames. */
const POLICY_MS = 10_000;

/**
 * The wait before a connection is opened again: full jitter, and never less than a second.
 *
 * @param failures Attempts in a row that came to nothing.
 * @param code The close code of the last connection; 1008 asks for more patience.
 * @param random Gives a number from 0 up to, not including, 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(reconnectWaitMs(0, 1006, () => 0.5), 1_500);
 * assertEquals(reconnectWaitMs(20, 1006, () => 0.5), 16_000);
 * assertEquals(reconnectWaitMs(0, 1008, () => 0.5), 10_500);
 * ```
 */
export function reconnectWaitMs(failures: number, code: number, random: () => number): number {
  const jitterMs = random() * Math.min(CAP_MS, LEAST_MS * 2 ** failures);
  return Math.round((code === 1008 ? POLICY_MS : LEAST_MS) + jitterMs);
}

/** Lets connections be opened no faster than the exchange bears, over all sources of a run. */
export class Attempts {
  #times: number[] = [];

  /** Waits for a turn. */
  async admit(context: Pick<Context, "now" | "sleep">, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const nowMs = context.now();
      this.#times = this.#times.filter((atMs) => atMs > nowMs - WINDOW_MS);
      const oldestMs = this.#times[0];
      if (oldestMs === undefined || this.#times.length < MOST) break;
      await context.sleep(oldestMs + WINDOW_MS - nowMs, signal);
    }
    this.#times.push(context.now());
  }
}
