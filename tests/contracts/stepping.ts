/**
 * Running a transform as the engine does, with the state in plain sight.
 *
 * @module
 */

import type { TransformPlugin } from "../../engine/plugin.ts";
import type { RecordShape } from "../../engine/point.ts";
import { optionsOf, type PluginCase } from "./plugin.ts";
import { copyOf, deepFreeze, failWith, throughJson } from "./pure.ts";

/** A test case of a transform. */
export interface TransformCase<Input, In, Out> extends PluginCase<Input> {
  /** What comes in. */
  readonly shape: RecordShape;
  /** What it must refuse to work with. */
  readonly badShapes?: readonly RecordShape[];
  /** The records that come in, of at least two keys where the transform remembers by key. */
  readonly records: readonly In[];
  /** The records it must give. */
  readonly expected: readonly Out[];
  /** Records it must refuse when they come after all others. */
  readonly rejects?: readonly unknown[];
}

/** How a transform is run. */
export interface StepperParts {
  /** What is remembered at the start, by key. */
  readonly states?: ReadonlyMap<string, unknown>;
  /** Whether state and emitted records are made unchangeable. */
  readonly frozen?: boolean;
}

/** Runs the steps of a transform, one after the other. */
export class Stepper {
  /** What is remembered, by key. */
  readonly states: Map<string, unknown>;
  /** How often something was emitted after the step had returned. */
  late = 0;
  /** What the last step returned. */
  returned: unknown;
  readonly #plugin: TransformPlugin;
  readonly #frozen: boolean;
  readonly #context: { options: unknown; state: unknown; emit(record: unknown): void };
  #emitted: unknown[] | undefined;

  /** Starts a transform. */
  constructor(plugin: TransformPlugin, options: unknown, parts: StepperParts = {}) {
    this.#plugin = plugin;
    this.#frozen = parts.frozen ?? false;
    this.states = new Map(parts.states);
    // One object for all steps, as in the engine: a step that keeps it reads a stranger's state.
    this.#context = {
      options,
      state: undefined,
      emit: (record) => {
        if (this.#emitted) this.#emitted.push(this.#kept(record));
        else this.late++;
      },
    };
  }

  /**
   * Works on one record.
   *
   * @returns What was emitted.
   * @throws What the step throws; the state stays the one before.
   */
  step(record: unknown): readonly unknown[] {
    const { options } = this.#context;
    const emitted: unknown[] = [];
    this.#emitted = emitted;
    try {
      const key = this.#plugin.key?.(record, options) ?? "";
      if (!this.states.has(key)) {
        this.states.set(key, this.#kept(this.#plugin.state?.initial(options)));
      }
      this.#context.state = this.states.get(key);
      this.returned = this.#plugin.step(record, this.#context);
      this.states.set(key, this.#kept(this.returned));
    } finally {
      this.#emitted = undefined;
      this.#context.state = undefined;
    }
    return emitted;
  }

  /** The states as they are after they were saved and loaded. */
  saved(): Map<string, unknown> {
    const entries = [...this.states].map(([key, state]) => [key, throughJson(state)] as const);
    return new Map(entries);
  }

  #kept<T>(value: T): T {
    return this.#frozen ? deepFreeze(value) : value;
  }
}

/** Runs a transform as its test case says. */
export class Runner {
  /** The transform. */
  readonly plugin: TransformPlugin;
  /** Its test case. */
  readonly given: TransformCase<unknown, unknown, unknown>;
  /** How messages call it. */
  readonly name: string;

  /** Makes a runner of a transform. */
  constructor(plugin: TransformPlugin, given: TransformCase<unknown, unknown, unknown>) {
    this.plugin = plugin;
    this.given = given;
    this.name = `Transform "${plugin.id}"`;
  }

  /** The options of the case, as the transform gets them. */
  options(): unknown {
    return optionsOf(this.plugin, this.given.options);
  }

  /** The records, in a copy of their own; what they share, they share in the copy as well. */
  records(): unknown[] {
    return copyOf([...this.given.records]);
  }

  /** Starts the transform. */
  start(parts: StepperParts = {}): Stepper {
    return new Stepper(this.plugin, this.options(), parts);
  }

  /** Runs records through a stepper; none of them may be refused. */
  run(stepper: Stepper, records: readonly unknown[], from: number = 0): unknown[] {
    return records.flatMap((record, index) => {
      try {
        return stepper.step(record);
      } catch (error) {
        failWith(`${this.name} must take record ${from + index} of its test case`, error);
      }
    });
  }
}
