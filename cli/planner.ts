/**
 * What the program `penstock` does: it plans a command, and watches over the process that runs it.
 *
 * @module
 */

import type { Ahead } from "./confine/ahead.ts";
import { confine } from "./confine/mod.ts";
import { machineInputs } from "./inputs.ts";
import { main } from "./main.ts";
import { machineTerminal } from "./terminal.ts";

/**
 * Runs a command.
 *
 * @param args The arguments behind `penstock`.
 * @param ahead Its confined process, where that was started ahead.
 * @returns The exit code.
 */
export async function runPlanned(args: readonly string[], ahead?: Ahead): Promise<number> {
  const code = await main(
    args,
    machineTerminal(),
    { inputs: machineInputs() },
    (confining, terminal) => confine(confining, terminal, ahead),
  );
  await ahead?.end();
  return code;
}
