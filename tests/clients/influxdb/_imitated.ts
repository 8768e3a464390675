/**
 * Answers the questions that are asked of stores, as each kind of server does: its language, its
 * limits, its formats. Whatever it is not asked as expected, it refuses.
 */

import type { ServerKind } from "../../../clients/influxdb/connection.ts";
import type { Context } from "../../../engine/context.ts";
import type { FieldType, Point } from "../../../engine/point.ts";

/** What it imitates. */
export interface Imitation {
  readonly kind: ServerKind;
  /** What it stores. Read anew for each request. */
  readonly points: readonly Point[];
  /** The types of the fields, where JSON does not tell. */
  readonly types?: Readonly<Record<string, FieldType>>;
  /** The most rows it gives for one series. */
  readonly maxRows?: number;
  /** Answers a request instead; counted from 0. */
  instead?(request: { readonly url: URL; readonly body: string }, count: number):
    | Response
    | undefined;
}

/** An imitated server. */
export interface Imitated {
  readonly fetch: Context["fetch"];
  /** What it was asked, in its language. */
  readonly asked: string[];
}

/** What is asked for, whatever the language. */
interface Asked {
  readonly measurement: string;
  /** Undefined for all. */
  readonly fields: readonly string[] | undefined;
  readonly where: readonly (readonly [tag: string, values: readonly string[]])[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  readonly descending: boolean;
}

/** Imitates a server. */
export function imitate(imitation: Imitation): Imitated {
  const asked: string[] = [];
  return {
    asked,
    fetch: async (address, init) => {
      await Promise.resolve();
      init?.signal?.throwIfAborted();
      const url = new URL(address);
      const body = typeof init?.body === "string" ? init.body : "";
      const query = body === "" ? url.searchParams.get("q") ?? url.search : JSON.parse(body).query;
      const count = asked.push(query) - 1;
      return imitation.instead?.({ url, body }, count) ??
        ANSWERS[`${imitation.kind} ${url.pathname}`]?.(imitation, query, url.searchParams) ??
        new Response("404 page not found", { status: 404 });
    },
  };
}

type Answer = (imitation: Imitation, query: string, parameters: URLSearchParams) => Response;

const ANSWERS: Readonly<Record<string, Answer>> = {
  "v1 /query": (imitation, query) =>
    query.startsWith("SHOW SERIES")
      ? showSeries(imitation, query)
      : answerInfluxql(imitation, query),
  "v3 /query": answerInfluxql,
  "v2 /api/v2/query": answerFlux,
  "victoria_metrics /api/v1/export": (imitation, _query, parameters) =>
    new Response(
      exportLines(imitation, parameters).map((line) => `${JSON.stringify(line)}\n`).join(""),
    ),
  "victoria_metrics /api/v1/series": (imitation, _query, parameters) =>
    Response.json({
      status: "success",
      data: exportLines(imitation, parameters).map(({ metric }) => metric),
    }),
};

function showSeries(imitation: Imitation, query: string): Response {
  const [, name = "", conditions = ""] = /^SHOW SERIES FROM "(.*?)"(?: WHERE (.*))?$/.exec(query) ??
    [];
  const found = select(imitation, {
    ...{ measurement: name, fields: undefined, where: conditionsOf(conditions) },
    ...{ fromMs: 0, toMs: Infinity, limit: 1, descending: false },
  });
  const values = found.map(({ tags }) => [
    [name, ...Object.entries(tags).map(([tag, value]) => `${tag}=${value}`)]
      .map((part) => part.replace(/[, ]/g, "\\$&")).join(","),
  ]);
  return Response.json({ results: [{ statement_id: 0, series: [{ columns: ["key"], values }] }] });
}

const SELECT =
  /^SELECT (.*?) FROM "(.*?)" WHERE time >= (\d+)ms AND time < (\d+)ms(?: AND (.*?))? GROUP BY \*( ORDER BY time DESC)? LIMIT (\d+)$/;

function answerInfluxql(imitation: Imitation, query: string): Response {
  const [, columns = "", measurement = "", from, to, conditions = "", order, limit] =
    SELECT.exec(query) ?? [];
  if (from === undefined) {
    return Response.json({ error: `error parsing query: ${query}` }, { status: 400 });
  }
  const fields = columns === "*::field"
    ? undefined
    : columns.split(", ").map((name) => JSON.parse(name));
  const found = select(imitation, {
    ...{ measurement, fields, where: conditionsOf(conditions) },
    ...{ fromMs: Number(from), toMs: Number(to), limit: Number(limit), descending: !!order },
  });
  const names = fields ?? [...new Set(found.flatMap(({ points }) => points.flatMap(namesOf)))];
  const series = found.map(({ tags, points }) => {
    const shown = points.slice(0, imitation.maxRows);
    return {
      name: measurement,
      tags,
      columns: ["time", ...names],
      values: shown.map(({ timeMs, fields }) => [
        timeMs,
        ...names.map((name) =>
          typeof fields[name] === "bigint" ? Number(fields[name]) : fields[name] ?? null
        ),
      ]),
      ...(shown.length < points.length ? { partial: true } : {}),
    };
  });
  return Response.json({
    results: [{ statement_id: 0, ...(series.length > 0 ? { series } : {}) }],
  });
}

function conditionsOf(text: string): [string, string[]][] {
  return text.split(" AND ").filter((part) => part !== "").map((part) => {
    const pairs = [...part.matchAll(/"(.*?)" = '(.*?)'/g)];
    return [pairs[0]?.[1] ?? "", pairs.map(([, , value = ""]) => value)];
  });
}

const FLUX =
  /^from\(bucket: "market"\)\s+\|> range\(start: time\(v: "(.*?)"\), stop: time\(v: "(.*?)"\)\)\s+\|> filter\(fn: \(r\) => (.*)\)\s+\|> (limit|tail|first)\((?:n: (\d+))?\)\s+\|> (pivot|drop)/;

function answerFlux(imitation: Imitation, query: string): Response {
  const [, from = "", to = "", filter = "", end, limit, last] = FLUX.exec(query) ?? [];
  if (!last) return Response.json({ code: "invalid", message: query }, { status: 400 });
  const where = filter.split(" and ").map((part): [string, string[]] => {
    const pairs = [...part.matchAll(/r\["(.*?)"\] == "(.*?)"/g)];
    return [pairs[0]?.[1] ?? "", pairs.map(([, , value = ""]) => value)];
  });
  const own = (name: string) => where.find(([column]) => column === name)?.[1];
  const asked = {
    measurement: own("_measurement")?.[0] ?? "",
    where: where.filter(([column]) => !column.startsWith("_")),
    ...{ fromMs: Date.parse(from), toMs: Date.parse(to), limit: Number(limit ?? 1) },
    descending: end === "tail",
  };
  const fields = own("_field") ?? [...new Set(imitation.points.flatMap(namesOf))];
  const text = last === "drop"
    ? listTables(select(imitation, { ...asked, fields }))
    : pivotTables(imitation, asked, fields);
  return new Response(text, { headers: { "content-type": "text/csv; charset=utf-8" } });
}

/** The limit counts for each field by itself; fields are then put side by side. */
function pivotTables(
  imitation: Imitation,
  asked: Omit<Asked, "fields">,
  fields: readonly string[],
): string {
  const tables = new Map<string, { tags: Point["tags"]; rows: Map<number, Point["fields"]> }>();
  for (const name of fields) {
    for (const { tags, points } of select(imitation, { ...asked, fields: [name] })) {
      const key = JSON.stringify(tags);
      const table = tables.get(key) ?? { tags, rows: new Map() };
      tables.set(key, table);
      for (const { timeMs, fields } of points) {
        table.rows.set(timeMs, { ...table.rows.get(timeMs), [name]: fields[name] ?? 0 });
      }
    }
  }
  return [...tables.values()].map(({ tags, rows }) => {
    const names = fields.filter((name) => [...rows.values()].some((row) => name in row));
    const types = names.map((name) => FLUX_TYPES[imitation.types?.[name] ?? "float"]);
    const lines = Array.from(
      rows,
      ([timeMs, row]) =>
        ["", "_result", 0, new Date(timeMs).toISOString(), "m", ...Object.values(tags)]
          .concat(names.map((name) => row[name] === undefined ? "" : String(row[name]))).join(","),
    );
    return tableOf(["_time", "_measurement"], tags, names, types) + lines.join("\r\n");
  }).join("\r\n\r\n") + "\r\n\r\n";
}

function listTables(found: readonly Selected[]): string {
  return found.map(({ tags }) =>
    `${tableOf(["_measurement"], tags, [], [])},_result,0,m,${Object.values(tags).join(",")}`
  ).join("\r\n\r\n") + "\r\n\r\n";
}

const FLUX_TYPES = { float: "double", integer: "long", boolean: "boolean", string: "string" };

function tableOf(
  own: readonly string[],
  tags: Point["tags"],
  names: readonly string[],
  types: readonly string[],
): string {
  const ownTypes = own.map((name) => name === "_time" ? "dateTime:RFC3339" : "string");
  const tagNames = Object.keys(tags);
  const rows = [
    ["#datatype", "string", "long", ...ownTypes, ...tagNames.map(() => "string"), ...types],
    ["#group", "false", "false", ...own.map((name) => String(name !== "_time"))]
      .concat(tagNames.map(() => "true"), names.map(() => "false")),
    [
      "#default",
      "_result",
      "",
      ...own.map(() => ""),
      ...tagNames.map(() => ""),
      ...names.map(() => ""),
    ],
    ["", "result", "table", ...own, ...tagNames, ...names],
  ];
  return rows.map((row) => `${row.join(",")}\r\n`).join("");
}

interface ExportLine {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: number[];
  readonly timestamps: number[];
}

function exportLines(imitation: Imitation, parameters: URLSearchParams) {
  const labels = [...(parameters.get("match[]") ?? "").matchAll(/(\w+)(=~?)("(?:[^"\\]|\\.)*")/g)];
  const patterns = labels.map(([, label = "", , text = ""]) =>
    [label, new RegExp(`^(?:${JSON.parse(text)})$`)] as const
  );
  const fromMs = 1_000 * Number(parameters.get("start"));
  const toMs = 1_000 * Number(parameters.get("end"));
  const lines = new Map<string, ExportLine>();
  for (const { measurement, tags, fields, timeMs } of imitation.points) {
    if (timeMs < fromMs || timeMs > toMs) continue;
    for (const [name, value] of Object.entries(fields)) {
      const metric = { __name__: `${measurement}_${name}`, db: "market", ...tags };
      if (!patterns.every(([label, one]) => one.test(Object(metric)[label] ?? ""))) continue;
      const key = JSON.stringify(metric);
      const line: ExportLine = lines.get(key) ?? { metric, values: [], timestamps: [] };
      lines.set(key, line);
      line.values.push(Number(value));
      line.timestamps.push(timeMs);
    }
  }
  return [...lines.values()];
}

interface Selected {
  readonly tags: Point["tags"];
  readonly points: readonly Point[];
}

/** The points asked for, by series, in the order asked for. */
function select({ points }: Imitation, asked: Asked): Selected[] {
  const found = new Map<string, { tags: Point["tags"]; points: Point[] }>();
  const { fields } = asked;
  for (const point of points) {
    const { measurement, tags, timeMs } = point;
    if (measurement !== asked.measurement || timeMs < asked.fromMs || timeMs >= asked.toMs) {
      continue;
    }
    if (!asked.where.every(([tag, values]) => values.includes(tags[tag] ?? ""))) continue;
    if (fields && !fields.some((name) => name in point.fields)) continue;
    const key = JSON.stringify(tags);
    const series = found.get(key) ?? { tags, points: [] };
    found.set(key, series);
    series.points.push(point);
  }
  const sign = asked.descending ? -1 : 1;
  return Array.from(found.values(), ({ tags, points }) => ({
    tags,
    points: points.sort((a, b) => sign * (a.timeMs - b.timeMs)).slice(0, asked.limit),
  }));
}

function namesOf({ fields }: Point): string[] {
  return Object.keys(fields);
}
