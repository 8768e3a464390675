/** Audits and repairs of a real store, fed by a simulated exchange. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { systemClock } from "../../engine/clock.ts";
import { createSimulator, type Scenario, serveSimulator } from "../../simulator/mod.ts";
import { type InfluxdbServer, startInfluxdb } from "../servers/influxdb.ts";
import { hasProgram, installHint, testWith } from "../servers/needs.ts";
import { startVictoriaMetrics } from "../servers/victoria_metrics.ts";
import {
  end,
  type Ended,
  killRun,
  penstock,
  start,
  temporaryFolder,
  writePipeline,
} from "./_penstock.ts";

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
async function rowsOf(server: InfluxdbServer, database = "market"): Promise<unknown> {
  return await server.query('SELECT * FROM "kline" GROUP BY * ORDER BY time', database);
}

async function succeed(...args: string[]): Promise<Ended> {
  const ended = await penstock(...args);
  assertEquals(ended.code, 0, ended.stdout + ended.stderr);
  return ended;
}

async function lose(server: InfluxdbServer, from: string, to: string): Promise<void> {
  await server.query(`DELETE FROM "kline" WHERE time >= '${from}' AND time < '${to}'`, "market");
}

const POPULATE_RSI = fromFileUrl(new URL("../../pipelines/populate_rsi.yaml", import.meta.url));
/** Holds the lock of a pipeline until the file is closed. */
async function holdLock(folder: string): Promise<Deno.FsFile> {
  const lock = await Deno.open(join(folder, "lock"), { write: true });
  await lock.lock(true);
  return lock;
}

const canReplay = await Deno.stat(RECORDED).then(() => true, () => false);
Deno.test({
  name:
    "a store with three gaps, one of them the real halt of February 2018, is populated with RSI, " +
    "resumed, audited and repaired: it is what one run leaves" +
    (canReplay ? "" : " (skipped: needs ../shared)") +
    (hasProgram("influxd") ? "" : ` (needs influxd: ${installHint("influxd")})`),
  ignore: !canReplay || !hasProgram("influxd"),
  fn: async (t) => {
    await using exchange = exchangeOf({
      files: [{ symbol: "BTCUSDT", interval: "4h", path: RECORDED }],
    });
    await using server = await startInfluxdb({ databases: ["market", "whole"] });
    await using temporary = await temporaryFolder();
    const { path } = temporary;
    const write = (folder: string, database: string, part: Partial<Setting>) =>
      writePipeline(
        join(path, folder),
        pipelineOf({
          ...{ rest: exchange.rest, interval: "4h", from: "2018-01-01", to: "2018-04-01" },
          store: { url: server.url, database },
          ...part,
        }),
      );
    await succeed("run", await write("bare", "market", { transforms: [], to: "2018-03-20" }));
    await lose(server, "2018-01-20T08:00:00Z", "2018-01-20T12:00:00Z");
    await lose(server, "2018-03-03T00:00:00Z", "2018-03-10T12:00:00Z");
    const resumed = await write("resumed", "market", { start: "stored" });

    await t.step("RSI is populated over the gaps", async () => {
      const populate = join(path, "populate_rsi.yaml");
      await Deno.copyFile(POPULATE_RSI, populate);
      const env = { NO_COLOR: "1", INFLUX_URL: server.url, INFLUX_DATABASE: "market" };
      const { code, stderr } = await end(start(["run", populate], { env }));
      assertEquals(code, 0, stderr);
    });

    await t.step("a run goes on from the store", async () => {
      const { stderr } = await succeed("run", resumed);
      assertStringIncludes(stderr, "Going on from where the stores end series=1");
      exchange.asked();
    });

    await t.step("an audit finds the gaps, and asks for none of them", async () => {
      const { code, stdout, stderr } = await penstock("audit", resumed);
      assertEquals(code, 1, stderr);
      assertEquals(stdout.split("\n").slice(0, 4), [
        "exchange=binance symbol=BTCUSDT base=BTC quote=USDT interval=4h in influxdb: " +
        "487 points of 540, 53 missing",
        "  missing     2018-01-20T08:00Z – 2018-01-20T12:00Z  1 point",
        "  missing     2018-02-08T04:00Z – 2018-02-09T08:00Z  7 points",
        "  missing     2018-03-03T00:00Z – 2018-03-10T12:00Z  45 points",
      ]);
      assertStringIncludes(stdout, `\`penstock audit ${resumed} --repair\` fetches and writes`);
      assertEquals(exchange.asked(), []);
    });

    await t.step("a repair asks for just what is missing", async () => {
      const { stdout } = await succeed("audit", resumed, "--repair");
      assertStringIncludes(stdout, "repaired    46 points fetched and written, ");
      assertStringIncludes(stdout, " 7 points found never to have been made");
      // Each gap, and behind its last candle once more whether there is another.
      assertEquals([...new Set(exchange.asked())], [
        "BTCUSDT 2018-01-20T08 2018-01-20T12",
        "BTCUSDT 2018-02-08T04 2018-02-09T08",
        "BTCUSDT 2018-03-03T00 2018-03-10T12",
        "BTCUSDT 2018-03-10T08 2018-03-10T12",
      ]);
    });

    await t.step("the halt is a hole from then on, and is never asked for again", async () => {
      const { stdout } = await succeed("audit", resumed, "--repair");
      assertEquals(stdout.split("\n"), [
        "exchange=binance symbol=BTCUSDT base=BTC quote=USDT interval=4h in influxdb: " +
        "533 points of 533, none missing",
        "  hole        2018-02-08T04:00Z – 2018-02-09T08:00Z  7 points never made",
        "1 series: nothing is missing",
        "",
      ]);
      assertEquals(exchange.asked(), []);
    });

    await t.step("the store is what one run leaves", async () => {
      await succeed("run", await write("whole", "whole", {}));
      assertEquals(await rowsOf(server), await rowsOf(server, "whole"));
    });
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
    for (const file of [early, late]) await succeed("run", file);

    // With the checkpoint of the later run, as if `from` had been moved back.
    const all = await writePipeline(join(path, "late"), pipelineOf({ ...given, store }));
    const found = await penstock("audit", all, "--format", "json");
    assertEquals(found.code, 1, found.stderr);
    const { series } = JSON.parse(found.stdout);
    assertEquals(series.map(({ gaps }: { gaps: unknown }) => gaps), [
      [{ fromMs: Date.UTC(2024, 2, 10), toMs: Date.UTC(2024, 2, 12), slots: 48 }],
      [{ fromMs: Date.UTC(2024, 2, 10), toMs: Date.UTC(2024, 2, 12), slots: 48 }],
    ]);
    await succeed("audit", all, "--repair");

    // The next run goes on as if nothing had been missing.
    await succeed("run", all);
    const whole = await writePipeline(
      join(path, "whole"),
      pipelineOf({ ...given, store: { ...store, database: "whole" } }),
    );
    await succeed("run", whole);
    assertEquals(await rowsOf(server), await rowsOf(server, "whole"));
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
    await succeed("run", file);
    const uninterrupted = await rowsOf(server);
    for (const day of ["03", "11", "20"]) {
      await lose(server, `2024-03-${day}T00:00:00Z`, `2024-03-${day}T20:00:00Z`);
    }
    // What it has started ends with it, but may get further until then: further kills may come too late.
    const ends: (Deno.Signal | null)[] = [];
    for (const fatal of [1, 2, 4]) {
      const child = start(["audit", file, "--repair"]);
      exchange.at((nth) => nth === fatal ? killRun(child) : undefined);
      ends.push((await end(child)).signal);
    }
    assertEquals(ends[0], "SIGKILL");
    exchange.at(() => {});
    await succeed("audit", file, "--repair");
    assertEquals(await rowsOf(server), uninterrupted);
  },
);

testWith(
  "influxd",
  "audit names candles that were left open, and fields of two types, also beside a run; a repair mends them",
  async () => {
    await using exchange = exchangeOf({});
    await using server = await startInfluxdb({ databases: ["market"] });
    await using temporary = await temporaryFolder();
    const store = { url: server.url, database: "market" };
    const file = await writePipeline(
      temporary.path,
      pipelineOf({ ...GENERATED, rest: exchange.rest, store }),
    );
    await succeed("run", file);
    const uninterrupted = await rowsOf(server);
    const series = "kline,base=BTC,exchange=binance,interval=1h,quote=USDT,symbol=BTCUSDT";
    const at = (hour: number) => Date.UTC(2024, 2, 5) + hour * HOUR;
    await server.write(
      "market",
      `${series} close=1,closed=false ${at(0)}\n${series} rsi_14=99.5 ${at(40)}\n`,
    );
    // In a shard of its own, a field may have another type.
    await server.write("market", `${series} volume=1i ${Date.UTC(2020, 0, 1)}`);
    // As a run that is under way holds it: an audit looks beside it, a repair must wait.
    const lock = await holdLock(join(temporary.path, ".penstock", "audited"));
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
    const tooEarly = await penstock("audit", file, "--repair");
    lock.close();
    assertEquals(tooEarly.code, 1);
    assertStringIncludes(tooEarly.stderr, "another run uses");
    await succeed("audit", file, "--repair");
    await server.query("DELETE FROM \"kline\" WHERE time < '2021-01-01T00:00:00Z'", "market");
    assertEquals(await rowsOf(server), uninterrupted);
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
  assertStringIncludes(stderr, `"nowhere"`);
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
  for (const file of [early, late]) await succeed("run", file);
  await server.export('{__name__="kline_close"}');
  const all = await writePipeline(join(temporary.path, "c"), setting({}));
  const found = await penstock("audit", all);
  assertEquals(found.code, 1, found.stderr);
  assertStringIncludes(
    found.stdout,
    "missing     2024-03-10T00:00Z – 2024-03-12T00:00Z  48 points",
  );
  await succeed("audit", all, "--repair");
  const [closes] = await server.export('{__name__="kline_close"}');
  assertEquals(closes?.values.length, 31 * 24);
});
