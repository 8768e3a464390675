/**
 * `penstock run` and `penstock dry-run`.
 *
 * @module
 */

import { type CheckpointStore, fileCheckpoints, memoryCheckpoints } from "../engine/checkpoint.ts";
import { asDryRun } from "../engine/dry_run.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { checkpointFolder } from "./checkpoints.ts";
import { execute } from "./execute.ts";
import { logOf } from "./log.ts";
import { openPipeline } from "./open.ts";
import { describeReport } from "./report.ts";
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
  const checkpoints = await openCheckpoints(pipeline, flags);
  const limit = { records: flags.limit, reached: stop.end };
  return await execute(
    flags.dry ? asDryRun(pipeline, limit) : pipeline,
    checkpoints,
    { terminal, stop, clock: simulator?.clock, dry: flags.dry, drainMs: flags.drainMs },
    (report) => terminal.say(describeReport(report, flags.dry ? undefined : pipeline, flags.file)),
  );
}

async function openCheckpoints(pipeline: Pipeline, flags: RunFlags): Promise<CheckpointStore> {
  // Simulated records must never be continued by real ones: no checkpoint, unless told where.
  const isKept = !flags.dry && (flags.simulate === undefined || flags.state !== undefined);
  if (!isKept) return memoryCheckpoints();
  return await fileCheckpoints(
    checkpointFolder(pipeline, flags.state),
    logOf(pipeline.name).warn,
  );
}
