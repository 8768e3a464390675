/** Audits and repairs of a real store, fed by a simulated exchange. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { systemClock } from "../../engine/clock.ts";
import { createSimulator, type Scenario, serveSimulator } from "../../simulator/mod.ts";
import { type InfluxdbServer, startInfluxdb } from "../servers/influxdb.ts";
import { hasProgram, installHint, testWith } from "../servers/needs.ts";
import { startVictoriaMetrics } from "../servers/victoria_metrics.ts";
import { end, penstock, start, temporaryFolder, writePipeline } from "./_penstock.ts";

const RECORDED = fromFileUrl(
  new URL("../../../shared/data/rest-BTCUSDT-4h-2018-q1.json", import.meta.url),
);
const HOUR = 3_600_000;

/** An exchange that notes which candles it is asked for. */
function exchangeOf(scenario: Scenario) {
  const asked: string[] = [];
  let call = (_nth: number) => {};
  const simulator = createSimulator(scenario, {
    clock: systemClock,
    onRequest({ path, params }) {
      if (!path.endsWith("/klines")) return;
      const iso = (ms: number) => new Date(ms).toISOString().slice(0, 13);
      asked.push(
        `${params.symbol} ${iso(Number(params.startTime))} ${iso(Number(params.endTime) + 1)}`,
      );
      call(asked.length);
    },
  });
  const { rest, close } = serveSimulator(simulator);
  return {
    rest,
    /** What was asked for since the last time. */
    asked: () => asked.splice(0),
    /** Calls at each request for candles, with its number since then. */
    at(listener: (nth: number) => void): void {
      asked.length = 0;
      call = listener;
    },
    [Symbol.asyncDispose]: close,
  };
}

interface Setting {
  readonly rest: string;
  readonly symbols?: readonly string[];
  readonly interval: string;
  readonly from: string;
  readonly to: string;
  readonly store: unknown;
  readonly transforms?: readonly unknown[];
  readonly start?: string;
}

function pipelineOf({ rest, symbols = ["BTCUSDT"], store, transforms, ...given }: Setting) {
  return {
    name: "audited",
    sources: [{ use: "binance_rest", with: { symbols, ...given, base_url: rest } }],
    transforms: [{ use: "kline" }, ...transforms ?? [{ use: "rsi" }]],
    sinks: [{ use: "influxdb", with: store }],
  };
}

/** All that is stored, to the last digit. */
async function rowsOf(server: InfluxdbServer): Promise<unknown> {
  return await server.query('SELECT * FROM "kline" GROUP BY * ORDER BY time', "market");
}

async function lose(server: InfluxdbServer, from: string, to: string): Promise<void> {
  await server.query(`DELETE FROM "kline" WHERE time >= '${from}' AND time < '${to}'`, "market");
}

const POPULATE_RSI = fromFileUrl(new URL("../../pipelines/populate_rsi.yaml", import.meta.url));
const canReplay = await Deno.stat(RECORDED).then(() => true, () => false);
Deno.test({
  name:
    "audit finds three gaps, one of them the real halt of February 2018, and repairs what can be" +
    (canReplay ? "" : " (skipped: needs ../shared)") +
    (hasProgram("influxd") ? "" : ` (needs influxd: ${installHint("influxd")})`),
  ignore: !canReplay || !hasProgram("influxd"),
  fn: async () => {
    await using exchange = exchangeOf({
      files: [{ symbol: "BTCUSDT", interval: "4h", path: RECORDED }],
    });
    await using server = await startInfluxdb({ databases: ["market"] });
    await using temporary = await temporaryFolder();
    const file = await writePipeline(
      temporary.path,
      pipelineOf({
        rest: exchange.rest,
        interval: "4h",
        from: "2018-01-01",
        to: "2018-04-01",
        store: { url: server.url, database: "market" },
      }),
    );
    const run = await penstock("run", file);
    assertEquals(run.code, 0, run.stderr);
    const uninterrupted = await rowsOf(server);
    await lose(server, "2018-01-20T08:00:00Z", "2018-01-20T12:00:00Z");
    await lose(server, "2018-03-03T00:00:00Z", "2018-03-10T12:00:00Z");
    exchange.asked();

    const found = await penstock("audit", file);
    assertEquals(found.code, 1, found.stderr);
    assertEquals(found.stdout.split("\n").slice(0, 4), [
      "exchange=binance symbol=BTCUSDT base=BTC quote=USDT interval=4h in influxdb: " +
      "487 points of 540, 53 missing",
      "  missing     2018-01-20T08:00Z – 2018-01-20T12:00Z  1 point",
      "  missing     2018-02-08T04:00Z – 2018-02-09T08:00Z  7 points",
      "  missing     2018-03-03T00:00Z – 2018-03-10T12:00Z  45 points",
    ]);
    assertStringIncludes(found.stdout, `\`penstock audit ${file} --repair\` fetches and writes`);
    assertEquals(exchange.asked(), []);

    const repaired = await penstock("audit", file, "--repair");
    assertEquals(repaired.code, 0, repaired.stdout + repaired.stderr);
    assertStringIncludes(
      repaired.stdout,
      "repaired    46 points fetched and written, 0 points computed anew, " +
        "7 points found never to have been made",
    );
    assertEquals(await rowsOf(server), uninterrupted);
    // Each gap, and behind its last candle once more whether there is another.
    assertEquals([...new Set(exchange.asked())], [
      "BTCUSDT 2018-01-20T08 2018-01-20T12",
      "BTCUSDT 2018-02-08T04 2018-02-09T08",
      "BTCUSDT 2018-03-03T00 2018-03-10T12",
      "BTCUSDT 2018-03-10T08 2018-03-10T12",
    ]);

    const clean = await penstock("audit", file);
    assertEquals(clean.code, 0, clean.stderr);
    assertEquals(clean.stdout.split("\n"), [
      "exchange=binance symbol=BTCUSDT base=BTC quote=USDT interval=4h in influxdb: " +
      "533 points of 533, none missing",
      "  hole        2018-02-08T04:00Z – 2018-02-09T08:00Z  7 points never made",
      "1 series: nothing is missing",
      "",
    ]);
    const again = await penstock("audit", file, "--repair");
    assertEquals(again.code, 0, again.stderr);
    assertEquals(exchange.asked(), []);
  },
});

Deno.test({
  name:
    "a store with three gaps is populated with RSI, resumed, audited and repaired: it is what one run leaves" +
    (canReplay ? "" : " (skipped: needs ../shared)") +
    (hasProgram("influxd") ? "" : ` (needs influxd: ${installHint("influxd")})`),
  ignore: !canReplay || !hasProgram("influxd"),
  fn: async () => {
    await using exchange = exchangeOf({
      files: [{ symbol: "BTCUSDT", interval: "4h", path: RECORDED }],
    });
    await using server = await startInfluxdb({ databases: ["market", "whole"] });
    await using temporary = await temporaryFolder();
    const write = (folder: string, database: string, part: Partial<Setting>) =>
      writePipeline(
        join(temporary.path, folder),
        pipelineOf({
          ...{ rest: exchange.rest, interval: "4h", from: "2018-01-01", to: "2018-04-01" },
          store: { url: server.url, database },
          ...part,
        }),
      );
    const succeed = async (...args: string[]) => {
      const { code, stdout, stderr } = await penstock(...args);
      assertEquals(code, 0, stdout + stderr);
      return stderr;
    };
    await succeed("run", await write("bare", "market", { transforms: [], to: "2018-03-20" }));
    await lose(server, "2018-01-20T08:00:00Z", "2018-01-20T12:00:00Z");
    await lose(server, "2018-03-03T00:00:00Z", "2018-03-10T12:00:00Z");

    const populate = join(temporary.path, "populate_rsi.yaml");
    await Deno.copyFile(POPULATE_RSI, populate);
    const { code, stderr } = await end(start(["run", populate], {
      env: { NO_COLOR: "1", INFLUX_URL: server.url, INFLUX_DATABASE: "market" },
    }));
    assertEquals(code, 0, stderr);

    const file = await write("resumed", "market", { start: "stored" });
    assertStringIncludes(await succeed("run", file), "Going on from where the stores end series=1");
    const found = await penstock("audit", file, "--format", "json");
    assertEquals(found.code, 1, found.stderr);
    const [{ gaps }] = JSON.parse(found.stdout).series;
    assertEquals(gaps.map(({ slots }: { slots: number }) => slots), [1, 7, 45]);
    await succeed("audit", file, "--repair");
    await succeed("audit", file);

    await succeed("run", await write("whole", "whole", {}));
    const rows = (database: string) =>
      server.query('SELECT * FROM "kline" GROUP BY * ORDER BY time', database);
    assertEquals(await rows("market"), await rows("whole"));
  },
});

const GENERATED = { interval: "1h", from: "2024-03-01", to: "2024-04-01" } as const;

testWith(
  "influxd",
  "audit --repair joins what two runs left apart, indicators and checkpoint included",
  async () => {
    await using exchange = exchangeOf({});
    await using server = await startInfluxdb({ databases: ["market", "whole"] });
    await using temporary = await temporaryFolder();
    const { path } = temporary;
    const symbols = ["BTCUSDT", "ETHUSDT"];
    const given = { ...GENERATED, symbols, rest: exchange.rest };
    const store = { url: server.url, database: "market" };
    const early = await writePipeline(
      join(path, "early"),
      pipelineOf({ ...given, to: "2024-03-10", store }),
    );
    const late = await writePipeline(
      join(path, "late"),
      pipelineOf({ ...given, from: "2024-03-12", to: "2024-03-25", store }),
    );
    for (const file of [early, late]) assertEquals((await penstock("run", file)).code, 0);

    // With the checkpoint of the later run, as if `from` had been moved back.
    const all = await writePipeline(join(path, "late"), pipelineOf({ ...given, store }));
    const found = await penstock("audit", all, "--format", "json");
    assertEquals(found.code, 1, found.stderr);
    const { series } = JSON.parse(found.stdout);
    assertEquals(series.map(({ gaps }: { gaps: unknown }) => gaps), [
      [{ fromMs: Date.UTC(2024, 2, 10), toMs: Date.UTC(2024, 2, 12), slots: 48 }],
      [{ fromMs: Date.UTC(2024, 2, 10), toMs: Date.UTC(2024, 2, 12), slots: 48 }],
    ]);
    const repaired = await penstock("audit", all, "--repair");
    assertEquals(repaired.code, 0, repaired.stdout + repaired.stderr);
    assertEquals((await penstock("audit", all)).code, 0);

    // The next run goes on as if nothing had been missing.
    assertEquals((await penstock("run", all)).code, 0);
    const whole = await writePipeline(
      join(path, "whole"),
      pipelineOf({ ...given, store: { ...store, database: "whole" } }),
    );
    assertEquals((await penstock("run", whole)).code, 0);
    const rows = (database: string) =>
      server.query('SELECT * FROM "kline" GROUP BY * ORDER BY time', database);
    assertEquals(await rows("market"), await rows("whole"));
  },
);

testWith(
  "influxd",
  "audit --repair that is killed is finished by the next one",
  async () => {
    await using exchange = exchangeOf({});
    await using server = await startInfluxdb({ databases: ["market"] });
    await using temporary = await temporaryFolder();
    const store = { url: server.url, database: "market" };
    const given = { ...GENERATED, rest: exchange.rest, store };
    const file = await writePipeline(temporary.path, pipelineOf(given));
    assertEquals((await penstock("run", file)).code, 0);
    const uninterrupted = await rowsOf(server);
    for (const day of ["03", "11", "20"]) {
      await lose(server, `2024-03-${day}T00:00:00Z`, `2024-03-${day}T20:00:00Z`);
    }
    // What it has started ends with it, but may get further until then: further kills may come too late.
    const ends: (Deno.Signal | null)[] = [];
    for (const fatal of [1, 2, 4]) {
      const child = start(["audit", file, "--repair"]);
      exchange.at((nth) => nth === fatal && child.kill("SIGKILL"));
      ends.push((await end(child)).signal);
    }
    assertEquals(ends[0], "SIGKILL");
    exchange.at(() => {});
    const { code, stdout, stderr } = await penstock("audit", file, "--repair");
    assertEquals(code, 0, stdout + stderr);
    assertEquals(await rowsOf(server), uninterrupted);
  },
);

testWith(
  "influxd",
  "audit names candles that were left open, fields of two types, and mends what is not whole",
  async () => {
    await using exchange = exchangeOf({});
    await using server = await startInfluxdb({ databases: ["market"] });
    await using temporary = await temporaryFolder();
    const store = { url: server.url, database: "market" };
    const file = await writePipeline(
      temporary.path,
      pipelineOf({ ...GENERATED, rest: exchange.rest, store }),
    );
    assertEquals((await penstock("run", file)).code, 0);
    const uninterrupted = await rowsOf(server);
    const series = "kline,base=BTC,exchange=binance,interval=1h,quote=USDT,symbol=BTCUSDT";
    const at = (hour: number) => Date.UTC(2024, 2, 5) + hour * HOUR;
    await server.write(
      "market",
      `${series} close=1,closed=false ${at(0)}\n${series} rsi_14=99.5 ${at(40)}\n`,
    );
    // In a shard of its own, a field may have another type.
    await server.write("market", `${series} volume=1i ${Date.UTC(2020, 0, 1)}`);
    const found = await penstock("audit", file);
    assertEquals(found.code, 1, found.stderr);
    const lines = found.stdout.split("\n");
    assert(lines.includes("  missing     2024-03-05T00:00Z – 2024-03-05T01:00Z  1 point"));
    assert(lines.includes("  suspicious  2024-03-05T00:00Z  1 point of a candle that is open"));
    assert(
      lines.includes(
        "  wrong       2024-03-06T16:00Z  1 point with other rsi_14 than the points before give",
      ),
      found.stdout,
    );
    assert(
      lines.some((line) =>
        line.startsWith('suspicious in influxdb: "volume" of "kline" is declared float')
      ),
      found.stdout,
    );
    const repaired = await penstock("audit", file, "--repair");
    assertEquals(repaired.code, 0, repaired.stdout + repaired.stderr);
    await server.query("DELETE FROM \"kline\" WHERE time < '2021-01-01T00:00:00Z'", "market");
    assertEquals(await rowsOf(server), uninterrupted);
  },
);

testWith(
  "influxd",
  "audit looks beside a run that is under way; --repair waits for its end",
  async () => {
    await using exchange = exchangeOf({});
    await using server = await startInfluxdb({ databases: ["market"] });
    await using temporary = await temporaryFolder();
    const store = { url: server.url, database: "market" };
    const file = await writePipeline(
      temporary.path,
      pipelineOf({ ...GENERATED, rest: exchange.rest, store }),
    );
    assertEquals((await penstock("run", file)).code, 0);
    const folder = join(temporary.path, ".penstock", "audited");
    using lock = await Deno.open(join(folder, "lock"), { write: true });
    await lock.lock(true);
    assertEquals((await penstock("audit", file)).code, 0);
    const { code, stderr } = await penstock("audit", file, "--repair");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "another run uses");
  },
);

testWith("influxd", "audit says so where the server does not answer", async () => {
  await using exchange = exchangeOf({});
  await using server = await startInfluxdb({ databases: ["market"] });
  await using temporary = await temporaryFolder();
  const store = { url: server.url, database: "nowhere" };
  const file = await writePipeline(
    temporary.path,
    pipelineOf({ ...GENERATED, rest: exchange.rest, store }),
  );
  const { code, stderr } = await penstock("audit", file);
  assertEquals(code, 78, stderr);
  assertStringIncludes(stderr, 'found "nowhere"');
});

testWith("influxd", "audit that is stopped by a signal ends with its code", async () => {
  await using server = await startInfluxdb({ databases: ["market"] });
  await using temporary = await temporaryFolder();
  const asked = Promise.withResolvers<void>();
  const over = Promise.withResolvers<Response>();
  await using mute = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    asked.resolve();
    return over.promise;
  });
  const store = { url: server.url, database: "market" };
  const rest = `http://127.0.0.1:${mute.addr.port}`;
  const file = await writePipeline(temporary.path, pipelineOf({ ...GENERATED, rest, store }));
  const child = start(["audit", file]);
  await asked.promise;
  child.kill("SIGTERM");
  assertEquals((await child.output()).code, 143);
  over.resolve(new Response());
});

testWith("victoria-metrics", "audit --repair fills the gaps of VictoriaMetrics", async () => {
  await using exchange = exchangeOf({});
  await using server = await startVictoriaMetrics({ args: ["-dedup.minScrapeInterval=1ms"] });
  await using temporary = await temporaryFolder();
  const given = { ...GENERATED, rest: exchange.rest, transforms: [] };
  const store = { url: server.url, server: "victoria_metrics" };
  const setting = (part: Partial<Setting>) => pipelineOf({ ...given, store, ...part });
  const early = await writePipeline(join(temporary.path, "a"), setting({ to: "2024-03-10" }));
  const late = await writePipeline(join(temporary.path, "b"), setting({ from: "2024-03-12" }));
  for (const file of [early, late]) assertEquals((await penstock("run", file)).code, 0);
  await server.export('{__name__="kline_close"}');
  const all = await writePipeline(join(temporary.path, "c"), setting({}));
  const found = await penstock("audit", all);
  assertEquals(found.code, 1, found.stderr);
  assertStringIncludes(
    found.stdout,
    "missing     2024-03-10T00:00Z – 2024-03-12T00:00Z  48 points",
  );
  const repaired = await penstock("audit", all, "--repair");
  assertEquals(repaired.code, 0, repaired.stdout + repaired.stderr);
  const [closes] = await server.export('{__name__="kline_close"}');
  assertEquals(closes?.values.length, 31 * 24);
});
