/**
 * `penstock check` and `penstock explain`.
 *
 * @module
 */

import { choiceOf, type Command } from "../command.ts";
import { LOG, STATE, stateOf } from "./_flags.ts";

/** Says whether a pipeline file is right. */
export const check: Command = {
  usage: [["check FILE", "says what a pipeline does, or all that is wrong with its file"]],
  flags: {
    probe: { help: "tries the endpoints, too; changes nothing there" },
    ...LOG,
  },
  need: ({ operand, flags }) => ({ file: operand, steps: flags.probe ? "look" : "none" }),
  async load() {
    const { check } = await import("../check.ts");
    return ({ operand, flags }, { inputs }, terminal) =>
      check({ file: operand, probe: flags.probe === true }, inputs, terminal);
  },
};

/** Says all there is to know of a pipeline. */
export const explain: Command = {
  usage: [[
    "explain FILE",
    "says all of it: graph, guarantee, costs, what is kept where, permissions",
  ]],
  flags: {
    format: { value: "text|mermaid|json", help: "how it is written (default: text)" },
    state: STATE,
  },
  need: ({ operand }) => ({ file: operand, steps: "none" }),
  async load() {
    const { explain } = await import("../explain.ts");
    return (call, { inputs }, terminal) => {
      const format = choiceOf(call, "format", ["text", "mermaid", "json"]);
      return explain({ file: call.operand, format, state: stateOf(call) }, inputs, terminal);
    };
  },
};
