/**
 * Options that the sources of Binance share.
 *
 * @module
 */

import { z } from "zod";

/** The exchange opened later in that year; it refuses times of long before. */
export const EARLIEST_MS = Date.UTC(2017, 0, 1);

/** The symbols to read: upper case, none twice. */
export function symbols(): z.ZodType<string[], string[]> {
  return z.array(
    z.string().regex(/^\S+$/, "must be a symbol such as `BTCUSDT`")
      .refine((name) => name === name.toUpperCase(), "must be upper case, such as `BTCUSDT`"),
  ).min(1).superRefine((names, issues) => {
    for (const [at, name] of names.entries()) {
      if (names.indexOf(name) === at) continue;
      issues.addIssue({ code: "custom", path: [at], message: "must not be there twice" });
    }
  });
}

/** Where a series begins of which nothing was read yet. */
export function start(): z.ZodDefault<z.ZodEnum<{ from: "from"; stored: "stored" }>> {
  return z.enum(["from", "stored"]).default("from").describe(
    "Where a series begins that has no checkpoint: at `from`, or where the sinks' stores end, so " +
      "that only what is not stored is fetched. One of which too little is stored begins at `from`",
  );
}
