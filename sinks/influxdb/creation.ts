/**
 * Making the database or bucket that is written to.
 *
 * @module
 */

import { z } from "zod";
import type { InfluxClient } from "../../clients/influxdb/client.ts";
import { type Connection, kindOf } from "../../clients/influxdb/connection.ts";
import { askInfluxql, quoteName } from "../../clients/influxdb/influxql.ts";
import { FatalError } from "../../engine/errors.ts";

const FOREVER = "forever";
const SPAN = /^([1-9]\d*)(h|d|w)$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3_600, d: 86_400, w: 604_800 };
/** Where points are kept for ever: a year of them is filled and read much faster than 52 weeks. */
const LONG_SHARD = "52w";
/** What InfluxDB 1 calls the policy of a database where nobody says otherwise. */
const DEFAULT_POLICY = "autogen";

const span = (error: string, others: readonly string[] = []) =>
  z.string().refine((text) => SPAN.test(text) || others.includes(text), error);

/** Options of the creation. */
export const creationShape = {
  create: z.boolean().default(false).describe(
    "Whether to make the database, retention policy or bucket where it is missing",
  ),
  retention: span("must be `forever` or hours, days or weeks, such as `365d`", [FOREVER]).optional()
    .describe("How long points are kept in what is made. For ever where it is left out")
    .meta({ examples: ["365d"] }),
  shard_duration: span("must be hours, days or weeks, such as `52w`").optional()
    .describe(
      "Time span of a shard in what is made. By default 52 weeks where points are kept for ever, else the server decides",
    ).meta({ examples: ["52w"] }),
};

const creationSchema = z.strictObject(creationShape);

/** What is to be made, and how. */
export type Creation = z.output<typeof creationSchema>;

/** Refines the options of the creation: none that would do nothing. */
export function checkCreation(given: Creation & Connection, context: z.RefinementCtx): void {
  const refuse = (option: keyof Creation, message: string) =>
    context.addIssue({ code: "custom", path: [option], message });
  const kind = kindOf(given);
  if (given.create && kind === "victoria_metrics") {
    refuse("create", "must be left out with `server: victoria_metrics`, which has nothing to make");
  }
  for (const option of ["retention", "shard_duration"] as const) {
    if (given[option] === undefined) continue;
    if (!given.create) refuse(option, "must be left out without `create: true`");
    else if (kind === "v3") refuse(option, "must be left out with version 3");
  }
}

/** Makes a database of version 1, with a retention policy that is its default. */
export async function createDatabaseV1(
  client: InfluxClient,
  { retention, shard_duration }: Creation,
): Promise<void> {
  const { database = "", retention_policy = DEFAULT_POLICY } = client.connection;
  await change(
    client,
    `create database "${database}"`,
    `CREATE DATABASE ${quoteName(database)} WITH ${policyOf({ retention, shard_duration })} NAME ${
      quoteName(retention_policy)
    }`,
  );
}

/** Makes a retention policy of version 1, which does not become the default one. */
export async function createPolicyV1(
  client: InfluxClient,
  { retention, shard_duration }: Creation,
): Promise<void> {
  const { database = "", retention_policy = "" } = client.connection;
  await change(
    client,
    `create retention policy "${retention_policy}"`,
    `CREATE RETENTION POLICY ${quoteName(retention_policy)} ON ${quoteName(database)} ${
      policyOf({ retention, shard_duration })
    }`,
  );
}

/** Makes a bucket of version 2. */
export async function createBucketV2(client: InfluxClient, creation: Creation): Promise<void> {
  const { org = "", bucket = "" } = client.connection;
  const action = `create bucket "${bucket}"`;
  const orgs = await client.request({
    action,
    method: "GET",
    path: "/api/v2/orgs",
    query: { org },
  });
  const parsed = z.object({ orgs: z.array(z.object({ id: z.string() })) })
    .safeParse(JSON.parse(orgs.body));
  const orgID = parsed.data?.orgs[0]?.id;
  if (orgID === undefined) {
    const missing = {
      ...orgs,
      body: JSON.stringify({ message: `organization name "${org}" not found` }),
    };
    throw client.failure(action, missing, 404);
  }
  await client.request({
    action,
    method: "POST",
    path: "/api/v2/buckets",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ orgID, name: bucket, retentionRules: [ruleOf(creation)] }),
    // Another one may have made it in between.
    expect: [201, 422],
  });
}

/** Makes a database of version 3. */
export async function createDatabaseV3(client: InfluxClient): Promise<void> {
  const { database = "" } = client.connection;
  await client.request({
    action: `create database "${database}"`,
    method: "POST",
    path: "/api/v3/configure/database",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ db: database }),
    // Another one may have made it in between.
    expect: [200, 201, 204, 409],
  });
}

async function change(client: InfluxClient, action: string, q: string): Promise<void> {
  await askInfluxql(client, { action, q, method: "POST" });
}

/** What InfluxQL says of a policy. */
function policyOf({ retention = FOREVER, shard_duration }: Partial<Creation>): string {
  const duration = retention === FOREVER ? "INF" : retention;
  const shard = shard_duration ?? (retention === FOREVER ? LONG_SHARD : undefined);
  return `DURATION ${duration} REPLICATION 1${
    shard === undefined ? "" : ` SHARD DURATION ${shard}`
  }`;
}

/** What a bucket says of retention. 0 seconds are for ever. */
function ruleOf({ retention = FOREVER, shard_duration }: Creation): Record<string, unknown> {
  const shard = shard_duration ?? (retention === FOREVER ? LONG_SHARD : undefined);
  return {
    type: "expire",
    everySeconds: retention === FOREVER ? 0 : secondsOf(retention),
    ...(shard === undefined ? {} : { shardGroupDurationSeconds: secondsOf(shard) }),
  };
}

function secondsOf(text: string): number {
  const [, count, unit = ""] = SPAN.exec(text) ?? [];
  const seconds = Number(count) * (UNIT_SECONDS[unit] ?? NaN);
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new FatalError(`Cannot use the span "${text}": it must be hours, days or weeks`);
}
