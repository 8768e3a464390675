/**
 * What a pipeline is loaded with: taken from the machine, or handed over by the process that did.
 *
 * @module
 */

import { resolve } from "@std/path";
import { OptionsError } from "../engine/errors.ts";
import type { Secret } from "../engine/options.ts";
import type { LoadOptions } from "../engine/pipeline_file/load.ts";
import { readTextFile, whyUnreadable } from "../engine/pipeline_file/read_text.ts";
import type { Yaml } from "../engine/pipeline_file/yaml.ts";
import type { SimulatorUrls } from "../engine/plugin.ts";

/** What loading a pipeline takes of the world, and what it is loaded for. */
export interface Inputs extends Pick<LoadOptions, "readText" | "yaml" | "env" | "command" | "dry"> {
  /** The simulated exchange, for a simulated run. */
  readonly simulator?: Simulated | undefined;
  /** Told of each secret of a pipeline that was loaded, before anything is done with it. */
  hide?(secrets: Iterable<Secret>): void;
  /** What was asked for but not handed over, as far as it was asked for by now. */
  readonly missing?: ReadonlySet<string>;
}

/** A simulated exchange, as another process sees it. */
export interface Simulated {
  /** Where it listens. */
  readonly urls: SimulatorUrls;
  /** How far its clock is ahead of the machine's, in milliseconds. */
  readonly aheadMs: number;
}

/** A text, or why there is none: it cannot be had, or is a variable that is not set. */
export type Handed =
  | { readonly text: string }
  | { readonly fault: string }
  | { readonly unset: true };

/** All that a confined process is given to load a pipeline, as it can read none of it. */
export interface Handover {
  /** The pipeline file: its path, absolute, its text, and what that was read as. */
  readonly file: {
    readonly path: string;
    readonly content: Handed;
    readonly yaml?: Yaml | undefined;
  };
  /** What placeholders stand for, by `env:NAME`, `file:/absolute/path` or `command:program …`. */
  readonly values: Readonly<Record<string, Handed>>;
  /** The simulated exchange. */
  readonly simulator?: Simulated | undefined;
  /** Whether secrets of sinks are left out. */
  readonly dry?: boolean | undefined;
}

/** Takes what a pipeline is loaded with from the machine. No program is run. */
export function machineInputs(): Inputs {
  return { readText: readTextFile, env: (name) => Deno.env.get(name) };
}

/**
 * Takes what a pipeline is loaded with from what was handed over.
 *
 * @param handover What was handed over.
 */
export function handedInputs({ file, values, simulator, dry }: Handover): Inputs {
  const missing = new Set<string>();
  const take = (key: string): string | undefined => {
    const handed = Object.hasOwn(values, key) ? values[key] : undefined;
    if (!handed) missing.add(key);
    return handed && textOf(handed);
  };
  return {
    env: (name) => take(`env:${name}`),
    // deno-lint-ignore require-await -- what it throws must be a rejection
    async readText(path) {
      const absolute = resolve(path);
      const text = absolute === file.path ? textOf(file.content) : take(`file:${absolute}`);
      return text ?? refuse(whyUnreadable(new Deno.errors.NotCapable()));
    },
    // deno-lint-ignore require-await -- what it throws must be a rejection
    command: async (line) => take(`command:${line}`) ?? refuse("it was not run"),
    yaml: file.yaml,
    simulator,
    dry,
    missing,
  };
}

/** Tries to get a text. */
export async function handing(get: () => Promise<string>): Promise<Handed> {
  try {
    return { text: await get() };
  } catch (error) {
    return { fault: whyUnreadable(error) };
  }
}

function textOf(handed: Handed): string | undefined {
  if ("fault" in handed) return refuse(handed.fault);
  return "text" in handed ? handed.text : undefined;
}

function refuse(fault: string): never {
  throw new OptionsError(fault);
}
