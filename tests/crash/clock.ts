/**
 * A clock that runs faster than the machine's, the same in all processes that are told of it.
 *
 * @module
 */

import { delay } from "@std/async";
import type { Clock } from "../../engine/context.ts";

/** When it began, and how fast it runs. */
export interface FastTime {
  /** The moment it showed, in epoch milliseconds, … */
  readonly startMs: number;
  /** … when the machine's clock showed this. */
  readonly machineMs: number;
  /** Its milliseconds in one of the machine's. */
  readonly speed: number;
}

/** Makes the clock. */
export function fastClock({ startMs, machineMs, speed }: FastTime): Clock {
  return {
    now: () => Math.floor(startMs + speed * (Date.now() - machineMs)),
    steady: () => speed * performance.now(),
    sleep: (ms, signal) => delay(ms / speed, signal ? { signal } : {}),
  };
}
