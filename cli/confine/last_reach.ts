/**
 * What commands were last found to reach.
 *
 * It is kept in `localStorage`, for which the planner needs no permission: Deno keeps that in its own
 * folder. Where it cannot, nothing is kept.
 *
 * @module
 */

import { HOST_AND_PORT } from "../../engine/address.ts";
import type { Reach } from "../../engine/permissions.ts";

/** What a command was last found to reach. */
export interface LastReach {
  /** All that it could reach. */
  readonly reach: Reach;
  /** Where its simulated exchange listened, which is a part of that. */
  readonly port?: number | undefined;
}

const KEY = "last reach";
/** Commands that are kept: those of which something else was found last. */
const MOST_COMMANDS = 20;
/** What takes more characters is not kept. */
const MOST_CHARACTERS = 8_192;
/** Nothing is fetched from some ports up to this one, by the rules of the web. */
const LAST_BLOCKED_PORT = 10_080;
/** What of each kind is kept. Deno starts no process to reach other things: it says so, and ends. */
const PATTERNS: Readonly<Record<keyof Reach, RegExp>> = {
  net: HOST_AND_PORT,
  read: /./s,
  write: /./s,
  env: /^\w+$/,
};

/** Where it is kept: `localStorage`. */
export type Store = Pick<Storage, "getItem" | "setItem">;

type Kept = readonly (readonly [command: string, last: LastReach])[];

/**
 * What a command was last found to reach; nothing where that is not known. It is such as Deno
 * takes; whether it is right is for the caller to find out.
 *
 * @param args The arguments behind `penstock`.
 * @throws {Error} If Deno has no folder to keep things in, or may not be asked where we are.
 */
export function lastReachOf(args: readonly string[], store?: Store): LastReach | undefined {
  const command = commandOf(args);
  return readKept(store ?? localStorage).find(([kept]) => kept === command)?.[1];
}

/**
 * Keeps what a command was found to reach.
 *
 * @param args The arguments behind `penstock`.
 */
export function keepReach(args: readonly string[], last: LastReach, store?: Store): void {
  if (!isLastReach(last)) return;
  const entry = [commandOf(args), last] as const;
  const text = JSON.stringify(entry);
  if (text.length > MOST_CHARACTERS) return;
  try {
    const keep = store ?? localStorage;
    const kept = readKept(keep);
    if (kept.some((one) => JSON.stringify(one) === text)) return;
    const others = kept.filter(([command]) => command !== entry[0]);
    keep.setItem(KEY, JSON.stringify([...others.slice(1 - MOST_COMMANDS), entry]));
  } catch {
    // Deno has no folder that it may write to: the next process starts when its plan is made.
  }
}

/** Relative paths mean other files in another folder. */
function commandOf(args: readonly string[]): string {
  return JSON.stringify([Deno.cwd(), ...args]);
}

function readKept(store: Store): Kept {
  const text = store.getItem(KEY) ?? "[]";
  try {
    const kept = JSON.parse(text);
    return isKept(kept) ? kept : [];
  } catch {
    return []; // the next one that is kept takes the place of what is none
  }
}

function isKept(value: unknown): value is Kept {
  return Array.isArray(value) &&
    value.every((one) => Array.isArray(one) && typeof one[0] === "string" && isLastReach(one[1]));
}

function isLastReach(value: unknown): value is LastReach {
  const { reach, port } = Object(value);
  const all = Object(reach);
  return (port === undefined || isPort(port)) &&
    Object.entries(PATTERNS).every(([kind, pattern]) => areAll(all[kind], pattern)) &&
    all.net.every((host: string) => URL.canParse(`http://${host}`));
}

function areAll(values: unknown, pattern: RegExp): boolean {
  return Array.isArray(values) &&
    values.every((value) => typeof value === "string" && pattern.test(value));
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > LAST_BLOCKED_PORT && Number(value) < 65_536;
}
