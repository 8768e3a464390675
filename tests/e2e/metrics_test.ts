/** A live run tells how it is over HTTP, on the loopback address alone. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async";
import { penstock, start, temporaryFolder, writePipeline } from "./_penstock.ts";

const PATIENCE_MS = 60_000;

const LIVE = {
  name: "live",
  sources: [{
    use: "binance_websocket",
    with: { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1s", from: "1 minute ago" },
  }],
  transforms: [{ use: "kline" }, { use: "rsi" }],
  sinks: [{ use: "file", with: { path: "live.lp" } }],
};

Deno.test("run --metrics serves the metrics of a live run, and is ready once it is caught up", async () => {
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, LIVE);
  const child = start(["run", "--simulate", "--metrics", "0", file], { stdout: "null" });
  const [watched, kept] = child.stderr.tee();
  const url = await urlIn(watched);
  assertEquals(new URL(url).hostname, "127.0.0.1");
  const deadlineMs = Date.now() + PATIENCE_MS;
  let ready = await get(`${url}/readyz`);
  for (; ready !== "ready\n" && Date.now() < deadlineMs; ready = await get(`${url}/readyz`)) {
    assert(ready.startsWith("not ready: "), ready);
    await delay(200);
  }
  const metrics = await get(`${url}/metrics`);
  const health = await get(`${url}/livez`);
  child.kill("SIGINT");
  const said = await new Response(kept).text();
  assertEquals((await child.status).code, 130, said);
  assertEquals([ready, health], ["ready\n", "alive\n"], said);
  const series = 'step="binance_websocket",symbol="ETHUSDT",interval="1s",pipeline="live"';
  assertStringIncludes(metrics, `\npenstock_series_live{${series}} 1\n`);
  assertStringIncludes(metrics, `\npenstock_series_lag_seconds{${series}} `);
  assertMatch(metrics, /\npenstock_records_total\{kind="sink",step="file",count="out",.*\} [1-9]/);
  // What has not happened is there as well, so that an alert sees the first time.
  for (const name of ["holes", "corrected_candles", "unknown_messages", "failed_requests"]) {
    assertMatch(metrics, new RegExp(`\\npenstock_binance_websocket_${name}_total\\{.*\\} 0\\n`));
  }
  assert(!/holes|mute_streams/.test(said), said);
  assertMatch(metrics, /\npenstock_binance_websocket_weight_used\{.*\} [1-9]/);
});

for (const port of ["", "http", "-1", "65536"]) {
  Deno.test(`run --metrics=${port} is wrong usage`, async () => {
    const { code, stderr } = await penstock("run", `--metrics=${port}`, "any.yaml");
    assertEquals(code, 2);
    assertStringIncludes(stderr, "must be a port from 1 to 65535, or 0 for any free one");
  });
}

async function urlIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    const url = /Serving metrics and health url=(\S+)\n/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(said);
}

async function get(url: string): Promise<string> {
  return await (await fetch(url)).text();
}
