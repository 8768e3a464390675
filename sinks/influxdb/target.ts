/**
 * Whether what is to be written to is there, may be written to, and has the declared types.
 *
 * @module
 */

import { z } from "zod";
import type { InfluxClient, InfluxRequest } from "../../clients/influxdb/client.ts";
import { kindOf } from "../../clients/influxdb/connection.ts";
import { type Answer, failureOf, nameOf, wordsOf } from "../../clients/influxdb/failure.ts";
import { askInfluxql, quoteName } from "../../clients/influxdb/influxql.ts";
import type { Log } from "../../engine/context.ts";
import { OptionsError } from "../../engine/errors.ts";
import type { RecordShape } from "../../engine/point.ts";
import {
  createBucketV2,
  createDatabaseV1,
  createDatabaseV3,
  createPolicyV1,
  type Creation,
} from "./creation.ts";
import { checkFieldTypes } from "./field_types.ts";
import { writeRequest } from "./write.ts";

const LIST = "a list of databases";

/**
 * Sees to it that the target can be written to, and makes it where it is missing and that is wanted.
 *
 * @throws {OptionsError} If it cannot be written to; the message or hint names the option.
 * @throws {RetryableError} If that cannot be found out now.
 */
export async function prepareTarget(
  client: InfluxClient,
  creation: Creation,
  shapes: readonly RecordShape[],
  log: Pick<Log, "info" | "warn">,
): Promise<void> {
  for (const made of await ensureTarget(client, creation)) log.info(`Made ${made}`);
  const { warnings } = await checkFieldTypes(client, shapes);
  for (const warning of warnings) log.warn(warning);
}

/**
 * Tries whether the target could be written to, and writes nothing.
 *
 * @returns What was found, in words.
 * @throws As {@linkcode prepareTarget}. A missing target is no failure where it is to be made.
 */
export async function probeTarget(
  client: InfluxClient,
  creation: Creation,
  shapes: readonly RecordShape[],
): Promise<string> {
  const missing = await findMissing(client);
  const where = `${targetOf(client)} of ${nameOf(client.connection)}`;
  if (missing) {
    if (creation.create) return `${where} is missing and will be made`;
    throw missing.error;
  }
  const { compared, warnings } = await checkFieldTypes(client, shapes);
  const fields = compared === undefined ? [] : [
    compared === 0 ? "no field is stored yet" : `${compared} stored fields have the declared types`,
  ];
  return [`${where} can be written to`, ...fields, ...warnings].join("; ");
}

/** Something that is not there. */
interface Missing {
  /** What it is. */
  readonly what: string;
  /** What to say of it where it is not to be made. */
  readonly error: Error;
  /** Makes it. */
  make(creation: Creation): Promise<void>;
}

/** Makes what is missing. Gives what was made, in words. */
async function ensureTarget(client: InfluxClient, creation: Creation): Promise<string[]> {
  const made: string[] = [];
  // A database may be missing, and then a policy in one that someone else has just made.
  for (let missing = await findMissing(client); missing; missing = await findMissing(client)) {
    if (!creation.create || made.includes(missing.what)) throw missing.error;
    await missing.make(creation);
    made.push(missing.what);
  }
  return made;
}

async function findMissing(client: InfluxClient): Promise<Missing | undefined> {
  switch (kindOf(client.connection)) {
    case "v1":
      return await findMissingV1(client);
    case "v2":
      return await findMissingV2(client);
    case "v3":
      return await findMissingV3(client);
    case "victoria_metrics":
      await requireVictoriaMetrics(client);
      await tryToWrite(client);
  }
}

async function findMissingV1(client: InfluxClient): Promise<Missing | undefined> {
  const { database = "", retention_policy } = client.connection;
  const action = `write to ${targetOf(client)}`;
  const names = await namesOf(client, "SHOW DATABASES", action);
  if (!names.includes(database)) {
    return {
      what: `database "${database}"`,
      error: notThere(client, `database not found: "${database}"`, names),
      make: (creation) => createDatabaseV1(client, creation),
    };
  }
  await tryToWrite(client);
  if (retention_policy === undefined) return undefined;
  const q = `SHOW RETENTION POLICIES ON ${quoteName(database)}`;
  const policies = await namesOf(client, q, action);
  if (policies.includes(retention_policy)) return undefined;
  return {
    what: `retention policy "${retention_policy}"`,
    error: notThere(client, `retention policy not found: "${retention_policy}"`, policies),
    make: (creation) => createPolicyV1(client, creation),
  };
}

/** A token that may write only cannot list buckets, but is told when one is missing. */
async function findMissingV2(client: InfluxClient): Promise<Missing | undefined> {
  const answer = await tryToWrite(client, [404]);
  if (answer.status !== 404) return undefined;
  const { connection } = client;
  const error = failureOf(askedOf(client), answer);
  if (!/bucket/i.test(wordsOf(answer, connection))) throw error;
  return {
    what: targetOf(client),
    error,
    make: (creation) => createBucketV2(client, creation),
  };
}

/** Version 3 makes a database at the first write, also one that was misspelt. */
async function findMissingV3(client: InfluxClient): Promise<Missing | undefined> {
  const { database = "" } = client.connection;
  const answer = await client.request({
    action: `write to ${targetOf(client)}`,
    method: "GET",
    path: "/api/v3/configure/database",
    query: { format: "json" },
  });
  const rows = z.array(z.record(z.string(), z.unknown())).safeParse(parseJson(answer.body)).data;
  if (!rows) throw otherServer(client, LIST);
  const names = rows.flatMap((row) =>
    Object.values(row).filter((name) => typeof name === "string")
  );
  if (names.includes(database)) {
    await tryToWrite(client);
    return undefined;
  }
  return {
    what: targetOf(client),
    error: notThere(client, `database not found: "${database}"`, names),
    make: () => createDatabaseV3(client),
  };
}

/** VictoriaMetrics takes any write, and other servers take writes as well: ask what it alone knows. */
async function requireVictoriaMetrics(client: InfluxClient): Promise<void> {
  const answer = await client.request({
    action: `write to ${targetOf(client)}`,
    method: "GET",
    path: "/api/v1/query",
    query: { query: "1" },
  });
  const isIt = z.object({ status: z.literal("success") }).safeParse(parseJson(answer.body)).success;
  if (!isIt) throw otherServer(client, "a query of Prometheus");
}

/**
 * Writes no line: the server looks at credentials, rights and target all the same. Some then say that
 * there is nothing to write.
 */
async function tryToWrite(client: InfluxClient, more: readonly number[] = []): Promise<Answer> {
  const request: InfluxRequest = {
    ...writeRequest(client.connection, "ms"),
    body: new Uint8Array(),
    expect: [204, 400, ...more],
  };
  const answer = await client.request(request);
  if (answer.status !== 400) return answer;
  const error = failureOf(askedOf(client), answer);
  if (error instanceof OptionsError) throw error;
  return answer;
}

async function namesOf(client: InfluxClient, q: string, action: string): Promise<string[]> {
  const series = await askInfluxql(client, { action, q });
  return series.flatMap(({ columns, values }) => {
    const column = columns.indexOf("name");
    return values.map((row) => String(row[column]));
  });
}

function askedOf(client: InfluxClient) {
  return { action: `write to ${targetOf(client)}`, connection: client.connection, nowMs: 0 };
}

/** The error of something that is not there, with what is. */
function notThere(client: InfluxClient, words: string, names: readonly string[]): Error {
  const found = names.length === 0 ? "none" : names.slice(0, 10).join(", ");
  const body = JSON.stringify({ error: `${words}, found ${found}` });
  return failureOf(askedOf(client), { status: 404, headers: new Headers(), body });
}

function otherServer(client: InfluxClient, what: string): OptionsError {
  return new OptionsError(
    `Cannot write to ${targetOf(client)}: ${
      nameOf(client.connection)
    } must answer ${what}, which it does not`,
    { hint: "Check `url`, `server` and `version`" },
  );
}

/** How messages call what is written to. */
function targetOf({ connection }: InfluxClient): string {
  const { database, retention_policy, bucket } = connection;
  if (bucket !== undefined) return `bucket "${bucket}"`;
  if (database === undefined) return "the store";
  const policy = retention_policy === undefined ? "" : `, policy "${retention_policy}",`;
  return connection.server === "victoria_metrics"
    ? `label db="${database}"`
    : `database "${database}"${policy}`;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
