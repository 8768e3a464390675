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
import type { RunReport } from "../engine/run.ts";
import { runPipeline } from "../engine/run.ts";
import { systemWorld } from "../engine/world.ts";
import { logOf } from "./log.ts";
import { openPipeline } from "./open.ts";
import { describeReport, describeStatus } from "./report.ts";
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
  /** How long a stop may take, in milliseconds. */
  readonly drainMs: number | undefined;
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
    const limit = { records: flags.limit, reached: stop.end };
    const report = await execute(
      flags.dry ? asDryRun(pipeline, limit) : pipeline,
      checkpoints,
      { terminal, stop, clock: simulator?.clock, dry: flags.dry, drainMs: flags.drainMs },
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
  readonly clock: Clock | undefined;
  readonly dry: boolean;
  readonly drainMs: number | undefined;
}

async function execute(
  pipeline: Pipeline,
  checkpoints: CheckpointStore,
  { terminal, stop, clock, dry, drainMs }: Execution,
): Promise<RunReport> {
  const system = systemWorld(pipeline.folder);
  const world = { ...system, clock: clock ?? system.clock, print: terminal.print };
  const startMs = performance.now();
  try {
    return await runPipeline(pipeline, {
      world,
      checkpoints,
      stop: stop.stopping,
      abort: stop.aborting,
      log: (step) => logOf(pipeline.name, step),
      observe: (status) => terminal.show(() => describeStatus(status, performance.now() - startMs)),
      ...(drainMs === undefined ? {} : { drainMs }),
      ...(dry ? { retryLimits: { maxAttempts: DRY_ATTEMPTS } } : {}),
    });
  } finally {
    terminal.clear();
  }
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
