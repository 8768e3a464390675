/**
 * What there is to audit in a pipeline: each series of its sources in each of its stores.
 *
 * @module
 */

import type { Context } from "../context.ts";
import { asStepError, OptionsError } from "../errors.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import type { Position, SeriesRange, SinkPlugin, SourcePlugin } from "../plugin.ts";
import { type Computation, computationOf } from "./computation.ts";

/** One series in one store. */
export interface Task {
  /** The source it comes from. */
  readonly source: CheckedStep<SourcePlugin>;
  /** The sink that stores it. */
  readonly sink: CheckedStep<SinkPlugin>;
  /** How it is computed. */
  readonly computation: Computation;
  /** All of it that must be stored. */
  readonly range: SeriesRange;
}

/** A step that is not audited, and why. */
export interface LeftOut {
  /** Its id. */
  readonly step: string;
  /** Why: what it cannot do. */
  readonly why: string;
}

/**
 * Finds what there is to audit. The sources are asked which series they have.
 *
 * @param pipeline The pipeline.
 * @param positions Where the sources stand, by step id.
 * @param contextOf Makes the context of a step.
 * @throws {OptionsError} If no source has a history, or no sink can be read back.
 */
export async function findTasks(
  pipeline: Pipeline,
  positions: Readonly<Record<string, Position>>,
  contextOf: (step: CheckedStep) => Context,
): Promise<Task[]> {
  const { sources, sinks } = pipeline;
  const stores = sinks.filter(({ plugin }) => plugin.store);
  if (stores.length === 0) throw nothingToAudit("no sink can be read back");
  if (sources.every(({ plugin }) => !plugin.history)) {
    throw nothingToAudit("no source can say what there must be");
  }
  const tasks: Task[] = [];
  for (const source of sources) {
    if (!source.plugin.history) continue;
    const computation = computationOf(pipeline, source);
    const ranges = await rangesOf(source, positions[source.id] ?? {}, contextOf(source));
    for (const { tags } of ranges) requireTags(source.id, computation, tags);
    for (const sink of stores) {
      for (const range of ranges) tasks.push({ source, sink, computation, range });
    }
  }
  return tasks;
}

async function rangesOf(
  { id, plugin, options }: CheckedStep<SourcePlugin>,
  position: Position,
  context: Context,
): Promise<readonly SeriesRange[]> {
  try {
    return await plugin.history?.ranges(options, position, context) ?? [];
  } catch (error) {
    throw asStepError(`Source "${id}"`, error);
  }
}

/** What is stored under other tags cannot be told apart by series. */
function requireTags(source: string, { stored }: Computation, tags: SeriesRange["tags"]): void {
  const names = Object.keys(tags);
  if (names.length === stored.tags.length && stored.tags.every((tag) => tag in tags)) return;
  throw new OptionsError(
    `Cannot audit what source "${source}" gives as its series must be stored with their tags ${
      names.join(", ")
    }: they are stored with ${stored.tags.join(", ") || "none"}`,
  );
}

/** What cannot be audited, and is told of. */
export function findLeftOut({ sources, sinks }: Pipeline, tasks: readonly Task[]): LeftOut[] {
  const obstacles = new Map(
    tasks.flatMap(({ computation: { obstacle, computing: [first] } }) =>
      obstacle === undefined || !first ? [] : [[first.id, obstacle]]
    ),
  );
  return [
    ...sources.filter(({ plugin }) => !plugin.history).map(({ id }) => ({
      step: id,
      why: "it cannot say what there must be",
    })),
    ...sinks.filter(({ plugin }) => !plugin.store).map(({ id }) => ({
      step: id,
      why: "it cannot be read back",
    })),
    ...Array.from(obstacles, ([step, why]) => ({ step, why })),
  ];
}

function nothingToAudit(why: string): OptionsError {
  return new OptionsError(`Cannot audit the pipeline: ${why}`, {
    hint:
      "An audit compares the history of an exchange, such as `binance_rest`, with a store, such as `influxdb`",
  });
}
