/**
 * The errors penstock throws. A class says what happens next, not where it came from.
 *
 * @module
 */

import { textOf } from "./text.ts";

/** What every penstock error may carry beside its message. */
export interface ErrorDetails {
  /** What to do next, one line, no full stop. */
  readonly hint?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** The base of all penstock errors: never thrown itself. */
export class PenstockError extends Error {
  /** What to do next, where there is something to say. */
  readonly hint: string | undefined;
  /** The step of the pipeline it arose in, such as `Sink "file"`. The engine sets it. */
  step: string | undefined;

  /** Makes an error with a message and, where there is one, a hint and a cause. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
  }
}

/** The pipeline file is wrong: nothing starts. */
export class OptionsError extends PenstockError {}

/** What a {@linkcode RetryableError} may carry. */
export interface RetryDetails extends ErrorDetails {
  /** The least time to wait before the next attempt, in milliseconds, as the other side asked. */
  readonly retryAfterMs?: number | undefined;
}

/** It may work later: the engine tries again. */
export class RetryableError extends PenstockError {
  /** The least time to wait before the next attempt, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  /** Makes an error that asks for another attempt. */
  constructor(message: string, details: RetryDetails = {}) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** This record is refused: the step's `on_error` says what then. */
export class RecordError extends PenstockError {}

/** The run cannot go on, and trying again would not help. */
export class FatalError extends PenstockError {}

/**
 * The text of anything that was thrown, causes included, on one line.
 *
 * @param error Anything a `catch` may see.
 * @returns The messages from the outermost to the innermost, joined by `: `. A message that ends
 * in that of its cause is not followed by it again.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const error = new FatalError("Cannot save", { cause: new Error("disk full") });
 * assertEquals(describeError(error), "Cannot save: disk full");
 * ```
 */
export function describeError(error: unknown): string {
  const chain = new Set([error]);
  // A cause that was there before ends it: errors may form a circle.
  for (let at = causeOf(error); at !== undefined && !chain.has(at); at = causeOf(at)) chain.add(at);
  const texts = Array.from(chain, ownText);
  return texts.reduceRight((inner, own) => own.endsWith(inner) ? own : `${own}: ${inner}`);
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function ownText(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : textOf(error);
  return plainly(text.trim().replaceAll(/\s*[\r\n]\s*/g, " "));
}

/** Deno's advice is no use where penstock grants the permissions. */
function plainly(text: string): string {
  return text.replace(DENIED, "its permissions must name $1: they do not")
    .replace(UNFETCHED, "no code is fetched here: $1 is not on this machine");
}

const DENIED = /Requires (\w+ access(?: to .+?)?), run again with the --allow-\w+ flag/;
const UNFETCHED = /[^:]* not found in cache: ("[^"]*"), --cached-only is specified\.?/;
const DEEPEST = 20;

/**
 * Whether something failed as the process may not reach it. Trying again does not help.
 *
 * @param error Anything a `catch` may see; its causes are looked at, too.
 */
export function isDenied(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < DEEPEST; depth++, at = at.cause) {
    if (at.name === "NotCapable" || DENIED.test(at.message)) return true;
  }
  return false;
}

/** What to do about an error of a plugin that was denied something; nothing for any other. */
export function hintForDenied(error: unknown): string | undefined {
  if (!isDenied(error)) return undefined;
  return "A plugin must name all that it reaches in `permissions`, and be granted it by `penstock accept`";
}

/**
 * The error of a step, with the name of the step.
 *
 * @param step What failed, such as `Sink "file"`.
 * @param error What was thrown. That a run was aborted is nobody's fault, and stays as it is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const error = asStepError('Sink "file"', new TypeError("x is undefined"));
 * assertEquals(describeError(error), 'Sink "file" failed: x is undefined');
 * ```
 */
export function asStepError(step: string, error: unknown): unknown {
  if (error instanceof PenstockError) {
    error.step ??= step;
    return error;
  }
  if (error instanceof DOMException && error.name === "AbortError") return error;
  return new FatalError(`${step} failed: ${describeError(error)}`, {
    cause: error,
    hint: hintForDenied(error),
  });
}
