/**
 * What a pipeline must be allowed to reach: the union of what its steps declare.
 *
 * @module
 */

import { resolve } from "@std/path";
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

/**
 * What each step of a pipeline declares, in the order of the file.
 *
 * @param pipeline A checked pipeline. Relative paths start at its folder.
 * @throws {FatalError} If a plugin cannot say what it reaches.
 */
export function reachOfSteps(pipeline: Pipeline): StepReach[] {
  const { folder, sources, transforms, sinks, deadLetter } = pipeline;
  return [
    ...[...sources, ...transforms, ...sinks].map((step) => {
      const name = `${step.plugin.kind} "${step.id}"`;
      return { step: name, reach: reachOf(name, step, folder) };
    }),
    ...deadLetter
      ? [{ step: "dead letter", reach: reachOf("dead letter", deadLetter, folder) }]
      : [],
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

function reachOf(name: string, { plugin, options }: CheckedStep, folder: string): Reach {
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
  return unite([
    { ...declared, read: absolute(declared.read), write: absolute(declared.write) },
  ]);
}
