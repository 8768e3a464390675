/**
 * What a fuzz target is: a name, how its cases are made, and what must hold for each of them.
 *
 * @module
 */

import fc from "fast-check";
import { describeError } from "../../engine/errors.ts";

/** One target. Make it with {@linkcode defineTarget}, and put it into the list in `targets.ts`. */
export interface FuzzTarget {
  /** Names it, for `--target`. */
  readonly name: string;
  /** What must hold, as a sentence. */
  readonly promise: string;
  /** How many cases the tests run; the long form runs as many as there is time for. */
  readonly cases: number;
  /** Runs cases. */
  run(parameters: FuzzParameters): Promise<FuzzOutcome>;
}

/** Which cases to run. */
export interface FuzzParameters {
  /** What the cases are made of: the same seed makes the same cases. */
  readonly seed: number;
  /** How many. */
  readonly cases: number;
  /** One case alone, as a failure names it. */
  readonly path?: string | undefined;
}

/** How it went. */
export interface FuzzOutcome {
  /** Cases that were run. */
  readonly cases: number;
  /** The first case for which the promise does not hold, made as small as possible. */
  readonly failure?: FuzzFailure | undefined;
}

/** A case that breaks a promise. */
export interface FuzzFailure {
  /** The target. */
  readonly target: string;
  /** The seed. */
  readonly seed: number;
  /** The case, within the seed. */
  readonly path: string;
  /** The case as text. */
  readonly example: string;
  /** What went wrong. */
  readonly reason: string;
}

/** What a target is made of. */
export interface TargetParts<Case> {
  /** As in {@linkcode FuzzTarget}. */
  readonly name: string;
  /** As in {@linkcode FuzzTarget}. */
  readonly promise: string;
  /** As in {@linkcode FuzzTarget}. */
  readonly cases: number;
  /** Makes cases. */
  readonly arbitrary: fc.Arbitrary<Case>;
  /** Throws if the promise does not hold. */
  holds(one: Case): void | Promise<void>;
}

/** Makes a target. */
export function defineTarget<Case>(parts: TargetParts<Case>): FuzzTarget {
  const { name, promise, cases, arbitrary } = parts;
  return {
    name,
    promise,
    cases,
    async run({ seed, cases, path }) {
      const property = fc.asyncProperty(arbitrary, async (one) => {
        const done = parts.holds(one);
        // Waiting for what is there already would cost as much as most cases do.
        if (done instanceof Promise) await done;
      });
      const details = await fc.check(property, {
        seed,
        numRuns: cases,
        ...(path === undefined ? {} : { path, endOnFailure: true }),
      });
      if (!details.failed) return { cases: details.numRuns };
      return {
        cases: details.numRuns,
        failure: {
          target: name,
          seed: details.seed,
          path: details.counterexamplePath ?? "",
          example: fc.stringify(details.counterexample?.[0]),
          reason: reasonOf(details.errorInstance),
        },
      };
    },
  };
}

/** How to run a case again. */
export function replayCommand({ target, seed, path }: FuzzFailure): string {
  return `deno task fuzz --target ${target} --seed ${seed} --path ${path}`;
}

/** A failure in words. */
export function describeFailure(failure: FuzzFailure): string {
  return `${failure.target} broke its promise: ${failure.reason}\n  case: ${failure.example}\n` +
    `  again: ${replayCommand(failure)}`;
}

function reasonOf(error: unknown): string {
  const text = describeError(error);
  const place = error instanceof Error ? error.stack?.split("\n    at ")[1] : undefined;
  return place === undefined ? text : `${text} (at ${place.trim()})`;
}
