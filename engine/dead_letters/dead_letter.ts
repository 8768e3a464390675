/**
 * Dead letters: records that a step refused, kept so that they can be put through again.
 *
 * @module
 */

import { z } from "zod";
import type { Refusal } from "../run/chain.ts";
import type { Json } from "../context.ts";
import { describeError, FatalError } from "../errors.ts";
import type { RecordShape } from "../point.ts";
import type { Redact } from "../redact.ts";
import { recordFromJson, recordToJson } from "./record_json.ts";

/** A refused record as the dead-letter sink gets it: plain JSON. */
export interface DeadLetter {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Id of the step that refused it. */
  readonly step: string;
  /** Which one it was of all records that reached the step since the first run, counted from 1. */
  readonly number: number;
  /** Why the step refused it, in its own words. */
  readonly reason: string;
  /** The record as the step got it, as `recordToJson` writes it. */
  readonly record: Json;
}

/** A dead letter that was read again. */
export interface ReadLetter extends Omit<DeadLetter, "record"> {
  /** The very record the step got. */
  readonly record: unknown;
}

/** What a dead-letter sink is told of what comes to it. */
export const DEAD_LETTER_SHAPES: readonly RecordShape[] = [{ kind: "raw", format: "dead_letter" }];

const letterSchema = z.strictObject({
  pipeline: z.string(),
  step: z.string(),
  number: z.int().min(1),
  reason: z.string(),
  record: z.unknown(),
});

/**
 * Makes a dead letter of a refused record.
 *
 * @param pipeline Name of the pipeline.
 * @param refusal The record, and why it was refused.
 * @param redact Takes secrets out of the reason: it may be a server's.
 * @throws {FatalError} If the record is no plain data, so that it could not be put through again.
 */
export function toDeadLetter(
  pipeline: string,
  refusal: Refusal,
  redact: Redact = String,
): DeadLetter {
  const { step, number, error, record } = refusal;
  try {
    const reason = redact(describeError(error));
    return { pipeline, step: step.id, number, reason, record: recordToJson(record) };
  } catch (cause) {
    throw new FatalError(
      `Cannot keep a record that step "${step.id}" refused (${describeError(error)}): ${
        describeError(cause)
      }`,
      { cause, hint: cause instanceof FatalError ? cause.hint : undefined },
    );
  }
}

/**
 * Reads a dead letter as a file has it.
 *
 * @param text One line.
 * @returns The letter, or why the line is none, to follow "as".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const line = '{"pipeline":"btc","step":"kline","number":7,"reason":"Cannot be","record":[1]}';
 * const letter = { pipeline: "btc", step: "kline", number: 7, reason: "Cannot be", record: [1] };
 * assertEquals(parseDeadLetter(line), letter);
 * assertEquals(parseDeadLetter("[]"), "it must be a mapping with a step and a record: it is not");
 * ```
 */
export function parseDeadLetter(text: string): ReadLetter | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "it must be JSON: it is not";
  }
  const checked = letterSchema.safeParse(json);
  if (!checked.success) return "it must be a mapping with a step and a record: it is not";
  try {
    return { ...checked.data, record: recordFromJson(checked.data.record) };
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    return `its record must be one that was kept: ${describeError(error)}`;
  }
}
