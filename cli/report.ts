/**
 * How far a run is, and how it ended, in words.
 *
 * @module
 */

import type { SeriesStatus } from "../engine/context.ts";
import type { StepLedger } from "../engine/ledger.ts";
import { nameOfSeries } from "../engine/monitor.ts";
import type { RunReport, RunStatus } from "../engine/run.ts";

const NUMBER = new Intl.NumberFormat("en-US");

/**
 * One line that says how far a run is.
 *
 * @param status How far it is.
 * @param elapsedMs Since its start, in milliseconds.
 */
export function describeStatus(status: RunStatus, elapsedMs: number): string {
  const perSecond = elapsedMs > 0 ? status.records / (elapsedMs / 1_000) : 0;
  const parts = [
    `${NUMBER.format(status.records)} records`,
    `${NUMBER.format(Math.round(perSecond))}/s`,
  ];
  if (status.timeMs !== undefined) parts.push(`at ${describeTime(status.timeMs)}`);
  const { progress } = status;
  if (progress !== undefined && progress > 0) {
    parts.push(`${Math.floor(100 * progress)} %`);
    if (progress < 1) parts.push(`${describeDuration(elapsedMs / progress - elapsedMs)} left`);
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
  if (lastMs > -Infinity) parts.push(`last close ${describeTime(lastMs)}`);
  const [first] = behind;
  if (!first) parts.push("up to date");
  else parts.push(describeBehind(first, behind.length - 1));
  return parts.join(" · ");
}

function describeLive(live: readonly SeriesStatus[], all: number): string {
  if (live.length === 0) return `none of ${format(all)} series live`;
  if (live.length < all) return `${format(live.length)} of ${format(all)} series live`;
  if (all > MOST_NAMED) return `${format(all)} series live`;
  return `${live.map(nameOfSeries).join(", ")} live`;
}

function describeBehind(first: SeriesStatus, others: number): string {
  const name = `${nameOfSeries(first)}${others > 0 ? ` and ${format(others)} more` : ""}`;
  const lagS = Math.floor(first.lagMs / 1_000);
  return lagS === 0
    ? `${name} connecting`
    : `${name} behind by ${lagS < 60 ? `${lagS} s` : describeDuration(first.lagMs)}`;
}

/** The end of a run: what became of every record, and whether the ledger balances. */
export function describeReport(report: RunReport): string {
  const { ledger } = report;
  const rows: string[][] = [];
  for (const [id, step] of Object.entries(ledger.sources)) {
    rows.push(["source", id, `out ${format(step.out)}`]);
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
    `${report.outcome} after ${describeDuration(report.elapsedMs)}: ${
      format(report.records)
    } records in this run, ${format(report.epochs)} checkpoints`,
    ...(earlier > 0 ? [`  with the ${format(earlier)} of earlier runs:`] : []),
    ...align(rows).map((row) => `  ${row}`),
    "  the ledger balances: every record is accounted for",
  ];
  for (const [id, counters] of Object.entries(report.counters)) {
    const counts = Object.entries(counters).map(([name, value]) => `${name} ${format(value)}`);
    if (counts.length > 0) lines.push(`  ${id}: ${counts.join(", ")}`);
  }
  if (ledger.deadLetter.out > 0 || ledger.dropped > 0) lines.push(describeRefused(report));
  return `${lines.join("\n")}\n`;
}

/** A duration in at most two units. */
export function describeDuration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1_000) % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function describeRefused({ ledger }: RunReport): string {
  const kept = `${format(ledger.deadLetter.out)} kept as dead letters`;
  return `  refused records: ${kept}, ${format(ledger.dropped)} dropped`;
}

function countsOf(step: StepLedger, out: string): string[] {
  return [
    `in ${format(step.in)}`,
    ...(step.extra > 0 ? [`made ${format(step.extra)} more`] : []),
    `${out} ${format(step.out)}`,
    `filtered ${format(step.filtered)}`,
    `rejected ${format(step.rejected)}`,
  ];
}

function describeBytes(bytes: number): string {
  if (bytes < 10_000) return `${format(bytes)} bytes`;
  return bytes < 10_000_000
    ? `${Math.round(bytes / 1_000)} kB`
    : `${Math.round(bytes / 1_000_000)} MB`;
}

function describeTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 16)}Z`;
}

function format(value: number): string {
  return NUMBER.format(value);
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
