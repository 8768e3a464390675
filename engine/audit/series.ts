/**
 * Audits one series in one store: reads it through once, with bounded memory.
 *
 * @module
 */

import type { Context } from "../context.ts";
import type { CheckedStep } from "../pipeline.ts";
import type { SeriesRange, SinkPlugin } from "../plugin.ts";
import type { FieldType, FieldValue, Point } from "../point.ts";
import { Decimal } from "../decimal.ts";
import { type Computation, Computing, type Difference, GivenFieldsChanged } from "./computation.ts";
import { Coverage, intervalOf } from "./coverage.ts";
import { type Finding, Findings } from "./findings.ts";
import type { SlotRange } from "./grid.ts";

/** A series in a store, and where it comes from. */
export interface SeriesParts {
  /** The sink that stores it. */
  readonly sink: CheckedStep<SinkPlugin>;
  /** The sink's context. */
  readonly context: Context;
  /** What must be stored: from its first open time up to its end. */
  readonly range: SeriesRange;
  /** How it is computed. */
  readonly computation: Computation;
  /** Holes of it that are known, in order. */
  readonly holes: readonly SlotRange[];
  /** Told of the points read so far, now and then. */
  observe?(points: number): void;
}

/** What was found of one series in one store. */
export interface SeriesAudit {
  /** The tags that name it. */
  readonly tags: Point["tags"];
  /** What must be stored: from this open time up to the end. The first stored one by default. */
  readonly fromMs: number | undefined;
  /** The end, exclusive. */
  readonly toMs: number;
  /** How many points must be stored; undefined where no tag says of which interval they are. */
  readonly expected: number | undefined;
  /** How many points are stored, those that are not whole left out. */
  readonly stored: number;
  /** What is missing and may be had. */
  readonly gaps: readonly SlotRange[];
  /** What the exchange never made. */
  readonly holes: readonly SlotRange[];
  /** Where computed fields do not follow from what is stored before: to be computed anew. */
  readonly breaks: readonly Finding[];
  /** What is odd and cannot be mended by itself. */
  readonly suspicious: readonly Finding[];
}

/** Whether nothing of a series is missing or must be computed anew. */
export function isWhole({ gaps, breaks }: SeriesAudit): boolean {
  return gaps.length === 0 && breaks.length === 0;
}

/** Audits one series. */
export async function auditSeries(parts: SeriesParts): Promise<SeriesAudit> {
  const audit = new Audit(parts);
  const { sink, range, computation, context } = parts;
  const query = { ...range, shape: computation.stored };
  let points = 0;
  for await (const page of sink.plugin.store?.read(sink.options, query, context) ?? []) {
    context.signal.throwIfAborted();
    for (const point of page) audit.take(point);
    parts.observe?.(points += page.length);
  }
  return audit.end();
}

class Audit {
  readonly #parts: SeriesParts;
  readonly #suspicious = new Findings();
  readonly #breaks = new Findings();
  readonly #tolerance: number;
  #coverage: Coverage | undefined;
  #computing: Computing | undefined;
  #stored = 0;
  #fromMs: number | undefined;
  /** Whether the next stored state may be taken as it is, as what lies before it is not known. */
  #isAstray = true;

  constructor(parts: SeriesParts) {
    const { sink, computation, range } = parts;
    this.#parts = parts;
    this.#tolerance = sink.plugin.store?.tolerance?.(sink.options) ?? 0;
    this.#fromMs = range.fromMs;
    if (range.fromMs !== undefined) this.#cover(range.fromMs);
    if (computation.computing.length > 0 && computation.obstacle === undefined) {
      this.#computing = new Computing(computation, this.#tolerance);
    }
  }

  take(point: Point): void {
    const { computation } = this.#parts;
    this.#suspicious.next();
    this.#breaks.next();
    for (const [name, type] of Object.entries(computation.stored.fields)) {
      const value = point.fields[name];
      if (value !== undefined && !isOfType(value, type)) {
        this.#suspicious.note(`"${name}" that is no ${type}`, point.timeMs);
      }
    }
    if (!this.#isSettled(point)) return;
    this.#stored++;
    if (this.#fromMs === undefined) this.#cover(this.#fromMs = point.timeMs);
    const placed = this.#coverage?.take(point.timeMs);
    if (placed?.oddity) this.#suspicious.note(placed.oddity, point.timeMs);
    if (placed?.isBehindGap) this.#isAstray = true;
    if (placed?.oddity !== "stored twice") this.#compute(point);
  }

  end(): SeriesAudit {
    const { range } = this.#parts;
    this.#coverage?.end();
    return {
      tags: range.tags,
      fromMs: this.#fromMs,
      toMs: range.toMs,
      expected: this.#coverage?.expected,
      stored: this.#stored,
      gaps: this.#coverage?.gaps ?? [],
      holes: this.#coverage?.holes ?? [],
      breaks: this.#breaks.end(),
      suspicious: this.#suspicious.end(),
    };
  }

  #cover(fromMs: number): void {
    const { range, holes } = this.#parts;
    const interval = intervalOf(range);
    if (interval) this.#coverage = new Coverage(interval, { fromMs, toMs: range.toMs }, holes);
  }

  /** Notes what the transforms doubt. A point that is not whole does not fill its slot. */
  #isSettled(point: Point): boolean {
    const { plain, computing } = this.#parts.computation;
    let isSettled = true;
    for (const { plugin, options } of [...plain, ...computing]) {
      for (const { what, least, isUnfinished } of plugin.doubts?.(point, options) ?? []) {
        this.#suspicious.note(what, point.timeMs, least);
        if (isUnfinished) isSettled = false;
      }
    }
    return isSettled;
  }

  #compute(stored: Point): void {
    const made = this.#rerun(stored);
    const difference = made && this.#computing?.compare(stored, made);
    const canRestore = this.#computing?.canRestore(stored);
    if (difference && !(canRestore && this.#isAstray)) this.#noteDifference(stored, difference);
    if (!canRestore) return;
    this.#isAstray = false;
    if (!difference) return;
    this.#computing = new Computing(this.#parts.computation, this.#tolerance);
    this.#computing.restore(stored);
  }

  /** Computes a point anew, unless the transforms turn out to be such that it cannot be done. */
  #rerun(stored: Point): Point | undefined {
    try {
      return this.#computing?.rerun(stored);
    } catch (error) {
      if (!(error instanceof GivenFieldsChanged)) throw error;
      this.#computing = undefined;
      this.#suspicious.note(`not looked at from here on: ${error.message}`, stored.timeMs);
      return undefined;
    }
  }

  #noteDifference({ timeMs }: Point, { absent, other, extra }: Difference): void {
    if (absent.length > 0) this.#breaks.note(`without ${absent.join(", ")}`, timeMs);
    if (other.length > 0) {
      this.#breaks.note(`with other ${other.join(", ")} than the points before give`, timeMs);
    }
    // A store cannot take a field away: it stays.
    if (extra.length > 0) this.#suspicious.note(`with ${extra.join(", ")} left over`, timeMs);
  }
}

function isOfType(value: FieldValue, type: FieldType): boolean {
  if (type === "boolean") return typeof value === "boolean";
  if (type === "string") return typeof value === "string";
  if (type === "integer") return typeof value === "bigint" || Number.isInteger(value);
  return typeof value === "number" || value instanceof Decimal ||
    (typeof value === "string" && value !== "" && Number.isFinite(Number(value)));
}
