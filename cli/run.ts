/**
 * `penstock run` and `penstock dry-run`.
 *
 * @module
 */

import {
  type CheckpointStore,
  fileCheckpoints,
  memoryCheckpoints,
} from "../engine/checkpoint/checkpoint.ts";
import { systemClock } from "../engine/clock.ts";
import type { Clock } from "../engine/context.ts";
import { asDryRun } from "../engine/run/dry_run.ts";
import { Monitor } from "../engine/monitor/monitor.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { checkpointFolder, type Keeping, keepsCheckpoints } from "./checkpoints.ts";
import { execute } from "./execute.ts";
import { logOf } from "./log.ts";
import type { Host } from "./host.ts";
import type { Inputs } from "./inputs.ts";
import { openPipeline } from "./open.ts";
import { describeReport } from "./report.ts";
import { listenForStop } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** What `run` and `dry-run` are given. */
export interface RunFlags extends Keeping {
  /** The pipeline file. */
  readonly file: string;
  /** How long a stop may take, in milliseconds. */
  readonly drainMs: number | undefined;
  /** Records to read. Dry runs only. */
  readonly limit: number | undefined;
  /** The port on which metrics are served. */
  readonly metrics: number | undefined;
}

/**
 * Runs a pipeline.
 *
 * @param flags How to run it.
 * @param host What it is loaded with, and who passes signals on.
 * @param terminal What shows how it goes.
 * @returns The exit code.
 */
export async function run(flags: RunFlags, host: Host, terminal: Terminal): Promise<number> {
  const { inputs } = host;
  const pipeline = await openPipeline(flags.file, inputs);
  using stop = listenForStop(terminal, host.relay);
  const checkpoints = await openCheckpoints(pipeline, flags);
  const monitor = new Monitor();
  await using metrics = await serveMetrics(flags.metrics, monitor, pipeline);
  if (metrics) logOf(pipeline.name).info("Serving metrics and health", { url: metrics.url });
  const limit = { records: flags.limit, reached: stop.end };
  return await execute(
    flags.dry ? asDryRun(pipeline, limit) : pipeline,
    checkpoints,
    {
      terminal,
      stop,
      monitor,
      clock: clockOf(inputs),
      dry: flags.dry,
      drainMs: flags.drainMs,
    },
    (report) => terminal.say(describeReport(report, flags.dry ? undefined : pipeline, flags.file)),
  );
}

/** Loaded where it is asked for: its package would put off the start of every run. */
async function serveMetrics(port: number | undefined, monitor: Monitor, { name }: Pipeline) {
  if (port === undefined) return undefined;
  return (await import("./serve_metrics.ts")).serveMetrics(port, monitor, name);
}

/** The clock of the simulated exchange, where there is one: the pipeline lives in its time. */
export function clockOf({ simulator }: Inputs): Clock {
  const aheadMs = simulator?.aheadMs ?? 0;
  return { ...systemClock, now: () => systemClock.now() + aheadMs };
}

async function openCheckpoints(pipeline: Pipeline, flags: RunFlags): Promise<CheckpointStore> {
  if (!keepsCheckpoints(flags)) return memoryCheckpoints();
  return await fileCheckpoints(
    checkpointFolder(pipeline, flags.state),
    logOf(pipeline.name).warn,
  );
}
