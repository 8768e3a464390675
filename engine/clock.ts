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
  steady: () => performance.now(),
  sleep: (ms, signal) => delay(ms, signal ? { signal } : {}),
};

/**
 * Waits until time is up or one of two signals aborts. Unlike `AbortSignal.any`, it leaves nothing
 * behind at a signal that lives for years.
 *
 * @param clock The clock.
 * @param ms How long.
 * @param first A signal.
 * @param second Another one, or none.
 * @throws The reason of the signal that aborts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new VirtualClock(0);
 * const { signal } = new AbortController();
 * await sleepWithin(clock, 5_000, signal, undefined);
 * assertEquals(clock.now(), 5_000);
 * ```
 */
export async function sleepWithin(
  clock: Pick<Clock, "sleep">,
  ms: number,
  first: AbortSignal,
  second: AbortSignal | undefined,
): Promise<void> {
  if (second === undefined || second === first) return await clock.sleep(ms, first);
  const either = new AbortController();
  const end = () => either.abort(first.aborted ? first.reason : second.reason);
  first.addEventListener("abort", end);
  second.addEventListener("abort", end);
  try {
    if (first.aborted || second.aborted) end();
    await clock.sleep(ms, either.signal);
  } finally {
    first.removeEventListener("abort", end);
    second.removeEventListener("abort", end);
  }
}

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * A clock on which waiting takes no time.
 *
 * Time stands still while anything runs. Once all that runs waits, the clock jumps to the
 * moment the first sleeper asked for and wakes it. Sleepers of one moment wake in the order in
 * which they fell asleep. With `manual`, time moves only by {@linkcode VirtualClock.advance}. With
 * `eager`, it jumps some hundred times faster, and does not wait for files and sockets of the real
 * world to get on: for simulations that have none.
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
  readonly #eager: boolean;
  #sleepers: Sleeper[] = [];
  #cancelJump: (() => void) | undefined;

  /** Makes a clock that shows a moment, in epoch milliseconds. */
  constructor(
    startMs: number,
    options: { readonly manual?: boolean; readonly eager?: boolean } = {},
  ) {
    this.#nowMs = startMs;
    this.#manual = options.manual ?? false;
    this.#eager = options.eager ?? false;
  }

  /** The moment it shows, in epoch milliseconds. */
  now(): number {
    return this.#nowMs;
  }

  /** As {@linkcode VirtualClock.now}: nobody sets this clock. */
  steady(): number {
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
    this.#cancelJump ??= (this.#eager ? nextImmediate : nextTimer)(() => {
      this.#cancelJump = undefined;
      this.#wakeFirst();
      this.#schedule();
    });
  }

  #unschedule(): void {
    this.#cancelJump?.();
    this.#cancelJump = undefined;
  }

  #wakeFirst(): void {
    const sleeper = this.#sleepers.shift();
    if (!sleeper) return;
    this.#nowMs = Math.max(this.#nowMs, sleeper.atMs);
    sleeper.wake();
  }
}

function nextTimer(run: () => void): () => void {
  const timer = setTimeout(run, 0);
  return () => clearTimeout(timer);
}

function nextImmediate(run: () => void): () => void {
  const immediate = setImmediate(run);
  return () => clearImmediate(immediate);
}
