/**
 * What only a process does that penstock has started, with nothing to reach.
 *
 * @module
 */

import type { Command } from "../command.ts";

/** Tells what the code of a pipeline asks for. */
export const claims: Command = {
  usage: [],
  run: async ({ operand }, host, terminal) =>
    (await import("../confine/claims.ts")).tellClaims(operand, host, terminal),
};

/** Keeps what was granted. */
export const keep: Command = {
  usage: [],
  operands: [],
  run: async (_call, host) => (await import("../accept.ts")).keep(host),
};
