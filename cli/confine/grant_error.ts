/**
 * What code of the user's asks for beyond what it was granted.
 *
 * @module
 */

import { OptionsError } from "../../engine/errors.ts";

/** One thing that a plugin asks for and was not granted, or was granted and does not ask for. */
export interface Difference {
  /** The plugin. */
  readonly plugin: string;
  /** Whether it is asked for beyond what was granted, or no longer asked for. */
  readonly sign: "+" | "-";
  /** What it is, such as `net api.test:443`. */
  readonly what: string;
}

/** Code of the user's asks for more than it was granted: nothing starts. */
export class GrantError extends OptionsError {
  /** What it asks for, and what it no longer asks for. */
  readonly differences: readonly Difference[];

  /** Makes an error of what a pipeline file's code asks for. */
  constructor(file: string, differences: readonly Difference[]) {
    super(`Cannot use "${file}" as its code must ask for no more than was granted: it does`, {
      hint: `Where that is as it should be, accept it: penstock accept ${file}`,
    });
    this.differences = differences;
  }
}

/** Differences as lines, each plugin above what it asks for. */
export function renderDifferences(differences: readonly Difference[]): string {
  const plugins = [...new Set(differences.map(({ plugin }) => plugin))];
  return plugins.map((plugin) => {
    const own = differences.filter((one) => one.plugin === plugin);
    return [`  ${plugin}`, ...own.map(({ sign, what }) => `    ${sign} ${what}`)].join("\n");
  }).join("\n");
}
