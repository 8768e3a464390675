/**
 * Whether what is to be written to is there, may be written to, and has the declared types.
 *
 * @module
 */

import { z } from "zod";
import type { InfluxClient } from "../../clients/influxdb/client.ts";
import { kindOf } from "../../clients/influxdb/connection.ts";
import { type Answer, nameOf, wordsOf } from "../../clients/influxdb/failure.ts";
import { askInfluxql } from "../../clients/influxdb/influxql.ts";
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

/** Names of databases that a message lists. */
const MOST_NAMES = 10;

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
    if (creation.create) return `${missing.what} is missing and will be made`;
    throw notThere(client, missing);
  }
  const { compared, warnings } = await checkFieldTypes(client, shapes);
  const fields = compared === undefined ? [] : [
    compared === 0 ? "no field is stored yet" : `${compared} stored fields have the declared types`,
  ];
  return [`${where} can be written to`, ...fields, ...warnings].join("; ");
}

/** Something that is not there, and how it is made. */
interface Missing {
  /** What it is. */
  readonly what: string;
  /** What there is instead, where that is known. */
  readonly found?: readonly string[];
  /** Makes it. */
  make(creation: Creation): Promise<void>;
}

/** Makes what is missing. Gives what was made, in words. */
async function ensureTarget(client: InfluxClient, creation: Creation): Promise<string[]> {
  const made: string[] = [];
  // A database may be missing, and then a policy in one that someone else has just made.
  for (let missing = await findMissing(client); missing; missing = await findMissing(client)) {
    if (!creation.create || made.includes(missing.what)) throw notThere(client, missing);
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
  // Whoever may do anything may ask this. Servers that are not InfluxDB give another list.
  const [databases] = await askInfluxql(client, { action: actionOf(client), q: "SHOW DATABASES" });
  const found = (databases?.values ?? []).map(([name]) => String(name));
  if (!found.includes(database)) {
    const make = (creation: Creation) => createDatabaseV1(client, creation);
    return { what: `database "${database}"`, found, make };
  }
  const answer = await tryToWrite(client, [500]);
  if (answer.status !== 500) return undefined;
  const error = client.failure(actionOf(client), answer);
  if (!/retention policy not found/.test(wordsOf(answer, client.connection))) throw error;
  return {
    what: `retention policy "${retention_policy}" of database "${database}"`,
    make: (creation) => createPolicyV1(client, creation),
  };
}

/** A token that may only write cannot list buckets, but is told when one is missing. */
async function findMissingV2(client: InfluxClient): Promise<Missing | undefined> {
  const answer = await tryToWrite(client, [404]);
  if (answer.status !== 404) return undefined;
  if (!/bucket/i.test(wordsOf(answer, client.connection))) {
    throw client.failure(actionOf(client), answer);
  }
  return { what: targetOf(client), make: (creation) => createBucketV2(client, creation) };
}

/** Version 3 makes a database at the first write, also one that was misspelt: so it is asked first. */
async function findMissingV3(client: InfluxClient): Promise<Missing | undefined> {
  const { database = "" } = client.connection;
  const answer = await client.request({
    action: actionOf(client),
    method: "GET",
    path: "/api/v3/configure/database",
    query: { format: "json" },
  });
  const rows = z.array(z.record(z.string(), z.unknown())).safeParse(parseJson(answer.body)).data;
  if (!rows) throw otherServer(client, "a list of databases");
  const found = rows.flatMap((row) =>
    Object.values(row).filter((name) => typeof name === "string")
  );
  if (!found.includes(database)) {
    return { what: targetOf(client), found, make: () => createDatabaseV3(client) };
  }
  await tryToWrite(client);
}

/** VictoriaMetrics takes any write, and so do others: it is asked what InfluxDB does not know. */
async function requireVictoriaMetrics(client: InfluxClient): Promise<void> {
  const answer = await client.request({
    action: actionOf(client),
    method: "GET",
    path: "/api/v1/query",
    query: { query: "1" },
  });
  const isIt = z.object({ status: z.literal("success") }).safeParse(parseJson(answer.body)).success;
  if (!isIt) throw otherServer(client, "a query of Prometheus");
}

/**
 * Writes no line at all: the server looks at credentials, rights and target all the same. Some then
 * say that there is nothing to write.
 */
async function tryToWrite(client: InfluxClient, more: readonly number[] = []): Promise<Answer> {
  const answer = await client.request({
    ...writeRequest(client.connection, "ms"),
    action: actionOf(client),
    body: "",
    expect: [204, 400, ...more],
  });
  if (answer.status !== 400) return answer;
  const error = client.failure(actionOf(client), answer);
  if (error instanceof OptionsError) throw error;
  return answer;
}

function notThere(client: InfluxClient, { what, found }: Missing): OptionsError {
  const option = what.startsWith("retention policy")
    ? "retention_policy"
    : client.connection.bucket === undefined
    ? "database"
    : "bucket";
  const list = found?.slice(0, MOST_NAMES).join(", ") || "none";
  return new OptionsError(
    `Cannot ${actionOf(client)}: ${nameOf(client.connection)} must have ${what}, found ${list}`,
    { hint: `Check \`${option}\`, or set \`create: true\` to have it made` },
  );
}

function otherServer(client: InfluxClient, what: string): OptionsError {
  return new OptionsError(
    `Cannot ${actionOf(client)}: ${
      nameOf(client.connection)
    } must answer ${what}, which it does not`,
    { hint: "Check `url`, `server` and `version`" },
  );
}

function actionOf(client: InfluxClient): string {
  return `write to ${targetOf(client)}`;
}

/** How messages call what is written to. */
function targetOf({ connection: { server, database, bucket } }: InfluxClient): string {
  if (bucket !== undefined) return `bucket "${bucket}"`;
  if (server === "influxdb") return `database "${database}"`;
  return database === undefined ? "the store" : `label db="${database}"`;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
