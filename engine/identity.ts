/**
 * Whether a checkpoint belongs to a pipeline.
 *
 * @module
 */

import type { Checkpoint, StepIdentity } from "./checkpoint.ts";
import type { Json } from "./context.ts";
import { FatalError } from "./errors.ts";
import type { CheckedStep, Pipeline } from "./pipeline.ts";

/** What a checkpoint remembers of the steps, to be compared by {@linkcode refuseOtherPipeline}. */
export function identifySteps(pipeline: Pipeline): StepIdentity[] {
  const identify = (kind: string, step: CheckedStep, memory = "") => ({
    step: `${kind} "${step.id}"`,
    plugin: step.plugin.id + memory,
  });
  return [
    ...pipeline.sources.map((step) => identify("source", step)),
    ...pipeline.transforms.map((step) =>
      identify(
        "transform",
        step,
        // A state belongs to the options it was made with.
        step.plugin.state
          ? ` version ${step.plugin.state.version} with ${JSON.stringify(step.options)}`
          : "",
      )
    ),
    ...pipeline.sinks.map((step) => identify("sink", step)),
    ...(pipeline.deadLetter ? [identify(DEAD_LETTER, pipeline.deadLetter)] : []),
  ];
}

/**
 * Where the dead-letter sink goes on. What keeps refused records may be added, changed and taken
 * out at any time: a sink that was not there begins anew.
 */
export function letterToken(pipeline: Pipeline, saved: Checkpoint | undefined): Json | undefined {
  const identity = (steps: readonly StepIdentity[]) =>
    steps.find(({ step }) => step.startsWith(DEAD_LETTER))?.plugin;
  const isSame = saved && identity(saved.steps) === identity(identifySteps(pipeline));
  return isSame ? saved.deadLetterToken : undefined;
}

const DEAD_LETTER = "dead letter";

/**
 * Makes sure that a checkpoint is of this very pipeline.
 *
 * Options of sources and sinks may change, as positions and tokens speak for themselves. Options of
 * a transform that remembers something may not: its state would be read as something else. Nor may
 * the order of the transforms. Where refused records go may change altogether.
 *
 * @throws {FatalError} If it is of another pipeline, or the steps are not those it was saved for.
 */
export function refuseOtherPipeline(pipeline: Pipeline, saved: Checkpoint): void {
  const hint = "Undo the change, or remove the checkpoint to start from the beginning";
  if (saved.pipeline !== pipeline.name) {
    throw new FatalError(
      `Cannot go on from the checkpoint as it must be of pipeline "${pipeline.name}": it is of "${saved.pipeline}"`,
      { hint },
    );
  }
  const changes = changesBetween(saved.steps, identifySteps(pipeline));
  if (changes.length === 0) return;
  throw new FatalError(
    `Cannot go on from the checkpoint as its steps must be those of the pipeline: ${
      changes.join("; ")
    }`,
    { hint },
  );
}

function changesBetween(
  stepsThen: readonly StepIdentity[],
  stepsNow: readonly StepIdentity[],
): string[] {
  const byName = (steps: readonly StepIdentity[]) =>
    new Map(
      steps.filter(({ step }) => !step.startsWith(DEAD_LETTER)).map((
        { step, plugin },
      ) => [step, plugin]),
    );
  const [then, now] = [byName(stepsThen), byName(stepsNow)];
  const changes: string[] = [];
  for (const [step, plugin] of now) {
    const before = then.get(step);
    if (before === undefined) changes.push(`${step} is new`);
    else if (before !== plugin) changes.push(`${step} was ${before} and is ${plugin}`);
  }
  for (const step of then.keys()) if (!now.has(step)) changes.push(`${step} is gone`);
  const [before, after] = [orderOf(stepsThen), orderOf(stepsNow)];
  if (changes.length === 0 && before !== after) {
    changes.push(`the order was ${before} and is ${after}`);
  }
  return changes;
}

/** Sources and sinks work side by side: only the order of transforms means something. */
function orderOf(steps: readonly StepIdentity[]): string {
  const transforms = steps.filter(({ step }) => step.startsWith("transform "));
  return transforms.map(({ step }) => step).join(", ");
}
