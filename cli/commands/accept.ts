/**
 * `penstock accept`.
 *
 * @module
 */

import type { Command } from "../command.ts";

/** Grants code of the user's what it asks for. */
export const accept: Command = {
  usage: [[
    "accept FILE",
    "grants the code of a pipeline what it asks for, in penstock.lock",
  ]],
  async load() {
    const { accept } = await import("../accept.ts");
    return ({ operand }, _host, terminal) => accept(operand, terminal);
  },
};
