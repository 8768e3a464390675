/**
 * `penstock state`.
 *
 * @module
 */

import { type Call, type Command, textOf, wordOf } from "../command.ts";
import type { StateFlags } from "../state.ts";
import { UsageError } from "../usage.ts";
import { reachOfState, STATE, stateOf } from "./_flags.ts";

/** Shows, prints or resets what a pipeline remembers. */
export const state: Command = {
  usage: [
    [
      "state show FILE",
      "says what a pipeline remembers: how far each series is, states, tokens",
    ],
    ["state export FILE", "prints it as JSON"],
    ["state reset FILE", "forgets all of it, or what --step and --series name; keeps a backup"],
  ],
  operands: ["ACTION", "FILE"],
  flags: {
    step: { value: "ID", help: "forgets that step alone (state reset)" },
    series: { value: "KEY", help: "forgets that series alone, such as BTCUSDT@1h (state reset)" },
    state: STATE,
  },
  need(call) {
    const { action, file, state } = flagsOf(call);
    return {
      file,
      steps: "none",
      // Looking at it changes nothing.
      extra: (pipeline) => {
        const { read = [], write = [] } = reachOfState(pipeline, state);
        return action === "reset" ? { read, write } : { read };
      },
    };
  },
  async load() {
    const { state } = await import("../state.ts");
    return (call, { inputs }, terminal) => state(flagsOf(call), inputs, terminal);
  },
};

function flagsOf(call: Call): StateFlags {
  const { operands: [given, file = ""], flags } = call;
  const action = wordOf("action of `state`", given, ["show", "export", "reset"]);
  const { step, series } = { step: textOf(flags.step), series: textOf(flags.series) };
  if (action !== "reset" && (step ?? series) !== undefined) {
    throw new UsageError(`Cannot use --step or --series with \`state ${action}\``);
  }
  return { action, file, state: stateOf(call), step, series };
}
