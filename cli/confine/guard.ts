/**
 * Keeps code of the user's from harming what shares the process with it.
 *
 * What the process may reach is the system's to refuse. This is about what it can do within: print
 * past the terminal, or change what all objects have in common.
 *
 * @module
 */

import { describeError } from "../../engine/errors.ts";
import { Secret } from "../../engine/options.ts";
import type { Terminal } from "../terminal.ts";

const EXIT_FAILED = 1;

/**
 * Guards this process. Called once, before any code of the user's runs.
 *
 * @param terminal Where all goes that is said: nothing on it holds a secret.
 */
export function guardProcess(terminal: Terminal): void {
  takeConsole(terminal);
  takeStreams(terminal);
  tellUncaught(terminal);
  closePrototypes();
}

/** Standard output is for records, and what is said must hold no secret. */
function takeConsole(terminal: Terminal): void {
  const say = (...values: unknown[]) => terminal.say(`${values.map(textOf).join(" ")}\n`);
  const assert = (isRight: unknown, ...values: unknown[]) => isRight || say(...values);
  for (const name of Object.keys(console)) Reflect.set(console, name, say);
  Reflect.set(console, "assert", assert);
}

/** What is written past the console is said as well: records go to standard output by `print` alone. */
function takeStreams(terminal: Terminal): void {
  const decoder = new TextDecoder();
  const say = (bytes: Uint8Array): number => {
    terminal.say(decoder.decode(bytes));
    return bytes.length;
  };
  for (const stream of [Deno.stdout, Deno.stderr]) {
    Object.defineProperties(stream, {
      write: { value: (bytes: Uint8Array) => Promise.resolve(say(bytes)) },
      writeSync: { value: say },
      writable: {
        get: () => new WritableStream<Uint8Array>({ write: (bytes) => void say(bytes) }),
      },
    });
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value);
}

/** Deno's own report of an error would be printed as it is. */
function tellUncaught(terminal: Terminal): void {
  const tell = (error: unknown) => {
    terminal.say(`error: ${describeError(error)}\n`);
    if (error instanceof Error && error.stack) terminal.say(`${error.stack}\n`);
    Deno.exit(EXIT_FAILED);
  };
  addEventListener("error", (event) => {
    event.preventDefault();
    tell(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    tell(event.reason);
  });
}

/** What one plugin adds to all objects would be in the records of every other. */
function closePrototypes(): void {
  const all = [
    Object,
    Function,
    Array,
    String,
    Number,
    Boolean,
    BigInt,
    Symbol,
    Date,
    RegExp,
    Error,
  ];
  const more = [Map, Set, WeakMap, WeakSet, Promise, ArrayBuffer, DataView, Uint8Array];
  for (const { prototype } of [...all, ...more]) Object.preventExtensions(prototype);
  Object.freeze(Secret.prototype);
}
