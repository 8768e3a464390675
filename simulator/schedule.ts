/**
 * What is to happen when, on a clock that is asked for one wait at a time.
 *
 * @module
 */

import type { Clock } from "../engine/context.ts";

/** Timers of the system know no longer wait. */
const LONGEST_WAIT_MS = 2_147_483_647;

type Task = () => void;

/**
 * Tasks in order of time; those of one moment run in the order in which they were added.
 *
 * Nothing waits while there are no tasks, and tasks of one moment cost one wake-up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { VirtualClock } from "../engine/clock.ts";
 *
 * const clock = new VirtualClock(0, { manual: true });
 * const schedule = new Schedule(clock);
 * const ran: string[] = [];
 * schedule.at(20, () => ran.push("later"));
 * schedule.at(10, () => ran.push("sooner"));
 * const cancel = schedule.at(15, () => ran.push("never"));
 * cancel();
 * await clock.advance(20);
 * assertEquals(ran, ["sooner", "later"]);
 * ```
 */
export class Schedule {
  readonly #clock: Clock;
  readonly #tasks = new Map<number, Set<Task>>();
  /** Moments that have tasks, in order. */
  readonly #times: number[] = [];
  #armedMs = Infinity;
  #wait: AbortController | undefined;
  #isRunning = false;

  /** Starts with nothing to do. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Has a task run at a moment, or as soon as may be when the moment has passed.
   *
   * @returns Takes the task back.
   */
  at(atMs: number, run: Task): () => void {
    if (atMs === Infinity) return () => {};
    const task = () => run();
    const tasks = this.#tasks.get(atMs);
    if (tasks) tasks.add(task);
    else {
      this.#tasks.set(atMs, new Set([task]));
      this.#times.splice(this.#placeOf(atMs), 0, atMs);
    }
    this.#arm();
    return () => this.#cancel(atMs, task);
  }

  /** Takes all tasks back. */
  clear(): void {
    for (const tasks of this.#tasks.values()) tasks.clear();
    this.#tasks.clear();
    this.#times.length = 0;
    this.#arm();
  }

  #cancel(atMs: number, task: Task): void {
    const tasks = this.#tasks.get(atMs);
    if (!tasks?.delete(task) || tasks.size > 0) return;
    this.#tasks.delete(atMs);
    this.#times.splice(this.#placeOf(atMs), 1);
    this.#arm();
  }

  #placeOf(atMs: number): number {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? Infinity) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #arm(): void {
    const nextMs = this.#times[0] ?? Infinity;
    if (this.#isRunning || nextMs === this.#armedMs) return;
    this.#wait?.abort();
    this.#wait = undefined;
    this.#armedMs = nextMs;
    if (nextMs === Infinity) return;
    const wait = new AbortController();
    this.#wait = wait;
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, nextMs - this.#clock.now()));
    // A wait that is given up was replaced by another.
    this.#clock.sleep(waitMs, wait.signal).then(() => this.#run(wait), () => {});
  }

  #run(wait: AbortController): void {
    if (wait !== this.#wait) return;
    this.#wait = undefined;
    this.#isRunning = true;
    const nowMs = this.#clock.now();
    try {
      for (let atMs = this.#times[0]; atMs !== undefined && atMs <= nowMs; atMs = this.#times[0]) {
        const tasks = this.#tasks.get(atMs) ?? new Set();
        for (const task of tasks) {
          // What runs may cancel what has yet to run, and all of it.
          tasks.delete(task);
          task();
        }
        if (this.#tasks.get(atMs) === tasks) {
          this.#tasks.delete(atMs);
          this.#times.splice(this.#placeOf(atMs), 1);
        }
      }
    } finally {
      this.#isRunning = false;
      this.#armedMs = Infinity;
      this.#arm();
    }
  }
}
