/**
 * The program of every confined process: a command of penstock, with what was handed over in place
 * of files and variables. It is started by `penstock`, and by nothing else.
 *
 * @module
 */

import { main } from "../../cli.ts";
import { fit } from "../fit.ts";
import { handedInputs } from "../inputs.ts";
import { machineTerminal } from "../terminal.ts";
import { guardProcess } from "./guard.ts";
import { openLifeline } from "./lifeline.ts";

const terminal = machineTerminal(fit);
// The last checkpoint is whole at any moment, and nobody is left to watch over what comes next.
const { handover, onSignal } = await openLifeline(Deno.stdin, () => Deno.exit(1));
guardProcess(terminal);
Deno.exit(
  await main(Deno.args, terminal, {
    inputs: handedInputs(handover),
    handover,
    relay: onSignal,
  }),
);
