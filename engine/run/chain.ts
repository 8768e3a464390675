/**
 * The transforms of a run, one after the other, with the state the engine keeps for them.
 *
 * @module
 */

import type { Json } from "../context.ts";
import {
  asStepError,
  describeError,
  FatalError,
  hintForDenied,
  PenstockError,
  RecordError,
} from "../errors.ts";
import type { StepLedger } from "./ledger.ts";
import type { CheckedStep } from "../pipeline.ts";
import type { StepContext, TransformPlugin } from "../plugin.ts";
import type { Point } from "../point.ts";

/** What is told of a record that a step refuses. */
export interface Refusal {
  /** The step that refused it. */
  readonly step: CheckedStep;
  /** The record as the step got it. */
  readonly record: unknown;
  /** Which one it was of all records that reached the step since the first run, counted from 1. */
  readonly number: number;
  /** Why. */
  readonly error: RecordError;
}

/** A transform in a run: its states and its ledger. */
export interface RunningTransform {
  /** What it is. */
  readonly step: CheckedStep<TransformPlugin>;
  /** Gives what the step makes of the records, in order. */
  run(records: readonly unknown[]): readonly unknown[];
  /** Takes its state from points that are stored already, where it knows nothing of their keys. */
  restore(points: readonly Point[]): void;
  /** What it remembers, by key: valid until the next call of `run`. */
  states(): Readonly<Record<string, Json>>;
}

interface Slot {
  state: unknown;
}

/**
 * Starts a transform.
 *
 * @param step The transform.
 * @param ledger Its ledger; counted in place.
 * @param saved What it remembers from an earlier run.
 * @param refuse Told of each record the step refuses; throws if the run must stop.
 */
export function startTransform(
  step: CheckedStep<TransformPlugin>,
  ledger: StepLedger,
  saved: Readonly<Record<string, Json>>,
  refuse: (refusal: Refusal) => void,
): RunningTransform {
  const { plugin, options } = step;
  const slots = new Map<string, Slot>(
    Object.entries(saved).map(([key, state]) => [key, { state }]),
  );
  let given: unknown[] = [];
  let isRunning = false;
  // One object for all calls: a step must not keep it.
  const context: {
    options: unknown;
    state: unknown;
    emit: StepContext<unknown, unknown, unknown>["emit"];
  } = {
    options,
    state: undefined,
    emit(record) {
      if (!isRunning) throw emittedLate(step);
      given.push(record);
    },
  };

  function stepOn(record: unknown): void {
    if (!plugin.state) {
      requireState(step, plugin.step(record, context));
      return;
    }
    const key = plugin.key ? requireKey(step, plugin.key(record, options)) : "";
    const slot = slots.get(key);
    context.state = slot ? slot.state : plugin.state.initial(options);
    const state = requireState(step, plugin.step(record, context));
    if (slot) slot.state = state;
    else slots.set(key, { state });
  }

  function runOne(record: unknown): void {
    const before = given.length;
    ledger.in++;
    try {
      stepOn(record);
    } catch (error) {
      given.length = before;
      ledger.rejected++;
      refuse({ step, record, number: ledger.in, error: asRecordError(step, error) });
      return;
    }
    const made = given.length - before;
    if (made === 0) ledger.filtered++;
    else ledger.extra += made - 1;
  }

  return {
    step,
    run(records) {
      given = [];
      isRunning = true;
      for (const record of records) runOne(record);
      isRunning = false;
      ledger.out += given.length;
      return given;
    },
    restore(points) {
      for (const point of points) {
        const key = plugin.key ? requireKey(step, plugin.key(point, options)) : "";
        if (slots.has(key)) continue;
        const state = restoreState(step, point);
        if (state !== undefined) slots.set(key, { state });
      }
    },
    states: () =>
      plugin.state
        ? Object.fromEntries(Array.from(slots, ([key, slot]) => [key, slot.state as Json]))
        : {},
  };
}

/**
 * The state a transform has right after a point it gave, read back from a store.
 *
 * @returns Nothing if it cannot go on from that point.
 */
export function restoreState(
  { plugin, options }: CheckedStep<TransformPlugin>,
  point: Point,
): unknown {
  return plugin.state?.restore?.(point, options);
}

/** What is given after its step would be lost from the count, or land among the records of another. */
function emittedLate(step: CheckedStep): FatalError {
  return new FatalError(
    `Cannot take a record of transform "${step.id}" as it must be given by \`emit\` while its step runs: it came later`,
    { hint: "This is a fault of the plugin: what has to wait belongs in a source or a sink" },
  );
}

/** Refuses a key that would be another one after a checkpoint, where keys are text. */
function requireKey(step: CheckedStep, key: unknown): string {
  if (typeof key === "string") return key;
  throw new FatalError(
    `Cannot run transform "${step.id}" as \`key\` must return text: it returned ${typeof key}`,
    { hint: "This is a fault of the plugin: join what names a series, such as its tags, to text" },
  );
}

/** Refuses what cannot be kept as a state: it would be lost at the next checkpoint, unnoticed. */
function requireState(step: CheckedStep<TransformPlugin>, state: unknown): unknown {
  if (state instanceof Promise) {
    state.catch(() => {});
    throw new FatalError(
      `Cannot run transform "${step.id}" as its step must be synchronous: it returned a promise`,
      { hint: "This is a fault of the plugin: what has to wait belongs in a source or a sink" },
    );
  }
  if (state === undefined && step.plugin.state) {
    throw new FatalError(
      `Cannot run transform "${step.id}" as its step must return a state: it returned nothing`,
      {
        hint: "This is a fault of the plugin: a step that changes nothing returns the state it got",
      },
    );
  }
  return state;
}

function asRecordError(step: CheckedStep, error: unknown): RecordError {
  if (error instanceof RecordError) return error;
  if (error instanceof PenstockError) throw asStepError(`Transform "${step.id}"`, error);
  throw new FatalError(`Transform "${step.id}" failed: ${describeError(error)}`, {
    cause: error,
    hint: hintForDenied(error) ??
      "This is a fault of the plugin: a record it cannot use must be a RecordError",
  });
}
