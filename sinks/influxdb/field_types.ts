/**
 * The types that fields have in the store, against those that the pipeline declares.
 *
 * A store gives a field the type of the first value it is sent, and refuses others from then on, or
 * mixes them. So this is looked at before the first value.
 *
 * @module
 */

import { z } from "zod";
import type { InfluxClient } from "../../clients/influxdb/client.ts";
import { kindOf } from "../../clients/influxdb/connection.ts";
import { nameOf } from "../../clients/influxdb/failure.ts";
import { askInfluxql, quoteName } from "../../clients/influxdb/influxql.ts";
import { describeError, OptionsError } from "../../engine/errors.ts";
import type { PointShape, RecordShape } from "../../engine/point.ts";

/** The types that a field has in the store, by its name: more than one where shards disagree. */
export type StoredTypes = ReadonlyMap<string, ReadonlySet<string>>;

/** What came of a comparison. */
export interface Compared {
  /** Declared fields that are stored already; undefined where the store cannot be asked. */
  readonly compared: number | undefined;
  /** What the user should know of. */
  readonly warnings: readonly string[];
}

/**
 * Compares declared types with stored ones.
 *
 * @throws {OptionsError} With all fields whose declared type is not the stored one.
 */
export async function checkFieldTypes(
  client: InfluxClient,
  shapes: readonly RecordShape[],
): Promise<Compared> {
  const mistakes: string[] = [];
  const warnings: string[] = [];
  let compared: number | undefined;
  for (const shape of shapes) {
    if (shape.kind !== "point") continue;
    const stored = await storedTypes(client, shape);
    if (typeof stored === "string") {
      warnings.push(stored);
      continue;
    }
    for (const [field, type] of Object.entries(shape.fields)) {
      const types = stored?.get(field);
      if (stored) compared = (compared ?? 0) + (types ? 1 : 0);
      if (!types) continue;
      const found = [...types].join(" and ");
      if (!types.has(type)) {
        mistakes.push(
          `"${field}" of "${shape.measurement}" must be ${found}: it is declared as ${type}`,
        );
      } else if (types.size > 1) {
        warnings.push(`Field "${field}" of "${shape.measurement}" is stored as ${found}`);
      }
    }
  }
  if (mistakes.length > 0) throw conflict(client, mistakes);
  return { compared, warnings };
}

function conflict(client: InfluxClient, mistakes: readonly string[]): OptionsError {
  return new OptionsError(
    `Cannot write to ${
      nameOf(client.connection)
    } as fields must keep the types they are stored with: ${mistakes.join("; ")}`,
    { hint: "Write to another database, bucket or measurement, or drop the measurement there" },
  );
}

/**
 * The types that the fields of a measurement have in the store.
 *
 * @returns Nothing where the store knows no types; a text that says why where it cannot be asked.
 */
export async function storedTypes(
  client: InfluxClient,
  shape: PointShape,
): Promise<StoredTypes | string | undefined> {
  const kind = kindOf(client.connection);
  if (kind === "victoria_metrics") return undefined;
  try {
    return kind === "v3" ? await fromSql(client, shape) : await fromInfluxql(client, shape);
  } catch (error) {
    // Whoever may only write cannot ask, and a bucket that is not mapped cannot be asked in InfluxQL.
    if (!(error instanceof OptionsError)) throw error;
    return `Cannot compare the types of the fields of "${shape.measurement}" with those in the store: ${
      describeError(error)
    }`;
  }
}

async function fromInfluxql(
  client: InfluxClient,
  { measurement }: PointShape,
): Promise<StoredTypes> {
  const { database, bucket, retention_policy } = client.connection;
  const db = database ?? bucket ?? "";
  const policy = retention_policy === undefined ? "" : `${quoteName(retention_policy)}.`;
  const [series] = await askInfluxql(client, {
    action: `read the types of the fields of "${measurement}"`,
    q: `SHOW FIELD KEYS ON ${quoteName(db)} FROM ${policy}${quoteName(measurement)}`,
    db,
  });
  return collect((series?.values ?? []).map(([name, type]) => [String(name), String(type)]));
}

/** The types of version 3, which are those of Arrow. */
const ARROW_TYPES: Readonly<Record<string, string>> = {
  Float64: "float",
  Int64: "integer",
  UInt64: "unsigned",
  Boolean: "boolean",
  Utf8: "string",
};

async function fromSql(client: InfluxClient, { measurement }: PointShape): Promise<StoredTypes> {
  const { database } = client.connection;
  const table = `'${measurement.replaceAll("'", "''")}'`;
  const answer = await client.request({
    action: `read the types of the fields of "${measurement}"`,
    method: "GET",
    path: "/api/v3/query_sql",
    query: {
      db: database,
      format: "json",
      q: `SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ${table}`,
    },
  });
  const rows = z.array(z.object({ column_name: z.string(), data_type: z.string() }))
    .parse(JSON.parse(answer.body));
  return collect(rows.map(({ column_name, data_type }) => [
    column_name,
    ARROW_TYPES[data_type] ?? data_type,
  ]));
}

function collect(pairs: readonly (readonly [string, string])[]): StoredTypes {
  const types = new Map<string, Set<string>>();
  for (const [name, type] of pairs) {
    const known = types.get(name) ?? new Set();
    types.set(name, known.add(type));
  }
  return types;
}
