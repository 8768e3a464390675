/**
 * Selects points from the export of VictoriaMetrics.
 *
 * There each field is a series of its own, named by measurement and field, joined by `_`. All values
 * are floats of about 15 digits: booleans come as 1 and 0, texts are lost. What was written twice is
 * there twice, unless the server drops doubles: of values at one moment the last one given counts.
 *
 * @module
 */

import { z } from "zod";
import { FatalError } from "../../engine/errors.ts";
import type { FieldValue, Point } from "../../engine/point.ts";
import type { InfluxClient } from "./client.ts";
import { nameOf } from "./failure.ts";
import {
  type Dialect,
  fieldValue,
  type Selection,
  type SeriesPoints,
  type Tags,
  withoutEmpty,
} from "./selection.ts";

/** Samples in one line of the export: what is parsed at once. */
const LINE_SAMPLES = 10_000;

const lineSchema = z.object({
  metric: z.record(z.string(), z.string()),
  values: z.array(z.number().nullable()),
  timestamps: z.array(z.number()),
});
const listSchema = z.object({ data: z.array(z.record(z.string(), z.string())) });

/** The dialect of VictoriaMetrics. */
export const EXPORT: Dialect = {
  select: selectPoints,
  async list(client, selection) {
    const { action } = selection;
    const { body } = await client.request({
      action,
      method: "GET",
      path: "/api/v1/series",
      query: queryOf(client, selection),
    });
    const { data } = check(client, action, listSchema, body);
    const series = new Map<string, Tags>();
    for (const metric of data) {
      const tags = tagsOf(metric);
      series.set(JSON.stringify(tags), tags);
    }
    return [...series.values()];
  },
};

/**
 * The series that hold the fields of a selection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const selector = selectorOf("market", {
 *   measurement: "kline",
 *   fields: { close: "float", volume: "float" },
 *   where: { symbol: ["BTCUSDT", "ETHUSDT"], interval: ["1m"] },
 * });
 * assertEquals(
 *   selector,
 *   '{__name__=~"kline_(close|volume)",db="market",symbol=~"(BTCUSDT|ETHUSDT)",interval=~"(1m)"}',
 * );
 * ```
 */
export function selectorOf(
  database: string | undefined,
  { measurement, fields, others, where }: Pick<
    Selection,
    "measurement" | "fields" | "others" | "where"
  >,
): string {
  const names = others
    ? ".+"
    : oneOf(Object.keys(fields).filter((name) => fields[name] !== "string"));
  const labels = [
    `__name__=~${JSON.stringify(`${asPattern(measurement)}_${names}`)}`,
    `db=${JSON.stringify(database ?? "")}`,
    ...Object.entries(where).map(([tag, values]) => `${tag}=~${JSON.stringify(oneOf(values))}`),
  ];
  return `{${labels.join(",")}}`;
}

/** Patterns match whole texts. */
function oneOf(values: readonly string[]): string {
  return `(${values.map(asPattern).join("|")})`;
}

function asPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function queryOf({ connection }: InfluxClient, selection: Selection): Record<string, string> {
  const { fromMs, toMs } = selection;
  return {
    "match[]": selectorOf(connection.database, selection),
    // 0 stands for a start of its own choice.
    start: String(Math.max(1, fromMs) / 1_000),
    end: String((toMs - 1) / 1_000),
  };
}

/** Values of one series by time, and by field. */
interface Found {
  readonly tags: Tags;
  readonly rows: Map<number, Record<string, FieldValue>>;
}

async function selectPoints(
  client: InfluxClient,
  selection: Selection,
): Promise<readonly SeriesPoints[]> {
  const { action, measurement, limit, end, fromMs, toMs } = selection;
  const found = new Map<string, Found>();
  const body = client.stream({
    action,
    method: "GET",
    path: "/api/v1/export",
    query: { ...queryOf(client, selection), max_rows_per_line: String(LINE_SAMPLES) },
  });
  for await (const line of linesOf(body)) {
    const { metric, values, timestamps } = check(client, action, lineSchema, line);
    const name = metric.__name__?.slice(measurement.length + 1) ?? "";
    const tags = tagsOf(metric);
    const key = JSON.stringify(tags);
    const series = found.get(key) ?? { tags, rows: new Map() };
    found.set(key, series);
    for (const [at, timeMs] of timestamps.entries()) {
      if (timeMs < fromMs || timeMs >= toMs) continue;
      const value = fieldValue(selection, name, values[at]);
      if (value === undefined) continue;
      const row = series.rows.get(timeMs);
      if (row) row[name] = value;
      else series.rows.set(timeMs, { [name]: value });
    }
    if (end === "last") keepLast(series, limit);
    // Other fields of these points are yet to come: too much was asked for.
    else if (series.rows.size > limit) return [{ tags, points: [], cutMs: fromMs }];
  }
  return Array.from(found.values(), (series) => asPoints(series, measurement))
    .filter(({ points }) => points.length > 0);
}

/** A field of the last points is among the last values of that field. */
function keepLast({ rows }: Found, limit: number): void {
  if (rows.size <= limit) return;
  const times = [...rows.keys()].sort((a, b) => a - b);
  for (const timeMs of times.slice(0, -limit)) rows.delete(timeMs);
}

function asPoints({ tags, rows }: Found, measurement: string): SeriesPoints {
  const points = Array.from(rows, ([timeMs, fields]): Point => ({
    ...{ measurement, tags, fields, timeMs },
  }));
  return { tags, points: points.sort((a, b) => a.timeMs - b.timeMs) };
}

function tagsOf({ __name__: _, db: _db, ...tags }: Readonly<Record<string, string>>): Tags {
  return withoutEmpty(tags);
}

function check<T>(client: InfluxClient, action: string, schema: z.ZodType<T>, text: string): T {
  const checked = schema.safeParse(parseJson(text));
  if (checked.success) return checked.data;
  throw new FatalError(
    `Cannot ${action}: ${nameOf(client.connection)} must answer with series in JSON: it answered "${
      text.slice(0, 100)
    }"`,
    { hint: "Check `url` and `server`" },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
