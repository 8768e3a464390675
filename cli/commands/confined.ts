/**
 * What only a process does that penstock has started, with nothing to reach.
 *
 * @module
 */

import type { Command } from "../command.ts";

/** Tells what the code of a pipeline asks for. */
export const claims: Command = {
  usage: [],
  async load() {
    const { tellClaims } = await import("../confine/claims.ts");
    return ({ operand }, host, terminal) => tellClaims(operand, host, terminal);
  },
};

/** Keeps what was granted. */
export const keep: Command = {
  usage: [],
  operands: [],
  async load() {
    const { keep } = await import("../accept.ts");
    return (_call, host) => keep(host);
  },
};
