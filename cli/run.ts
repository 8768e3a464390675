/**
 * `penstock run` and `penstock dry-run`.
 *
 * @module
 */

import { type CheckpointStore, fileCheckpoints, memoryCheckpoints } from "../engine/checkpoint.ts";
import { systemClock } from "../engine/clock.ts";
import type { Clock } from "../engine/context.ts";
import { asDryRun } from "../engine/dry_run.ts";
import { describeGuarantee } from "../engine/guarantee.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { RunReport } from "../engine/run.ts";
import { runPipeline } from "../engine/run.ts";
import { systemWorld } from "../engine/world.ts";
import { logOf } from "./log.ts";
import { checkpointFolder } from "./checkpoint_folder.ts";
import type { Host } from "./host.ts";
import type { Inputs } from "./inputs.ts";
import { openPipeline } from "./open.ts";
import { describeReport, describeStatus } from "./report.ts";
import { listenForStop } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** What `run` and `dry-run` are given. */
export interface RunFlags {
  /** The pipeline file. */
  readonly file: string;
  /** Whether it runs against a simulated exchange. */
  readonly simulated: boolean;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
  /** Records to read. Dry runs only. */
  readonly limit: number | undefined;
  /** Whether this is a dry run. */
  readonly dry: boolean;
}

/** A dry run is watched: it says so when something does not answer, rather than wait for hours. */
const DRY_ATTEMPTS = 5;

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
  terminal.hide(pipeline.secrets ?? []);
  using stop = listenForStop(terminal, host.relay);
  const log = logOf(pipeline.name);
  const checkpoints = await openCheckpoints(pipeline, flags, log.warn);
  try {
    const durable = !flags.dry && checkpointFolder(pipeline, flags) !== undefined;
    for (const { sink, guarantee } of describeGuarantee(pipeline, durable)) {
      log.debug(`Sink "${sink}": ${guarantee}`);
    }
    const limit = { records: flags.limit, reached: stop.end };
    const report = await execute(
      flags.dry ? asDryRun(pipeline, limit) : pipeline,
      checkpoints,
      { terminal, stop, clock: clockOf(inputs), dry: flags.dry },
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
  readonly clock: Clock;
  readonly dry: boolean;
}

async function execute(
  pipeline: Pipeline,
  checkpoints: CheckpointStore,
  { terminal, stop, clock, dry }: Execution,
): Promise<RunReport> {
  const system = systemWorld(pipeline.folder);
  const world = { ...system, clock, print: terminal.print };
  const startMs = performance.now();
  try {
    return await runPipeline(pipeline, {
      world,
      checkpoints,
      stop: stop.stopping,
      abort: stop.aborting,
      log: (step) => logOf(pipeline.name, step),
      observe: (status) => terminal.show(() => describeStatus(status, performance.now() - startMs)),
      ...(dry ? { retryLimits: { maxAttempts: DRY_ATTEMPTS } } : {}),
    });
  } finally {
    terminal.clear();
  }
}

/** The clock of the simulated exchange, where there is one: the pipeline lives in its time. */
function clockOf({ simulator }: Inputs): Clock {
  const aheadMs = simulator?.aheadMs ?? 0;
  return { ...systemClock, now: () => systemClock.now() + aheadMs };
}

async function openCheckpoints(
  pipeline: Pipeline,
  flags: RunFlags,
  warn: (message: string) => void,
): Promise<CheckpointStore> {
  const folder = checkpointFolder(pipeline, flags);
  return folder === undefined ? memoryCheckpoints() : await fileCheckpoints(folder, warn);
}
