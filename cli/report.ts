/**
 * How far a run is, and how it ended, in words.
 *
 * @module
 */

import type { SeriesStatus } from "../engine/context.ts";
import type { StepLedger } from "../engine/run/ledger.ts";
import { nameOfSeries } from "../engine/monitor/monitor.ts";
import { listed } from "../engine/nearest.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { RunReport, RunStatus } from "../engine/run/run.ts";
import { describeBytes, describeCount, describeMoment, describeSpan } from "../engine/words.ts";

/**
 * One line that says how far a run is.
 *
 * @param status How far it is.
 * @param elapsedMs Since its start, in milliseconds.
 */
export function describeStatus(status: RunStatus, elapsedMs: number): string {
  const perSecond = elapsedMs > 0 ? status.records / (elapsedMs / 1_000) : 0;
  const parts = [
    `${describeCount(status.records)} records`,
    `${describeCount(Math.round(perSecond))}/s`,
  ];
  if (status.timeMs !== undefined) parts.push(`at ${describeMoment(status.timeMs)}`);
  const { progress } = status;
  if (progress !== undefined && progress > 0) {
    parts.push(`${Math.floor(100 * progress)} %`);
    if (progress < 1) parts.push(`${describeSpan(elapsedMs / progress - elapsedMs)} left`);
  }
  return parts.join(" · ");
}

/** More series than these are counted in the status line, not named. */
const MOST_NAMED = 3;

/**
 * One line that says how the series of endless work stand. It changes only when they do.
 *
 * @param series How they stand; at least one.
 */
export function describeSeries(series: readonly SeriesStatus[]): string {
  const live = series.filter(({ isLive }) => isLive);
  const behind = series.filter(({ isLive }) => !isLive).sort((a, b) => b.lagMs - a.lagMs);
  const lastMs = Math.max(...series.map(({ lastMs = -Infinity }) => lastMs));
  const parts = [describeLive(live, series.length)];
  if (lastMs > -Infinity) parts.push(`last close ${describeMoment(lastMs)}`);
  const [first] = behind;
  if (!first) parts.push("up to date");
  else parts.push(describeBehind(first, behind.length - 1));
  return parts.join(" · ");
}

function describeLive(live: readonly SeriesStatus[], all: number): string {
  if (live.length === 0) return `none of ${describeCount(all)} series live`;
  if (live.length < all) {
    return `${describeCount(live.length)} of ${describeCount(all)} series live`;
  }
  if (all > MOST_NAMED) return `${describeCount(all)} series live`;
  return `${live.map(nameOfSeries).join(", ")} live`;
}

function describeBehind(first: SeriesStatus, others: number): string {
  const name = `${nameOfSeries(first)}${others > 0 ? ` and ${describeCount(others)} more` : ""}`;
  const lagS = Math.floor(first.lagMs / 1_000);
  return lagS === 0
    ? `${name} connecting`
    : `${name} behind by ${lagS < 60 ? `${lagS} s` : describeSpan(first.lagMs)}`;
}

/**
 * The end of a run: what became of every record, and whether the ledger balances.
 *
 * @param report How it ended.
 * @param pipeline The pipeline, where what it refused is kept.
 * @param file The pipeline file, for what to do next.
 */
export function describeReport(report: RunReport, pipeline?: Pipeline, file = "FILE"): string {
  const { ledger } = report;
  const rows: string[][] = [];
  for (const [id, step] of Object.entries(ledger.sources)) {
    rows.push(["source", id, `out ${describeCount(step.out)}`]);
  }
  for (const [id, step] of Object.entries(ledger.transforms)) {
    rows.push(["transform", id, ...countsOf(step, "out")]);
  }
  for (const [id, step] of Object.entries(ledger.sinks)) {
    rows.push([
      "sink",
      id,
      ...countsOf(step, "acknowledged"),
      `${describeBytes(report.bytes[id] ?? 0)} in this run`,
    ]);
  }
  if (ledger.deadLetter.in > 0) {
    rows.push(["dead letter", "", ...countsOf(ledger.deadLetter, "acknowledged")]);
  }
  const read = Object.values(ledger.sources).reduce((sum, { out }) => sum + out, 0);
  const earlier = read - report.records;
  const lines = [
    `${report.outcome} after ${describeSpan(report.elapsedMs)}: ${
      describeCount(report.records)
    } records in this run, ${describeCount(report.epochs)} checkpoints`,
    ...(earlier > 0 ? [`  with the ${describeCount(earlier)} of earlier runs:`] : []),
    ...align(rows).map((row) => `  ${row}`),
    "  the ledger balances: every record is accounted for",
  ];
  for (const [id, counters] of Object.entries(report.counters)) {
    const counts = Object.entries(counters).filter(([, value]) => value > 0)
      .map(([name, value]) => `${name} ${describeCount(value)}`);
    if (counts.length > 0) lines.push(`  ${id}: ${counts.join(", ")}`);
  }
  lines.push(...describeRefused(report, pipeline, file));
  return `${lines.join("\n")}\n`;
}

/**
 * The end of a replay.
 *
 * @param report How it ended.
 * @param pipeline The pipeline.
 */
export function describeReplay(report: RunReport, pipeline: Pipeline): string {
  if (report.records === 0) return "No dead letters wait to be put through again\n";
  const again = sumOf(report.deadLetters);
  const lines = [
    `${report.outcome}: put ${counted(report.records, "dead letter")} through again, of which ${
      again === 0 ? "none was" : `${describeCount(again)} ${again === 1 ? "was" : "were"}`
    } refused once more`,
    "  the ledger balances: every record is accounted for",
  ];
  const stateful = pipeline.transforms.filter(({ plugin }) => plugin.state).map(({ id }) => id);
  if (stateful.length > 0) {
    lines.push(
      `  ${
        listed(stateful, "and")
      }: records that come late do not change what was worked out from later ones`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A run with refused records says so, and what to do about them. */
function describeRefused(
  { ledger, deadLetters }: RunReport,
  pipeline: Pipeline | undefined,
  file: string,
): string[] {
  const lines: string[] = [];
  const waiting = waitingLetters(ledger);
  if (waiting > 0) {
    const steps = Object.entries(deadLetters).map(([id, count]) => `${id} ${describeCount(count)}`);
    const now = steps.length === 0 ? "none in this run" : `in this run: ${steps.join(", ")}`;
    const isReadable = pipeline?.deadLetter?.plugin.jsonLines !== undefined;
    const next = isReadable ? `; once mended, \`penstock replay ${file}\` puts them through` : "";
    lines.push(`  WARNING: ${counted(waiting, "dead letter")} (${now})${next}`);
  }
  if (ledger.dropped > 0) {
    lines.push(
      `  WARNING: ${counted(ledger.dropped, "refused record")} dropped, as \`on_error\` says`,
    );
  }
  return lines;
}

/** Dead letters that were not put through again. */
function waitingLetters({ deadLetter, transforms, sinks }: RunReport["ledger"]): number {
  const steps = [...Object.values(transforms), ...Object.values(sinks)];
  return deadLetter.out - steps.reduce((sum, { replayed }) => sum + replayed, 0);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function counted(count: number, what: string): string {
  return `${describeCount(count)} ${what}${count === 1 ? "" : "s"}`;
}

function countsOf(step: StepLedger, out: string): string[] {
  return [
    `in ${describeCount(step.in)}`,
    ...(step.replayed > 0 ? [`replayed ${describeCount(step.replayed)}`] : []),
    ...(step.extra > 0 ? [`made ${describeCount(step.extra)} more`] : []),
    `${out} ${describeCount(step.out)}`,
    `filtered ${describeCount(step.filtered)}`,
    `rejected ${describeCount(step.rejected)}`,
  ];
}

function align(rows: readonly string[][]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}
