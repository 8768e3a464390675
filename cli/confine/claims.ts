/**
 * What code of the user's asks for: found out in a process that can reach nothing at all.
 *
 * Whatever that process says is a claim, as code of the user's may have said it. So nothing of it is
 * granted by itself.
 *
 * @module
 */

import { z } from "zod";
import { HOST_AND_PORT } from "../../engine/address.ts";
import { reachOfStep, VARIABLE_NAME } from "../../engine/permissions.ts";
import { isModuleFile } from "../../engine/pipeline_file/read_pipeline.ts";
import type { CheckedStep } from "../../engine/pipeline.ts";
import type { Host } from "../host.ts";
import { openPipeline } from "../open.ts";
import type { Terminal } from "../terminal.ts";

/** What is told of a pipeline whose code is the user's. */
export type Told = Missing | Answer;

/** It must be given these placeholders before more can be told. */
export interface Missing {
  /** Their keys. */
  readonly missing: readonly string[];
}

/** What there is to tell. */
export interface Answer {
  /** The name of the pipeline. */
  readonly name: string;
  /** What its steps ask for. */
  readonly claims: readonly Claim[];
}

/** What one step asks for. */
export interface Claim {
  /** The plugin, as the file names it. */
  readonly plugin: string;
  /** Hosts with port. */
  readonly net: readonly string[];
  /** Absolute paths. */
  readonly read: readonly string[];
  /** Absolute paths. */
  readonly write: readonly string[];
  /** Environment variables. */
  readonly env: readonly string[];
}

// deno-lint-ignore no-control-regex -- control characters are what must not be in it
const line = z.string().regex(/^[^\x00-\x1f\x7f]+$/);
const path = line.regex(/^(\/|[A-Za-z]:\\)[^,]*$/);
const toldSchema = z.union([
  z.strictObject({ missing: z.array(line.regex(/^(env|file|command):/)).min(1) }),
  z.strictObject({
    name: z.string().max(64).regex(/^[A-Za-z][\w-]*$/),
    claims: z.array(z.strictObject({
      plugin: line,
      net: z.array(z.string().regex(HOST_AND_PORT)),
      read: z.array(path),
      write: z.array(path),
      env: z.array(z.string().regex(VARIABLE_NAME)),
    })),
  }),
]);

/**
 * Loads a pipeline in this process, which can reach nothing, and prints what its code asks for.
 *
 * @returns The exit code.
 */
export async function tellClaims(file: string, host: Host, terminal: Terminal): Promise<number> {
  const told = await toldOf(file, host);
  await terminal.print(new TextEncoder().encode(JSON.stringify(told)));
  return 0;
}

async function toldOf(file: string, { inputs }: Host): Promise<Told> {
  const isModule = isModuleFile(file);
  try {
    const { name, folder, sources, transforms, sinks, deadLetter } = await openPipeline(
      file,
      inputs,
    );
    const written = inputs.dry ? [] : [...sinks, ...deadLetter ? [deadLetter] : []];
    const steps: CheckedStep[] = [...sources, ...transforms, ...written];
    const own = steps.filter(({ module }) => isModule || module !== undefined);
    return {
      name,
      claims: own.map((step) => ({
        plugin: step.module ?? step.plugin.id,
        ...reachOfStep(step, folder),
      })),
    };
  } catch (error) {
    const missing = [...inputs.missing ?? []];
    // What is wrong may be wrong only because of what is missing.
    if (missing.length > 0) return { missing };
    throw error;
  }
}

/**
 * Reads what such a process has printed.
 *
 * @returns Nothing if it is not what it should be: code of the user's may print as well.
 */
export function parseTold(text: string): Told | undefined {
  try {
    return toldSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // the caller says what that means
  }
}
