/**
 * Trying the endpoints of a pipeline, without running it.
 *
 * @module
 */

import type { Context } from "../context.ts";
import { DEAD_LETTER_SHAPES } from "../dead_letters/dead_letter.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import type { SinkPlugin, SourcePlugin } from "../plugin.ts";
import type { RecordShape } from "../point.ts";

/** What came of trying one step. */
export interface Probed {
  /** The step. */
  readonly step: CheckedStep<SourcePlugin | SinkPlugin>;
  /** What was found, in words; or why it cannot be used. */
  readonly outcome: { readonly found: string } | { readonly error: unknown };
}

/**
 * Tries each source and sink that can be tried, side by side, once each. Nothing is changed.
 *
 * @param pipeline A checked pipeline.
 * @param contextOf Makes the context of a step.
 * @returns One result for each step that can be tried, in the order of the pipeline.
 */
export async function probePipeline(
  { sources, sinks, deadLetter, shapes }: Pipeline,
  contextOf: (step: CheckedStep) => Context,
): Promise<Probed[]> {
  const probeSource = (step: CheckedStep<SourcePlugin>) => {
    const { plugin, options } = step;
    return plugin.probe ? [probed(step, plugin.probe(options, contextOf(step)))] : [];
  };
  const probeSink = (step: CheckedStep<SinkPlugin>, shapes: readonly RecordShape[]) => {
    const { plugin, options } = step;
    return plugin.probe ? [probed(step, plugin.probe(options, shapes, contextOf(step)))] : [];
  };
  return await Promise.all([
    ...sources.flatMap(probeSource),
    ...sinks.flatMap((step) => probeSink(step, shapes)),
    ...deadLetter ? probeSink(deadLetter, DEAD_LETTER_SHAPES) : [],
  ]);
}

async function probed(step: Probed["step"], found: Promise<string>): Promise<Probed> {
  try {
    return { step, outcome: { found: await found } };
  } catch (error) {
    return { step, outcome: { error } };
  }
}
