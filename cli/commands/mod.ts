/**
 * All commands. Each says here how it is called and what it needs; what it does is loaded when it
 * is called.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { accept } from "./accept.ts";
import { audit } from "./audit.ts";
import { check, explain } from "./check.ts";
import { claims, keep } from "./confined.ts";
import { create } from "./new.ts";
import { describe, plugins, schema } from "./plugins.ts";
import { replay } from "./replay.ts";
import { dryRun, run } from "./run.ts";
import { state } from "./state.ts";

/** The commands, by name, in the order in which help lists them. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  run,
  "dry-run": dryRun,
  replay,
  audit,
  check,
  explain,
  state,
  accept,
  new: create,
  plugins,
  describe,
  schema,
};

/** What only a process does that penstock has started. */
const CONFINED_COMMANDS: Readonly<Record<string, Command>> = { claims, keep };

/**
 * The command of a name; undefined where there is none.
 *
 * @param where Whether it was called by a user, or in a process that penstock has started.
 */
export function findCommand(name: string, where: "user" | "confined"): Command | undefined {
  const commands = where === "user" ? COMMANDS : { ...COMMANDS, ...CONFINED_COMMANDS };
  // All objects have a `constructor`.
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}
