/**
 * `penstock run` and `penstock dry-run`.
 *
 * @module
 */

import { join } from "@std/path";
import { type CheckpointStore, fileCheckpoints, memoryCheckpoints } from "../engine/checkpoint.ts";
import type { Clock } from "../engine/context.ts";
import { asDryRun } from "../engine/dry_run.ts";
import { describeGuarantee } from "../engine/guarantee.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { Monitor } from "../engine/monitor.ts";
import type { RunReport, RunStatus } from "../engine/run.ts";
import { runPipeline } from "../engine/run.ts";
import { systemWorld } from "../engine/world.ts";
import { logOf } from "./log.ts";
import { openPipeline } from "./open.ts";
import { describeReport, describeSeries, describeStatus } from "./report.ts";
import { serveMetrics } from "./serve_metrics.ts";
import { listenForStop } from "./signals.ts";
import { startSimulator } from "./simulate.ts";
import type { Terminal } from "./terminal.ts";

/** What `run` and `dry-run` are given. */
export interface RunFlags {
  /** The pipeline file. */
  readonly file: string;
  /** Runs against a simulated exchange: the scenario file, or an empty text for the default one. */
  readonly simulate: string | undefined;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
  /** Records to read. Dry runs only. */
  readonly limit: number | undefined;
  /** The port on which metrics are served. */
  readonly metrics: number | undefined;
  /** Whether this is a dry run. */
  readonly dry: boolean;
}

/** How often the status of endless work is looked at. */
const STATUS_MS = 1_000;
/** A dry run is watched: it says so when something does not answer, rather than wait for hours. */
const DRY_ATTEMPTS = 5;

/**
 * Runs a pipeline.
 *
 * @returns The exit code.
 */
export async function run(flags: RunFlags, terminal: Terminal): Promise<number> {
  await using simulator = flags.simulate === undefined
    ? undefined
    : await startSimulator(flags.simulate);
  const pipeline = await openPipeline(flags.file, simulator?.urls);
  using stop = listenForStop(terminal);
  const log = logOf(pipeline.name);
  const checkpoints = await openCheckpoints(pipeline, flags, log.warn);
  try {
    const durable = !flags.dry && checkpointFolder(pipeline, flags) !== undefined;
    for (const { sink, guarantee } of describeGuarantee(pipeline, durable)) {
      log.debug(`Sink "${sink}": ${guarantee}`);
    }
    const monitor = new Monitor();
    await using metrics = flags.metrics === undefined
      ? undefined
      : serveMetrics(flags.metrics, monitor, pipeline.name);
    if (metrics) log.info("Serving metrics and health", { url: metrics.url });
    const limit = { records: flags.limit, reached: stop.end };
    const report = await execute(
      flags.dry ? asDryRun(pipeline, limit) : pipeline,
      checkpoints,
      { terminal, stop, monitor, clock: simulator?.clock, dry: flags.dry },
    );
    terminal.say(describeReport(report));
    return stop.exitCode ?? 0;
  } catch (error) {
    const { aborted, reason } = stop.aborting;
    if (!aborted || error !== reason || stop.exitCode === undefined) throw error;
    terminal.say("Ended at once: the next run goes on from the last checkpoint\n");
    return stop.exitCode;
  } finally {
    checkpoints.close();
  }
}

interface Execution {
  readonly terminal: Terminal;
  readonly stop: ReturnType<typeof listenForStop>;
  readonly monitor: Monitor;
  readonly clock: Clock | undefined;
  readonly dry: boolean;
}

async function execute(
  pipeline: Pipeline,
  checkpoints: CheckpointStore,
  { terminal, stop, monitor, clock, dry }: Execution,
): Promise<RunReport> {
  const system = systemWorld(pipeline.folder);
  const world = { ...system, clock: clock ?? system.clock, print: terminal.print };
  const status = showStatus(terminal, monitor);
  try {
    return await runPipeline(pipeline, {
      world,
      checkpoints,
      monitor,
      stop: stop.stopping,
      abort: stop.aborting,
      log: (step) => logOf(pipeline.name, step),
      observe: status.observe,
      ...(dry ? { retryLimits: { maxAttempts: DRY_ATTEMPTS } } : {}),
    });
  } finally {
    status.end();
    terminal.clear();
  }
}

/**
 * Keeps the status line: of finite work after each batch, of endless work by the clock, as there it
 * changes although nothing comes.
 */
function showStatus(terminal: Terminal, monitor: Monitor) {
  const startMs = performance.now();
  const timer = setInterval(() => {
    const series = [...monitor.series.values()].flat();
    if (series.length > 0) terminal.show(() => describeSeries(series));
  }, STATUS_MS);
  return {
    observe: (status: RunStatus) => {
      if (monitor.isEndless) return;
      terminal.show(() => describeStatus(status, performance.now() - startMs));
    },
    end: () => clearInterval(timer),
  };
}

async function openCheckpoints(
  pipeline: Pipeline,
  flags: RunFlags,
  warn: (message: string) => void,
): Promise<CheckpointStore> {
  const folder = checkpointFolder(pipeline, flags);
  return folder === undefined ? memoryCheckpoints() : await fileCheckpoints(folder, warn);
}

/** Simulated records must never be continued by real ones, so they leave no checkpoint unless told where. */
function checkpointFolder(pipeline: Pipeline, flags: RunFlags): string | undefined {
  if (flags.dry) return undefined;
  if (flags.state !== undefined) return join(flags.state, pipeline.name);
  if (flags.simulate !== undefined) return undefined;
  return join(pipeline.folder, ".penstock", pipeline.name);
}
