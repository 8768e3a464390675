/**
 * Reading one source: batch by batch, again from its position after a failure that may pass.
 *
 * @module
 */

import { abortable } from "@std/async";
import type { Clock, Context } from "../context.ts";
import { asStepError, describeError, FatalError, isDenied, RetryableError } from "../errors.ts";
import type { CheckedStep } from "../pipeline.ts";
import type { Position, SourceBatch, SourcePlugin } from "../plugin.ts";
import { type RetryLimits, waitBeforeRetry } from "../retry.ts";

/** How long a source may take to end once it is told to, in milliseconds. */
const END_MS = 5_000;

type Batch = SourceBatch<unknown>;

/** What reading a source needs. */
export interface ReadingParts {
  /** The source. */
  readonly step: CheckedStep<SourcePlugin>;
  /** Its context. Its signal ends the reading. */
  readonly context: Context;
  /** Time, also once the signal has aborted. */
  readonly clock: Clock;
  /** When to give up. */
  readonly retryLimits: RetryLimits;
  /** Where to read on. */
  position(): Position;
  /** Takes a batch over; resolves once the next one is wanted. */
  take(batch: Batch): Promise<void>;
}

/**
 * Reads a source until it ends or its signal aborts.
 *
 * @throws {PenstockError} What the source threw, unless it asked for another attempt.
 */
export async function readSource(parts: ReadingParts): Promise<void> {
  const { context, step } = parts;
  const maxAttempts = parts.retryLimits.maxAttempts ?? Infinity;
  let failures = 0;
  while (!context.signal.aborted) {
    try {
      await readOnce(parts, () => failures = 0);
      return;
    } catch (error) {
      if (context.signal.aborted) return;
      if (!(error instanceof RetryableError) || isDenied(error) || ++failures >= maxAttempts) {
        throw asStepError(`Source "${step.id}"`, error);
      }
      const waitMs = waitBeforeRetry(failures - 1, error, context.random);
      context.log.warn(`Cannot read on: ${describeError(error)}`, { next_attempt_ms: waitMs });
      await context.sleep(waitMs).catch(() => {});
    }
  }
}

async function readOnce(parts: ReadingParts, succeed: () => void): Promise<void> {
  const { context, step } = parts;
  const batches: AsyncIterator<Batch> = step.plugin
    .read(step.options, parts.position(), context)[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<Batch>> | undefined;
  try {
    for (;;) {
      next = Promise.resolve(batches.next());
      const result = await abortable(next, context.signal);
      if (result.done) return;
      succeed();
      await parts.take(requireBatch(step, result.value));
      context.signal.throwIfAborted();
    }
  } finally {
    await endSource(batches, next, parts.clock);
  }
}

/** Refuses what is no batch: it would be counted as nothing, and read again after a crash. */
function requireBatch(step: CheckedStep, batch: unknown): Batch {
  const { records, position } = Object(batch) as Partial<Batch>;
  const isPlace = typeof position === "object" && position !== null && !Array.isArray(position);
  if (Array.isArray(records) && isPlace) return batch as Batch;
  throw new FatalError(
    `Cannot read source "${step.id}" as a batch must have a list of \`records\` and a \`position\`: it has none`,
    { hint: "This is a fault of the plugin: it yields `{ records, position }`" },
  );
}

/** Lets a source free what it holds, but does not wait for ever. */
async function endSource(
  batches: AsyncIterator<Batch>,
  next: Promise<unknown> | undefined,
  clock: Clock,
): Promise<void> {
  const over = new AbortController();
  const ended = Promise.resolve(next).catch(() => {}).then(() => batches.return?.())
    .catch(() => {}).then(() => over.abort());
  await Promise.race([ended, clock.sleep(END_MS, over.signal).catch(() => {})]);
}
