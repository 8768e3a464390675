/**
 * Waiting until something happens, or until a time.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";

/** Timers cannot wait for ever. */
const LONGEST_MS = 3_600_000;

/** Wakes one waiter. A ring that nobody waited for is kept. */
export class Bell {
  #ring = Promise.withResolvers<void>();

  /** Wakes the waiter, or the next one to come. */
  ring(): void {
    this.#ring.resolve();
  }

  /**
   * Waits for a ring.
   *
   * @param ms How long at the most; never longer than an hour.
   * @param context Time.
   * @param signal Ends the waiting by throwing its reason.
   */
  async wait(ms: number, context: Pick<Context, "sleep">, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const over = new AbortController();
    const end = () => over.abort();
    signal.addEventListener("abort", end, { once: true });
    try {
      await Promise.race([
        this.#ring.promise,
        context.sleep(Math.min(LONGEST_MS, Math.max(0, ms)), over.signal).catch(() => {}),
      ]);
    } finally {
      signal.removeEventListener("abort", end);
      over.abort();
    }
    signal.throwIfAborted();
    this.#ring = Promise.withResolvers<void>();
  }
}
