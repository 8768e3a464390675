/** Runs a command of penstock in this very process, with all that the process may do. */

import { main } from "../cli/main.ts";
import { machineInputs } from "../cli/inputs.ts";
import { machineTerminal } from "../cli/terminal.ts";

Deno.exit(await main(Deno.args, machineTerminal(), { inputs: machineInputs() }));
