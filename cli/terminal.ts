/**
 * What is shown on a terminal: one status line that stays at the bottom, below all other output.
 *
 * @module
 */

import stringWidth from "string-width";

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
  /** Epoch milliseconds. */
  now(): number;
}

/** Makes a terminal. */
export function createTerminal(parts: TerminalParts): Terminal {
  let shown = "";
  let shownMs = -Infinity;
  const erase = () => shown === "" ? "" : ERASE;
  return {
    colors: parts.colors,
    say: (text) => parts.writeErr(`${erase()}${text}${shown}`),
    async print(bytes) {
      if (shown !== "") parts.writeErr(ERASE);
      shown = "";
      await parts.writeOut(bytes);
    },
    show(status) {
      if (!parts.interactive || parts.now() - shownMs < EVERY_MS) return;
      shownMs = parts.now();
      const line = fit(status(), parts.columns() - 1);
      if (line === shown) return;
      parts.writeErr(`${erase()}${line}`);
      shown = line;
    },
    clear() {
      if (shown !== "") parts.writeErr(ERASE);
      shown = "";
    },
  };
}

function fit(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let cut = text;
  while (cut !== "" && stringWidth(cut) > columns - 1) cut = cut.slice(0, -1);
  return `${cut}…`;
}
