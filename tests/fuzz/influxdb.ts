/** Targets: answers of servers of the InfluxDB family. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { InfluxClient } from "../../clients/influxdb/client.ts";
import type { Connection } from "../../clients/influxdb/connection.ts";
import { type Answer, failureOf } from "../../clients/influxdb/failure.ts";
import { askInfluxql } from "../../clients/influxdb/influxql.ts";
import { tagsOfKey } from "../../clients/influxdb/select_influxql.ts";
import { fieldValue } from "../../clients/influxdb/selection.ts";
import { FatalError, PenstockError, RetryableError } from "../../engine/errors.ts";
import { Secret } from "../../engine/options.ts";
import { waitBeforeRetry } from "../../engine/retry.ts";
import { encodeLineProtocol } from "../../sinks/_line_protocol.ts";
import { LineWriter } from "../../sinks/influxdb/write.ts";
import { fakeContext } from "../contracts/context.ts";
import { json, must, mustBeMessage, NASTY, onlyThrows, quote, spoiled } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const TOKEN = "correct-horse-battery";
const PASSWORD = "staple-of-secrets";
const CONNECTIONS: readonly Connection[] = [
  { url: "http://localhost:8086", server: "influxdb", database: "market", timeout_ms: 1_000 },
  {
    ...{ url: "http://localhost:8086", server: "influxdb", database: "market", timeout_ms: 1_000 },
    ...{ username: "me", password: new Secret(PASSWORD) },
  },
  {
    ...{ url: "http://localhost:8086", server: "influxdb", version: 2, org: "home", bucket: "b" },
    ...{ token: new Secret(TOKEN), timeout_ms: 1_000 },
  },
  { url: "http://localhost:8428", server: "victoria_metrics", timeout_ms: 1_000 },
];
const WAIT_MS = 4 * 86_400_000;

const words = fc.constantFrom(
  "partial write: field type conflict: input field is float dropped=1",
  "unable to parse 'a b': bad timestamp",
  "database not found: market",
  "retention policy not found",
  "engine: cache-max-memory-size exceeded",
  "no space left on device",
  `unauthorized: ${TOKEN} is not known`,
  `cannot authenticate me:${PASSWORD}`,
  "line\r\nbreaks\u001b[2J",
  "",
);

const answer = fc.record({
  status: fc.oneof(
    fc.constantFrom(200, 204, 301, 400, 401, 403, 404, 405, 413, 422, 429, 500, 502, 503, 504),
    fc.integer({ min: 200, max: 599 }),
  ),
  retryAfter: fc.option(
    fc.constantFrom("0", "2", "1e9", "9".repeat(400), "Thu, 01 Jan 2070 00:00:05 GMT", "soon"),
  ),
  type: fc.constantFrom("application/json", "text/html", "text/plain"),
  body: fc.oneof(
    words,
    words.map((error) => JSON.stringify({ error })),
    words.map((message) => JSON.stringify({ code: "invalid", message })),
    fc.tuple(words, json()).map(([error_message, error]) =>
      JSON.stringify({ error, data: [{ error_message }] })
    ),
    json().map((value) => JSON.stringify(value)),
    fc.constant("<html><body>502 Bad Gateway</body></html>"),
  ),
}).map(({ status, retryAfter, type, body }): Answer => {
  const headers = new Headers({ "content-type": type });
  if (retryAfter !== null) headers.set("retry-after", retryAfter);
  return { status, headers, body };
});

const failures = defineTarget({
  name: "influxdb_failures",
  promise: "Each failure says what happens next, on one line, without a secret, and waits end",
  cases: 1_000,
  arbitrary: fc.tuple(fc.constantFrom(...CONNECTIONS), answer),
  holds([connection, given]) {
    const error = failureOf({ action: "write points", connection, nowMs: 0 }, given);
    mustBeTold(error, connection);
    if (!(error instanceof RetryableError)) return;
    const waitMs = waitBeforeRetry(20, error, () => 0.999);
    must(waitMs >= 0 && waitMs <= WAIT_MS, `a wait that ends, found ${waitMs} ms`);
  },
});

function mustBeTold(error: PenstockError, { token, password }: Connection): void {
  mustBeMessage(error.message);
  const text = `${error.message} ${error.hint ?? ""}`;
  for (const secret of [token, password]) {
    must(!secret || !text.includes(secret.reveal()), `no secret, found ${quote(text)}`);
  }
}

const influxql = defineTarget({
  name: "influxql_replies",
  promise: "A reply to a question is series, or an error of penstock's that says so on one line",
  cases: 1_000,
  arbitrary: fc.tuple(
    fc.constantFrom(...CONNECTIONS),
    fc.oneof(
      json().map((value) => JSON.stringify(value)),
      fc.tuple(words, json()).map(([error, series]) =>
        JSON.stringify({ results: [{ error, series }] })
      ),
      spoiled(
        fc.constant(
          '{"results":[{"series":[{"name":"kline","tags":{"a":"b"},"columns":["time","close"],"values":[[1,2.5],[2,12345678901234567890]]}]}]}',
        ),
        [...NASTY, "[", "]", "{", "}", ","],
      ),
    ),
  ),
  async holds([connection, body]) {
    const client = clientOf(connection, () => ({ status: 200, headers: new Headers(), body }));
    try {
      const series = await askInfluxql(client, { action: "read points", q: "SELECT 1" });
      must(Array.isArray(series), "a list of series");
      for (const { columns, values } of series) {
        must(columns.length >= 0 && values.length >= 0, "rows");
      }
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      mustBeTold(error, connection);
    }
  },
});

const writes = defineTarget({
  name: "influxdb_writes",
  promise:
    "Just the lines that a server refuses are refused, in few requests, whatever it calls it",
  cases: 300,
  arbitrary: fc.record({
    lines: fc.integer({ min: 1, max: 40 }),
    bad: fc.uniqueArray(fc.nat(39), { maxLength: 5 }),
    status: fc.constantFrom(400, 422),
    counts: fc.boolean(),
    words,
  }),
  async holds({ lines, bad, status, counts, words }) {
    const wrong = new Set(bad.filter((index) => index < lines));
    let requests = 0;
    const stored = new Set<number>();
    const connection = CONNECTIONS[0];
    must(connection !== undefined, "a connection");
    const client = clientOf(connection, ({ body }) => {
      requests++;
      const numbers = new TextDecoder().decode(body).trimEnd().split("\n").map(Number);
      const refused = numbers.filter((number) => wrong.has(number));
      for (const number of numbers) if (!wrong.has(number)) stored.add(number);
      if (refused.length === 0) return { status: 204, headers: new Headers(), body: "" };
      // A database that is not there is no fault of the lines.
      const said = /not found|required/.test(words)
        ? "partial write"
        : words.replace(/ dropped=1/, "");
      const error = counts ? `${said} dropped=${refused.length}` : said;
      return { status, headers: new Headers(), body: JSON.stringify({ error }) };
    });
    const writer = new LineWriter(client, "ms", { count: () => {} });
    const records = Array.from({ length: lines }, (_, index) => index);
    const bytes = new TextEncoder().encode(records.map((number) => `${number}\n`).join(""));
    const rejected = await writer.deliver({ bytes, records });
    assertEquals(
      rejected.map(({ index }) => index).toSorted((a, b) => a - b),
      [...wrong].sort((a, b) => a - b),
    );
    must(rejected.every(({ reason }) => reason !== "" && !/[\r\n]/.test(reason)), "a reason each");
    assertEquals(stored.size, lines - wrong.size);
    must(requests <= 1 + 14 * wrong.size, `few requests, found ${requests}`);
  },
});

const typed = defineTarget({
  name: "influxdb_values",
  promise: "A value that is read back has the type it is declared with, or is refused",
  cases: 500,
  arbitrary: fc.tuple(fc.constantFrom("float", "integer", "boolean", "string"), json()),
  holds([type, raw]) {
    const selection = { measurement: "kline", fields: { x: type } } as const;
    const made = onlyThrows([FatalError], () => fieldValue(selection, "x", raw));
    if ("error" in made || made.value === undefined) return;
    const { value } = made;
    const fits = {
      float: typeof value === "number",
      integer: Number.isSafeInteger(value) || typeof value === "bigint",
      boolean: typeof value === "boolean",
      string: typeof value === "string",
    };
    must(fits[type], `a value of type ${type}, found ${quote(value)}`);
  },
});

const seriesKeys = defineTarget({
  name: "series_keys",
  promise: "The tags in a key that line protocol writes are read back alike",
  cases: 500,
  arbitrary: fc.dictionary(
    fc.constantFrom("a", "b c", "d,e", "f=g", "héllo", "😀"),
    fc.constantFrom("x", "y z", "1,2", "k=v", "a,b=c d", "=", ",", " ", "é"),
    { minKeys: 1, maxKeys: 4, noNullPrototype: true },
  ),
  holds(tags) {
    const shape = {
      ...{ kind: "point", measurement: "m, n", tags: Object.keys(tags) } as const,
      fields: { value: "float" },
    } as const;
    const point = { measurement: "m, n", tags, fields: { value: 1 }, timeMs: 1 };
    const bytes = encodeLineProtocol([point], {
      shapes: [shape],
      reject(_, error) {
        throw error;
      },
    });
    const key = new TextDecoder().decode(bytes).replace(/ value=1 1\n$/, "");
    assertEquals(tagsOfKey(key), tags);
  },
});

/** A client that is answered without a network. */
function clientOf(
  connection: Connection,
  reply: (request: { readonly body: Uint8Array }) => Answer,
): InfluxClient {
  const context = { ...fakeContext(), fetch: answer };
  async function answer(_url: string | URL, init?: RequestInit): Promise<Response> {
    const body = new Uint8Array(await new Response(init?.body).arrayBuffer());
    const { status, headers, body: text } = reply({ body });
    return new Response(status === 204 ? null : text, { status, headers });
  }
  return new InfluxClient(connection, context);
}

/** All targets of this file. */
export const INFLUXDB: readonly FuzzTarget[] = [failures, influxql, writes, typed, seriesKeys];
