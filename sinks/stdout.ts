/**
 * Writes to standard output, for programs that read on and for people who look.
 *
 * What was printed cannot be taken back: after a crash, what came after the last checkpoint is
 * printed again.
 *
 * @module
 */

import { z } from "zod";
import { defineSink } from "../engine/plugin.ts";
import { encodeJson } from "./_json.ts";
import { acceptLineProtocol, encodeLineProtocol } from "./_line_protocol.ts";
import { acceptPoints } from "./_points.ts";
import { encodeTable } from "./_table.ts";

const ENCODERS = { line_protocol: encodeLineProtocol, json: encodeJson, table: encodeTable };
const INSTEAD = "use `format: json`";

/** The `stdout` sink. */
export const stdout = defineSink({
  id: "stdout",
  summary: "Writes to standard output, as line protocol, JSON lines or a table",
  options: z.strictObject({
    format: z.enum(["line_protocol", "json", "table"]).default("line_protocol").describe(
      "`line_protocol` for stores, `json` for programs (one record on a line, any record), `table` for people",
    ),
  }),
  delivery: "append",
  accept(shape, { format }) {
    if (format === "line_protocol") acceptLineProtocol(shape, INSTEAD);
    if (format === "table") acceptPoints(shape, "a table", INSTEAD);
  },
  encode: (records: readonly unknown[], encoding) =>
    ENCODERS[encoding.options.format](records, encoding),
  open: (_options, _opening, context) =>
    Promise.resolve({
      deliver: ({ bytes }) => context.print(bytes),
      flush: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    }),
});
