/**
 * `penstock audit`.
 *
 * @module
 */

import type { AuditFlags } from "../audit.ts";
import { keepsCheckpoints } from "../checkpoints.ts";
import { type Call, choiceOf, type Command, textOf } from "../command.ts";
import { LOG, reachOfState, SIMULATE, STATE, stateOf } from "./_flags.ts";

/** Says what is missing or odd in a store. */
export const audit: Command = {
  usage: [["audit FILE", "says what is missing or odd in the stores of a pipeline; repairs it"]],
  flags: {
    from: { value: "T", help: "looks at what comes later only (default: all that must be stored)" },
    to: { value: "T", help: "looks at what comes earlier only" },
    repair: { help: "fetches and writes just what is missing; the pipeline must not run" },
    format: { value: "text|json", help: "how the report is printed (default: text)" },
    simulate: SIMULATE,
    state: STATE,
    ...LOG,
  },
  need(call) {
    const { file, simulated, state, repair } = flagsOf(call);
    return {
      file,
      steps: repair ? "all" : "look",
      simulate: textOf(call.flags.simulate),
      // Without a repair nothing is written beside the pipeline file.
      extra: (pipeline) => {
        if (!keepsCheckpoints({ dry: false, simulated, state })) return {};
        const { read = [], write = [] } = reachOfState(pipeline, state);
        return repair ? { read, write } : { read };
      },
    };
  },
  async load() {
    const { audit } = await import("../audit.ts");
    return (call, host, terminal) => audit(flagsOf(call), host, terminal);
  },
};

function flagsOf(call: Call): AuditFlags {
  const { operand, flags } = call;
  return {
    file: operand,
    simulated: flags.simulate !== undefined,
    state: stateOf(call),
    from: textOf(flags.from),
    to: textOf(flags.to),
    repair: flags.repair === true,
    format: choiceOf(call, "format", ["text", "json"]),
  };
}
