/**
 * One run of a pipeline: read, transform, deliver, checkpoint, stop, report.
 *
 * Sources read side by side; what they give is worked on one batch at a time. At the end of an
 * epoch, at one batch boundary, everything before it is delivered and flushed, and only then are
 * positions, states and tokens saved as one. Sink first, position second: whenever the process
 * dies, the next run goes on from a moment at which all of it fits together.
 *
 * @module
 */

import { abortable } from "@std/async";
import { type Refusal, type RunningTransform, startTransform } from "./chain.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";
import { identifySteps, refuseOtherPipeline } from "./identity.ts";
import type { Context, Json, Log } from "./context.ts";
import { type Delivery, startDelivery } from "./delivery.ts";
import { asStepError, describeError, FatalError } from "./errors.ts";
import { emptyStep, findImbalances, type Ledger, type StepLedger } from "./ledger.ts";
import type { CheckedStep, Pipeline } from "./pipeline.ts";
import type { SinkPlugin, SinkWriter, SourceBatch, SourcePlugin } from "./plugin.ts";
import { readSource } from "./reading.ts";
import type { RetryLimits } from "./retry.ts";
import { findStoredEnds } from "./stored.ts";
import { Monitor, type RunView } from "./monitor.ts";
import { createContext, type World } from "./world.ts";

/** Records that are worked on before the sinks are asked for room. */
const SLICE_RECORDS = 1_000;

/** What a run needs beside its pipeline. */
export interface RunOptions {
  /** Time, network and files. */
  readonly world: World;
  /** Where checkpoints are kept. */
  readonly checkpoints: CheckpointStore;
  /** Stops the run cleanly: no more is read, what was read is delivered and saved. */
  readonly stop?: AbortSignal;
  /** Ends the run at once. What is not in the last checkpoint is done again by the next run. */
  readonly abort?: AbortSignal;
  /** The log of a step, by step id; the engine's own with no id. */
  log?(step?: string): Log;
  /** Told after each batch. The same object each time. */
  observe?(status: RunStatus): void;
  /** Watches the run. */
  readonly monitor?: Monitor;
  /** How long to try again. For ever where it is left out. */
  readonly retryLimits?: RetryLimits;
}

/** How far a run is. */
export interface RunStatus {
  /** Records that sources gave in this run. */
  records: number;
  /** Time of the newest point so far, in epoch milliseconds. */
  timeMs: number | undefined;
  /** How much of finite work is done, from 0 to 1; undefined when a source does not say. */
  progress: number | undefined;
  /** Epochs saved in this run. */
  epochs: number;
}

/** How a run ended. */
export interface RunReport {
  /** `done` when all sources ended, `stopped` when the run was asked to stop. */
  readonly outcome: "done" | "stopped";
  /** What became of every record, over all runs since the first. */
  readonly ledger: Ledger;
  /** Records that sources gave in this run. */
  readonly records: number;
  /** Bytes that each sink acknowledged in this run, by step id. */
  readonly bytes: Readonly<Record<string, number>>;
  /** What plugins counted in this run, over all labels, by step id and name. */
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** How long it took, in milliseconds. */
  readonly elapsedMs: number;
  /** Epochs saved in this run. */
  readonly epochs: number;
}

/**
 * Runs a pipeline until its sources end or it is told to stop.
 *
 * @throws {FatalError} If the run cannot go on, or its ledger does not balance.
 * @throws {PenstockError} Whatever else a step threw.
 */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<RunReport> {
  const run = await Run.start(pipeline, options);
  try {
    return await run.finish();
  } finally {
    options.monitor?.end();
    await run.close();
  }
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {} };

interface OpenSink {
  readonly delivery: Delivery;
  readonly writer: SinkWriter<unknown>;
}

class Run {
  readonly #pipeline: Pipeline;
  readonly #options: RunOptions;
  readonly #startMs: number;
  readonly #monitor: Monitor;
  /** What the steps share, by name. */
  readonly #shared = new Map<string, unknown>();
  /** Whether each source has given anything. */
  readonly #given = new Map<string, boolean>();
  readonly #positions = new Map<string, Record<string, Json>>();
  readonly #progress = new Map<string, number | undefined>();
  readonly #ledger: Ledger;
  readonly #status: RunStatus = { records: 0, timeMs: undefined, progress: undefined, epochs: 0 };
  /** Aborts when the run is stopped, is aborted, or fails: sources end. */
  readonly #ending = new AbortController();
  /** Aborts when the run is aborted or fails: sinks end. */
  readonly #aborting = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #transforms: readonly RunningTransform[] = [];
  #sinks: OpenSink[] = [];
  #deadLetter: OpenSink | undefined;
  #refused: unknown[] = [];
  #epoch: number;
  #unsaved = 0;
  #savedMs: number;
  /** The last piece of work that needs all sources to wait. */
  #work: Promise<void> = Promise.resolve();

  private constructor(pipeline: Pipeline, options: RunOptions, saved: Checkpoint | undefined) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#startMs = this.#savedMs = options.world.clock.now();
    this.#epoch = saved?.epoch ?? 0;
    this.#ledger = saved?.ledger ?? emptyLedger(pipeline);
    this.#monitor = options.monitor ?? new Monitor();
    this.#monitor.begin(() => this.#view());
    for (const { id } of pipeline.sources) {
      this.#given.set(id, false);
      this.#positions.set(id, { ...saved?.positions[id] });
      this.#progress.set(id, undefined);
    }
    options.stop?.addEventListener("abort", () => this.#ending.abort(options.stop?.reason));
    options.abort?.addEventListener("abort", () => this.#abort(options.abort?.reason));
    if (options.stop?.aborted) this.#ending.abort(options.stop.reason);
    if (options.abort?.aborted) this.#abort(options.abort.reason);
  }

  static async start(pipeline: Pipeline, options: RunOptions): Promise<Run> {
    const saved = await options.checkpoints.load();
    if (saved) refuseOtherPipeline(pipeline, saved);
    const run = new Run(pipeline, options, saved);
    try {
      await run.#unlessAborted(run.#open(saved));
    } catch (error) {
      await run.close();
      throw error;
    }
    return run;
  }

  async #open(saved: Checkpoint | undefined): Promise<void> {
    const { transforms, sinks, deadLetter, shapes } = this.#pipeline;
    this.#transforms = transforms.map((step) =>
      startTransform(
        step,
        ledgerOf(this.#ledger.transforms, step.id),
        saved?.states[step.id] ?? {},
        (refusal) => this.#refuse(refusal),
      )
    );
    if (deadLetter) {
      this.#deadLetter = await this.#openSink(
        deadLetter,
        saved?.deadLetterToken,
        this.#ledger.deadLetter,
        [{ kind: "raw", format: "dead_letter" }],
      );
    }
    for (const step of sinks) {
      const ledger = ledgerOf(this.#ledger.sinks, step.id);
      this.#sinks.push(await this.#openSink(step, saved?.tokens[step.id], ledger, shapes));
    }
    // What a first run writes before its first epoch must be taken back as well if it dies.
    if (!saved) await this.#save();
    else this.#logOf().info("Going on from the last checkpoint", { epoch: this.#epoch });
  }

  async #openSink(
    step: CheckedStep<SinkPlugin>,
    token: Json | undefined,
    ledger: StepLedger,
    shapes: Pipeline["shapes"],
  ): Promise<OpenSink> {
    const context = this.#contextOf(step, this.#aborting.signal);
    const writer: SinkWriter<unknown> = await context.retry(
      `open sink "${step.id}"`,
      () => step.plugin.open(step.options, { token, shapes }, context),
    ).catch((error) => {
      throw asStepError(`Sink "${step.id}"`, error);
    });
    const delivery = startDelivery({
      step,
      shapes,
      writer,
      context,
      ledger,
      refuse: (refusal) => this.#refuse(refusal),
      fail: (error) => this.#fail(error),
    });
    return { delivery, writer };
  }

  finish(): Promise<RunReport> {
    return this.#unlessAborted(this.#finish());
  }

  /** Waits for work, but not once the run is aborted: a plugin may not listen. */
  #unlessAborted<T>(work: Promise<T>): Promise<T> {
    const { abort } = this.#options;
    return abort ? abortable(work, abort) : work;
  }

  async #finish(): Promise<RunReport> {
    const ticking = this.#tick();
    await Promise.all(this.#pipeline.sources.map((step) => this.#readAll(step)));
    this.#ending.abort(new DOMException("The sources have ended", "AbortError"));
    await ticking;
    this.#throwFailure();
    if (this.#unsaved > 0) await this.#save();
    this.#throwFailure();
    this.#checkLedger();
    return {
      outcome: this.#options.stop?.aborted ? "stopped" : "done",
      ledger: this.#ledger,
      records: this.#status.records,
      bytes: Object.fromEntries(
        this.#sinks.map(({ delivery }) => [delivery.step.id, delivery.bytes]),
      ),
      counters: this.#monitor.measurements.totals(),
      elapsedMs: this.#options.world.clock.now() - this.#startMs,
      epochs: this.#status.epochs,
    };
  }

  close(): Promise<void> {
    return this.#unlessAborted(this.#closeSinks()).catch(() => {});
  }

  async #closeSinks(): Promise<void> {
    const sinks = this.#deadLetter ? [...this.#sinks, this.#deadLetter] : this.#sinks;
    const closed = await Promise.allSettled(sinks.map(({ writer }) => writer.close()));
    for (const result of closed) {
      if (result.status === "rejected") {
        this.#logOf().warn(`Cannot close a sink: ${describeError(result.reason)}`);
      }
    }
  }

  #readAll(step: CheckedStep<SourcePlugin>): Promise<void> {
    return readSource({
      step,
      context: this.#contextOf(step, this.#ending.signal),
      clock: this.#options.world.clock,
      retryLimits: this.#options.retryLimits ?? {},
      position: () => ({ ...this.#positions.get(step.id) }),
      take: (batch) =>
        this.#alone(() => this.#take(step, batch)).catch((error) => {
          // Not the source's fault, and past mending: states have moved on, the position has not.
          this.#fail(error);
          throw error;
        }),
    }).catch((error) => this.#fail(error));
  }

  /** Runs work while no other work runs. After a failure nothing runs. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#failure) return;
      await work();
    });
    this.#work = done.catch(() => {});
    return done;
  }

  async #take(step: CheckedStep<SourcePlugin>, batch: SourceBatch<unknown>): Promise<void> {
    const ledger = ledgerOf(this.#ledger.sources, step.id);
    for (const transform of this.#transforms) transform.restore(batch.before ?? []);
    for (let at = 0; at < batch.records.length; at += SLICE_RECORDS) {
      const slice = at === 0 && batch.records.length <= SLICE_RECORDS
        ? batch.records
        : batch.records.slice(at, at + SLICE_RECORDS);
      ledger.out += slice.length;
      await this.#push(slice);
    }
    // In place: a source of a thousand series moves some of them at a time.
    Object.assign(this.#positions.get(step.id) ?? {}, batch.position);
    this.#given.set(step.id, true);
    this.#progress.set(step.id, batch.progress);
    this.#status.records += batch.records.length;
    this.#unsaved += Math.max(1, batch.records.length);
    this.#status.progress = meanOf(this.#progress.values());
    this.#options.observe?.(this.#status);
    if (this.#unsaved >= this.#pipeline.epoch.records || this.#epochIsOver()) await this.#save();
  }

  async #push(records: readonly unknown[]): Promise<void> {
    let on = records;
    for (const transform of this.#transforms) on = transform.run(on);
    const last = on.at(-1);
    if (typeof last === "object" && last !== null && "timeMs" in last) {
      this.#status.timeMs = Math.max(this.#status.timeMs ?? 0, Number(last.timeMs));
    }
    for (const { delivery } of this.#sinks) {
      await delivery.add(on);
      delivery.nudge();
    }
    await this.#keepRefused();
  }

  async #keepRefused(): Promise<void> {
    const refused = this.#refused;
    this.#refused = [];
    if (refused.length > 0) await this.#deadLetter?.delivery.add(refused);
  }

  #refuse({ step, record, error }: Refusal): void {
    if (step.onError === "stop") {
      const choices = step === this.#pipeline.deadLetter
        ? "`on_error: drop`"
        : "`on_error: dead_letter` or `on_error: drop`";
      throw new FatalError(`Step "${step.id}" refused a record: ${describeError(error)}`, {
        cause: error,
        hint: error.hint ?? `Set ${choices} on that step to go on without such records`,
      });
    }
    if (step.onError === "drop") this.#ledger.dropped++;
    else this.#refused.push({ step: step.id, reason: describeError(error), record });
  }

  /** Saves when time is up although no batch comes. */
  async #tick(): Promise<void> {
    const { clock } = this.#options.world;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await clock.sleep(this.#pipeline.epoch.ms, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#alone(async () => {
        if (this.#unsaved > 0 && this.#epochIsOver()) await this.#save();
      }).catch((error) => this.#fail(error));
    }
  }

  #epochIsOver(): boolean {
    const sinceMs = this.#options.world.clock.now() - this.#savedMs;
    // A clock that was set back must not put the next checkpoint off.
    return sinceMs < 0 || sinceMs >= this.#pipeline.epoch.ms;
  }

  /** The end of an epoch: all sinks first, then the checkpoint. */
  async #save(): Promise<void> {
    for (const { delivery } of this.#sinks) await delivery.drain();
    await this.#keepRefused();
    await this.#deadLetter?.delivery.drain();
    const tokens: Record<string, Json> = {};
    for (const { delivery } of this.#sinks) tokens[delivery.step.id] = await delivery.flush();
    const deadLetterToken = await this.#deadLetter?.delivery.flush() ?? null;
    this.#checkLedger();
    this.#throwFailure();
    await this.#options.checkpoints.save({
      pipeline: this.#pipeline.name,
      epoch: ++this.#epoch,
      steps: identifySteps(this.#pipeline),
      positions: Object.fromEntries(this.#positions),
      states: Object.fromEntries(this.#transforms.map(({ step, states }) => [step.id, states()])),
      tokens,
      deadLetterToken,
      ledger: this.#ledger,
    });
    this.#unsaved = 0;
    this.#savedMs = this.#options.world.clock.now();
    this.#status.epochs++;
    this.#logOf().debug("Saved a checkpoint", { epoch: this.#epoch });
  }

  #checkLedger(): void {
    const faults = findImbalances(this.#ledger);
    if (faults.length === 0) return;
    throw new FatalError(`The ledger does not balance: ${faults.join("; ")}`, {
      hint: "Records were lost or doubled by a fault of penstock or of a plugin: please report it",
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#abort(error);
  }

  #abort(reason: unknown): void {
    this.#failure ??= { error: reason };
    this.#ending.abort(reason);
    this.#aborting.abort(reason);
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #view(): RunView {
    return {
      pipeline: this.#pipeline.name,
      ledger: this.#ledger,
      given: this.#given,
      deliveries: this.#sinks.map(({ delivery }) => delivery),
      epochs: this.#status.epochs,
      savedMs: this.#savedMs,
      nowMs: this.#options.world.clock.now(),
    };
  }

  #logOf(step?: string): Log {
    return this.#options.log?.(step) ?? SILENT;
  }

  #contextOf(step: CheckedStep, signal: AbortSignal): Context {
    return createContext(this.#options.world, {
      signal,
      log: this.#logOf(step.id),
      metrics: this.#monitor.measurements.of(step),
      live: (status) => this.#monitor.follow(step.id, status),
      shared: this.#shared,
      storedEnds: (series) =>
        findStoredEnds(this.#pipeline, series, (sink) => this.#contextOf(sink, signal)),
      ...(this.#options.retryLimits ? { retryLimits: this.#options.retryLimits } : {}),
    });
  }
}

function emptyLedger(pipeline: Pipeline): Ledger {
  const empty = (steps: readonly CheckedStep[]) =>
    Object.fromEntries(steps.map(({ id }) => [id, emptyStep()]));
  return {
    sources: empty(pipeline.sources),
    transforms: empty(pipeline.transforms),
    sinks: empty(pipeline.sinks),
    deadLetter: emptyStep(),
    dropped: 0,
  };
}

function ledgerOf(steps: Readonly<Record<string, StepLedger>>, id: string): StepLedger {
  const step = steps[id];
  if (!step) throw new FatalError(`The checkpoint has no ledger for step "${id}"`);
  return step;
}

function meanOf(values: Iterable<number | undefined>): number | undefined {
  const all = [...values];
  let sum = 0;
  for (const value of all) {
    if (value === undefined) return undefined;
    sum += value;
  }
  return all.length === 0 ? undefined : sum / all.length;
}
