/**
 * Options that the sources of Binance share.
 *
 * @module
 */

import { z } from "zod";

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
