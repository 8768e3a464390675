/**
 * `penstock plugins`, `penstock describe` and `penstock schema`.
 *
 * @module
 */

import { isSpecifier } from "../../engine/pipeline_file/modules.ts";
import type { Command } from "../command.ts";

/** Lists the plugins. */
export const plugins: Command = {
  usage: [["plugins", "lists sources, transforms and sinks"]],
  operands: [],
  async load() {
    const { plugins } = await import("../plugins.ts");
    return (_call, _host, terminal) => plugins(terminal);
  },
};

/** Says all about a plugin. */
export const describe: Command = {
  usage: [[
    "describe NAME",
    "says all about a plugin and its options; NAME may be the path of your own",
  ]],
  operands: ["NAME"],
  need: ({ operand }) => isSpecifier(operand) ? { module: operand } : undefined,
  async load() {
    const { describe } = await import("../plugins.ts");
    return ({ operand }, _host, terminal) => describe(operand, terminal);
  },
};

/** Prints the schema of pipeline files. */
export const schema: Command = {
  usage: [["schema", "prints the JSON schema of pipeline files, for editors"]],
  operands: [],
  async load() {
    const { schema } = await import("../plugins.ts");
    return (_call, _host, terminal) => schema(terminal);
  },
};
