/**
 * What an audit found, in words.
 *
 * @module
 */

import type { AuditedSeries, AuditReport } from "../engine/audit/audit.ts";
import type { Finding } from "../engine/audit/findings.ts";
import { isWhole } from "../engine/audit/series.ts";
import { describeCount } from "../engine/words.ts";

/** Lines of one kind that are shown of a series. */
const MOST_LINES = 20;

/**
 * The report of an audit as text: each series with what is missing, wrong and suspicious, then all
 * in one line.
 *
 * @param report What was found.
 * @param file The pipeline file, for the hint.
 */
export function describeAudit(report: AuditReport, file: string): string {
  const lines = report.series.flatMap(describeSeries);
  for (const { sink, what } of report.stores) lines.push(`suspicious in ${sink}: ${what}`);
  for (const { step, why } of report.left) lines.push(`left out: ${step}, as ${why}`);
  lines.push(describeWhole(report));
  if (!report.isWhole && !report.series.some(({ repair }) => repair)) {
    lines.push(`\`penstock audit ${file} --repair\` fetches and writes just what is missing`);
  }
  return `${lines.join("\n")}\n`;
}

function describeSeries(series: AuditedSeries): string[] {
  const { tags, sink, expected, stored, gaps, holes, breaks, suspicious, repair } = series;
  const name = Object.entries(tags).map(([tag, value]) => `${tag}=${value}`).join(" ");
  const missing = sum(gaps, "slots");
  const of = expected === undefined
    ? "of a series without an interval"
    : `of ${describeCount(expected)}, ${missing === 0 ? "none" : describeCount(missing)} missing`;
  return [
    `${name} in ${sink}: ${describeCount(stored)} points ${of}`,
    ...(repair ? describeRepair(repair) : []),
    ...list(gaps, ({ fromMs, toMs, slots }) => ["missing", fromMs, toMs, count(slots)]),
    ...list(breaks, (finding) => describeFinding("wrong", finding)),
    ...list(
      holes,
      ({ fromMs, toMs, slots }) => ["hole", fromMs, toMs, `${count(slots)} never made`],
    ),
    ...list(suspicious, (finding) => describeFinding("suspicious", finding)),
  ];
}

function describeRepair(
  { filled, computed, holes, refused }: NonNullable<AuditedSeries["repair"]>,
) {
  return [
    `  repaired    ${count(filled)} fetched and written, ${count(computed)} computed anew, ` +
    `${count(sum(holes, "slots"))} found never to have been made`,
    ...refused.map((reason) => `  refused     ${reason}`),
  ];
}

type Line = readonly [kind: string, fromMs: number, toMs: number, what: string];

function describeFinding(kind: string, { what, fromMs, lastMs, points }: Finding): Line {
  return [kind, fromMs, lastMs, `${count(points)} ${what}`];
}

function list<T>(items: readonly T[], lineOf: (item: T) => Line): string[] {
  const lines = items.slice(0, MOST_LINES).map((item) => {
    const [kind, fromMs, toMs, what] = lineOf(item);
    const times = fromMs === toMs ? isoOf(fromMs) : `${isoOf(fromMs)} – ${isoOf(toMs)}`;
    return `  ${kind.padEnd(10)}  ${times}  ${what}`;
  });
  const more = items.length - MOST_LINES;
  return more > 0
    ? [...lines, `  … and ${describeCount(more)} more: \`--format json\` has all`]
    : lines;
}

function describeWhole({ series, isWhole: all }: AuditReport): string {
  const suspicious = series.filter((one) => one.suspicious.length > 0).length;
  const odd = suspicious > 0 ? `; ${describeCount(suspicious)} with suspicious points` : "";
  const size = `${describeCount(series.length)} series`;
  if (all) return `${size}: nothing is missing${odd}`;
  const missing = series.reduce((total, { gaps }) => total + sum(gaps, "slots"), 0);
  const wrong = series.reduce((total, { breaks }) => total + sum(breaks, "points"), 0);
  return `${size}, ${describeCount(series.filter(isWhole).length)} of them whole: ${
    count(missing)
  } missing, ${count(wrong)} with wrong fields${odd}`;
}

function sum<Key extends string>(
  items: readonly Readonly<Record<Key, number>>[],
  key: Key,
): number {
  return items.reduce((total, item) => total + item[key], 0);
}

function count(points: number): string {
  return points === 1 ? "1 point" : `${describeCount(points)} points`;
}

/** Seconds and what is below them, only where they say something. */
function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, "Z").replace(/:00Z$/, "Z");
}
