/**
 * `penstock audit`.
 *
 * @module
 */

import { join } from "@std/path";
import {
  type AuditOptions,
  auditPipeline,
  type AuditReport,
  repairPipeline,
} from "../engine/audit/audit.ts";
import { fileHoles, memoryHoles } from "../engine/audit/known_holes.ts";
import type { Checkpoint } from "../engine/checkpoint/body.ts";
import {
  type CheckpointStore,
  fileCheckpoints,
  readCheckpoint,
} from "../engine/checkpoint/checkpoint.ts";
import type { Clock } from "../engine/context.ts";
import { refuseOtherPipeline } from "../engine/checkpoint/identity.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { parseTime, resolveTime } from "../engine/time.ts";
import { systemWorld } from "../engine/run/world.ts";
import { describeAudit } from "./audit_report.ts";
import { checkpointFolder, keepsCheckpoints } from "./checkpoints.ts";
import type { Host } from "./host.ts";
import { logOf } from "./log.ts";
import { openPipeline } from "./open.ts";
import { clockOf } from "./run.ts";
import { listenForStop } from "./signals.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/** What `audit` is given. */
export interface AuditFlags {
  /** The pipeline file. */
  readonly file: string;
  /** Whether it audits against a simulated exchange. */
  readonly simulated: boolean;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
  /** The first time to look at. */
  readonly from: string | undefined;
  /** The end, exclusive. */
  readonly to: string | undefined;
  /** Whether what is missing is fetched and written. */
  readonly repair: boolean;
  /** How the report is printed. */
  readonly format: "text" | "json";
}

/** Something is missing, or must be computed anew. */
const EXIT_NOT_WHOLE = 1;
/** An audit is watched: it says so when something does not answer, rather than wait for hours. */
const ATTEMPTS = 5;

/**
 * Compares what is stored with what must be there, and repairs it if asked to.
 *
 * @param flags What to audit, and how.
 * @param host What the pipeline is loaded with, and who passes signals on.
 * @param terminal What shows how it goes, and prints the report.
 * @returns The exit code: 1 when something is missing or must be computed anew.
 */
export async function audit(flags: AuditFlags, host: Host, terminal: Terminal): Promise<number> {
  const pipeline = await openPipeline(flags.file, host.inputs);
  using stop = listenForStop(terminal, host.relay);
  try {
    const report = await examine(pipeline, flags, {
      terminal,
      signal: stop.stopping,
      clock: clockOf(host.inputs),
    });
    const text = flags.format === "json"
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : describeAudit(report, flags.file);
    await terminal.print(new TextEncoder().encode(text));
    return stop.exitCode ?? (report.isWhole ? 0 : EXIT_NOT_WHOLE);
  } catch (error) {
    const { aborted, reason } = stop.stopping;
    if (!aborted || error !== reason || stop.exitCode === undefined) throw error;
    return stop.exitCode;
  } finally {
    terminal.clear();
  }
}

interface Surroundings {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

async function examine(
  pipeline: Pipeline,
  flags: AuditFlags,
  surroundings: Surroundings,
): Promise<AuditReport> {
  const folder = keepsCheckpoints({ ...flags, dry: false })
    ? checkpointFolder(pipeline, flags.state)
    : undefined;
  // A repair changes what a run would go on from, so that none may be under way.
  const checkpoints = flags.repair && folder !== undefined
    ? await fileCheckpoints(folder, logOf(pipeline.name).warn)
    : undefined;
  try {
    const checkpoint = await loadCheckpoint(pipeline, folder, checkpoints);
    const holes = folder === undefined
      ? memoryHoles()
      : await fileHoles(join(folder, "holes.json"));
    const options = { ...optionsOf(pipeline, flags, surroundings), checkpoint, holes };
    const found = await auditPipeline(pipeline, options);
    if (!flags.repair || found.isWhole) return found;
    const repaired = await repairPipeline(pipeline, found, options);
    if (repaired.checkpoint) {
      const { epoch } = repaired.checkpoint;
      await checkpoints?.save({ ...repaired.checkpoint, epoch: epoch + 1 });
    }
    return repaired.report;
  } finally {
    checkpoints?.close();
  }
}

async function loadCheckpoint(
  pipeline: Pipeline,
  folder: string | undefined,
  checkpoints: CheckpointStore | undefined,
): Promise<Checkpoint | undefined> {
  if (folder === undefined) return undefined;
  const checkpoint = await (checkpoints?.load() ?? readCheckpoint(folder));
  if (checkpoint) refuseOtherPipeline(pipeline, checkpoint);
  return checkpoint;
}

function optionsOf(
  pipeline: Pipeline,
  flags: AuditFlags,
  { terminal, signal, clock }: Surroundings,
): Omit<AuditOptions, "checkpoint" | "holes"> {
  const world = { ...systemWorld(pipeline.folder), clock };
  const nowMs = world.clock.now();
  const fromMs = timeOf("from", flags.from, nowMs);
  const toMs = timeOf("to", flags.to, nowMs);
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    throw new UsageError("Cannot use `--from` and `--to` as the first must be before the second");
  }
  return {
    ...{ world, signal, fromMs, toMs },
    log: (step) => logOf(pipeline.name, step),
    observe: ({ tags, series, of, points }) =>
      terminal.show(() =>
        `series ${series} of ${of} · ${Object.values(tags).join(" ")} · ${points} points`
      ),
    retryLimits: { maxAttempts: ATTEMPTS },
  };
}

function timeOf(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(/^\d+$/.test(text) ? Number(text) : text);
  if (typeof time !== "string") return resolveTime(time, nowMs);
  throw new UsageError(`Cannot use \`--${flag} ${text}\`: it ${time}`, {
    hint: "Times are ISO 8601 (UTC), epoch milliseconds, or spans such as `30 days ago`",
  });
}
