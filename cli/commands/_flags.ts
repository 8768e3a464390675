/**
 * Options that several commands have.
 *
 * @module
 */

import { resolve } from "@std/path";
import type { Permissions } from "../../engine/plugin.ts";
import { checkpointFolder, type PipelinePlace } from "../checkpoints.ts";
import { type Call, type Flag, textOf } from "../command.ts";
import { UsageError } from "../usage.ts";

/** How a command logs. */
export const LOG: Readonly<Record<"log" | "verbose", Flag>> = {
  log: { value: "text|json", help: "how to log to standard error (default: text)" },
  verbose: { help: "shows debug messages, and what the command may reach" },
};

/** Reads from a simulated exchange. */
export const SIMULATE: Flag = {
  value: "FILE",
  alone: "",
  help: "reads from a simulated exchange on loopback; FILE, if given, is its scenario",
};

/** Where checkpoints are kept. */
export const STATE: Flag = {
  value: "DIR",
  help: "keeps checkpoints there (default: .penstock beside the pipeline file)",
};

/** The folder that `--state` names. */
export function stateOf({ flags: { state } }: Call): string | undefined {
  if (state === "") throw new UsageError("Cannot use `--state` as it must name a folder");
  return textOf(state);
}

/** What a command must reach that reads and writes the checkpoints of a pipeline. */
export function reachOfState(pipeline: PipelinePlace, state: string | undefined): Permissions {
  const folder = resolve(checkpointFolder(pipeline, state));
  return { read: [folder], write: [folder] };
}
