/**
 * One run of a pipeline, watched on a terminal.
 *
 * @module
 */

import type { CheckpointStore } from "../engine/checkpoint/checkpoint.ts";
import type { Clock } from "../engine/context.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { Monitor } from "../engine/monitor/monitor.ts";
import type { LetterFile } from "../engine/dead_letters/replay.ts";
import { runPipeline, type RunReport, type RunStatus } from "../engine/run/run.ts";
import { systemWorld } from "../engine/run/world.ts";
import { logOf } from "./log.ts";
import { describeSeries, describeStatus } from "./report.ts";
import type { Stop } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** How often the status of endless work is looked at. */
const STATUS_MS = 1_000;
/** A dry run is watched: it says so when something does not answer, rather than wait for hours. */
const DRY_ATTEMPTS = 5;

/** How a pipeline is run. */
export interface Execution {
  /** Where its progress is shown. */
  readonly terminal: Terminal;
  /** How it is told to stop. */
  readonly stop: Stop;
  /** What watches it. */
  readonly monitor?: Monitor;
  /** The time it lives in; the machine's by default. */
  readonly clock?: Clock | undefined;
  /** How long a stop may take, in milliseconds. */
  readonly drainMs?: number | undefined;
  /** Whether this is a dry run. */
  readonly dry?: boolean;
  /** Dead letters to put through, in place of reading the sources. */
  readonly letters?: () => Promise<readonly LetterFile[]>;
}

/**
 * Runs a pipeline to its end.
 *
 * @param checkpoints Its checkpoints. They are closed at the end.
 * @param report Told how it ended, if it did.
 * @returns The exit code.
 */
export async function execute(
  pipeline: Pipeline,
  checkpoints: CheckpointStore,
  execution: Execution,
  report: (report: RunReport) => void,
): Promise<number> {
  const { terminal, stop } = execution;
  try {
    report(await runWatched(pipeline, checkpoints, execution));
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

async function runWatched(
  pipeline: Pipeline,
  checkpoints: CheckpointStore,
  { terminal, stop, monitor = new Monitor(), clock, drainMs, dry, letters }: Execution,
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
      ...(drainMs === undefined ? {} : { drainMs }),
      ...(dry ? { retryLimits: { maxAttempts: DRY_ATTEMPTS } } : {}),
      ...(letters ? { letters } : {}),
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
