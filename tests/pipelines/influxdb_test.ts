/** The pipelines that store candles: each is right, and runs against a real server. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { end, type Ended, start, temporaryFolder } from "../e2e/_penstock.ts";
import { startInfluxdb } from "../servers/influxdb.ts";
import { testWith } from "../servers/needs.ts";
import { startVictoriaMetrics } from "../servers/victoria_metrics.ts";

const PIPELINES = fromFileUrl(new URL("../../pipelines/", import.meta.url));

/** A copy of a pipeline in a folder of its own, so that nothing is left beside the original. */
async function copyOf(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await Deno.copyFile(join(PIPELINES, name), path);
  return path;
}

function run(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return end(start(args, { env: { NO_COLOR: "1", ...env } }));
}

for (
  const [name, guarantee] of [
    ["history_to_influxdb.yaml", "exactly once in effect"],
    ["live_to_influxdb.yaml", "exactly once in effect"],
    ["live_to_influxdb2.yaml", "exactly once in effect"],
    ["history_to_victoria_metrics.yaml", "at least once"],
  ] as const
) {
  Deno.test(`${name} is right, and promises ${guarantee}`, async () => {
    const path = join(PIPELINES, name);
    const { code, stdout, stderr } = await run(["check", path], { INFLUX_TOKEN: "secret" });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `influxdb: ${guarantee}`);
    assert(!stdout.includes("secret"));
  });
}

testWith("influxd", "history_to_influxdb.yaml stores a year of both symbols with RSI", async () => {
  await using server = await startInfluxdb();
  await using temporary = await temporaryFolder();
  const file = await copyOf(temporary.path, "history_to_influxdb.yaml");
  const { code, stderr } = await run(["run", "--simulate", file], { INFLUX_URL: server.url });
  assertEquals(code, 0, stderr);
  const [policy] = await server.query("SHOW RETENTION POLICIES", "market");
  assertEquals(policy?.values.map(([name, duration]) => [name, duration]), [["autogen", "0s"]]);
  const counts = await server.query(
    'SELECT count("close"), count("rsi_14") FROM "kline" GROUP BY "symbol"',
    "market",
  );
  assertEquals(counts.length, 2);
  for (const { values: [[, closes, rsis] = []] } of counts) {
    // A year has 8,760 hours or 8,784, and one of the two ends is under way.
    assert(Number(closes) >= 8_758 && Number(closes) <= 8_785, `${closes} candles`);
    assertEquals(Number(closes) - Number(rsis), 14);
  }
});

testWith(
  "influxd",
  "live_to_influxdb.yaml catches up, stops cleanly, and goes on from the store",
  async () => {
    await using server = await startInfluxdb();
    await using temporary = await temporaryFolder();
    const file = await copyOf(temporary.path, "live_to_influxdb.yaml");
    // 30 days have 43,200 minutes; in the first and the last one of them no candle may close.
    const enough = 2 * 43_198;
    const first = await untilStored(file, server, enough);
    assertEquals(first.code, 130, first.stderr);
    assertStringIncludes(first.stderr, "Going on from where the stores end series=0");
    await server.query('DELETE FROM "kline" WHERE time > now() - 5h', "market");
    const second = await untilStored(file, server, enough);
    assertEquals(second.code, 130, second.stderr);
    assertStringIncludes(second.stderr, "Going on from where the stores end series=2");
    // Five hours of both symbols, and what was there to go on from.
    const read = /binance_websocket +out ([\d,]+)/.exec(second.stderr)?.[1]?.replace(",", "");
    assert(Number(read) >= 600 && Number(read) <= 606, second.stderr);
    const counts = await server.query(
      'SELECT count("close"), count("rsi_14") FROM "kline" GROUP BY "symbol"',
      "market",
    );
    for (const { values: [[, closes, rsis] = []] } of counts) {
      assertEquals(Number(closes) - Number(rsis), 14);
    }
  },
);

/** Runs a pipeline against the simulated exchange until so many candles are stored. */
async function untilStored(
  file: string,
  server: Awaited<ReturnType<typeof startInfluxdb>>,
  candles: number,
): Promise<Ended> {
  const child = start(["run", "--simulate", file], {
    env: { NO_COLOR: "1", INFLUX_URL: server.url },
  });
  const ended = end(child);
  let isOver = false;
  ended.then(() => isOver = true);
  while (!isOver) {
    const [counted] = await server.query('SELECT count("close") FROM "kline"', "market")
      // It is the run that makes the database.
      .catch(() => []);
    if (Number(counted?.values[0]?.[1] ?? 0) >= candles) {
      child.kill("SIGINT");
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await ended;
}

testWith(
  "victoria-metrics",
  "history_to_victoria_metrics.yaml stores a year of both symbols with RSI",
  async () => {
    await using server = await startVictoriaMetrics({ args: ["-dedup.minScrapeInterval=1ms"] });
    await using temporary = await temporaryFolder();
    const file = await copyOf(temporary.path, "history_to_victoria_metrics.yaml");
    const { code, stderr } = await run(["run", "--simulate", file], {
      VICTORIA_METRICS_URL: server.url,
    });
    assertEquals(code, 0, stderr);
    const closes = await server.export('{__name__="kline_close"}');
    const rsis = await server.export('{__name__="kline_rsi_14"}');
    assertEquals(closes.map(({ metric }) => metric.symbol).sort(), ["BTCUSDT", "ETHUSDT"]);
    for (const { metric, values } of closes) {
      assert(values.length >= 8_758 && values.length <= 8_785, `${values.length} candles`);
      const rsi = rsis.find((one) => one.metric.symbol === metric.symbol);
      assertEquals(values.length - (rsi?.values.length ?? 0), 14);
    }
  },
);
