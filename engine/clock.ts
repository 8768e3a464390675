/**
 * Time: the machine's, and a virtual one for tests and simulations.
 *
 * @module
 */

import { delay } from "@std/async";
import type { Clock } from "./context.ts";

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => delay(ms, signal ? { signal } : {}),
};

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * A clock on which waiting takes no time.
 *
 * Time stands still while anything runs. Once all that runs waits, the clock jumps to the
 * moment the first sleeper asked for and wakes it. Sleepers of one moment wake in the order in
 * which they fell asleep. With `manual`, time moves only by {@linkcode VirtualClock.advance}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock(0);
 * await clock.sleep(86_400_000);
 * assertEquals(clock.now(), 86_400_000);
 * ```
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #manual: boolean;
  #sleepers: Sleeper[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes a clock that shows a moment, in epoch milliseconds. */
  constructor(startMs: number, options: { readonly manual?: boolean } = {}) {
    this.#nowMs = startMs;
    this.#manual = options.manual ?? false;
  }

  /** The moment it shows, in epoch milliseconds. */
  now(): number {
    return this.#nowMs;
  }

  /** Waits until the clock shows a moment `ms` later. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = {
      // As a timer of the system: not a number is no wait.
      atMs: this.#nowMs + (Math.max(0, ms) || 0),
      wake: () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      },
    };
    const abort = () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      if (this.#nextMs() === Infinity) this.#unschedule();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const index = this.#sleepers.findIndex((other) => other.atMs > sleeper.atMs);
    this.#sleepers.splice(index < 0 ? this.#sleepers.length : index, 0, sleeper);
    if (!this.#manual) this.#schedule();
    return promise;
  }

  /** Moves time on, waking each sleeper at its moment and letting it run before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await delay(0);
    while (this.#nextMs() <= untilMs) {
      this.#wakeFirst();
      await delay(0);
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** The moment somebody wants to be woken at. Who sleeps for ever wakes only by a signal. */
  #nextMs(): number {
    return this.#sleepers[0]?.atMs ?? Infinity;
  }

  #schedule(): void {
    if (this.#nextMs() === Infinity) return;
    // A macrotask comes after all promises that can settle without one.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#wakeFirst();
      this.#schedule();
    }, 0);
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wakeFirst(): void {
    const sleeper = this.#sleepers.shift();
    if (!sleeper) return;
    this.#nowMs = Math.max(this.#nowMs, sleeper.atMs);
    sleeper.wake();
  }
}
