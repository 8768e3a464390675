/**
 * `penstock replay`.
 *
 * @module
 */

import { resolve } from "@std/path";
import { unite } from "../../engine/permissions.ts";
import { type Call, type Command, textOf } from "../command.ts";
import type { ReplayFlags } from "../replay.ts";
import { LOG, reachOfState, STATE, stateOf } from "./_flags.ts";

/** Puts dead letters through again. */
export const replay: Command = {
  usage: [["replay FILE", "puts dead letters through again, once what refused them is mended"]],
  flags: {
    file: { value: "PATH", help: "takes dead letters from there (default: what has been kept)" },
    state: STATE,
    ...LOG,
  },
  need(call) {
    const { file, letters, state } = flagsOf(call);
    const read = letters === undefined ? [] : [resolve(letters)];
    return {
      file,
      steps: "all",
      extra: (pipeline) => unite([{ read }, reachOfState(pipeline, state)]),
    };
  },
  async load() {
    const { replay } = await import("../replay.ts");
    return (call, host, terminal) => replay(flagsOf(call), host, terminal);
  },
};

function flagsOf(call: Call): ReplayFlags {
  return { file: call.operand, letters: textOf(call.flags.file), state: stateOf(call) };
}
