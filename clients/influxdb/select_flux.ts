/**
 * Selects points in Flux, as version 2 understands it.
 *
 * @module
 */

import {
  flux,
  fluxDateTime,
  fluxExpression,
  fluxInteger,
  type FluxParameterLike,
  type FluxTableMetaData,
  linesToRowsIterable,
} from "@influxdata/influxdb-client";
import { FatalError } from "../../engine/errors.ts";
import type { FieldValue, Point } from "../../engine/point.ts";
import type { InfluxClient } from "./client.ts";
import { nameOf } from "./failure.ts";
import {
  cutAt,
  type Dialect,
  fieldValue,
  type Selection,
  type SeriesPoints,
  type Tags,
  withoutEmpty,
} from "./selection.ts";
import { queryApi } from "./transport.ts";

type Columns = FluxTableMetaData["columns"];

/** What tables have beside tags and fields. */
const OWN_COLUMNS: ReadonlySet<string> = new Set([
  ...["result", "table", "_start", "_stop", "_time", "_measurement", "_field", "_value"],
]);

/** The dialect of version 2. */
export const FLUX: Dialect = {
  select: selectPoints,
  async list(client, selection) {
    const series = new Map<string, Tags>();
    for await (const { columns, values } of ask(client, selection, listing(client, selection))) {
      const tags = tagsOf(columns, values);
      series.set(JSON.stringify(tags), tags);
    }
    return [...series.values()];
  },
};

/**
 * The query of a selection.
 *
 * Of each field the first or last points are taken, and then put side by side by time: a point may
 * lack fields at the end where there are more than the limit.
 */
export function queryOf(bucket: string, selection: Selection): string {
  const { limit, end } = selection;
  return `${rangeOf(bucket, selection)}
  |> ${fluxExpression(end === "last" ? "tail" : "limit")}(n: ${fluxInteger(limit)})
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`;
}

function rangeOf(bucket: string, selection: Selection): string {
  const { measurement, fields, others, where, fromMs, toMs } = selection;
  const conditions = [
    isOneOf("_measurement", [measurement]),
    ...(others ? [] : [isOneOf("_field", Object.keys(fields))]),
    ...Object.entries(where).map(([tag, values]) => isOneOf(tag, values)),
  ];
  return String(flux`from(bucket: ${bucket})
  |> range(start: ${timeOf(fromMs)}, stop: ${timeOf(toMs)})
  |> filter(fn: (r) => ${fluxExpression(conditions.join(" and "))})`);
}

function listing(client: InfluxClient, selection: Selection): string {
  return `${rangeOf(bucketOf(client), selection)}
  |> first()
  |> drop(columns: ["_start", "_stop", "_time", "_value", "_field"])
  |> limit(n: 1)`;
}

function isOneOf(column: string, values: readonly string[]): string {
  return `(${values.map((value) => flux`r[${column}] == ${value}`).join(" or ")})`;
}

function timeOf(ms: number): FluxParameterLike {
  return fluxDateTime(new Date(ms).toISOString());
}

function bucketOf({ connection: { bucket = "" } }: InfluxClient): string {
  return bucket;
}

interface FluxRow {
  readonly columns: Columns;
  readonly values: readonly string[];
}

async function* ask(
  client: InfluxClient,
  { action }: Selection,
  query: string,
): AsyncGenerator<FluxRow> {
  const lines = linesOf(client, action, query);
  for await (const { values, tableMeta: { columns } } of linesToRowsIterable(lines)) {
    const errorAt = columns.findIndex(({ label }) => label === "error");
    // A failure after the beginning of the answer comes as a table of its own.
    if (errorAt >= 0 && columns.some(({ label }) => label === "reference")) {
      throw client.failure(
        action,
        { status: 200, headers: new Headers(), body: values[errorAt] ?? "" },
        500,
      );
    }
    yield { columns, values };
  }
}

/** The lines of an answer, which begins with annotations unless it is empty. */
async function* linesOf(
  client: InfluxClient,
  action: string,
  query: string,
): AsyncGenerator<string> {
  let isKnown = false;
  for await (const line of queryApi(client, action).iterateLines(query)) {
    isKnown ||= line.startsWith("#");
    if (!isKnown && line !== "") {
      throw new FatalError(
        `Cannot ${action}: ${
          nameOf(client.connection)
        } must answer Flux with annotated CSV: it answered "${line.slice(0, 100)}"`,
        { hint: "Check `url` and `version`" },
      );
    }
    yield line;
  }
}

interface Found {
  readonly tags: Tags;
  readonly points: Point[];
  readonly counts: Map<string, { count: number; lastMs: number }>;
}

async function selectPoints(
  client: InfluxClient,
  selection: Selection,
): Promise<readonly SeriesPoints[]> {
  const found = new Map<string, Found>();
  for await (
    const { columns, values } of ask(client, selection, queryOf(bucketOf(client), selection))
  ) {
    const tags = tagsOf(columns, values);
    const key = JSON.stringify(tags);
    const series: Found = found.get(key) ?? { tags, points: [], counts: new Map() };
    found.set(key, series);
    series.points.push(pointOf(columns, values, selection, series));
  }
  return Array.from(found.values(), (series) => asPoints(series, selection));
}

function asPoints({ tags, points, counts }: Found, { limit, end }: Selection): SeriesPoints {
  points.sort((a, b) => a.timeMs - b.timeMs);
  if (end === "last") return { tags, points: points.slice(-limit) };
  const full = Array.from(counts.values()).filter(({ count }) => count >= limit);
  if (full.length === 0) return { tags, points };
  return cutAt(tags, points, Math.min(...full.map(({ lastMs }) => lastMs)));
}

function pointOf(
  columns: Columns,
  values: readonly string[],
  selection: Selection,
  { tags, counts }: Found,
): Point {
  const { measurement } = selection;
  const time = valueOf(columns, values, "_time");
  const timeMs = Date.parse(time);
  if (Number.isNaN(timeMs)) {
    throw new FatalError(`Cannot ${selection.action} as a row must have a time: it has "${time}"`);
  }
  const fields: Record<string, FieldValue> = {};
  for (const { label, group, dataType, index } of indexed(columns)) {
    if (group || OWN_COLUMNS.has(label)) continue;
    const value = fieldValue(selection, label, parse(dataType, values[index] ?? ""));
    if (value === undefined) continue;
    fields[label] = value;
    const { count, lastMs } = counts.get(label) ?? { count: 0, lastMs: -Infinity };
    counts.set(label, { count: count + 1, lastMs: Math.max(lastMs, timeMs) });
  }
  return { measurement, tags, fields, timeMs };
}

function indexed(columns: Columns): (Columns[number] & { readonly index: number })[] {
  return columns.map((column, index) => Object.assign(Object.create(column), { index }));
}

function tagsOf(columns: Columns, values: readonly string[]): Tags {
  const tags = columns.flatMap(({ label, group }, at): [string, string][] =>
    group && !OWN_COLUMNS.has(label) ? [[label, values[at] ?? ""]] : []
  );
  return withoutEmpty(Object.fromEntries(tags));
}

function valueOf(columns: Columns, values: readonly string[], label: string): string {
  return values[columns.findIndex((column) => column.label === label)] ?? "";
}

/** A cell; an empty one has no value, as CSV cannot tell it from an empty text. */
function parse(dataType: string, cell: string): unknown {
  if (cell === "") return undefined;
  switch (dataType) {
    case "double":
      return Number(cell);
    case "long":
    case "unsignedLong":
      return Number.isSafeInteger(Number(cell)) ? Number(cell) : BigInt(cell);
    case "boolean":
      return cell === "true";
    default:
      return cell;
  }
}
