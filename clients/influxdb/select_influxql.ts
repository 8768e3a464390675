/**
 * Selects points in InfluxQL, as versions 1 and 3 understand it.
 *
 * @module
 */

import type { FieldValue, Point } from "../../engine/point.ts";
import type { InfluxClient } from "./client.ts";
import { askInfluxql, type InfluxqlSeries, quoteName, quoteText } from "./influxql.ts";
import {
  cutAt,
  type Dialect,
  fieldValue,
  type Selection,
  type SeriesPoints,
  type Tags,
  type Where,
  withoutEmpty,
} from "./selection.ts";

/** The dialect of version 3. */
export const INFLUXQL: Dialect = {
  async select(client, selection) {
    const found = await ask(client, selection, statementOf(selection));
    return found.map((series) => pointsOf(series, selection));
  },
  async list(client, selection) {
    const statement = statementOf({ ...selection, limit: 1, end: "first" });
    const found = await ask(client, selection, statement);
    return found.map(({ tags = {} }) => withoutEmpty(tags));
  },
};

/** The dialect of version 1: it has retention policies, and an index of its series. */
export const INFLUXQL_1: Dialect = {
  async select(client, selection) {
    const { retention_policy } = client.connection;
    const found = await ask(client, selection, statementOf(selection, retention_policy));
    return found.map((series) => pointsOf(series, selection));
  },
  /** Also those that have points at other times only: the index does not know of times. */
  async list(client, selection) {
    const { measurement, where } = selection;
    const conditions = conditionsOf(where).join(" AND ");
    const statement = `SHOW SERIES FROM ${quoteName(measurement)}${
      conditions === "" ? "" : ` WHERE ${conditions}`
    }`;
    const found = await ask(client, selection, statement);
    return found.flatMap(({ values }) => values.map(([key]) => tagsOfKey(String(key))));
  },
};

/**
 * The statement of a selection.
 *
 * @param selection What is selected.
 * @param retentionPolicy Where; the default one where it is left out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const statement = statementOf({
 *   action: "read",
 *   measurement: "kline",
 *   fields: { close: "float" },
 *   where: { symbol: ["BTCUSDT"] },
 *   fromMs: 1_000,
 *   toMs: 2_000,
 *   limit: 3,
 *   end: "last",
 * });
 * assertEquals(
 *   statement,
 *   `SELECT "close" FROM "kline" WHERE time >= 1000ms AND time < 2000ms AND ("symbol" = 'BTCUSDT') ` +
 *     "GROUP BY * ORDER BY time DESC LIMIT 3",
 * );
 * ```
 */
export function statementOf(selection: Selection, retentionPolicy?: string): string {
  const { measurement, fields, others, where, fromMs, toMs, limit, end } = selection;
  const columns = others ? "*::field" : Object.keys(fields).map(quoteName).join(", ");
  const from = [...(retentionPolicy === undefined ? [] : [retentionPolicy]), measurement];
  const conditions = [
    `time >= ${fromMs}ms`,
    `time < ${toMs}ms`,
    ...conditionsOf(where),
  ];
  return `SELECT ${columns} FROM ${from.map(quoteName).join(".")} WHERE ${
    conditions.join(" AND ")
  } GROUP BY *${end === "last" ? " ORDER BY time DESC" : ""} LIMIT ${limit}`;
}

function conditionsOf(where: Where): string[] {
  return Object.entries(where).map(([tag, values]) =>
    `(${values.map((value) => `${quoteName(tag)} = ${quoteText(value)}`).join(" OR ")})`
  );
}

function ask(
  client: InfluxClient,
  { action }: Selection,
  q: string,
): Promise<readonly InfluxqlSeries[]> {
  return askInfluxql(client, { action, q, db: client.connection.database, epoch: "ms" });
}

/**
 * The tags in the key of a series, as line protocol writes it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(tagsOfKey("price,of=a\\,b,symbol=A\\ B"), { of: "a,b", symbol: "A B" });
 * ```
 */
export function tagsOfKey(key: string): Tags {
  const [, ...tags] = splitAt(key, ",");
  return withoutEmpty(Object.fromEntries(tags.map((tag) => {
    const [name = "", ...value] = splitAt(tag, "=");
    return [unescape(name), unescape(value.join("="))];
  })));
}

/** Splits at a separator that no backslash stands before. */
function splitAt(text: string, separator: string): string[] {
  return text.split(new RegExp(`(?<!\\\\)${separator}`));
}

function unescape(text: string): string {
  return text.replace(/\\([,= ])/g, "$1");
}

function pointsOf(series: InfluxqlSeries, selection: Selection): SeriesPoints {
  const { measurement, limit, end } = selection;
  const tags = withoutEmpty(series.tags ?? {});
  const points: Point[] = [];
  for (const row of series.values) {
    const fields = fieldsOf(series.columns, row, selection);
    points.push({ measurement, tags, fields, timeMs: Number(row[0]) });
  }
  if (end === "last") return { tags, points: points.reverse() };
  const last = points.at(-1);
  // A server may give fewer than asked for, by a limit of its own, and says so.
  if (!last || (series.values.length < limit && !series.partial)) return { tags, points };
  return cutAt(tags, points, last.timeMs);
}

function fieldsOf(
  columns: readonly string[],
  row: readonly unknown[],
  selection: Selection,
): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {};
  for (const [at, name] of columns.entries()) {
    if (at === 0) continue;
    const value = fieldValue(selection, name, row[at]);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}
