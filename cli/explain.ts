/**
 * `penstock explain`: what a pipeline does, without running it.
 *
 * @module
 */

import { explainPipeline, type Explanation } from "../engine/explain/explanation.ts";
import { mermaid } from "../engine/explain/mermaid.ts";
import { explanationText } from "../engine/explain/text.ts";
import { checkpointFolder } from "./checkpoints.ts";
import type { Inputs } from "./inputs.ts";
import { openPipeline } from "./open.ts";
import type { Terminal } from "./terminal.ts";

/** What `explain` is given. */
export interface ExplainFlags {
  /** The pipeline file. */
  readonly file: string;
  /** How it is written. */
  readonly format: "text" | "mermaid" | "json";
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
  const explanation = await explanationOf(flags.file, flags.state, inputs);
  await print(WRITERS[flags.format](explanation), terminal);
  return 0;
}

async function explanationOf(
  file: string,
  state: string | undefined,
  inputs: Inputs,
): Promise<Explanation> {
  const pipeline = await openPipeline(file, inputs);
  return explainPipeline(pipeline, {
    nowMs: Date.now(),
    checkpoints: checkpointFolder(pipeline, state),
  });
}

async function print(text: string, terminal: Terminal): Promise<void> {
  await terminal.print(new TextEncoder().encode(text));
}
