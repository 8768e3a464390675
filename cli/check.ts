/**
 * `penstock check`.
 *
 * @module
 */

import { describeGuarantee } from "../engine/guarantee.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { Inputs } from "./inputs.ts";
import { openPipeline } from "./open.ts";
import { probe } from "./probe.ts";
import type { Terminal } from "./terminal.ts";

/** What `check` is given. */
export interface CheckFlags {
  /** The pipeline file. */
  readonly file: string;
  /** Whether to try the endpoints, too. */
  readonly probe: boolean;
}

/**
 * Checks a pipeline file without running it: what is wrong with it, or what it will do.
 *
 * @returns The exit code.
 */
export async function check(
  flags: CheckFlags,
  inputs: Inputs,
  terminal: Terminal,
): Promise<number> {
  const { file } = flags;
  const pipeline = await openPipeline(file, inputs);
  await terminal.print(new TextEncoder().encode(`${file} is right\n${describePipeline(pipeline)}`));
  return flags.probe ? await probe(pipeline, terminal) : 0;
}

/** The graph of a pipeline, and what it promises, as text. */
export function describePipeline(pipeline: Pipeline): string {
  const lines: string[] = [];
  for (const { id, plugin } of pipeline.sources) {
    lines.push(`  source     ${id}: ${plugin.summary}; can be read again: ${plugin.replay}`);
  }
  for (const { id, plugin, onError } of pipeline.transforms) {
    lines.push(`  transform  ${id}: ${plugin.summary}; on error: ${onError}`);
  }
  for (const { id, plugin, onError } of pipeline.sinks) {
    lines.push(`  sink       ${id}: ${plugin.summary}; on error: ${onError}`);
  }
  for (const { sink, guarantee } of describeGuarantee(pipeline, true)) {
    lines.push(`  guarantee  ${sink}: ${guarantee}`);
  }
  return `${lines.join("\n")}\n`;
}
