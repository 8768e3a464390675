/** Runs the pipeline file it is given, then prints how much memory that took at its peak, as JSON. */

import { main } from "../cli/main.ts";
import { machineInputs } from "../cli/inputs.ts";
import { createTerminal } from "../cli/terminal.ts";

const [file = ""] = Deno.args;
let said = "";
const code = await main(
  ["run", file],
  createTerminal({
    writeOut: () => Promise.resolve(),
    writeErr: (text) => said += text,
    interactive: false,
    colors: false,
    columns: () => 80,
    now: () => Date.now(),
  }),
  { inputs: machineInputs() },
);
if (code !== 0) {
  await Deno.stderr.write(new TextEncoder().encode(said));
  Deno.exit(code);
}
const status = Deno.readTextFileSync("/proc/self/status");
const peakKb = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
const records = Number(/([\d,]+) records in this run/.exec(said)?.[1]?.replaceAll(",", ""));
await Deno.stdout.write(
  new TextEncoder().encode(JSON.stringify({ peakMb: peakKb / 1_024, records })),
);
