/**
 * What a pipeline must be allowed to reach: the union of what its steps declare.
 *
 * @module
 */

import { resolve } from "@std/path";
import { HOST_AND_PORT } from "./address.ts";
import { describeError, FatalError } from "./errors.ts";
import type { CheckedStep, Pipeline } from "./pipeline.ts";
import type { Permissions } from "./plugin.ts";

/** Permissions in full: every list is there, in order and without doubles. Paths are absolute. */
export type Reach = Required<Permissions>;

/** What one step of a pipeline declares. */
export interface StepReach {
  /** What it is: `source "binance_rest"`. */
  readonly step: string;
  /** What it must be allowed to reach. */
  readonly reach: Reach;
}

/** What reaches nothing. */
export const NO_REACH: Reach = { net: [], read: [], write: [], env: [] };

/** The name of an environment variable. */
export const VARIABLE_NAME: RegExp = /^\w+$/;

/**
 * What each step of a pipeline declares, in the order of the file.
 *
 * @param pipeline A checked pipeline. Relative paths start at its folder.
 * @throws {FatalError} If a plugin cannot say what it reaches.
 */
export function reachOfSteps(pipeline: Pipeline): StepReach[] {
  const { folder, sources, transforms, sinks, deadLetter } = pipeline;
  return [
    ...[...sources, ...transforms, ...sinks].map((step) => ({
      step: `${step.plugin.kind} "${step.id}"`,
      reach: reachOfStep(step, folder),
    })),
    ...deadLetter ? [{ step: "dead letter", reach: reachOfStep(deadLetter, folder) }] : [],
  ];
}

/**
 * What a pipeline must be allowed to reach. Of a dry run, hand in what `asDryRun` gives: its sinks
 * reach nothing.
 *
 * @param pipeline A checked pipeline. Relative paths start at its folder.
 * @throws {FatalError} If a plugin cannot say what it reaches.
 */
export function permissionsOf(pipeline: Pipeline): Reach {
  return unite(reachOfSteps(pipeline).map(({ reach }) => reach));
}

/**
 * What one step must be allowed to reach.
 *
 * @param step The step.
 * @param folder Where its relative paths start.
 * @throws {FatalError} If its plugin cannot say what it reaches, or says it with a wildcard.
 */
export function reachOfStep({ plugin, options }: CheckedStep, folder: string): Reach {
  const name = `${plugin.kind} "${plugin.id}"`;
  let declared: Permissions;
  try {
    declared = plugin.permissions?.(options) ?? {};
  } catch (error) {
    throw new FatalError(`Cannot tell what ${name} must reach: ${describeError(error)}`, {
      cause: error,
      hint: "This is a fault of the plugin: `permissions` must work with any options it allows",
    });
  }
  const absolute = (paths: readonly string[] = []) => paths.map((path) => resolve(folder, path));
  requireAll(name, "host and port, such as `api.test:443`", HOST_AND_PORT, declared.net);
  requireAll(name, "the name of a variable", VARIABLE_NAME, declared.env);
  return unite([
    { ...declared, read: absolute(declared.read), write: absolute(declared.write) },
  ]);
}

/**
 * All that any of several permissions allow, in order and without doubles.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const { net } = unite([{ net: ["b:443", "a:443"] }, { net: ["a:443"] }, {}]);
 * assertEquals(net, ["a:443", "b:443"]);
 * ```
 */
export function unite(all: readonly Permissions[]): Reach {
  const union = (key: keyof Permissions) =>
    [...new Set(all.flatMap((permissions) => permissions[key] ?? []))].sort();
  return { net: union("net"), read: union("read"), write: union("write"), env: union("env") };
}

/**
 * Permissions as lines, one for each thing that may be reached.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeReach(unite([{ net: ["b.test:443"], write: ["/data/b.lp"] }])), [
 *   "net    b.test:443",
 *   "write  /data/b.lp",
 * ]);
 * assertEquals(describeReach(NO_REACH), ["nothing"]);
 * ```
 */
export function describeReach(reach: Reach): string[] {
  const lines = (["net", "read", "write", "env"] as const).flatMap((kind) =>
    reach[kind].map((value) => `${kind.padEnd(5)}  ${value}`)
  );
  return lines.length > 0 ? lines : ["nothing"];
}

function requireAll(
  name: string,
  what: string,
  pattern: RegExp,
  values: readonly string[] = [],
): void {
  const wrong = values.find((value) => !pattern.test(value));
  if (wrong === undefined) return;
  throw new FatalError(
    `Cannot let ${name} reach ${JSON.stringify(wrong)} as it must be ${what}`,
    { hint: "This is a fault of the plugin: what it declares must be exact" },
  );
}
