/**
 * What a command of the command line is, and how its arguments are read.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { hintForName, listed, nearestName } from "../engine/nearest.ts";
import type { Need } from "./confine/mod.ts";
import type { Host } from "./host.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/** An option of a command. */
export interface Flag {
  /** What its value is, such as `DIR`. A switch has none. */
  readonly value?: string;
  /** What the value is where only the option is given. */
  readonly alone?: string;
  /** What it does. */
  readonly help: string;
}

/** A command: what it is called with, what it needs, and what it does. */
export interface Command {
  /** How it is called, behind `penstock`, and what that does. */
  readonly usage: readonly (readonly [call: string, does: string])[];
  /** Names of its arguments; FILE alone where they are left out. */
  readonly operands?: readonly string[];
  /** Its options by name. */
  readonly flags?: Readonly<Record<string, Flag>>;
  /** The process it needs. None, where it loads nothing of the user's. */
  need?(call: Call): Need | undefined;
  /** Loads what does it. */
  load(): Promise<Work>;
}

/** Does what a command is for, and gives the exit code. */
export type Work = (call: Call, host: Host, terminal: Terminal) => Promise<number>;

/** A command as it was called. */
export interface Call {
  /** The first argument. */
  readonly operand: string;
  /** All of them. */
  readonly operands: readonly string[];
  /** Its options. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/**
 * Reads the arguments behind the name of a command.
 *
 * @throws {UsageError} If they are not what it takes.
 */
export function parseCall(name: string, command: Command, args: readonly string[]): Call {
  const { flags: known = {}, operands: wanted = ["FILE"] } = command;
  const alone = new Map(
    Object.entries(known).flatMap(([flag, { alone }]) =>
      alone === undefined ? [] : [[`--${flag}`, `--${flag}=${alone}`]]
    ),
  );
  const takesValue = (flag: string) => known[flag]?.value !== undefined;
  const names = Object.keys(known);
  // Without a value it stands for itself, so it must not take the next argument as its value.
  const { _: given, ...flags } = parseArgs(args.map((arg) => alone.get(arg) ?? arg), {
    string: ["_", ...names.filter(takesValue)],
    boolean: names.filter((flag) => !takesValue(flag)),
    unknown: (arg, key) => {
      if (key === undefined) return true;
      const [option = arg] = arg.split("=");
      throw unknown(
        `option of \`${name}\``,
        option,
        names.map((flag) => `--${flag}`),
        "Its options",
      );
    },
  });
  const operands = given.map(String);
  if (operands.length !== wanted.length) {
    const must = wanted.length === 0 ? "no argument" : `one ${wanted.join(" and one ")}`;
    throw new UsageError(
      `Cannot run \`penstock ${name}\` as it must have ${must}: it has ${operands.length}`,
      { hint: `See \`penstock ${name} --help\`` },
    );
  }
  return { operand: operands[0] ?? "", operands, flags };
}

/** The value of an option; undefined where it was not given. */
export function textOf(flag: string | boolean | undefined): string | undefined {
  return flag === undefined ? undefined : String(flag);
}

/**
 * The value of an option that is one of some words.
 *
 * @throws {UsageError} If it is none of them.
 */
export function choiceOf<Word extends string>(
  { flags }: Call,
  flag: string,
  words: readonly [Word, ...Word[]],
): Word {
  const given = flags[flag] ?? words[0];
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  const nearest = nearestName(String(given), words);
  throw new UsageError(
    `Cannot use \`--${flag} ${given}\` as it must be ${listed(words, "or")}`,
    { hint: nearest && `Did you mean "${nearest}"?` },
  );
}

/**
 * An argument that is one of some words.
 *
 * @param what What it is, such as `thing to make`.
 * @throws {UsageError} If it is none of them; the hint names the nearest.
 */
export function wordOf<Word extends string>(
  what: string,
  given: string | undefined,
  words: readonly Word[],
): Word {
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  throw unknown(what, given ?? "", words, "The choices");
}

/** That something has a name it does not have; the hint names the nearest one. */
export function unknown(
  what: string,
  name: string,
  names: readonly string[],
  whose: string,
): UsageError {
  return new UsageError(`Cannot use ${what} "${name}": it does not exist`, {
    hint: hintForName(name, names, whose),
  });
}
