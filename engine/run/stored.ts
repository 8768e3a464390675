/**
 * Where the stores of a pipeline's sinks end: to go on from there without a checkpoint.
 *
 * @module
 */

import { restoreState } from "./chain.ts";
import type { Context, StoredEnd } from "../context.ts";
import { OptionsError } from "../errors.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import type { SinkPlugin } from "../plugin.ts";
import type { Point, PointShape } from "../point.ts";

/** The last final point, the one before it, and one that may not be final yet. */
const POINTS = 3;

/**
 * Finds where each series ends in the stores, all series in one question per sink.
 *
 * Of several sinks that can be read back the one furthest behind counts. A series counts as stored
 * only if every transform that remembers something can go on from what is stored.
 *
 * @param pipeline The pipeline.
 * @param series The tags that name each series.
 * @param contextOf Makes the context of a sink.
 * @returns As {@linkcode Context.storedEnds}.
 * @throws {OptionsError} If no sink can be read back, or what it stores has no such tags.
 */
export async function findStoredEnds(
  pipeline: Pipeline,
  series: readonly Point["tags"][],
  contextOf: (sink: CheckedStep<SinkPlugin>) => Context,
): Promise<(StoredEnd | undefined)[]> {
  const stores = pipeline.sinks.filter(({ plugin }) => plugin.store);
  if (stores.length === 0) throw noStore();
  if (series.length === 0) return [];
  const query = { shape: requireShape(pipeline, series), series, count: POINTS };
  const lasts = await Promise.all(stores.map((sink) => {
    const context = contextOf(sink);
    return context.retry(
      `read back the end of the series in sink "${sink.id}"`,
      async () => await sink.plugin.store?.last(sink.options, query, context) ?? [],
    );
  }));
  return series.map((_, at) =>
    lasts.map((last) => endOf(pipeline, last[at] ?? [])).reduce(earlier)
  );
}

/** The shape in which the sinks store points of these series. */
function requireShape({ shapes }: Pipeline, series: readonly Point["tags"][]): PointShape {
  const names = new Set(series.flatMap((tags) => Object.keys(tags)));
  const found = shapes.find((shape): shape is PointShape =>
    shape.kind === "point" && shape.tags.every((tag) => names.has(tag))
  );
  if (found) return found;
  throw new OptionsError(
    `Cannot find out where the store ends as points must be stored with the tags ${
      [...names].join(", ")
    } and no others`,
    { hint: "Leave `start` out: the series are then read from their beginning" },
  );
}

function endOf(pipeline: Pipeline, points: readonly Point[]): StoredEnd | undefined {
  const [before, last] = points.filter(({ fields }) => fields.closed !== false).slice(-2);
  if (!before || !last) return undefined;
  const canGoOn = pipeline.transforms.every((step) =>
    !step.plugin.state || restoreState(step, before) !== undefined
  );
  return canGoOn ? { lastMs: last.timeMs, before } : undefined;
}

function earlier(
  one: StoredEnd | undefined,
  other: StoredEnd | undefined,
): StoredEnd | undefined {
  return one && other && (other.lastMs < one.lastMs ? other : one);
}

/** That no sink can be read back. */
export function noStore(): OptionsError {
  return new OptionsError("Cannot find out where the store ends: no sink can be read back", {
    hint: "Leave `start` out, or add a sink that can be read back, such as a database",
  });
}
