/**
 * Checks steps against each other: whether what one gives is what the next can take.
 *
 * @module
 */

import type { Mistake, Path } from "./diagnostics.ts";
import { describeError, PenstockError } from "../errors.ts";
import { listed } from "../nearest.ts";
import type { CheckedStep } from "../pipeline.ts";
import type { SinkPlugin, SourcePlugin, TransformPlugin } from "../plugin.ts";
import type { PointShape, RecordShape } from "../point.ts";

/** A step that was checked, and where the file has it. */
export interface Placed<P extends SourcePlugin | TransformPlugin | SinkPlugin> {
  /** The step. */
  readonly step: CheckedStep<P>;
  /** Where the file has it. */
  readonly path: Path;
}

/** The steps of a pipeline whose options are right. */
export interface Steps {
  /** Where records come from. */
  readonly sources: readonly Placed<SourcePlugin>[];
  /** What happens to them: up to the first whose options are wrong. */
  readonly transforms: readonly Placed<TransformPlugin>[];
  /** Where they go. None, if a transform is missing. */
  readonly sinks: readonly Placed<SinkPlugin>[];
  /** Where refused records go. */
  readonly deadLetter: Placed<SinkPlugin> | undefined;
}

/** What reaches the sinks, or what is wrong. */
export interface Wiring {
  /** What reaches the sinks, each shape once. */
  readonly shapes: readonly RecordShape[];
  /** What does not fit. */
  readonly mistakes: readonly Mistake[];
}

/** What is sent to the dead-letter sink: records as they were refused, in no shape of their own. */
export const DEAD_LETTER_SHAPE: RecordShape = { kind: "raw", format: "dead_letter" };

/** A shape on its way, and the source it came from. */
interface Flow {
  readonly shape: RecordShape;
  readonly source: Placed<SourcePlugin>;
}

/**
 * Follows every shape from its source through the transforms to the sinks.
 *
 * @param steps The steps.
 * @param candidates Transforms to propose where one is missing.
 */
export function wire(steps: Steps, candidates: readonly TransformPlugin[]): Wiring {
  const mistakes: Mistake[] = [];
  let flows: readonly Flow[] = distinct(steps.sources.flatMap((source) => {
    const { plugin, options } = source.step;
    const shape = attempt(source, mistakes, () => plugin.shape(options));
    return shape ? [{ shape, source }] : [];
  }));
  for (const transform of steps.transforms) {
    const { plugin, options } = transform.step;
    flows = distinct(flows.flatMap(({ shape, source }) => {
      const next = attempt(transform, mistakes, () => plugin.shape(shape, options), () => {
        return bridges(shape, candidates, (middle) => plugin.shape(middle, options));
      });
      return next ? [{ shape: next, source }] : [];
    }));
  }
  mistakes.push(...conflicts(flows));
  const accept = (sink: Placed<SinkPlugin>, shape: RecordShape) => {
    const { plugin, options } = sink.step;
    attempt(sink, mistakes, () => plugin.accept(shape, options), () => {
      return bridges(shape, candidates, (middle) => plugin.accept(middle, options));
    });
  };
  for (const sink of steps.sinks) flows.forEach(({ shape }) => accept(sink, shape));
  if (steps.deadLetter) accept(steps.deadLetter, DEAD_LETTER_SHAPE);
  return { shapes: flows.map(({ shape }) => shape), mistakes };
}

function distinct(flows: readonly Flow[]): Flow[] {
  const byShape = new Map<string, Flow>();
  for (const flow of flows) {
    const key = JSON.stringify(flow.shape);
    if (!byShape.has(key)) byShape.set(key, flow);
  }
  return [...byShape.values()];
}

/** Asks a plugin; what it throws becomes a mistake of its step. */
function attempt<T>(
  { step, path }: Placed<SourcePlugin | TransformPlugin | SinkPlugin>,
  mistakes: Mistake[],
  ask: () => T,
  propose: () => readonly string[] = () => [],
): T | undefined {
  try {
    return ask();
  } catch (error) {
    const isPlanned = error instanceof PenstockError;
    const message = isPlanned
      ? error.message
      : `Cannot check ${step.plugin.kind} "${step.plugin.id}": ${describeError(error)}`;
    const names = propose().map((id) => JSON.stringify(id));
    const proposal = names.length > 0 ? `Put ${listed(names, "or")} before it` : undefined;
    mistakes.push({ path, message, hint: proposal ?? (isPlanned ? error.hint : undefined) });
    return undefined;
  }
}

/** The transforms that would make a step take a shape it refuses, if they stood before it. */
function bridges(
  shape: RecordShape,
  candidates: readonly TransformPlugin[],
  takes: (middle: RecordShape) => unknown,
): string[] {
  return candidates.filter((candidate) => {
    const options = candidate.options.safeParse({});
    if (!options.success) return false;
    try {
      takes(candidate.shape(shape, options.data));
      return true;
    } catch {
      return false; // it was only a try
    }
  }).map(({ id }) => id);
}

/** In a store, a field has one type, whichever source it comes from. */
function conflicts(flows: readonly Flow[]): Mistake[] {
  const mistakes: Mistake[] = [];
  const first = new Map<string, { readonly type: string; readonly flow: Flow }>();
  for (const flow of flows) {
    if (flow.shape.kind !== "point") continue;
    for (const [field, type] of Object.entries(flow.shape.fields)) {
      const key = JSON.stringify([flow.shape.measurement, field]);
      const other = first.get(key);
      if (!other) first.set(key, { type, flow });
      else if (other.type !== type) mistakes.push(conflict(flow, flow.shape, field, type, other));
    }
  }
  return mistakes;
}

function conflict(
  { source }: Flow,
  { measurement }: PointShape,
  field: string,
  type: string,
  other: { readonly type: string; readonly flow: Flow },
): Mistake {
  return {
    path: source.path,
    message: `Cannot use source "${source.step.id}" as field "${field}" of measurement ` +
      `"${measurement}" must have one type: it is ${type} here, but ${other.type} in source ` +
      `"${other.flow.source.step.id}"`,
    hint: "Put them into two pipelines, or give one another measurement",
  };
}
