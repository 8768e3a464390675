/**
 * What a pipeline remembers, in words.
 *
 * @module
 */

import type { Checkpoint } from "./body.ts";
import type { Peek } from "./checkpoint.ts";
import type { Json } from "../context.ts";
import type { Pipeline } from "../pipeline.ts";
import type { SeriesPlace } from "../plugin.ts";
import { describeAge, describeBytes, describeCount, describeMoment } from "../words.ts";

/** Keys of one step that are shown: the export has all of them. */
const MOST_KEYS = 30;
/** Digits of a number that are shown. */
const DIGITS = 8;
const EARLIEST_MS = 1_000_000_000_000;
const LATEST_MS = 10_000_000_000_000;

/**
 * Describes what a checkpoint holds: how far each series is, what each transform remembers, where
 * each sink goes on.
 *
 * @param pipeline The pipeline it is of.
 * @param peek The checkpoint.
 * @param nowMs Epoch milliseconds, to say how far behind a series is.
 * @returns Lines of text.
 */
export function describeState(pipeline: Pipeline, peek: Peek, nowMs: number): string {
  const { checkpoint } = peek;
  return [
    ...headLines(peek, nowMs),
    ...sourceLines(pipeline, checkpoint, nowMs),
    ...transformLines(checkpoint),
    ...sinkLines(checkpoint),
    ...refusedLines(checkpoint),
  ].map((line) => `${line}\n`).join("");
}

function headLines({ checkpoint, savedMs, bytes, path, warning }: Peek, nowMs: number): string[] {
  const { pipeline, epoch } = checkpoint;
  const age = describeAge(nowMs - savedMs);
  return [
    `pipeline ${pipeline}: checkpoint ${describeCount(epoch)}, saved ${
      describeMoment(savedMs)
    } (${age}), ${describeBytes(bytes)}`,
    `  ${path}`,
    ...(warning === undefined ? [] : [`  WARNING: ${warning}; this is the one before it`]),
  ];
}

function sourceLines(pipeline: Pipeline, checkpoint: Checkpoint, nowMs: number): string[] {
  return Object.entries(checkpoint.positions).flatMap(([id, position]) => {
    const step = pipeline.sources.find((source) => source.id === id);
    const records = checkpoint.ledger.sources[id]?.out ?? 0;
    const places = step?.plugin.describePosition?.(step.options, position, nowMs);
    const rows = places
      ? places.map((place) => placeRow(place, nowMs))
      : Object.entries(position).map(([key, value]) => [key, describeJson(value, nowMs)]);
    return [
      `source ${id}: gave ${describeCount(records)} records${countersOf(checkpoint, id)}`,
      ...tableOf(rows),
    ];
  });
}

function placeRow({ series, lastMs, behind, unit = "records" }: SeriesPlace, nowMs: number) {
  const last = lastMs === undefined
    ? "nothing yet"
    : `last ${describeMoment(lastMs)} (${describeAge(nowMs - lastMs)})`;
  const lag = behind === undefined
    ? ""
    : behind === 0
    ? "up to date"
    : `${describeCount(behind)} ${unit} behind`;
  return [series, last, lag];
}

function transformLines({ states, ledger }: Checkpoint): string[] {
  return Object.entries(ledger.transforms).flatMap(([id, counts]) => {
    const kept = Object.entries(states[id] ?? {});
    const keys = kept.length === 0
      ? "remembers nothing"
      : `remembers ${describeCount(kept.length)}`;
    const what = kept.length === 0 ? "" : kept.length === 1 ? " key" : " keys";
    return [
      `transform ${id}: ${keys}${what}; in ${describeCount(counts.in)}, out ${
        describeCount(counts.out)
      }, rejected ${describeCount(counts.rejected)}`,
      ...tableOf(kept.map(([key, state]) => [key || "(all)", describeJson(state, undefined)])),
    ];
  });
}

function sinkLines(checkpoint: Checkpoint): string[] {
  return Object.entries(checkpoint.ledger.sinks).map(([id, counts]) =>
    `sink ${id}: ${describeCount(counts.out)} records acknowledged${
      countersOf(checkpoint, id)
    }; goes on at ${describeJson(checkpoint.tokens[id] ?? null, undefined)}`
  );
}

function refusedLines({ ledger, replayed, deadLetterToken }: Checkpoint): string[] {
  const { deadLetter, dropped } = ledger;
  const lines = dropped > 0 ? [`dropped: ${describeCount(dropped)} refused records`] : [];
  if (deadLetter.in === 0) return lines;
  const files = Object.entries(replayed).map(([file, count]) => `${file} ${describeCount(count)}`);
  const done = files.length > 0 ? `, put through again: ${files.join(", ")}` : "";
  return [
    ...lines,
    `dead letters: ${describeCount(deadLetter.out)} kept${done}; goes on at ${
      describeJson(deadLetterToken, undefined)
    }`,
  ];
}

function countersOf({ counters }: Checkpoint, id: string): string {
  const counts = Object.entries(counters[id] ?? {});
  return counts.map(([name, count]) => `, ${name} ${describeCount(count)}`).join("");
}

function tableOf(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.slice(0, MOST_KEYS);
  const width = Math.max(0, ...shown.map(([key = ""]) => key.length));
  const lines = shown.map(([key = "", ...cells]) =>
    `  ${key.padEnd(width)}  ${cells.filter((cell) => cell !== "").join(", ")}`
  );
  const more = rows.length - shown.length;
  return more > 0 ? [...lines, `  … and ${describeCount(more)} more: see state export`] : lines;
}

/** Plain data on one line: `last.t 2024-01-01T00:00:00Z, last.n 15`. */
function describeJson(value: Json, nowMs: number | undefined): string {
  const parts = leavesOf(value, "").map(([name, leaf]) => {
    const text = describeLeaf(leaf, nowMs);
    return name === "" ? text : `${name} ${text}`;
  });
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function leavesOf(value: Json, name: string): [string, Json][] {
  if (typeof value !== "object" || value === null) return [[name, value]];
  if (Array.isArray(value)) return [[name, `${value.length} items`]];
  return Object.entries(value).flatMap(([key, part]) =>
    leavesOf(part, name === "" ? key : `${name}.${key}`)
  );
}

function describeLeaf(leaf: Json, nowMs: number | undefined): string {
  const isTime = typeof leaf === "number" && leaf >= EARLIEST_MS && leaf < LATEST_MS;
  if (typeof leaf === "number" && !isTime) return String(Number(leaf.toPrecision(DIGITS)));
  if (!isTime) return leaf === null ? "none" : leaf === "" ? '""' : String(leaf);
  const moment = describeMoment(leaf);
  return nowMs === undefined ? moment : `${moment} (${describeAge(nowMs - leaf)})`;
}
