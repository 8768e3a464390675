/**
 * The frame of a pipeline file: everything but the options of its plugins.
 *
 * @module
 */

import { z } from "zod";
import { DEFAULT_LIMIT, parseLimit, type RefusalLimit } from "../dead_letters/refusal_limit.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const LONGEST_NAME = 64;

function name(): z.ZodString {
  return z.string().max(LONGEST_NAME).regex(
    NAME,
    'must begin with a letter and be made of letters, digits, "_" and "-"',
  );
}

/** One step. Its options are checked by its plugin. */
export const stepSchema = z.strictObject({
  use: z.string().min(1).describe(
    "The plugin: its id, or the path or specifier of a custom one, such as ./my_source.ts",
  ),
  with: z.record(z.string(), z.unknown()).optional().describe("The options of the plugin"),
  id: name().optional().describe(
    "Names the step and what is kept for it; the id of its plugin by default",
  ),
  on_error: z.enum(["stop", "dead_letter", "drop"]).default("stop").describe(
    "What happens to a record that the step refuses",
  ),
});

/** Where dead letters go. */
export const deadLetterSchema = stepSchema.extend({
  max: z.string().transform((written, context): RefusalLimit | undefined => {
    const limit = parseLimit(written);
    if (typeof limit !== "string") return limit;
    context.addIssue({ code: "custom", message: limit });
    return z.NEVER;
  }).prefault(`${DEFAULT_LIMIT.refused} in ${DEFAULT_LIMIT.records}`).describe(
    "How many of so many records in a row a step may refuse before the run fails: `10 in 1000`, or `none` for no limit",
  ),
});

/** A pipeline. Its steps are checked one by one. */
export const pipelineSchema = z.strictObject({
  name: name().describe("Names the pipeline and what is kept for it"),
  sources: z.array(z.unknown()).min(1).describe("Where records come from; several are merged"),
  transforms: z.array(z.unknown()).default([]).describe("What happens to records, in this order"),
  sinks: z.array(z.unknown()).min(1).describe("Where records go; each sink gets every record"),
  dead_letter: z.unknown().optional().describe(
    "Where records go that a step with `on_error: dead_letter` refuses",
  ),
  epoch: z.strictObject({
    records: z.int().min(1).default(50_000).describe("Records read since the last checkpoint"),
    ms: z.int().min(1).default(5_000).describe("Milliseconds since the last checkpoint"),
  }).prefault({}).describe("When a checkpoint is due: whichever comes first"),
});
