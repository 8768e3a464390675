/**
 * Stopping by signal: the first one stops cleanly, the second one at once.
 *
 * @module
 */

import type { Terminal } from "./terminal.ts";

/** Exit codes as shells expect them: 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

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

/** Listens for SIGINT and SIGTERM until it is disposed of. */
export function listenForStop(terminal: Terminal): Stop {
  const stopping = new AbortController();
  const aborting = new AbortController();
  let exitCode: number | undefined;
  const listen = (signal: keyof typeof EXIT_CODES) => {
    const listener = () => {
      if (exitCode === undefined) {
        exitCode = EXIT_CODES[signal];
        terminal.say("Stopping: what was read is delivered and saved (again to end at once)\n");
        stopping.abort(new DOMException(`Stopped by ${signal}`, "AbortError"));
      } else {
        exitCode = EXIT_CODES[signal];
        aborting.abort(new DOMException(`Ended at once by a second signal`, "AbortError"));
      }
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  };
  // Windows knows no SIGTERM.
  const names = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const ends = names.map(listen);
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
