/** What the sink makes of each answer that a server may give to a write. */

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  describeError,
  FatalError,
  OptionsError,
  type PenstockError,
  RetryableError,
} from "../../../engine/errors.ts";
import { VirtualClock } from "../../../engine/clock.ts";
import type { Rejection } from "../../../engine/plugin.ts";
import { influxdb } from "../../../sinks/influxdb/mod.ts";
import { type FakeContext, fakeContext } from "../../contracts/context.ts";
import { optionsOf } from "../../contracts/plugin.ts";
import { json } from "../../servers/_fake_server.ts";
import { QUOTE, quotePoint, TIME_MS } from "../_fixtures.ts";
import type { Input } from "./_stores.ts";

const V1: Input = {
  url: "http://influx.test:8086",
  database: "market",
  username: "writer",
  password: "hunter22",
};
const V2: Input = {
  url: "https://influx.test",
  org: "home",
  bucket: "market",
  token: "secret-token",
};
const V3: Input = {
  url: "http://influx.test:8181",
  version: 3,
  database: "market",
  token: "secret-token",
};
const VM: Input = { url: "http://vm.test:8428", server: "victoria_metrics", database: "market" };

const RECORDS = Array.from(
  { length: 8 },
  (_, at) => quotePoint({ fields: { price: `${at}.5` }, timeMs: TIME_MS + at }),
);

/** How a server answers a write, given its lines; or what the network does instead. */
type Answer = (
  lines: readonly string[],
  attempt: number,
  init: RequestInit,
) => Response | Promise<Response>;

type Outcome = readonly Rejection[] | PenstockError;

interface Writing {
  /** Delivers eight points; gives what came of it. */
  deliver(): Promise<Outcome>;
  /** The bodies of all writes so far, as the numbers of their points. */
  readonly sent: number[][];
  readonly context: FakeContext;
}

/** A sink that is open to a server that answers so. */
async function writeTo(input: Input, answer: Answer): Promise<Writing> {
  const sent: number[][] = [];
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const fetch: FakeContext["fetch"] = async (url, init = {}) => {
    const { pathname } = new URL(url);
    const bytes = init.body instanceof Uint8Array ? new Uint8Array(init.body) : new Uint8Array();
    const body = await textOf(bytes, init);
    if (body === "") return preparing(pathname);
    const lines = body.trimEnd().split("\n");
    sent.push(lines.map((line) => Number(/price=(\d)/.exec(line)?.[1])));
    return await answer(lines, sent.length, init);
  };
  const context = fakeContext({ fetch, clock });
  const options = optionsOf(influxdb, input);
  const writer = await influxdb.open(options, { token: undefined, shapes: [] }, context);
  const bytes = influxdb.encode(RECORDS, { options, shapes: [QUOTE], reject: () => {} });
  return {
    context,
    sent,
    deliver: async () => {
      try {
        return await writer.deliver({ bytes, records: RECORDS }) ?? [];
      } catch (error) {
        return error as PenstockError;
      }
    },
  };
}

/** What servers answer before the first point: all is well. */
function preparing(path: string): Response {
  const databases = [{ name: "databases", columns: ["name"], values: [["market"]] }];
  if (path === "/query") return json(200, { results: [{ statement_id: 0, series: databases }] });
  if (path === "/api/v3/configure/database") return json(200, [{ "iox::database": "market" }]);
  if (path === "/api/v1/query") return json(200, { status: "success" });
  return new Response(null, { status: 204 });
}

async function textOf(bytes: Uint8Array<ArrayBuffer>, { headers }: RequestInit): Promise<string> {
  const body = new Response(bytes);
  if (new Headers(headers).get("content-encoding") !== "gzip") return await body.text();
  return await new Response(body.body?.pipeThrough(new DecompressionStream("gzip"))).text();
}

const stored = () => new Response(null, { status: 204 });
const plain = (status: number, body: string, headers: HeadersInit = {}) =>
  new Response(body, { status, headers: { "content-type": "text/plain", ...headers } });

/** Refuses requests that hold any of these points. */
function refusing(bad: readonly number[], refusal: (count: number) => Response): Answer {
  return (lines) => {
    const count = lines.filter((line) => bad.some((at) => line.includes(`price=${at}.5`))).length;
    return count === 0 ? stored() : refusal(count);
  };
}

interface Row {
  readonly name: string;
  readonly input: Input;
  readonly answer: Answer;
  /** The points that are refused, with words of the reason. */
  readonly refused?: readonly [readonly number[], string];
  /** The class of the error, words of its text and of its hint. */
  readonly fails?: readonly [new (message: string) => PenstockError, string, string?];
  /** How long it asks to wait. */
  readonly afterMs?: number;
  /** Requests that were sent. */
  readonly requests?: number;
}

const ROWS: readonly Row[] = [
  { name: "204 is stored", input: V1, answer: stored, requests: 1 },
  ...[200, 201, 202].map((status): Row => ({
    name: `${status} is no answer of a server that stores`,
    input: V2,
    answer: () => plain(status, "ok"),
    fails: [OptionsError, `answered ${status}, "ok"`, "Check `url`, `server` and `version`"],
  })),
  {
    name: "302 is not followed",
    input: VM,
    answer: () => plain(302, "", { location: "https://login.test/sso?ticket=hidden" }),
    fails: [OptionsError, "answered 302", "it sends elsewhere, to https://login.test"],
    requests: 1,
  },
  {
    name: "400 for some lines is halved until the bad ones stand alone",
    input: V1,
    answer: refusing(
      [2, 5],
      () => json(400, { error: "partial write: unable to parse 'x': invalid number dropped=0" }),
    ),
    refused: [[2, 5], "partial write: unable to parse 'x': invalid number dropped=0"],
  },
  {
    name: "400 for the first of all lines leaves the others stored",
    input: V3,
    answer: refusing([0], () =>
      json(400, {
        error: "parsing failed for write_lp endpoint",
        data: { original_line: "x", line_number: 1, error_message: "invalid column type" },
      })),
    refused: [[0], "parsing failed for write_lp endpoint: invalid column type"],
  },
  {
    name: "400 with the words in the header alone gives those words",
    input: V1,
    answer: refusing(
      [7],
      () => new Response(null, { status: 400, headers: { "x-influxdb-error": "unable to parse" } }),
    ),
    refused: [[7], "unable to parse"],
  },
  {
    name: "400 in plain text gives the text",
    input: VM,
    answer: refusing([6], () => plain(400, "cannot parse field value\n")),
    refused: [[6], "cannot parse field value"],
  },
  {
    name: "400 that says that it dropped as many points as there were refuses all of them at once",
    input: V1,
    answer: () => json(400, { error: "partial write: points beyond retention policy dropped=8" }),
    refused: [[0, 1, 2, 3, 4, 5, 6, 7], "points beyond retention policy"],
    requests: 1,
  },
  {
    name: "400 that quotes a line with a number of dropped points is halved all the same",
    input: V1,
    answer: refusing(
      [3],
      () =>
        json(400, { error: "unable to parse 'price,note=a dropped=8 x': invalid field format" }),
    ),
    refused: [[3], "invalid field format"],
    requests: 7,
  },
  {
    name: "400 for a field type conflict refuses that line",
    input: V1,
    answer: refusing(
      [1],
      () =>
        json(400, { error: 'partial write: field type conflict: input field "price" dropped=1' }),
    ),
    refused: [[1], "field type conflict"],
  },
  {
    name: "400 for a database that is not named is about the options",
    input: VM,
    answer: () => json(400, { error: "database is required" }),
    fails: [OptionsError, "database is required", "Set `database`"],
    requests: 1,
  },
  {
    name: "400 for the unit of times is about the options",
    input: V2,
    answer: () =>
      json(400, { code: "invalid", message: "invalid precision; valid precision units are ns" }),
    fails: [OptionsError, "invalid precision", "`version`"],
    requests: 1,
  },
  {
    name: "401 is about the credentials",
    input: V2,
    answer: () => json(401, { code: "unauthorized", message: "unauthorized access" }),
    fails: [OptionsError, 'answered 401, "unauthorized access"', "Check `token`"],
    requests: 1,
  },
  {
    name: "403 is about the rights of a user",
    input: V1,
    answer: () =>
      json(403, { error: '"writer" user is not authorized to write to database "market"' }),
    fails: [OptionsError, "not authorized to write", 'GRANT ALL ON "market" TO "writer"'],
    requests: 1,
  },
  {
    name: "403 is about the rights of a token",
    input: V2,
    answer: () => json(403, { code: "forbidden", message: "insufficient permissions for write" }),
    fails: [OptionsError, "insufficient permissions", "Give the token the right"],
  },
  {
    name: "404 is about the database",
    input: V1,
    answer: () => json(404, { error: 'database not found: "market"' }),
    fails: [OptionsError, "database not found", "Check `database`"],
    requests: 1,
  },
  {
    name: "404 is about the bucket",
    input: V2,
    answer: () => json(404, { code: "not found", message: 'bucket "market" not found' }),
    fails: [OptionsError, "not found", "Check `bucket`"],
  },
  {
    name: "404 is about the organization",
    input: V2,
    answer: () => json(404, { code: "not found", message: 'organization name "home" not found' }),
    fails: [OptionsError, "not found", "Check `org`"],
  },
  {
    name: "404 of an unknown path tells what the server says it is",
    input: V2,
    answer: () => plain(404, "404 page not found", { "x-influxdb-version": "1.6.7" }),
    fails: [OptionsError, "404 page not found", "says that it is of version 1.6.7"],
  },
  ...[405, 415].map((status): Row => ({
    name: `${status} is about the address`,
    input: V1,
    answer: () => plain(status, "no"),
    fails: [OptionsError, `answered ${status}`, "Check `url`, `server` and `version`"],
  })),
  ...[408, 499, 502, 504].map((status): Row => ({
    name: `${status} is tried again`,
    input: V2,
    answer: () =>
      plain(status, "<html><body>Bad Gateway</body></html>", { "content-type": "text/html" }),
    fails: [RetryableError, `answered ${status}, "a page of HTML"`],
    requests: 1,
  })),
  {
    name: "413 is halved until the pieces are small enough",
    input: V1,
    answer: (lines) =>
      lines.length > 3 ? json(413, { error: "Request Entity Too Large" }) : stored(),
    refused: [[], ""],
    requests: 7,
  },
  {
    name: "413 for a single line refuses it",
    input: V1,
    answer: refusing([4], () => json(413, { error: "Request Entity Too Large" })),
    refused: [[4], "Request Entity Too Large"],
  },
  {
    name: "422 is halved until the bad lines stand alone",
    input: V2,
    answer: refusing([3, 4], (count) =>
      json(422, {
        code: "unprocessable entity",
        message:
          `failure writing points to database: partial write: field type conflict dropped=${count}`,
      })),
    refused: [[3, 4], "field type conflict"],
  },
  {
    name: "429 waits as many seconds as asked",
    input: V2,
    answer: () =>
      json(429, { code: "too many requests", message: "quota" }, { "retry-after": "17" }),
    fails: [RetryableError, 'answered 429, "quota"'],
    afterMs: 17_000,
  },
  {
    name: "503 waits until the date asked for",
    input: V3,
    answer: () => plain(503, "", { "retry-after": "Thu, 01 Jan 2026 00:02:00 GMT" }),
    fails: [RetryableError, "answered 503"],
    afterMs: 120_000,
  },
  {
    name: "503 of a throttling server without a wait is tried again",
    input: V1,
    answer: () => plain(503, "request throttled, queue full\n"),
    fails: [RetryableError, 'answered 503, "request throttled, queue full"'],
  },
  {
    name: "500 waits until the date asked for",
    input: V2,
    answer: () =>
      json(500, { code: "internal error", message: "unexpected error" }, {
        "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT",
      }),
    fails: [RetryableError, "unexpected error"],
    afterMs: 30_000,
  },
  {
    name: "500 of a full cache is tried again",
    input: V1,
    answer: () =>
      json(500, { error: "engine: cache-max-memory-size exceeded: (1073741856/1073741824)" }),
    fails: [RetryableError, "cache-max-memory-size exceeded", "give it time, or memory"],
  },
  {
    name: "500 of a full disk says so",
    input: V1,
    answer: () =>
      json(500, {
        error:
          "[shard 2] write /var/lib/influxdb/wal/market/autogen/2/_00001.wal: no space left on device",
      }),
    fails: [
      FatalError,
      "no space left on device",
      "Free some space on the disk of the server, restart it twice, then run it again",
    ],
    requests: 1,
  },
  {
    name: "500 for a retention policy that is not there is about the options",
    input: { ...V1, retention_policy: "year" },
    answer: () => json(500, { error: "retention policy not found: year" }),
    fails: [OptionsError, "retention policy not found: year", "Check `retention_policy`"],
    requests: 1,
  },
  {
    name: "a refused connection is tried again",
    input: V1,
    answer: () =>
      Promise.reject(
        new TypeError(
          "error sending request for url (http://influx.test:8086/write?db=market): client error (Connect): tcp connect error: Connection refused (os error 111)",
        ),
      ),
    fails: [
      RetryableError,
      "Cannot reach InfluxDB at influx.test:8086: client error (Connect): tcp connect error: Connection refused (os error 111)",
      "whether the server runs",
    ],
  },
  {
    name: "a server that does not answer is given up after the time-out, and tried again",
    input: { ...V1, timeout_ms: 5_000 },
    answer: (_lines, _attempt, { signal }) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    fails: [RetryableError, "InfluxDB at influx.test:8086 did not answer in 5000 ms"],
  },
  {
    name: "an answer that breaks off is tried again",
    input: V2,
    answer: () =>
      new Response(new ReadableStream({ start: (body) => body.error(new TypeError("reset")) }), {
        status: 400,
      }),
    fails: [RetryableError, "Cannot reach InfluxDB at influx.test:443: reset"],
  },
  {
    name: "a certificate that is wrong is about the address",
    input: V2,
    answer: () =>
      Promise.reject(
        new TypeError(
          "error sending request for url (https://influx.test/): client error (Connect): invalid peer certificate: UnknownIssuer",
        ),
      ),
    fails: [OptionsError, "invalid peer certificate", "the certificate of the server"],
  },
];

for (const row of ROWS) {
  Deno.test(`influxdb: ${row.name} (${row.input.server ?? `version ${row.input.version ?? (row.input.bucket ? 2 : 1)}`})`, async () => {
    const writing = await writeTo(row.input, row.answer);
    const outcome = await writing.deliver();
    if (row.fails) checkFailure(row, outcome);
    else checkRefused(row, outcome);
    if (row.requests !== undefined) assertEquals(writing.sent.length, row.requests);
  });
}

function checkFailure({ fails, afterMs }: Row, outcome: unknown): void {
  const [kind, text = "", hint = ""] = fails ?? [FatalError];
  assertInstanceOf(outcome, kind, describeError(outcome));
  assertStringIncludes(describeError(outcome), text);
  assertStringIncludes(outcome.hint ?? "", hint);
  const told = `${describeError(outcome)} ${outcome.hint} ${outcome.stack}`;
  for (const secret of ["secret-token", "hunter22", "hidden"]) assert(!told.includes(secret), told);
  if (outcome instanceof RetryableError) assertEquals(outcome.retryAfterMs, afterMs);
}

function checkRefused({ refused: [points, words] = [[], ""] }: Row, outcome: Outcome): void {
  assert(!(outcome instanceof Error), describeError(outcome));
  assertEquals(outcome.map(({ index }) => index), [...points]);
  for (const { reason } of outcome) assertStringIncludes(reason, words);
}

Deno.test("influxdb sends good lines once more and no bad one with them", async () => {
  const { deliver, sent } = await writeTo(V1, refusing([2], () => json(400, { error: "bad" })));
  assertEquals(await deliver(), [{ index: 2, reason: "bad" }]);
  assertEquals(sent, [
    [0, 1, 2, 3, 4, 5, 6, 7],
    [0, 1, 2, 3],
    [0, 1],
    [2, 3],
    [2],
    [3],
    [4, 5, 6, 7],
  ]);
});

Deno.test("influxdb gives up on a server that answers with its own error twelve times in a row", async () => {
  const { deliver } = await writeTo(
    V1,
    (_, attempt) => attempt === 5 ? stored() : json(500, { error: "timeout" }),
  );
  const outcomes = [];
  for (let attempt = 1; attempt <= 17; attempt++) outcomes.push(await deliver());
  const kinds = outcomes.map((outcome) => outcome instanceof Error ? outcome.name : "stored");
  assertEquals(kinds.slice(0, 5), [...Array(4).fill("RetryableError"), "stored"]);
  assertEquals(kinds.slice(5), [...Array(11).fill("RetryableError"), "FatalError"]);
  const last = outcomes.at(-1);
  assertInstanceOf(last, FatalError);
  assertStringIncludes(last.message, "12 times in a row");
  assertStringIncludes(last.hint ?? "", "nothing is lost");
});

Deno.test("influxdb bounds what it passes on of a server's words, and takes credentials out", async () => {
  const { deliver } = await writeTo(
    V2,
    () => json(401, { message: `no such token: secret-token ${"x".repeat(10_000)}` }),
  );
  const outcome = await deliver();
  assertInstanceOf(outcome, OptionsError);
  assertStringIncludes(outcome.message, 'answered 401, "no such token: *** xxx');
  assert(outcome.message.length < 500, String(outcome.message.length));
});

Deno.test("influxdb puts its credentials into a header and into no address", async () => {
  for (const input of [V1, V2, V3]) {
    const urls: string[] = [];
    const headers: string[] = [];
    const fetch: FakeContext["fetch"] = (url, init) => {
      urls.push(String(url));
      headers.push(new Headers(init?.headers).get("authorization") ?? "");
      return Promise.resolve(preparing(new URL(url).pathname));
    };
    const context = fakeContext({ fetch });
    const options = optionsOf(influxdb, input);
    const writer = await influxdb.open(options, { token: undefined, shapes: [QUOTE] }, context);
    await writer.deliver({ bytes: new TextEncoder().encode("quote price=1 1\n"), records: [1] });
    assert(headers.every((header) => header === headers[0] && header.length > 10), headers.join());
    assertEquals(urls.filter((url) => /secret|hunter|writer/.test(url)), []);
    assertEquals(JSON.stringify(context.said).includes("secret-token"), false);
  }
});

Deno.test("influxdb asks each version in its own words", async () => {
  const asked: string[] = [];
  for (
    const input of [V1, { ...V1, retention_policy: "year", precision: "s" as const }, V2, V3, VM]
  ) {
    const fetch: FakeContext["fetch"] = (url, init) => {
      if (init?.body instanceof Uint8Array && init.body.length > 0) asked.push(String(url));
      return Promise.resolve(preparing(new URL(url).pathname));
    };
    const options = optionsOf(influxdb, { ...input, gzip: false });
    const writer = await influxdb.open(
      options,
      { token: undefined, shapes: [] },
      fakeContext({ fetch }),
    );
    await writer.deliver({ bytes: new TextEncoder().encode("quote price=1 1\n"), records: [1] });
  }
  assertEquals(asked, [
    "http://influx.test:8086/write?db=market&precision=ms",
    "http://influx.test:8086/write?db=market&rp=year&precision=s",
    "https://influx.test/api/v2/write?org=home&bucket=market&precision=ms",
    "http://influx.test:8181/api/v3/write_lp?db=market&precision=ms&accept_partial=false",
    "http://vm.test:8428/write?db=market&precision=ms",
  ]);
});
