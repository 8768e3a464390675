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
  run: async ({ operand }, _host, terminal) =>
    (await import("../accept.ts")).accept(operand, terminal),
};
