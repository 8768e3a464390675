/**
 * Audits a pipeline: compares what its stores hold with what must be there, and repairs it.
 *
 * Nothing is asked of the sources but which series they have. Only a repair asks for what is
 * missing, and remembers what they do not have.
 *
 * @module
 */

import type { Checkpoint } from "../checkpoint/body.ts";
import type { Context, Json, Log } from "../context.ts";
import { type Delivery, startDelivery } from "../run/delivery.ts";
import { asStepError, FatalError } from "../errors.ts";
import { emptyStep } from "../run/ledger.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import { deliveryOf, type SeriesRange, type SinkPlugin, type SinkWriter } from "../plugin.ts";
import type { RetryLimits } from "../retry.ts";
import { createContext, type World } from "../run/world.ts";
import type { KnownHoles } from "./known_holes.ts";
import { repairSeries, type SeriesRepair } from "./repair.ts";
import { auditSeries, isWhole, type SeriesAudit } from "./series.ts";
import { findLeftOut, findTasks, type LeftOut, type Task } from "./tasks.ts";

/** What an audit needs beside its pipeline. */
export interface AuditOptions {
  /** Time, network and files. */
  readonly world: World;
  /** The last checkpoint; nothing before the first. */
  readonly checkpoint: Checkpoint | undefined;
  /** Holes that are known. A repair adds to them. */
  readonly holes: KnownHoles;
  /** The first time to look at. That of each series, where it is left out. */
  readonly fromMs?: number | undefined;
  /** The end, exclusive. That of each series, where it is left out. */
  readonly toMs?: number | undefined;
  /** Ends the audit. */
  readonly signal: AbortSignal;
  /** The log of a step. */
  log(step: string): Log;
  /** Told how far it is, now and then. */
  observe?(status: AuditStatus): void;
  /** How long to try again. */
  readonly retryLimits?: RetryLimits;
}

/** How far an audit is. */
export interface AuditStatus {
  /** The series it is at. */
  readonly tags: SeriesRange["tags"];
  /** The number of that series, from 1. */
  readonly series: number;
  /** How many series there are. */
  readonly of: number;
  /** Points of it that were read, or were written by a repair. */
  readonly points: number;
}

/** One series in one store: what was found, and what was done about it. */
export interface AuditedSeries extends SeriesAudit {
  /** Id of the source it comes from. */
  readonly source: string;
  /** Id of the sink that stores it. */
  readonly sink: string;
  /** What a repair did; nothing where none took place. What was found is then what is left. */
  readonly repair?: Omit<SeriesRepair, "states">;
}

/** What an audit found. */
export interface AuditReport {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Each series in each store. */
  readonly series: readonly AuditedSeries[];
  /** Steps that could not be audited, by id, and why. */
  readonly left: readonly LeftOut[];
  /** What is odd about a whole store, by id of the sink. */
  readonly stores: readonly { readonly sink: string; readonly what: string }[];
  /** Whether nothing is missing or must be computed anew. */
  readonly isWhole: boolean;
}

/**
 * Audits a pipeline.
 *
 * @throws {OptionsError} If no source has a history, or no sink can be read back.
 */
export async function auditPipeline(
  pipeline: Pipeline,
  options: AuditOptions,
): Promise<AuditReport> {
  return await new Audit(pipeline, options).find();
}

/** What a repair did. */
export interface Repaired {
  /** What is left, and what was done. */
  readonly report: AuditReport;
  /** The checkpoint with what transforms remember now; nothing where that has not changed. */
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * Repairs what an audit found, and audits those series again.
 *
 * @param pipeline The pipeline.
 * @param report What was found.
 * @param options As for the audit. The pipeline must not run meanwhile.
 * @throws {FatalError} If what a sink stores cannot be repaired.
 */
export async function repairPipeline(
  pipeline: Pipeline,
  report: AuditReport,
  options: AuditOptions,
): Promise<Repaired> {
  return await new Audit(pipeline, options).repair(report);
}

type States = Record<string, Record<string, Json>>;

class Audit {
  readonly #pipeline: Pipeline;
  readonly #options: AuditOptions;
  readonly #contexts = new Map<string, Context>();
  readonly #shared = new Map<string, unknown>();

  constructor(pipeline: Pipeline, options: AuditOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
  }

  async find(): Promise<AuditReport> {
    const tasks = await this.#findTasks();
    const series: AuditedSeries[] = [];
    for (const [at, task] of tasks.entries()) {
      series.push(await this.#auditOne(task, at, tasks.length));
    }
    return {
      pipeline: this.#pipeline.name,
      series,
      left: findLeftOut(this.#pipeline, tasks),
      stores: await this.#findMixedTypes(tasks),
      isWhole: series.every(isWhole),
    };
  }

  async repair(report: AuditReport): Promise<Repaired> {
    const tasks = await this.#findTasks();
    const states: States = {};
    const series: AuditedSeries[] = [];
    for (const [at, task] of tasks.entries()) {
      const found = report.series.find((one) => isOf(task, one));
      if (!found || isWhole(found)) {
        if (found) series.push(found);
        continue;
      }
      const { states: changed = {}, ...repair } = await this.#repairOne(
        task,
        found,
        at,
        tasks.length,
      );
      addStates(states, changed);
      // Time goes on: what there is by now was not there to be missing.
      const toMs = Math.min(task.range.toMs, found.toMs);
      const left = await this.#auditOne(
        { ...task, range: { ...task.range, toMs } },
        at,
        tasks.length,
      );
      series.push({ ...left, repair });
    }
    return {
      report: { ...report, series, isWhole: series.every(isWhole) },
      checkpoint: this.#withStates(states),
    };
  }

  #findTasks(): Promise<Task[]> {
    const positions = this.#options.checkpoint?.positions ?? {};
    return findTasks(this.#pipeline, positions, (step) => this.#contextOf(step));
  }

  async #auditOne(task: Task, at: number, of: number): Promise<AuditedSeries> {
    const { source, sink, computation, range } = task;
    const holes = this.#options.holes.of(source.id, range.tags);
    const audit = await this.#ofStep(
      `Sink "${sink.id}"`,
      auditSeries({
        ...{ sink, computation, holes },
        range: this.#within(range),
        context: this.#contextOf(sink),
        observe: (points) =>
          this.#options.observe?.({ tags: range.tags, series: at + 1, of, points }),
      }),
    );
    return { source: source.id, sink: sink.id, ...audit };
  }

  async #repairOne(
    { source, sink, computation, range }: Task,
    audit: SeriesAudit,
    at: number,
    of: number,
  ): Promise<SeriesRepair> {
    const sinkContext = this.#contextOf(sink);
    const { delivery, writer } = await this.#openSink(sink, sinkContext);
    try {
      const repair = await repairSeries({
        ...{ source, sink, sinkContext, delivery, computation, range, audit },
        canRewrite: deliveryOf(sink.plugin, sink.options) === "idempotent",
        sourceContext: this.#contextOf(source),
        observe: ({ filled, computed }) =>
          this.#options.observe?.({
            ...{ tags: range.tags, series: at + 1, of },
            points: filled + computed,
          }),
      });
      this.#options.holes.add(source.id, range.tags, repair.holes);
      await this.#options.holes.save();
      return repair;
    } finally {
      await writer.close();
    }
  }

  async #openSink(
    sink: CheckedStep<SinkPlugin>,
    context: Context,
  ): Promise<{ readonly delivery: Delivery; readonly writer: SinkWriter<unknown> }> {
    if (deliveryOf(sink.plugin, sink.options) === "transactional") {
      throw new FatalError(
        `Cannot repair what sink "${sink.id}" stores as that must not depend on what a run wrote last: it does`,
        { hint: "Remove the pipeline's checkpoint and run it again: all is then written anew" },
      );
    }
    const { shapes } = this.#pipeline;
    const token = this.#options.checkpoint?.tokens[sink.id];
    const writer: SinkWriter<unknown> = await this.#ofStep(
      `Sink "${sink.id}"`,
      context.retry(
        `open sink "${sink.id}"`,
        () => sink.plugin.open(sink.options, { token, shapes }, context),
      ),
    );
    const delivery = startDelivery({
      ...{ step: sink, shapes, writer, context },
      ledger: emptyStep(),
      refuse({ error }) {
        throw new FatalError(`Cannot repair what sink "${sink.id}" stores`, { cause: error });
      },
      fail: () => {},
    });
    return { delivery, writer };
  }

  async #findMixedTypes(tasks: readonly Task[]): Promise<AuditReport["stores"]> {
    const found: { sink: string; what: string }[] = [];
    const seen = new Set<string>();
    for (const { sink, computation: { stored } } of tasks) {
      const name = `${sink.id} ${stored.measurement}`;
      if (seen.has(name)) continue;
      seen.add(name);
      const types = await sink.plugin.store?.types?.(sink.options, stored, this.#contextOf(sink));
      for (const [field, kinds] of Object.entries(types ?? {})) {
        const declared = stored.fields[field];
        if (declared === undefined || kinds.every((kind) => kind === declared)) continue;
        const what =
          `"${field}" of "${stored.measurement}" is declared ${declared}, and stored as ${
            kinds.join(" and ")
          }`;
        found.push({ sink: sink.id, what });
      }
    }
    return found;
  }

  #within({ tags, fromMs, toMs }: SeriesRange): SeriesRange {
    const { fromMs: leastMs, toMs: mostMs } = this.#options;
    return {
      tags,
      fromMs: leastMs === undefined ? fromMs : Math.max(leastMs, fromMs ?? leastMs),
      toMs: Math.min(toMs, mostMs ?? toMs),
    };
  }

  #withStates(states: States): Checkpoint | undefined {
    const { checkpoint } = this.#options;
    if (!checkpoint || Object.keys(states).length === 0) return undefined;
    // A series that the pipeline has not begun to read has no state yet, and gets none from here.
    const merged = Object.entries(checkpoint.states).map(([id, saved]) => [
      id,
      Object.fromEntries(
        Object.entries(saved).map(([key, state]) => [key, states[id]?.[key] ?? state]),
      ),
    ]);
    return { ...checkpoint, states: Object.fromEntries(merged) };
  }

  async #ofStep<T>(step: string, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw asStepError(step, error);
    }
  }

  /** One context for each step: plugins may keep to limits by it. */
  #contextOf(step: CheckedStep): Context {
    const known = this.#contexts.get(step.id);
    if (known) return known;
    const { world, signal, log, retryLimits } = this.#options;
    const context = createContext(world, {
      ...{ signal, log: log(step.id), shared: this.#shared },
      metrics: { count: () => {}, gauge: () => {} },
      ...(retryLimits ? { retryLimits } : {}),
    });
    this.#contexts.set(step.id, context);
    return context;
  }
}

function addStates(states: States, added: NonNullable<SeriesRepair["states"]>): void {
  for (const [id, byKey] of Object.entries(added)) states[id] = { ...states[id], ...byKey };
}

function isOf({ source, sink, range }: Task, found: AuditedSeries): boolean {
  const names = Object.keys(range.tags);
  return found.source === source.id && found.sink === sink.id &&
    names.length === Object.keys(found.tags).length &&
    names.every((name) => found.tags[name] === range.tags[name]);
}
