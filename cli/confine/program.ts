/**
 * The program of every confined process: a command of penstock, with what was handed over in place
 * of files and variables. It is started by `penstock`, and by nothing else.
 *
 * @module
 */

import { findCommand } from "../commands/mod.ts";
import { fit } from "../fit.ts";
import { handedInputs } from "../inputs.ts";
import { main } from "../main.ts";
import { EXIT_CODES } from "../signals.ts";
import { machineTerminal } from "../terminal.ts";
import { guardProcess } from "./guard.ts";
import { openLifeline } from "./lifeline.ts";

const terminal = machineTerminal(fit);
// What the command takes is loaded while its plan is made.
const loaded = findCommand(Deno.args[0] ?? "", "confined")?.load();
// The last checkpoint is whole at any moment, and nobody is left to watch over what comes next.
const lifeline = await openLifeline(
  Deno.stdin,
  (signal) => Deno.exit(signal ? EXIT_CODES[signal] : 1),
);
// Nothing was begun, and nobody waits for it: there is nothing to say.
if (!lifeline) Deno.exit(1);
const { handover, onSignal } = lifeline;
await loaded;
guardProcess(terminal);
Deno.exit(
  await main(Deno.args, terminal, {
    inputs: handedInputs(handover),
    handover,
    relay: onSignal,
  }),
);
