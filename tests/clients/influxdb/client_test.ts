import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { InfluxClient, type InfluxRequest } from "../../../clients/influxdb/client.ts";
import {
  authorizationOf,
  type Connection,
  isLoopback,
  kindOf,
} from "../../../clients/influxdb/connection.ts";
import { askInfluxql } from "../../../clients/influxdb/influxql.ts";
import { VirtualClock } from "../../../engine/clock.ts";
import { FatalError, OptionsError, RetryableError } from "../../../engine/errors.ts";
import { Secret } from "../../../engine/options.ts";
import { type FakeContext, fakeContext } from "../../contracts/context.ts";
import { json } from "../../servers/_fake_server.ts";

const CONNECTION: Connection = {
  url: "https://influx.test/",
  server: "influxdb",
  database: "market",
  timeout_ms: 5_000,
};
const QUERY: InfluxRequest = { action: "read", method: "GET", path: "/query" };

/** A client of a server that answers so. */
function client(fetch: FakeContext["fetch"], connection: Partial<Connection> = {}) {
  const stopping = new AbortController();
  const clock = new VirtualClock(0);
  const context = fakeContext({ fetch, clock, signal: stopping.signal });
  return { stopping, clock, client: new InfluxClient({ ...CONNECTION, ...connection }, context) };
}

/** Answers with a body whose parts come one after the other, and which ends by the signal alone. */
function endless(...parts: readonly string[]): FakeContext["fetch"] {
  return (_, init) => {
    const body = new ReadableStream<Uint8Array>({
      start(body) {
        for (const part of parts) body.enqueue(new TextEncoder().encode(part));
        init?.signal?.addEventListener("abort", () => body.error(init.signal?.reason));
      },
    });
    return Promise.resolve(new Response(body));
  };
}

Deno.test("InfluxClient compresses what it sends, unless the server is on this machine or it is told not to", async () => {
  const cases: [Partial<Connection>, string | null][] = [
    [{}, "gzip"],
    [{ url: "http://127.0.0.1:8086" }, null],
    [{ url: "http://localhost:8086" }, null],
    [{ url: "http://[::1]:8086" }, null],
    [{ gzip: false }, null],
    [{ url: "http://127.0.0.1:8086", gzip: true }, "gzip"],
  ];
  for (const [connection, expected] of cases) {
    let found: string | null = "not sent";
    let text = "";
    const { client: sending } = client(async (url, init) => {
      const request = new Request(url, init);
      found = request.headers.get("content-encoding");
      const body = found === "gzip"
        ? request.body?.pipeThrough(new DecompressionStream("gzip"))
        : request.body;
      text = await new Response(body).text();
      return new Response(null, { status: 204 });
    }, connection);
    const body = new TextEncoder().encode("price close=1 1\n");
    await sending.request({ ...QUERY, method: "POST", body, expect: [204] });
    assertEquals([found, text], [expected, "price close=1 1\n"], JSON.stringify(connection));
  }
  assertEquals(isLoopback("http://127.0.0.1.example.org"), false);
});

Deno.test("InfluxClient adds path and parameters to the address, and follows no redirect", async () => {
  let asked = "";
  let redirect: RequestRedirect | undefined;
  const { client: asking } = client((url, init) => {
    asked = String(url);
    redirect = init?.redirect;
    return Promise.resolve(new Response("{}"));
  }, { url: "https://influx.test/behind/a/proxy/" });
  await asking.request({ ...QUERY, query: { q: "SHOW DATABASES", db: undefined, epoch: "ms" } });
  assertEquals(asked, "https://influx.test/behind/a/proxy/query?q=SHOW+DATABASES&epoch=ms");
  assertEquals(redirect, "manual");
});

Deno.test("InfluxClient gives up on an answer whose body does not end in time", async () => {
  const { client: asking, clock } = client(endless("{"));
  const reading = asking.request(QUERY);
  await assertRejects(() => reading, RetryableError, "did not answer in 5000 ms");
  assertEquals(clock.now(), 5_000);
});

Deno.test("InfluxClient streams a body part by part, each of which may take as long", async () => {
  const { client: asking } = client(endless("a", "b"));
  const parts: string[] = [];
  const reading = (async () => {
    for await (const part of asking.stream(QUERY)) parts.push(new TextDecoder().decode(part));
  })();
  await assertRejects(() => reading, RetryableError, "did not answer in 5000 ms");
  assertEquals(parts, ["a", "b"]);
});

Deno.test("InfluxClient cancels a stream that is left early", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (stream) => stream.enqueue(new Uint8Array([1])),
    cancel: () => void (isCancelled = true),
  });
  const { client: asking } = client(() => Promise.resolve(new Response(body)));
  for await (const part of asking.stream(QUERY)) {
    assertEquals(part, new Uint8Array([1]));
    break;
  }
  assertEquals(isCancelled, true);
});

Deno.test("InfluxClient ends with the reason of its context's signal", async () => {
  const { client: asking, stopping } = client((_, init) =>
    new Promise((_, reject) => {
      if (init?.signal?.aborted) reject(init.signal.reason);
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    })
  );
  const reading = asking.request(QUERY);
  const reason = new DOMException("Stopped", "AbortError");
  stopping.abort(reason);
  assertEquals(await reading.catch((error) => error), reason);
  assertEquals(await asking.request(QUERY).catch((error) => error), reason);
});

Deno.test("InfluxClient reads no more of a failure than it needs", async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(stream) {
      sent++;
      stream.enqueue(new Uint8Array(16_384).fill(0x78));
    },
  });
  const { client: asking } = client(() => Promise.resolve(new Response(body, { status: 418 })));
  const error = await assertRejects(() => asking.request(QUERY), FatalError, "answered 418");
  assertEquals(error.message.length < 500, true);
  assertEquals(sent < 10, true, `${sent} parts were read`);
});

Deno.test("InfluxClient says so when penstock may not reach the server", async () => {
  const { client: asking } = client(() => Promise.reject(new Deno.errors.NotCapable("net")));
  const error = await assertRejects(() => asking.request(QUERY), FatalError);
  assertStringIncludes(error.message, "without permission");
});

Deno.test("askInfluxql() takes an error inside an answer for what it is", async () => {
  const cases: [string, typeof OptionsError | typeof RetryableError | typeof FatalError][] = [
    ["database not found: market", OptionsError],
    ["retention policy not found: year", OptionsError],
    ["reader not authorized to execute statement 'x', requires READ on market", OptionsError],
    ["query timeout reached", RetryableError],
    ["undefined variable: x", FatalError],
  ];
  for (const [words, kind] of cases) {
    const { client: asking } = client(() =>
      Promise.resolve(json(200, { results: [{ statement_id: 0, error: words }] }))
    );
    const error = await askInfluxql(asking, { action: "look", q: "x" }).catch((error) => error);
    assertInstanceOf(error, kind, words);
    assertStringIncludes(error.message, `InfluxDB at influx.test:443 answered 200, "${words}"`);
  }
});

Deno.test("askInfluxql() refuses an answer that is none", async () => {
  for (const body of ["", "null", "<html>", '{"results":[]}', '{"results":[{"series":[{}]}]}']) {
    const { client: asking } = client(() => Promise.resolve(new Response(body)));
    await assertRejects(
      () => askInfluxql(asking, { action: "look", q: "x" }),
      FatalError,
      "Cannot look",
    );
  }
});

Deno.test("kindOf() and authorizationOf() go by server and version", () => {
  const token = new Secret("t");
  const login = { username: "ü", password: new Secret("p:w") };
  const cases: [Partial<Connection>, string, string | undefined][] = [
    [{}, "v1", undefined],
    [{ ...login }, "v1", "Basic w7w6cDp3"],
    [{ token }, "v1", "Bearer t"],
    [{ bucket: "b", token }, "v2", "Token t"],
    [{ version: 3, token }, "v3", "Bearer t"],
    [{ server: "victoria_metrics", username: "u" }, "victoria_metrics", "Basic dTo="],
  ];
  for (const [given, kind, header] of cases) {
    const connection = { ...CONNECTION, ...given };
    assertEquals(kindOf(connection), kind);
    assertEquals(authorizationOf(connection).authorization, header);
  }
});
