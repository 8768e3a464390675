/**
 * Whether a checkpoint belongs to a pipeline.
 *
 * @module
 */

import type { Checkpoint, StepIdentity } from "./body.ts";
import type { Json } from "../context.ts";
import { FatalError } from "../errors.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";

const DEAD_LETTER = "dead letter";

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

/**
 * Makes sure that a checkpoint is of this very pipeline.
 *
 * Options of sources and sinks may change, as positions and tokens speak for themselves. Options of
 * a transform that remembers something may not: its state would be read as something else. Nor may
 * the order of the transforms. A step of which nothing is kept, such as one that was reset, may be
 * another one, and where refused records go may change altogether.
 *
 * @throws {FatalError} If it is of another pipeline, or the steps are not those it was saved for; the
 * hint says which command makes the step forget.
 */
export function refuseOtherPipeline(pipeline: Pipeline, saved: Checkpoint): void {
  if (saved.pipeline !== pipeline.name) {
    throw new FatalError(
      `Cannot go on from the checkpoint as it must be of pipeline "${pipeline.name}": it is of "${saved.pipeline}"`,
      { hint: "Give each pipeline a folder of its own with --state, or set `name` back" },
    );
  }
  const then = withoutDeadLetter(saved.steps);
  const now = withoutDeadLetter(identifySteps(pipeline));
  const changes = [...wiringChanges(then, now), ...memoryChanges(saved, now)];
  if (changes.length === 0) return;
  throw new FatalError(
    `Cannot go on from the checkpoint as its steps must be those of the pipeline: ${
      changes.map(({ what }) => what).join("; ")
    }`,
    { hint: hintFor(changes) },
  );
}

function withoutDeadLetter(steps: readonly StepIdentity[]): StepIdentity[] {
  return steps.filter(({ step }) => !step.startsWith(DEAD_LETTER));
}

/** What is not as it was, and the step that has to forget, where that is enough. */
interface Change {
  readonly what: string;
  readonly forget?: string;
}

/** Steps that came or went, and the order of transforms: records would be missing in some of them. */
function wiringChanges(then: readonly StepIdentity[], now: readonly StepIdentity[]): Change[] {
  const [before, after] = [then, now].map((steps) => new Set(steps.map(({ step }) => step)));
  const added = now.filter(({ step }) => !before?.has(step)).map(({ step }) => `${step} is new`);
  const gone = then.filter(({ step }) => !after?.has(step)).map(({ step }) => `${step} is gone`);
  const changes = [...added, ...gone].map((what): Change => ({ what }));
  const [orderThen, orderNow] = [orderOf(then), orderOf(now)];
  if (changes.length > 0 || orderThen === orderNow) return changes;
  return [{ what: `the order was ${orderThen} and is ${orderNow}` }];
}

/** Steps whose memory is of another plugin, or of one with other options. */
function memoryChanges(saved: Checkpoint, now: readonly StepIdentity[]): Change[] {
  const then = new Map(saved.steps.map(({ step, plugin }) => [step, plugin]));
  return now.flatMap(({ step, plugin }): Change[] => {
    const before = then.get(step);
    if (before === undefined || before === plugin) return [];
    const [, kind = "", id = ""] = /^(.*) "(.*)"$/.exec(step) ?? [];
    if (!remembers(saved, kind, id)) return [];
    return [{ what: `${step} was ${before} and is ${plugin}`, forget: id }];
  });
}

function remembers(saved: Checkpoint, kind: string, id: string): boolean {
  if (kind === "transform") return Object.keys(saved.states[id] ?? {}).length > 0;
  if (kind === "source") return Object.keys(saved.positions[id] ?? {}).length > 0;
  return saved.tokens[id] !== undefined;
}

function hintFor(changes: readonly Change[]): string {
  const steps = changes.map(({ forget }) => forget);
  const commands = steps.includes(undefined)
    ? ["penstock state reset FILE"]
    : steps.map((id) => `penstock state reset FILE --step ${id}`);
  const effect = steps.includes(undefined) ? "start from the beginning" : "let it forget";
  return `Undo the change, or ${effect} with \`${commands.join("` and `")}\``;
}

/** Sources and sinks work side by side: only the order of transforms means something. */
function orderOf(steps: readonly StepIdentity[]): string {
  const transforms = steps.filter(({ step }) => step.startsWith("transform "));
  return transforms.map(({ step }) => step).join(", ");
}
