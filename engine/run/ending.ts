/**
 * How a run comes to its end: its sources end, it is stopped, it fails, or nothing is waited for any
 * longer.
 *
 * @module
 */

import { abortable } from "@std/async";
import type { Clock } from "../context.ts";
import { FatalError } from "../errors.ts";

/** How long a run may take to end, where nothing else is said, in milliseconds. */
const DRAIN_MS = 30_000;

/** What an ending is made of. */
export interface EndingParts {
  /** Stops the run cleanly. */
  readonly stop: AbortSignal | undefined;
  /** Ends it at once. */
  readonly abort: AbortSignal | undefined;
  /** How long a plugin that hangs may hold it; 30,000 by default. */
  readonly drainMs: number | undefined;
  /** Time. */
  readonly clock: Clock;
  /** What was not delivered yet, in words. */
  undelivered(): string;
}

/** The end of one run, from its start on. */
export class Ending {
  readonly #parts: EndingParts;
  readonly #reading = new AbortController();
  readonly #writing = new AbortController();
  readonly #waiting = new AbortController();
  readonly #over = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #isLimited = false;

  /** Listens to the signals. */
  constructor(parts: EndingParts) {
    this.#parts = parts;
    const { stop, abort } = parts;
    const leave = () => this.#leave(abort?.reason);
    stop?.addEventListener("abort", () => this.#stop(), { signal: this.#over.signal });
    abort?.addEventListener("abort", leave, { signal: this.#over.signal });
    if (stop?.aborted) this.#stop();
    if (abort?.aborted) leave();
  }

  /** Aborts when sources have to end: the run is stopped, has failed, or they have ended. */
  get reading(): AbortSignal {
    return this.#reading.signal;
  }

  /** Aborts when sinks have to end: the run has failed or is aborted. */
  get writing(): AbortSignal {
    return this.#writing.signal;
  }

  /** Whether the run was asked to stop. */
  get isStopped(): boolean {
    return this.#parts.stop?.aborted ?? false;
  }

  /** Whether something has failed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Throws what failed first, if anything has. */
  throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Ends the run as something failed. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reading.abort(error);
    this.#writing.abort(error);
    this.limit();
  }

  /** Ends the sources that are still reading. */
  endReading(): void {
    this.#reading.abort(new DOMException("The sources have ended", "AbortError"));
  }

  /** Waits for work, but no longer than the run waits for anything: a plugin may not listen. */
  waitFor<T>(work: Promise<T>): Promise<T> {
    return abortable(work, this.#waiting.signal);
  }

  /** From here on the run has to end in time. */
  limit(): void {
    if (this.#isLimited) return;
    this.#isLimited = true;
    const { drainMs = DRAIN_MS, clock, undelivered } = this.#parts;
    clock.sleep(drainMs, this.#over.signal).then(
      () => this.#leave(this.#failure?.error ?? notDelivered(undelivered(), drainMs)),
      () => {},
    );
  }

  /** Says that the run is over: there is nothing to end any longer. */
  close(): void {
    this.#over.abort();
  }

  #stop(): void {
    this.#reading.abort(this.#parts.stop?.reason);
    this.limit();
  }

  #leave(reason: unknown): void {
    this.fail(reason);
    this.#waiting.abort(reason);
  }
}

function notDelivered(what: string, drainMs: number): FatalError {
  return new FatalError(`Cannot end cleanly within ${drainMs / 1_000} s: ${what}`, {
    hint:
      "Nothing is lost: the next run does again what follows the last checkpoint. `--drain` gives it more time",
  });
}
