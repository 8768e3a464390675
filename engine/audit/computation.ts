/**
 * Fields that transforms compute from earlier points: whether what is stored follows from what is
 * stored before it, and computing it anew.
 *
 * The transforms from the first one on that remembers something are run on stored points, without
 * the fields they add. Each state begins at a stored point, from which it can be restored.
 *
 * @module
 */

import { type RunningTransform, startTransform } from "../run/chain.ts";
import type { Json } from "../context.ts";
import { FatalError, OptionsError, type RecordError } from "../errors.ts";
import { emptyStep } from "../run/ledger.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import type { SourcePlugin, TransformPlugin } from "../plugin.ts";
import type { FieldValue, Point, PointShape } from "../point.ts";

/** How the records of a source become what is stored. */
export interface Computation {
  /** Transforms before the first that remembers something. */
  readonly plain: readonly CheckedStep<TransformPlugin>[];
  /** That one and those behind it; none where nothing is remembered. */
  readonly computing: readonly CheckedStep<TransformPlugin>[];
  /** What points look like as they are stored. */
  readonly stored: PointShape;
  /** The fields that a stored point has before the computing ones begin. */
  readonly given: readonly string[];
  /** The fields that these add. */
  readonly computed: readonly string[];
  /** Values of these that say as much as no value. */
  readonly blanks: Readonly<Record<string, FieldValue>>;
  /** Why stored points cannot be run through the computing ones; undefined where they can. */
  readonly obstacle: string | undefined;
}

/**
 * Splits the transforms of a pipeline.
 *
 * @param pipeline The pipeline.
 * @param source The source whose records are followed.
 * @throws {OptionsError} If it is no points that reach the sinks.
 */
export function computationOf(
  pipeline: Pipeline,
  source: CheckedStep<SourcePlugin>,
): Computation {
  const { transforms } = pipeline;
  const found = transforms.findIndex(({ plugin }) => plugin.state);
  const at = found < 0 ? transforms.length : found;
  let shape = source.plugin.shape(source.options);
  let before = shape;
  for (const [index, { plugin, options }] of transforms.entries()) {
    if (index === at) before = shape;
    shape = plugin.shape(shape, options);
  }
  if (at === transforms.length) before = shape;
  if (shape.kind === "raw") {
    throw new OptionsError(
      `Cannot audit what source "${source.id}" gives as it must be stored as points: it is stored as raw "${shape.format}" records`,
    );
  }
  const computing = transforms.slice(at);
  const given = before.kind === "point" ? Object.keys(before.fields) : [];
  return {
    plain: transforms.slice(0, at),
    computing,
    stored: shape,
    given,
    computed: Object.keys(shape.fields).filter((name) => !given.includes(name)),
    blanks: Object.assign(
      {},
      ...computing.map(({ plugin, options }) => plugin.blanks?.(options) ?? {}),
    ),
    obstacle: before.kind === "raw" || !isWithin(before, shape)
      ? `transform "${
        transforms[at]?.id
      }" and those behind it must add fields only: what is stored is not what they were given`
      : undefined,
  };
}

/** Whether all that one shape has is in the other as it was. */
function isWithin(inner: PointShape, outer: PointShape): boolean {
  const sameTags = inner.tags.length === outer.tags.length &&
    inner.tags.every((tag) => outer.tags.includes(tag));
  return sameTags && inner.measurement === outer.measurement &&
    Object.entries(inner.fields).every(([name, type]) => outer.fields[name] === type);
}

/** Transforms change fields they were given: what is stored is not what they can be run on. */
export class GivenFieldsChanged extends FatalError {}

/** How computed fields of a stored point differ from what they should be. */
export interface Difference {
  /** Fields that it should have. */
  readonly absent: readonly string[];
  /** Fields with another value, or with one where there should be none and a blank stands for it. */
  readonly other: readonly string[];
  /** Fields that it should not have. */
  readonly extra: readonly string[];
}

/** Transforms on one series, from one point on. */
export class Computing {
  readonly #computation: Computation;
  readonly #tolerance: number;
  readonly #transforms: readonly RunningTransform[];

  /**
   * Begins as at the start of a series.
   *
   * @param computation What to compute.
   * @param tolerance The relative error that numbers of the store may have.
   * @param refuse Told why a record is refused.
   */
  constructor(
    computation: Computation,
    tolerance: number,
    refuse: (error: RecordError) => void = () => {},
  ) {
    this.#computation = computation;
    this.#tolerance = tolerance;
    this.#transforms = computation.computing.map((step) =>
      startTransform(step, emptyStep(), {}, ({ error }) => refuse(error))
    );
  }

  /** Whether the states right after a stored point follow from that point alone. */
  canRestore(point: Point): boolean {
    return this.#transforms.every(({ step }) =>
      !step.plugin.state || step.plugin.state.restore?.(point, step.options) !== undefined
    );
  }

  /** Goes on right after a stored point, from which it can be restored: only at the beginning. */
  restore(point: Point): void {
    for (const transform of this.#transforms) transform.restore([point]);
  }

  /** Computes new points from given ones. */
  run(points: readonly unknown[]): readonly Point[] {
    let on = points;
    for (const transform of this.#transforms) on = transform.run(on);
    return on as readonly Point[];
  }

  /**
   * Computes a stored point anew.
   *
   * @returns The point as it should be; nothing if it is refused or left out.
   * @throws {GivenFieldsChanged} If a transform changes what it was given: it cannot be run again.
   */
  rerun(stored: Point): Point | undefined {
    const fields: Record<string, FieldValue> = {};
    for (const name of this.#computation.given) {
      const value = stored.fields[name];
      if (value !== undefined) fields[name] = value;
    }
    const [point, another] = this.run([{ ...stored, fields }]);
    if (!point || another) return undefined;
    const changed = this.#computation.given.find((name) =>
      !this.#isSame(name, fields[name], point.fields[name])
    );
    if (changed === undefined && point.timeMs === stored.timeMs) return point;
    throw new GivenFieldsChanged(
      `Cannot compute stored points anew as transforms must add fields only: "${
        changed ?? "time"
      }" is changed by "${this.#computation.computing.map(({ id }) => id).join('", "')}"`,
      { hint: "Put a transform that changes fields before those that remember something" },
    );
  }

  /** How a stored point differs from what it should be; undefined where it does not. */
  compare(stored: Point, made: Point): Difference | undefined {
    const absent: string[] = [];
    const other: string[] = [];
    const extra: string[] = [];
    const { computed, blanks } = this.#computation;
    for (const name of computed) {
      const was = stored.fields[name];
      const is = made.fields[name] ?? (was === undefined ? undefined : blanks[name]);
      if (was === undefined) {
        if (is !== undefined) absent.push(name);
      } else if (is === undefined) extra.push(name);
      else if (!this.#isSame(name, was, is)) other.push(name);
    }
    return absent.length + other.length + extra.length === 0 ? undefined : { absent, other, extra };
  }

  /** A point to be written over a stored one: with blanks for the fields that it should not have. */
  cover(stored: Point, made: Point): Point {
    const blanks = Object.entries(this.#computation.blanks)
      .filter(([name]) => stored.fields[name] !== undefined);
    return { ...made, fields: { ...Object.fromEntries(blanks), ...made.fields } };
  }

  /** What the transforms remember, by step id and key. */
  states(): Readonly<Record<string, Readonly<Record<string, Json>>>> {
    return Object.fromEntries(this.#transforms.map(({ step, states }) => [step.id, states()]));
  }

  #isSame(name: string, a: FieldValue | undefined, b: FieldValue | undefined): boolean {
    if (a === b) return true;
    if (a === undefined || b === undefined) return false;
    const type = this.#computation.stored.fields[name];
    if (type !== "float" && type !== "integer") return String(a) === String(b);
    const [x, y] = [Number(a), Number(b)];
    return x === y || Math.abs(x - y) <= this.#tolerance * Math.max(Math.abs(x), Math.abs(y));
  }
}

/** Whether a point must be written anew: a field that is left over cannot be taken away. */
export function isWrong({ absent, other }: Difference): boolean {
  return absent.length > 0 || other.length > 0;
}
