/**
 * `penstock check`.
 *
 * @module
 */

import { explainPipeline } from "../engine/explain/explanation.ts";
import { graphLines } from "../engine/explain/text.ts";
import { guaranteeSentence } from "../engine/explain/guarantee.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { checkpointFolder } from "./checkpoints.ts";
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
 * Checks a pipeline file without running it: what is wrong with it, or what it will do, in short.
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
  const text = `${file} is right\n${describePipeline(pipeline)}`;
  await terminal.print(new TextEncoder().encode(text));
  return flags.probe ? await probe(pipeline, terminal) : 0;
}

/** The graph of a pipeline, and what it promises, as text. */
export function describePipeline(pipeline: Pipeline): string {
  const explanation = explainPipeline(pipeline, {
    nowMs: Date.now(),
    checkpoints: checkpointFolder(pipeline, undefined),
  });
  return [
    ...graphLines(explanation),
    ...explanation.guarantees.map((one) => `guarantee  ${guaranteeSentence(one)}`),
  ].map((line) => `  ${line}\n`).join("");
}
