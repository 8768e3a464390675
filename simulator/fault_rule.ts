/**
 * Faults as a scenario writes them: which requests go wrong, and how.
 *
 * @module
 */

import { z } from "zod";
import { INTERVALS } from "../engine/interval.ts";
import { time } from "../engine/options.ts";

const when = {
  path: z.string().startsWith("/").optional()
    .describe("Only requests for this path, such as `/api/v3/klines`; any when left out"),
  symbol: z.string().min(1).optional().describe("Only requests that name this symbol"),
  interval: z.enum(INTERVALS).optional().describe("Only requests that name this interval"),
  from: time().optional().describe("Only requests at or after this simulated time"),
  to: time().optional().describe("Only requests before this simulated time"),
  after: z.int().min(0).default(0).describe("How many such requests are left alone first"),
  times: z.union([z.int().min(1), z.literal("always")]).default(1)
    .describe("How many of the following ones are hit; `always` for all of them"),
};

const row = z.int().default(0)
  .describe("Which row of the answer, counted from 0; from the end when negative");

const change = z.discriminatedUnion("change", [
  z.strictObject({
    change: z.literal("short").describe("The row has 11 columns"),
    row,
  }),
  z.strictObject({
    change: z.literal("value").describe("The row has another value in one column"),
    row,
    column: z.int().min(0).max(11).default(4).describe("Which column, counted from 0"),
    value: z.union([z.string(), z.number(), z.boolean(), z.null()]).default("NaN")
      .describe("What is there instead: `NaN`, some text, null"),
  }),
  z.strictObject({
    change: z.literal("crossed").describe("The row's high and low change places"),
    row,
  }),
  z.strictObject({
    change: z.literal("seconds").describe("The row's times are in seconds"),
    row,
  }),
  z.strictObject({
    change: z.literal("swapped").describe("The row and the one after it change places"),
    row,
  }),
  z.strictObject({
    change: z.literal("repeated").describe("The row is there twice"),
    row,
  }),
  z.strictObject({
    change: z.literal("missing").describe("The row is not there"),
    row,
  }),
]);

/** A fault: which requests are hit, and what they get instead of the right answer. */
export const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...when,
    kind: z.literal("status").describe("An error with a JSON body"),
    status: z.int().min(400).max(599).describe("HTTP status"),
    code: z.int().optional().describe("`code` of the body; the exchange's own when left out"),
    msg: z.string().optional().describe("`msg` of the body; the exchange's own when left out"),
    retry_after_s: z.int().min(0).optional().describe(
      "Sent as `Retry-After`. With status 429 all requests are refused for so long, and with 418 " +
        "the client is banned for so long (120 s when left out)",
    ),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("html").describe("An error page from the network before the exchange"),
    status: z.int().min(200).max(599).default(403).describe("HTTP status"),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("slow").describe("The right answer, late"),
    delay_ms: z.int().min(1).describe("How late"),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("truncate").describe("The right answer, its text cut off"),
    share: z.number().min(0).max(1).default(0.5).describe("How much of the text is left"),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("reset").describe("The connection breaks in the middle of the answer"),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("rows").describe("An answer of candles in which one row is wrong"),
    rows: change.describe("What is wrong with it"),
  }),
  z.strictObject({
    ...when,
    kind: z.literal("vanish").describe("The exchange does not know a symbol any more"),
    gone: z.string().min(1).describe("The symbol that is gone"),
  }),
]);

/** A fault, checked. */
export type FaultRule = z.output<typeof faultSchema>;

/** What is wrong with a row, checked. */
export type RowChange = z.output<typeof change>;
