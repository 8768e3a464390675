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
import type { Checkpoint } from "../checkpoint/body.ts";
import type { CheckpointStore } from "../checkpoint/checkpoint.ts";
import { identifySteps, refuseOtherPipeline } from "../checkpoint/identity.ts";
import { refuseKeptSecrets } from "../checkpoint/kept_secrets.ts";
import type { Context, Json, Log } from "../context.ts";
import { Refusals } from "../dead_letters/refusals.ts";
import { type LetterBatch, type LetterFile, readLetters } from "../dead_letters/replay.ts";
import { describeError, FatalError } from "../errors.ts";
import { addCounts } from "../monitor/measurements.ts";
import { Monitor, type RunView } from "../monitor/monitor.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import type { SourceBatch, SourcePlugin } from "../plugin.ts";
import type { RetryLimits } from "../retry.ts";
import { type RunningTransform, startTransform } from "./chain.ts";
import { Ending } from "./ending.ts";
import { emptyLedger, findImbalances, type Ledger, ledgerOf } from "./ledger.ts";
import { Outputs } from "./outputs.ts";
import { readSource } from "./reading.ts";
import { findStoredEnds } from "./stored.ts";
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
  /**
   * How long it may take to end once it is stopped or has failed, in milliseconds: a plugin that
   * hangs must not hold it for ever. 30,000 by default.
   */
  readonly drainMs?: number;
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
  /**
   * Dead letters to put through again, in place of reading the sources: gives the files they are
   * in, once the dead-letter sink is open.
   */
  letters?(): Promise<readonly LetterFile[]>;
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
  /** Records that sources gave in this run; of a replay, dead letters that were put through. */
  readonly records: number;
  /** Dead letters of this run, by the step that refused them. */
  readonly deadLetters: Readonly<Record<string, number>>;
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
 * @throws {FatalError} If the run cannot go on, its ledger does not balance, or it cannot be stopped
 * in time; the message then names what was not delivered.
 * @throws {PenstockError} Whatever else a step threw.
 */
export async function runPipeline(pipeline: Pipeline, options: RunOptions): Promise<RunReport> {
  const saved = await options.checkpoints.load();
  if (saved) refuseOtherPipeline(pipeline, saved);
  else if (options.letters) throw neverRun(pipeline);
  const run = new Run(pipeline, options, saved);
  try {
    return await run.run(saved);
  } finally {
    options.monitor?.end();
    await run.close();
  }
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {} };

class Run {
  readonly #pipeline: Pipeline;
  readonly #options: RunOptions;
  readonly #startMs: number;
  readonly #monitor: Monitor;
  /** What the steps share, by name. */
  readonly #shared = new Map<string, unknown>();
  /** Whether each source has given anything. */
  readonly #given = new Map<string, boolean>();
  /** What plugins had counted when the last checkpoint was saved. */
  readonly #counted: Checkpoint["counters"];
  readonly #positions = new Map<string, Record<string, Json>>();
  readonly #progress = new Map<string, number | undefined>();
  readonly #ledger: Ledger;
  readonly #status: RunStatus = { records: 0, timeMs: undefined, progress: undefined, epochs: 0 };
  readonly #ending: Ending;
  #transforms: readonly RunningTransform[] = [];
  readonly #outputs: Outputs;
  readonly #refusals: Refusals;
  #replayed: Checkpoint["replayed"];
  /** That a source has ended which must not. */
  #endedEarly: FatalError | undefined;
  #epoch: number;
  #unsaved = 0;
  /** When the last checkpoint was saved, on the steady clock. */
  #savedMs: number;
  /** The last piece of work that needs all sources to wait. */
  #work: Promise<void> = Promise.resolve();

  constructor(pipeline: Pipeline, options: RunOptions, saved: Checkpoint | undefined) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#startMs = this.#savedMs = options.world.clock.steady();
    this.#epoch = saved?.epoch ?? 0;
    this.#ledger = saved?.ledger ?? emptyLedger(pipeline);
    this.#refusals = new Refusals(pipeline, this.#ledger, saved?.refusals);
    this.#replayed = { ...saved?.replayed };
    this.#counted = saved?.counters ?? {};
    this.#monitor = options.monitor ?? new Monitor();
    this.#monitor.begin(() => this.#view());
    for (const { id } of pipeline.sources) {
      this.#given.set(id, false);
      this.#positions.set(id, { ...saved?.positions[id] });
      this.#progress.set(id, undefined);
    }
    const { stop, abort, drainMs, world: { clock } } = options;
    const undelivered = () => this.#outputs.describeUndelivered();
    this.#ending = new Ending({ stop, abort, drainMs, clock, undelivered });
    this.#outputs = new Outputs({
      pipeline,
      ledger: this.#ledger,
      refusals: this.#refusals,
      log: this.#logOf(),
      contextOf: (step) => this.#contextOf(step, this.#ending.writing),
      fail: (error) => this.#ending.fail(error),
    });
  }

  /** Runs to the end, but waits for nothing once it has to leave. */
  run(saved: Checkpoint | undefined): Promise<RunReport> {
    return this.#ending.waitFor(this.#run(saved));
  }

  async #run(saved: Checkpoint | undefined): Promise<RunReport> {
    const { reading } = this.#ending;
    try {
      await abortable(this.#open(saved), reading);
    } catch (error) {
      this.#ending.throwFailure();
      if (!this.#ending.isStopped || error !== reading.reason) throw error;
      // Stopped before anything was read: there is nothing to deliver, and no sink has to be open.
      this.#ending.fail(error);
      return this.#report();
    }
    await this.#finish();
    return this.#report();
  }

  async #open(saved: Checkpoint | undefined): Promise<void> {
    this.#transforms = this.#pipeline.transforms.map((step) =>
      startTransform(
        step,
        ledgerOf(this.#ledger.transforms, step.id),
        saved?.states[step.id] ?? {},
        (refusal) => this.#refusals.take(refusal),
      )
    );
    await this.#outputs.open(saved);
    // What a first run writes before its first epoch must be taken back as well if it dies.
    if (!saved) await this.#save();
    else this.#logOf().info("Going on from the last checkpoint", { epoch: this.#epoch });
  }

  async #finish(): Promise<void> {
    const ticking = this.#tick();
    if (this.#options.letters) await this.#replayAll(await this.#options.letters());
    else await Promise.all(this.#pipeline.sources.map((step) => this.#readAll(step)));
    this.#ending.endReading();
    await ticking;
    this.#ending.throwFailure();
    if (this.#unsaved > 0) await this.#save();
    this.#ending.throwFailure();
    this.#checkLedger();
    if (this.#endedEarly) throw this.#endedEarly;
  }

  #report(): RunReport {
    return {
      outcome: this.#ending.isStopped ? "stopped" : "done",
      ledger: this.#ledger,
      records: this.#status.records,
      deadLetters: this.#refusals.kept,
      bytes: Object.fromEntries(
        this.#outputs.deliveries.map(({ step, bytes }) => [step.id, bytes]),
      ),
      counters: this.#monitor.measurements.totals(),
      elapsedMs: this.#options.world.clock.steady() - this.#startMs,
      epochs: this.#status.epochs,
    };
  }

  /** Closes the sinks; says so when one does not end in time. */
  async close(): Promise<void> {
    const hadFailed = this.#ending.hasFailed;
    this.#ending.limit();
    try {
      await this.#ending.waitFor(this.#outputs.close());
    } catch (error) {
      if (!hadFailed) this.#logOf().warn(`Cannot close the sinks: ${describeError(error)}`);
    } finally {
      this.#ending.close();
    }
  }

  async #readAll(step: CheckedStep<SourcePlugin>): Promise<void> {
    try {
      await this.#readSource(step);
      if (!step.plugin.endless || this.#ending.reading.aborted) return;
      // What all sources gave is delivered and saved first: some of it may not come again.
      this.#endedEarly = endedEarly(step);
      this.#ending.endReading();
    } catch (error) {
      this.#ending.fail(error);
    }
  }

  #readSource(step: CheckedStep<SourcePlugin>): Promise<void> {
    return readSource({
      step,
      context: this.#contextOf(step, this.#ending.reading),
      clock: this.#options.world.clock,
      retryLimits: this.#options.retryLimits ?? {},
      position: () => ({ ...this.#positions.get(step.id) }),
      take: (batch) =>
        this.#alone(() => this.#take(step, batch)).catch((error) => {
          // Not the source's fault, and past mending: states have moved on, the position has not.
          this.#ending.fail(error);
          throw error;
        }),
    });
  }

  /** Runs work while no other work runs. After a failure nothing runs. */
  #alone(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#ending.hasFailed) return;
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
    this.#status.progress = meanOf(this.#progress.values());
    await this.#count(batch.records.length);
  }

  /** Counts records that were taken, and saves when an epoch is over. */
  async #count(records: number): Promise<void> {
    this.#status.records += records;
    this.#unsaved += Math.max(1, records);
    this.#options.observe?.(this.#status);
    if (this.#unsaved >= this.#pipeline.epoch.records || this.#epochIsOver()) await this.#save();
  }

  async #replayAll(files: readonly LetterFile[]): Promise<void> {
    try {
      for await (const batch of readLetters(this.#pipeline, files, this.#replayed)) {
        if (this.#ending.reading.aborted) return;
        await this.#alone(() => this.#takeLetters(batch));
      }
    } catch (error) {
      this.#ending.fail(error);
    }
  }

  /** Letters of a transform go through it and what follows; those of a sink go to that sink alone. */
  async #takeLetters({ step, records, file, lines }: LetterBatch): Promise<void> {
    const transform = this.#transforms.findIndex((one) => one.step.id === step);
    if (transform >= 0) {
      ledgerOf(this.#ledger.transforms, step).replayed += records.length;
      await this.#push(records, this.#transforms.slice(transform));
    } else {
      ledgerOf(this.#ledger.sinks, step).replayed += records.length;
      await this.#outputs.pushTo(step, records);
    }
    this.#replayed = { ...this.#replayed, [file]: lines };
    await this.#count(records.length);
  }

  async #push(
    records: readonly unknown[],
    transforms: readonly RunningTransform[] = this.#transforms,
  ): Promise<void> {
    let on = records;
    for (const transform of transforms) on = transform.run(on);
    const last = on.at(-1);
    if (typeof last === "object" && last !== null && "timeMs" in last) {
      this.#status.timeMs = Math.max(this.#status.timeMs ?? 0, Number(last.timeMs));
    }
    await this.#outputs.push(on);
  }

  /** Saves when time is up although no batch comes. */
  async #tick(): Promise<void> {
    const { clock } = this.#options.world;
    const signal = this.#ending.reading;
    while (!signal.aborted) {
      await clock.sleep(this.#pipeline.epoch.ms, signal).catch(() => {});
      if (signal.aborted) return;
      await this.#alone(async () => {
        if (this.#unsaved > 0 && this.#epochIsOver()) await this.#save();
      }).catch((error) => this.#ending.fail(error));
    }
  }

  #epochIsOver(): boolean {
    return this.#options.world.clock.steady() - this.#savedMs >= this.#pipeline.epoch.ms;
  }

  /** The end of an epoch: all sinks first, then the checkpoint. */
  async #save(): Promise<void> {
    const tokens = await this.#outputs.flush();
    this.#checkLedger();
    this.#ending.throwFailure();
    const checkpoint: Checkpoint = {
      pipeline: this.#pipeline.name,
      epoch: ++this.#epoch,
      steps: identifySteps(this.#pipeline),
      positions: Object.fromEntries(this.#positions),
      states: Object.fromEntries(this.#transforms.map(({ step, states }) => [step.id, states()])),
      ...tokens,
      refusals: this.#refusals.counting,
      replayed: this.#replayed,
      ledger: this.#ledger,
      counters: addCounts(this.#counted, this.#monitor.measurements.totals()),
    };
    refuseKeptSecrets(this.#pipeline, checkpoint);
    await this.#options.checkpoints.save(checkpoint);
    this.#unsaved = 0;
    this.#savedMs = this.#options.world.clock.steady();
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

  #view(): RunView {
    const { clock } = this.#options.world;
    const nowMs = clock.now();
    return {
      pipeline: this.#pipeline.name,
      ledger: this.#ledger,
      given: this.#given,
      deliveries: this.#outputs.deliveries,
      epochs: this.#status.epochs,
      savedMs: nowMs - (clock.steady() - this.#savedMs),
      nowMs,
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

/** Dead letters are put through with what the pipeline remembers: it must have run. */
function neverRun({ name }: Pipeline): FatalError {
  return new FatalError(
    `Cannot replay dead letters of pipeline "${name}" as it must have run before: it has no checkpoint`,
    { hint: "Name the folder it keeps its checkpoints in with --state, if it is another one" },
  );
}

function endedEarly({ id }: CheckedStep): FatalError {
  return new FatalError(`Cannot go on as source "${id}" must not end by itself: it has ended`, {
    hint: "Run it again: it goes on from the last checkpoint. Please report it if it comes again",
  });
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
