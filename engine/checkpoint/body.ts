/**
 * What the body of a checkpoint must hold.
 *
 * @module
 */

import { z } from "zod";
import type { Checkpoint } from "./checkpoint.ts";

const count = z.int().min(0);
const step = z.object({
  in: count,
  replayed: count,
  out: count,
  extra: count,
  filtered: count,
  rejected: count,
});
const steps = z.record(z.string(), step);
const byStepAndKey = z.record(z.string(), z.record(z.string(), z.unknown()));

const bodySchema = z.object({
  pipeline: z.string(),
  epoch: count,
  steps: z.array(z.object({ step: z.string(), plugin: z.string() })),
  positions: byStepAndKey,
  states: byStepAndKey,
  tokens: z.record(z.string(), z.unknown()),
  refusals: z.record(z.string(), z.array(z.int())),
  replayed: z.record(z.string(), count),
  ledger: z.object({
    sources: steps,
    transforms: steps,
    sinks: steps,
    deadLetter: step,
    dropped: count,
  }),
  counters: z.record(z.string(), z.record(z.string(), z.number())),
});

/**
 * Reads the body of a checkpoint. What plugins keep in it is for them to check.
 *
 * @returns Nothing if it is that of no checkpoint.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseBody("{}"), undefined);
 * assertEquals(parseBody("{"), undefined);
 * ```
 */
export function parseBody(text: string): Checkpoint | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  // The value itself is given, not the copy that was checked, as keys may be `__proto__`.
  return bodySchema.safeParse(body).success ? body as Checkpoint : undefined;
}
