/**
 * Stopping by signal: the first one stops cleanly, the second one at once.
 *
 * @module
 */

import type { Terminal } from "./terminal.ts";

/** Exit codes as shells expect them: 128 and the number of the signal. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** A signal that stops a run. */
export type StopSignal = keyof typeof EXIT_CODES;

/** Those that this system knows: Windows has no SIGTERM. */
export const STOP_SIGNALS: readonly StopSignal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Whether a text names a signal that stops a run. */
export function isStopSignal(name: string): name is StopSignal {
  return Object.hasOwn(EXIT_CODES, name);
}

/** How a run is told to stop. */
export interface Stop extends Disposable {
  /** Aborts at the first signal. */
  readonly stopping: AbortSignal;
  /** Aborts at the second signal. */
  readonly aborting: AbortSignal;
  /** The exit code a signal asks for; undefined before one came. */
  readonly exitCode: number | undefined;
  /** Stops cleanly without a signal. */
  readonly end: () => void;
}

/**
 * Listens for signals until it is disposed of.
 *
 * @param terminal Where the user is told what happens.
 * @param relay Tells of the signals that another process got for us. A signal may reach both, as
 * Ctrl-C does, or one of them: the larger count says how often it was sent.
 */
export function listenForStop(
  terminal: Terminal,
  relay: (listener: (signal: StopSignal) => void) => void = () => {},
): Stop {
  const stopping = new AbortController();
  const aborting = new AbortController();
  let exitCode: number | undefined;
  const heed = (signal: StopSignal) => {
    if (exitCode === undefined) {
      exitCode = EXIT_CODES[signal];
      terminal.say("Stopping: what was read is delivered and saved (again to end at once)\n");
      stopping.abort(new DOMException(`Stopped by ${signal}`, "AbortError"));
    } else {
      exitCode = EXIT_CODES[signal];
      aborting.abort(new DOMException(`Ended at once by a second signal`, "AbortError"));
    }
  };
  const counter = countSignals(heed);
  relay((signal) => counter.count(signal, "relayed"));
  const ends = STOP_SIGNALS.map((signal) => {
    const listener = () => counter.count(signal, "heard");
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return {
    stopping: stopping.signal,
    aborting: aborting.signal,
    get exitCode() {
      return exitCode;
    },
    end: () => stopping.abort(new DOMException("The limit is reached", "AbortError")),
    [Symbol.dispose]: () => ends.forEach((end) => end()),
  };
}

/** How a signal came: to this process, or to the one that watches it. */
export type Way = "heard" | "relayed";

/**
 * Counts what comes both ways, and calls each time a signal was sent once more than before.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const heeded: string[] = [];
 * const counter = countSignals((signal) => heeded.push(signal));
 * counter.count("SIGINT", "heard");
 * counter.count("SIGINT", "relayed");
 * assertEquals(heeded, ["SIGINT"]);
 * ```
 */
export function countSignals(
  heed: (signal: StopSignal) => void,
): { count(signal: StopSignal, way: Way): void } {
  const counts = new Map<string, number>();
  const of = (key: string) => counts.get(key) ?? 0;
  return {
    count(signal, way) {
      const before = Math.max(of(`${signal} heard`), of(`${signal} relayed`));
      counts.set(`${signal} ${way}`, of(`${signal} ${way}`) + 1);
      if (of(`${signal} ${way}`) > before) heed(signal);
    },
  };
}
