/**
 * The stores that the suite of the sink runs against, each behind the same few questions.
 *
 * @module
 */

import { VirtualClock } from "../../../engine/clock.ts";
import type { influxdb } from "../../../sinks/influxdb/mod.ts";
import { type FakeContext, fakeContext } from "../../contracts/context.ts";
import { type FakeServer, fetchFrom } from "../../servers/_fake_server.ts";
import { fakeInfluxdbV2 } from "../../servers/fake_influxdb_v2.ts";
import { fakeInfluxdbV3 } from "../../servers/fake_influxdb_v3.ts";
import { ADMIN, type Series, startInfluxdb } from "../../servers/influxdb.ts";

/** Options of the sink, as a pipeline file has them. */
export type Input = Parameters<typeof influxdb>[0];

/** A kind of store to write to. */
export interface Store extends AsyncDisposable {
  /** The options that reach it. */
  readonly input: Input;
  /** The options of one who may only read; undefined where there is no such one. */
  readonly reader: Input | undefined;
  /** Takes a new one, without a database or bucket. */
  fresh(): FreshStore;
}

/** One store. */
export interface FreshStore {
  /** Makes the context of a process that reaches it. */
  context(signal?: AbortSignal): FakeContext;
  /** Makes the database or bucket. */
  make(): Promise<void>;
  /** What is stored, each point as `measurement,tag=value milliseconds field=value,…`, sorted. */
  stored(): Promise<string>;
}

const NAME = "market";
const TOKEN = "all-powerful-token";
const READER = { username: "reader", password: "reader's password" };

/** An imitated InfluxDB 2. */
export function storeV2(): Store {
  const input = { url: "http://influx.test:8086", org: "home", bucket: NAME, token: TOKEN };
  return fakeStore(
    input,
    (buckets) => fakeInfluxdbV2({ org: "home", token: TOKEN, readToken: "read-token", buckets }),
  );
}

/** An imitated InfluxDB 3. */
export function storeV3(): Store {
  const input = {
    url: "http://influx.test:8181",
    version: 3,
    database: NAME,
    token: TOKEN,
  } as const;
  return fakeStore(
    input,
    (databases) => fakeInfluxdbV3({ token: TOKEN, readToken: "read-token", databases }),
  );
}

function fakeStore(input: Input, start: (names: readonly string[]) => FakeServer): Store {
  return {
    input,
    reader: { ...input, token: "read-token" },
    fresh() {
      let server = start([]);
      return {
        context: (signal) => contextOf((url, init) => fetchFrom(server)(url, init), signal),
        make: () => Promise.resolve(void (server = start([NAME]))),
        stored: () => Promise.resolve(server.lines(NAME)),
      };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A context in which no time passes: a real server takes as long as it takes. */
function contextOf(fetch: FakeContext["fetch"], signal: AbortSignal | undefined): FakeContext {
  const clock = new VirtualClock(Date.UTC(2024, 0, 1), { manual: true });
  return fakeContext({ fetch, clock, ...(signal ? { signal } : {}) });
}

/** InfluxDB 1.x as it is installed, asking who one is. */
export async function storeV1(): Promise<Store> {
  const server = await startInfluxdb({ auth: true });
  await server.query(
    `CREATE USER ${READER.username} WITH PASSWORD '${READER.password.replace("'", "\\'")}'`,
  );
  const store = realStore(
    { url: server.url, version: 1, database: NAME, ...ADMIN },
    (name) => server.query(`GRANT READ ON "${name}" TO ${READER.username}`),
  );
  return {
    ...store,
    reader: { ...store.input, ...READER },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The server that the environment names by `INFLUX_URL`, `INFLUX_VERSION`, `INFLUX_TOKEN` and `INFLUX_ORG`. */
export function storeOfEnvironment(url: string): Store {
  const version = Number(Deno.env.get("INFLUX_VERSION") ?? 2);
  const token = Deno.env.get("INFLUX_TOKEN");
  const secret = token === undefined ? {} : { token };
  if (version === 1) return realStore({ url, version, database: NAME, ...secret });
  if (version === 3) return realStore({ url, version, database: NAME, ...secret });
  return realStore({ url, org: Deno.env.get("INFLUX_ORG") ?? "home", bucket: NAME, ...secret });
}

/**
 * A real server. Each store is a database or bucket of its own: what is called `market` in requests
 * and answers is called something else on the server, and is dropped in the end.
 *
 * @param input The options that reach it.
 * @param whenMade Called with the name of each database that was made.
 */
function realStore(
  input: Input,
  whenMade: (name: string) => Promise<unknown> = async () => {},
): Store {
  const prefix = `penstock_${crypto.randomUUID().slice(0, 8)}`;
  const names: string[] = [];
  return {
    input,
    reader: undefined,
    fresh() {
      const name = `${prefix}_${names.length}_`;
      names.push(name);
      const send = sendTo(input, name);
      return {
        context: (signal) => contextOf(renamingFetch(name), signal),
        async make() {
          await makeIn(input, send);
          await whenMade(name);
        },
        stored: () => readBack(send),
      };
    },
    async [Symbol.asyncDispose]() {
      // Not all of them were made.
      for (const name of names) await drop(input, sendTo(input, name)).catch(() => {});
    },
  };
}

/** Reaches one database under the name that all of them have in the tests. */
function renamingFetch(name: string): FakeContext["fetch"] {
  const rename = (text: string) => text.replaceAll(NAME, name);
  return async (url, init) => {
    const body = typeof init?.body === "string" ? { body: rename(init.body) } : {};
    const response = await fetch(rename(String(url)), { ...init, ...body });
    if (response.status === 204) return response;
    const text = (await response.text()).replaceAll(name, NAME);
    const { status } = response;
    return new Response(text, { status, headers: withoutEncoding(response.headers) });
  };
}

function withoutEncoding(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["content-encoding", "content-length"]) kept.delete(name);
  return kept;
}

/** Sends a request for one database, with the credentials of the options. */
function sendTo(input: Input, name: string): Send {
  return async (method, path, body) => {
    const rename = (text: string) => text.replaceAll(NAME, name);
    const response = await fetch(`${input.url}${rename(path)}`, {
      method,
      headers: { ...credentialsOf(input), "content-type": "application/json" },
      ...(body === undefined ? {} : { body: rename(JSON.stringify(body)) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
}

async function ask(send: Send, q: string): Promise<readonly Series[]> {
  const query = new URLSearchParams({ q, db: NAME, epoch: "ms" });
  const { results: [{ series = [], error }] } = Object(await send("POST", `/query?${query}`));
  if (error) throw new Error(error);
  return series;
}

type Send = (method: string, path: string, body?: unknown) => Promise<unknown>;

function credentialsOf(input: Input): Record<string, string> {
  if (input.token !== undefined) return { authorization: `Bearer ${input.token}` };
  if (input.username === undefined) return {};
  return { authorization: `Basic ${btoa(`${input.username}:${input.password}`)}` };
}

async function makeIn(input: Input, send: Send): Promise<void> {
  if (input.version === 1) {
    await ask(send, `CREATE DATABASE "${NAME}"`);
  } else if (input.version === 3) {
    await send("POST", "/api/v3/configure/database", { db: NAME });
  } else {
    const { orgs: [{ id }] } = Object(await send("GET", `/api/v2/orgs?org=${input.org}`));
    await send("POST", "/api/v2/buckets", { orgID: id, name: NAME, retentionRules: [] });
  }
}

async function drop(input: Input, send: Send): Promise<void> {
  if (input.version === 1) {
    await ask(send, `DROP DATABASE "${NAME}"`);
  } else if (input.version === 3) {
    await send("DELETE", `/api/v3/configure/database?db=${NAME}`);
  } else {
    const { buckets } = Object(await send("GET", `/api/v2/buckets?name=${NAME}`));
    await send("DELETE", `/api/v2/buckets/${buckets[0].id}`);
  }
}

/** Reads all points of `quote`, in the words of the imitated servers. */
async function readBack(send: Send): Promise<string> {
  // Where nothing was ever written, there may not even be a database.
  const [keys] = await ask(send, 'SHOW FIELD KEYS FROM "quote"').catch(() => []);
  const types = new Map((keys?.values ?? []).map(([name, type]) => [name, type]));
  if (types.size === 0) return "";
  const lines: string[] = [];
  for (const { tags, columns, values } of await ask(send, 'SELECT * FROM "quote" GROUP BY *')) {
    const series = ["quote", ...Object.entries(tags ?? {}).map((tag) => tag.join("="))].join(",");
    for (const row of values) {
      const fields = columns.flatMap((name, at) => {
        const value = row[at];
        if (name === "time" || value === null) return [];
        const text = types.get(name) === "string" ? JSON.stringify(value) : String(value);
        return [`${name}=${text}${types.get(name) === "integer" ? "i" : ""}`];
      });
      lines.push(`${series} ${row[columns.indexOf("time")]} ${fields.sort().join(",")}\n`);
    }
  }
  return lines.sort().join("");
}
