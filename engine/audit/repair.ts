/**
 * Repairs one series in one store: fetches what is missing, and computes anew what lies behind it.
 *
 * It sweeps forward from each fault: states are restored from the stored points before it, what is
 * missing comes from the source, and stored points are computed anew until one of them is what it
 * should be. As all after it follows from that one, the sweep ends there. Points are written in
 * order of time, so that a repair that is killed leaves the next one a fault where it stopped.
 *
 * @module
 */

import { type RunningTransform, startTransform } from "../run/chain.ts";
import type { Context, Json } from "../context.ts";
import type { Delivery } from "../run/delivery.ts";
import { describeError, FatalError, type RecordError } from "../errors.ts";
import { floorToInterval, intervalMs } from "../interval.ts";
import { emptyStep } from "../run/ledger.ts";
import type { CheckedStep } from "../pipeline.ts";
import type { SeriesRange, SinkPlugin, SourcePlugin } from "../plugin.ts";
import type { Point } from "../point.ts";
import { type Computation, Computing, isWrong } from "./computation.ts";
import { Coverage, intervalOf } from "./coverage.ts";
import type { SlotRange } from "./grid.ts";
import type { SeriesAudit } from "./series.ts";

/** How many slots before a fault a stored point is looked for from which states can be restored. */
const LOOK_BACK_SLOTS = 32;

/** A series, its faults, and what it takes to repair it. */
export interface RepairParts {
  /** Where the series comes from. */
  readonly source: CheckedStep<SourcePlugin>;
  /** The source's context. */
  readonly sourceContext: Context;
  /** The sink that stores it. */
  readonly sink: CheckedStep<SinkPlugin>;
  /** The sink's context. */
  readonly sinkContext: Context;
  /** Writes to that sink. */
  readonly delivery: Delivery;
  /** Whether a point that is written again takes the place of the one before. */
  readonly canRewrite: boolean;
  /** How it is computed. */
  readonly computation: Computation;
  /** All of the series that must be stored, whatever part of it was audited. */
  readonly range: SeriesRange;
  /** What was found. */
  readonly audit: SeriesAudit;
  /** Told of what is done, now and then. */
  observe?(repair: SeriesRepair): void;
}

/** What a repair did to one series. */
export interface SeriesRepair {
  /** Points that were missing and are written. */
  readonly filled: number;
  /** Stored points whose computed fields were written anew. */
  readonly computed: number;
  /** What the source, asked twice, does not have. */
  readonly holes: readonly SlotRange[];
  /** Why records were refused, each reason once: what they would have filled stays missing. */
  readonly refused: readonly string[];
  /** What transforms remember at the end of the series, where that has changed. */
  readonly states: Readonly<Record<string, Readonly<Record<string, Json>>>> | undefined;
}

/**
 * Repairs one series.
 *
 * @throws {FatalError} If a transform cannot be run on stored points.
 */
export async function repairSeries(parts: RepairParts): Promise<SeriesRepair> {
  const { obstacle } = parts.computation;
  if (obstacle !== undefined) {
    throw new FatalError(`Cannot repair what is stored in sink "${parts.sink.id}" as ${obstacle}`, {
      hint: "Remove the pipeline's checkpoint and run it again: all is then written anew",
    });
  }
  return await new Repair(parts).run();
}

interface Fault {
  readonly fromMs: number;
  readonly lastMs: number;
}

const MOST_REASONS = 10;

class Repair {
  readonly #parts: RepairParts;
  readonly #refused = new Set<string>();
  readonly #holes: SlotRange[] = [];
  readonly #tolerance: number;
  #filled = 0;
  #computed = 0;
  #refusals = 0;
  #states: SeriesRepair["states"];

  constructor(parts: RepairParts) {
    const { plugin, options } = parts.sink;
    this.#parts = parts;
    this.#tolerance = plugin.store?.tolerance?.(options) ?? 0;
  }

  async run(): Promise<SeriesRepair> {
    const { canRewrite, audit: { gaps, breaks } } = this.#parts;
    const faults: Fault[] = [
      ...gaps.map(({ fromMs, toMs }) => ({ fromMs, lastMs: toMs - 1 })),
      ...canRewrite ? breaks : [],
    ].sort((a, b) => a.fromMs - b.fromMs);
    let doneMs = -Infinity;
    for (const { fromMs, lastMs } of faults) {
      if (lastMs > doneMs) doneMs = await this.#sweep(Math.max(fromMs, doneMs + 1));
    }
    return this.#report();
  }

  #report(): SeriesRepair {
    return {
      filled: this.#filled,
      computed: this.#computed,
      holes: this.#holes,
      refused: [...this.#refused],
      states: this.#states,
    };
  }

  /** Repairs from a moment on. Gives the time of the point from which on all is right. */
  async #sweep(fromMs: number): Promise<number> {
    const { audit: { gaps }, range, delivery, computation, canRewrite } = this.#parts;
    const endsAtGaps = !canRewrite || computation.computing.length === 0;
    const computing = await this.#beginAt(fromMs);
    let atMs = fromMs;
    let settledMs: number | undefined;
    while (settledMs === undefined && atMs < range.toMs) {
      const gap = gaps.find(({ toMs }) => toMs > atMs);
      if (gap && gap.fromMs <= atMs) {
        await this.#fill({ ...gap, fromMs: atMs }, computing);
        atMs = gap.toMs;
        if (endsAtGaps) settledMs = atMs - 1;
        continue;
      }
      const endMs = gap?.fromMs ?? range.toMs;
      settledMs = await this.#recompute({ ...range, fromMs: atMs, toMs: endMs }, computing);
      atMs = endMs;
    }
    // What is looked back at from the next fault must be there.
    await delivery.drain();
    await delivery.flush();
    await this.#settled();
    if (settledMs !== undefined) return settledMs;
    this.#states = computing.states();
    return Infinity;
  }

  async #settled(): Promise<void> {
    const { sink, sinkContext } = this.#parts;
    const settleMs = sink.plugin.store?.settleMs?.(sink.options) ?? 0;
    if (settleMs > 0) await sinkContext.sleep(settleMs);
  }

  /** The transforms as they were right before a moment. */
  async #beginAt(fromMs: number): Promise<Computing> {
    const { range } = this.#parts;
    const interval = intervalOf(range);
    if (interval) {
      const nearMs = floorToInterval(interval, fromMs) - LOOK_BACK_SLOTS * intervalMs(interval);
      const near = await this.#replay({ ...range, fromMs: nearMs, toMs: fromMs }, false);
      if (near) return near;
    }
    // Nothing near to go on from: from the beginning, where nothing is remembered.
    return await this.#replay({ ...range, toMs: fromMs }, true) ?? this.#newComputing();
  }

  /** Runs stored points: from the first on from which states can be restored, or from the first. */
  async #replay(range: SeriesRange, fromStart: boolean): Promise<Computing | undefined> {
    const computing = this.#newComputing();
    let isUnder = false;
    for await (const page of this.#read(range)) {
      for (const point of page) {
        if (!isUnder && computing.canRestore(point)) computing.restore(point);
        else if (isUnder || fromStart) computing.rerun(point);
        else continue;
        isUnder = true;
      }
    }
    return isUnder || fromStart ? computing : undefined;
  }

  #newComputing(): Computing {
    return new Computing(this.#parts.computation, this.#tolerance, (error) => this.#refuse(error));
  }

  /** Fetches what is missing. What the source has not got, asked twice, are holes. */
  async #fill(gap: SlotRange, computing: Computing): Promise<void> {
    const { range, delivery } = this.#parts;
    const interval = intervalOf(range);
    const coverage = interval && new Coverage(interval, gap, []);
    const refusals = this.#refusals;
    for await (const points of this.#fetch(gap)) {
      for (const { timeMs } of points) coverage?.take(timeMs);
      const made = computing.run(points);
      this.#filled += made.length;
      await delivery.add(made);
      this.#parts.observe?.(this.#report());
    }
    coverage?.end();
    // Which slots the refused ones are of is not known.
    if (this.#refusals > refusals) return;
    for (const hole of coverage?.gaps ?? []) {
      if (await this.#isEmpty(hole)) this.#holes.push(hole);
    }
  }

  async #isEmpty(range: SlotRange): Promise<boolean> {
    for await (const points of this.#fetch(range)) if (points.length > 0) return false;
    return true;
  }

  /** What the source has in a range, as far as the first transform that remembers something. */
  async *#fetch({ fromMs, toMs }: SlotRange): AsyncGenerator<readonly Point[]> {
    const { source, sourceContext, computation, range } = this.#parts;
    const plain = computation.plain.map((step): RunningTransform =>
      startTransform(step, emptyStep(), {}, ({ error }) => this.#refuse(error))
    );
    const asked = { tags: range.tags, fromMs, toMs };
    for await (
      const records of source.plugin.history?.read(source.options, asked, sourceContext) ?? []
    ) {
      sourceContext.signal.throwIfAborted();
      let on: readonly unknown[] = records;
      for (const transform of plain) on = transform.run(on);
      yield (on as readonly Point[]).filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
    }
  }

  /** Computes stored points anew up to the first that is right. Gives its time, if there is one. */
  async #recompute(
    range: SeriesRange,
    computing: Computing,
  ): Promise<number | undefined> {
    for await (const page of this.#read(range)) {
      for (const point of page) {
        const made = computing.rerun(point);
        const difference = made && computing.compare(point, made);
        if (made && difference && isWrong(difference)) {
          this.#computed++;
          await this.#parts.delivery.add([computing.cover(point, made)]);
        } else if (computing.canRestore(point) && !this.#isInBreak(point.timeMs)) {
          return point.timeMs;
        }
      }
      this.#parts.observe?.(this.#report());
    }
  }

  #isInBreak(timeMs: number): boolean {
    return this.#parts.audit.breaks.some(({ fromMs, lastMs }) =>
      fromMs <= timeMs && timeMs < lastMs
    );
  }

  #read(range: SeriesRange): AsyncIterable<readonly Point[]> {
    const { sink, sinkContext, computation } = this.#parts;
    const query = { ...range, shape: computation.stored };
    return sink.plugin.store?.read(sink.options, query, sinkContext) ?? nothing();
  }

  #refuse(error: RecordError): void {
    this.#refusals++;
    if (this.#refused.size < MOST_REASONS) this.#refused.add(describeError(error));
  }
}

async function* nothing(): AsyncGenerator<readonly Point[]> {}
