/**
 * What a checkpoint holds.
 *
 * @module
 */

import { z } from "zod";
import type { Json } from "../context.ts";
import type { Position } from "../plugin.ts";
import type { Ledger } from "../run/ledger.ts";

/** All that a run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Counts the epochs since the first run. */
  readonly epoch: number;
  /** What the steps were, so that a changed pipeline is not continued by mistake. */
  readonly steps: readonly StepIdentity[];
  /** Where each source resumes, by step id. */
  readonly positions: Readonly<Record<string, Position>>;
  /** What each transform remembers, by step id and key. */
  readonly states: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Where each sink goes on, by step id. */
  readonly tokens: Readonly<Record<string, Json>>;
  /** Where the dead-letter sink goes on. */
  readonly deadLetterToken: Json;
  /** Refusals that count for the limit, by step id: the numbers of the records. */
  readonly refusals: Readonly<Record<string, readonly number[]>>;
  /** Dead letters that were put through again: how many lines, by file. */
  readonly replayed: Readonly<Record<string, number>>;
  /** What became of every record so far. */
  readonly ledger: Ledger;
  /** What plugins counted so far, such as holes, by step id and name. */
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What must be the same for a step to go on with what was saved for it. */
export interface StepIdentity {
  /** Kind and id of the step, such as `transform rsi`. */
  readonly step: string;
  /** Plugin and whatever its memory depends on. */
  readonly plugin: string;
}

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
