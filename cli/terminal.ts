/**
 * What is shown on a terminal: one status line that stays at the bottom, below all other output.
 *
 * @module
 */

import type { Secret } from "../engine/options.ts";
import { createRedactor } from "../engine/redact.ts";
import { writeAll } from "../engine/write_all.ts";

const ERASE = "\r\x1b[2K";
const EVERY_MS = 200;

/** Standard output and error, shared with the status line. */
export interface Terminal {
  /** Writes text to standard error, above the status line. */
  say(text: string): void;
  /** Writes data to standard output; resolves once all is written. */
  print(bytes: Uint8Array): Promise<void>;
  /** Shows a status, at most five times a second; nothing where no terminal is there. */
  show(status: () => string): void;
  /** Takes the status line away. */
  clear(): void;
  /** From now on nothing that is said or shown holds one of these. What is printed is left alone. */
  hide(secrets: Iterable<Secret>): void;
  /** Whether standard error shows colours. */
  readonly colors: boolean;
}

/** What a terminal is made of, so that tests can give another one. */
export interface TerminalParts {
  /** Writes to standard output. */
  writeOut(bytes: Uint8Array): Promise<void>;
  /** Writes to standard error. */
  writeErr(text: string): void;
  /** Whether people watch standard error. */
  readonly interactive: boolean;
  /** Whether standard error shows colours. */
  readonly colors: boolean;
  /** Columns of the terminal. */
  columns(): number;
  /** Cuts a status to so many columns. No status is shown without it. */
  fit?(text: string, columns: number): string;
  /** Epoch milliseconds. */
  now(): number;
}

/** Makes a terminal. */
export function createTerminal(parts: TerminalParts): Terminal {
  let shown = "";
  let shownMs = -Infinity;
  const hidden = new Set<Secret>();
  let redact = createRedactor(hidden);
  const erase = () => shown === "" ? "" : ERASE;
  return {
    colors: parts.colors,
    say: (text) => parts.writeErr(`${erase()}${redact(text)}${shown}`),
    async print(bytes) {
      if (shown !== "") parts.writeErr(ERASE);
      shown = "";
      await parts.writeOut(bytes);
    },
    show(status) {
      if (!parts.interactive || !parts.fit || parts.now() - shownMs < EVERY_MS) return;
      shownMs = parts.now();
      const line = parts.fit(redact(status()), parts.columns() - 1);
      if (line === shown) return;
      parts.writeErr(`${erase()}${line}`);
      shown = line;
    },
    clear() {
      if (shown !== "") parts.writeErr(ERASE);
      shown = "";
    },
    hide(secrets) {
      for (const secret of secrets) hidden.add(secret);
      redact = createRedactor(hidden);
    },
  };
}

/**
 * Standard output and error of this process.
 *
 * @param fit Cuts a status. Left out by a process that shows none, as it takes time to load.
 */
export function machineTerminal(fit?: TerminalParts["fit"]): Terminal {
  const { stdout, stderr } = Deno;
  const interactive = stderr.isTerminal();
  // Bound here and now: code of the user's gets others in their place.
  const write = stdout.write.bind(stdout);
  const writeSync = stderr.writeSync.bind(stderr);
  return createTerminal({
    writeOut: (bytes) => writeAll({ write }, bytes),
    writeErr: sayWhileItLasts(writeSync),
    interactive,
    colors: interactive && !Deno.noColor,
    // Some terminals do not know their size and say 0.
    columns: () => Deno.consoleSize().columns || 80,
    now: () => Date.now(),
    ...fit ? { fit } : {},
  });
}

/**
 * A way to write text to standard error that does not end the run when it is full or gone: data is
 * worth more than words. What could not be written is counted, and told once something can be.
 *
 * @param write Writes some of the bytes; gives how many.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * let said = "";
 * let isFull = true;
 * const say = sayWhileItLasts((bytes) => {
 *   if (isFull) throw new Error("No space left on device");
 *   said += new TextDecoder().decode(bytes);
 *   return bytes.length;
 * });
 * say("lost\n");
 * isFull = false;
 * say("kept\n");
 * assertEquals(said, "(1 message before this one could not be written)\nkept\n");
 * ```
 */
export function sayWhileItLasts(write: (bytes: Uint8Array) => number): (text: string) => void {
  const encoder = new TextEncoder();
  let lost = 0;
  return (text) => {
    const before = lost === 0
      ? ""
      : `(${lost} message${lost === 1 ? "" : "s"} before this one could not be written)\n`;
    const bytes = encoder.encode(before + text);
    try {
      for (let at = 0; at < bytes.length;) at += write(bytes.subarray(at));
      lost = 0;
    } catch {
      // There is nowhere left to say so.
      lost++;
    }
  };
}
