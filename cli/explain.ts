/**
 * `penstock explain` and `penstock check`: what a pipeline does, without running it.
 *
 * @module
 */

import { explainPipeline, type Explanation } from "../engine/explain/explanation.ts";
import { mermaid } from "../engine/explain/mermaid.ts";
import { explanationText, graphLines } from "../engine/explain/text.ts";
import { guaranteeSentence } from "../engine/guarantee.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { checkpointFolder } from "./checkpoints.ts";
import type { Inputs } from "./inputs.ts";
import { openPipeline } from "./open.ts";
import { probe as probeAll } from "./probe.ts";
import type { Terminal } from "./terminal.ts";

/** How an explanation is written. */
export const EXPLAIN_FORMATS = ["text", "mermaid", "json"] as const;

/** What `explain` is given. */
export interface ExplainFlags {
  /** The pipeline file. */
  readonly file: string;
  /** How it is written. */
  readonly format: typeof EXPLAIN_FORMATS[number];
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
}

const WRITERS: Readonly<Record<ExplainFlags["format"], (one: Explanation) => string>> = {
  text: explanationText,
  mermaid,
  json: (explanation) => `${JSON.stringify(explanation, null, 2)}\n`,
};

/**
 * Says all there is to know of a pipeline.
 *
 * @returns The exit code.
 */
export async function explain(
  flags: ExplainFlags,
  inputs: Inputs,
  terminal: Terminal,
): Promise<number> {
  const pipeline = await openPipeline(flags.file, inputs);
  const explanation = explanationOf(pipeline, flags.state);
  await print(WRITERS[flags.format](explanation), terminal);
  return 0;
}

/** What `check` is given. */
export interface CheckFlags {
  /** The pipeline file. */
  readonly file: string;
  /** Whether to try the endpoints, too. */
  readonly probe: boolean;
}

/**
 * Says whether a pipeline file is right, and what the pipeline does, in short.
 *
 * @returns The exit code.
 */
export async function check(
  { file, probe }: CheckFlags,
  inputs: Inputs,
  terminal: Terminal,
): Promise<number> {
  const pipeline = await openPipeline(file, inputs);
  const explanation = explanationOf(pipeline, undefined);
  const lines = [
    `${file} is right`,
    ...graphLines(explanation).map((line) => `  ${line}`),
    ...explanation.guarantees.map((one) => `  guarantee  ${guaranteeSentence(one)}`),
  ];
  await print(lines.map((line) => `${line}\n`).join(""), terminal);
  return probe ? await probeAll(pipeline, terminal) : 0;
}

function explanationOf(pipeline: Pipeline, state: string | undefined): Explanation {
  return explainPipeline(pipeline, {
    nowMs: Date.now(),
    checkpoints: checkpointFolder(pipeline, state),
  });
}

async function print(text: string, terminal: Terminal): Promise<void> {
  await terminal.print(new TextEncoder().encode(text));
}
