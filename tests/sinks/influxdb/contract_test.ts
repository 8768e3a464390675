/** The contract of the sink: compressed, in seconds, making its target. And which options it takes. */

import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../../engine/clock.ts";
import { guaranteesOf } from "../../../engine/explain/guarantee.ts";
import { deliveryOf } from "../../../engine/plugin.ts";
import { influxdb } from "../../../sinks/influxdb/mod.ts";
import { fakeContext } from "../../contracts/context.ts";
import { optionsOf } from "../../contracts/plugin.ts";
import { testSink } from "../../contracts/sink.ts";
import { fetchFrom } from "../../servers/_fake_server.ts";
import { fakeInfluxdbV2 } from "../../servers/fake_influxdb_v2.ts";
import { QUOTE, quotePoint, TIME_MS } from "../_fixtures.ts";

const TOKEN = "secret-token";
const SECONDS = TIME_MS / 1_000;

testSink(influxdb, {
  name: "compressed, in seconds, with a bucket to be made",
  options: {
    url: "https://influx.test/behind/a/proxy/",
    org: "home",
    bucket: "market",
    token: TOKEN,
    precision: "s",
    create: true,
  },
  badOptions: [
    {},
    { url: "influx.test", database: "market" },
    { url: "http://writer:hunter2@influx.test", database: "market" },
    { url: "http://influx.test?u=writer&p=hunter2", database: "market" },
    { url: "http://influx.test" },
    { url: "http://influx.test", database: "" },
    { url: "http://influx.test", database: "market", bucket: "market" },
    { url: "http://influx.test", org: "home", bucket: "market" },
    { url: "http://influx.test", org: "home", bucket: "market", token: TOKEN, username: "writer" },
    { url: "http://influx.test", version: 4, database: "market" },
    { url: "http://influx.test", version: 2, database: "market", token: TOKEN },
    { url: "http://influx.test", version: 3, bucket: "market", token: TOKEN },
    { url: "http://influx.test", database: "market", password: "hunter2" },
    { url: "http://influx.test", database: "market", token: TOKEN, username: "writer" },
    { url: "http://influx.test", database: "market", precision: "us" },
    { url: "http://influx.test", database: "market", retention: "30d" },
    { url: "http://influx.test", database: "market", create: true, retention: "a month" },
    { url: "http://influx.test", database: "market", create: true, shard_duration: "forever" },
    { url: "http://influx.test", version: 3, database: "market", create: true, retention: "30d" },
    { url: "http://influx.test", server: "victoria_metrics", create: true },
    { url: "http://influx.test", server: "victoria_metrics", version: 1 },
    { url: "http://influx.test", server: "victoria_metrics", bucket: "market" },
  ],
  permissions: { net: ["influx.test:443"] },
  shapes: [QUOTE],
  badShapes: [{ kind: "raw", format: "candle" }, { ...QUOTE, fields: { time: "float" } }],
  records: Array.from(
    { length: 12 },
    (_, at) =>
      quotePoint({ fields: { price: `${at}.50`, trades: at }, timeMs: TIME_MS + 1_000 * at }),
  ),
  rejects: [quotePoint({ timeMs: TIME_MS + 1 }), quotePoint({ fields: { price: "5." } })],
  encoded: Array.from(
    { length: 12 },
    (_, at) =>
      `quote,exchange=binance,symbol=BTCUSDT price=${at}.50,trades=${at}i ${SECONDS + at}\n`,
  ).join(""),
  stored: Array.from(
    { length: 12 },
    (_, at) =>
      `quote,exchange=binance,symbol=BTCUSDT ${TIME_MS + 1_000 * at} price=${at}.5,trades=${at}i\n`,
  ).join(""),
  target() {
    const server = fakeInfluxdbV2({ org: "home", token: TOKEN });
    const fetch = fetchFrom(server);
    return {
      context: (signal) =>
        fakeContext({
          signal,
          // No time passes: the server answers at once.
          clock: new VirtualClock(TIME_MS, { manual: true }),
          fetch: (url, init) => fetch(String(url).replace("/behind/a/proxy/", "/"), init),
        }),
      stored: () => server.lines("market"),
    };
  },
});

Deno.test("influxdb tells an InfluxDB 2 how long to keep points and how long shards are", async () => {
  const ask = async (given: { readonly retention?: string; readonly shard_duration?: string }) => {
    const server = fakeInfluxdbV2({ org: "home", token: TOKEN });
    const options = optionsOf(influxdb, {
      ...{ url: "http://influx.test", org: "home", bucket: "market", token: TOKEN, create: true },
      ...given,
    });
    const context = fakeContext({ fetch: fetchFrom(server) });
    await influxdb.open(options, { token: undefined, shapes: [] }, context);
    return server.created;
  };
  const made = (rule: unknown) => [{ orgID: "0f0f", name: "market", retentionRules: [rule] }];
  assertEquals(
    await ask({}),
    made({ type: "expire", everySeconds: 0, shardGroupDurationSeconds: 31_449_600 }),
  );
  assertEquals(await ask({ retention: "30d" }), made({ type: "expire", everySeconds: 2_592_000 }));
  assertEquals(
    await ask({ retention: "2w", shard_duration: "12h" }),
    made({ type: "expire", everySeconds: 1_209_600, shardGroupDurationSeconds: 43_200 }),
  );
});

Deno.test("influxdb promises what each server keeps, and says what weakens that", () => {
  const promise = (input: unknown) => {
    const options = optionsOf(influxdb, Object(input));
    return [deliveryOf(influxdb, options), influxdb.caveat?.(options)?.slice(0, 46)];
  };
  const url = "http://influx.test";
  assertEquals(promise({ url, database: "market" }), ["idempotent", undefined]);
  assertEquals(promise({ url, org: "o", bucket: "market", token: TOKEN }), [
    "idempotent",
    undefined,
  ]);
  assertEquals(promise({ url, version: 3, database: "market" }), [
    "idempotent",
    "InfluxDB 3 Core does not say which of two vers",
  ]);
  assertEquals(promise({ url, server: "victoria_metrics" }), [
    "append",
    "VictoriaMetrics acknowledges before points are",
  ]);
});

Deno.test("the guarantee of a pipeline has the caveat of its sink", () => {
  const options = optionsOf(influxdb, {
    url: "http://influx.test",
    version: 3,
    database: "market",
  });
  const [guarantee] = guaranteesOf({
    ...{ name: "p", folder: "/", sources: [], transforms: [], deadLetter: undefined, shapes: [] },
    sinks: [{ plugin: influxdb, id: "influxdb", options, onError: "stop" }],
    epoch: { records: 1, ms: 1 },
  });
  assertEquals([guarantee?.promise, guarantee?.weaknesses[0]], [
    "exactly once in effect",
    "InfluxDB 3 Core does not say which of two versions of a point stays, so a corrected one may be lost",
  ]);
});
