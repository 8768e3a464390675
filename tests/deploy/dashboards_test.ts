import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { renderMetrics } from "../../engine/monitor/exposition.ts";
import { emptyStep } from "../../engine/run/ledger.ts";
import { Monitor } from "../../engine/monitor/monitor.ts";
import { STORED } from "./_stored.ts";
import { penstock, temporaryFolder, writePipeline } from "../e2e/_penstock.ts";
import { startInfluxdb } from "../servers/influxdb.ts";
import { testWith } from "../servers/needs.ts";
import { type Query, readDashboards, readDeploy } from "./_dashboards.ts";

const dashboards = await readDashboards();
const queries = (source: string): Query[] =>
  dashboards.flatMap((dashboard) => dashboard.queries).filter((query) => query.source === source);

/** The measurement, tags and fields that `kline` and `rsi` write. */
const { measurement, tags, fields } = STORED;

Deno.test("dashboards have uids of their own, and ask data sources that are provisioned", async () => {
  assertEquals(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length);
  const { datasources } = await readDeploy("grafana/provisioning/datasources/penstock.yaml");
  const known = (datasources as { uid: string }[]).map(({ uid }) => uid);
  for (const { file, queries } of dashboards) {
    assert(queries.length > 0, file);
    for (const { source, name } of queries) assert(known.includes(source), `${file}: ${name}`);
  }
  for (const source of known) assert(queries(source).length > 0, `Nobody asks ${source}`);
});

Deno.test("dashboards of candles have symbol and interval as variables", () => {
  for (const file of ["candles_influxql.json", "candles_flux.json"]) {
    const found = dashboards.find((dashboard) => dashboard.file === file);
    assertEquals(found?.variables, ["exchange", "symbol", "interval"]);
  }
});

Deno.test("dashboards in InfluxQL name only what we write", () => {
  for (const { name, text } of queries("penstock_influxql")) {
    const given = new Set(Array.from(text.matchAll(/AS "(\w+)"/g), ([, alias]) => alias));
    const [, from] = /FROM "(\w+)"/.exec(text) ?? [];
    assertEquals(from, measurement, name);
    for (const [, word = ""] of text.matchAll(/(?<!(?:AS|FROM) )"(\w+)"/g)) {
      assert(fields.includes(word) || tags.includes(word), `${name}: "${word}"`);
    }
    assert(given.size > 0 || name.startsWith("variable"), name);
    for (const [, variable = ""] of text.matchAll(/'\$(\w+)'/g)) {
      assert(tags.includes(variable), `${name}: $${variable}`);
    }
  }
});

Deno.test("dashboards in Flux name only what we write", () => {
  for (const { name, text } of queries("penstock_flux")) {
    const [, from] = /r\._measurement == "(\w+)"/.exec(text) ?? [];
    assertEquals(from, measurement, name);
    for (const [, field = ""] of text.matchAll(/(?:r\._field == |field: )"(\w+)"/g)) {
      assert(fields.includes(field), `${name}: "${field}"`);
    }
    for (const [, word = ""] of text.matchAll(/\br\.([a-z]\w*)/g)) {
      assert(fields.includes(word) || tags.includes(word), `${name}: r.${word}`);
    }
    for (const [, tag = ""] of text.matchAll(/tag: "(\w+)"/g)) assert(tags.includes(tag), name);
    for (const [, variable = ""] of text.matchAll(/\$\{(\w+)\}/g)) {
      assert(tags.includes(variable), `${name}: ${variable}`);
    }
  }
});

Deno.test("the dashboard of runs asks for metrics that there are", async () => {
  const known = await knownMetrics();
  for (const { name, text } of queries("penstock_prometheus")) {
    const names = text.match(/\b(?:penstock|process)_[a-z_]+(?:\.\+_[a-z_]+)?/g) ?? [];
    assert(names.length > 0, name);
    for (const metric of names) {
      assert(known.some((one) => new RegExp(`^${metric}$`).test(one)), `${name}: ${metric}`);
    }
  }
});

testWith(
  "influxd",
  "dashboards in InfluxQL show candles, volume and RSI of a real InfluxDB",
  async () => {
    await using server = await startInfluxdb({ databases: ["market"] });
    await using temporary = await temporaryFolder();
    const scenario = join(temporary.path, "scenario.json");
    // A halt, so that one candle has `gap_bars`.
    await Deno.writeTextFile(
      scenario,
      JSON.stringify({ halts: [{ from: "2024-03-01T05:00:00Z", to: "2024-03-01T05:30:00Z" }] }),
    );
    const file = await writePipeline(temporary.path, {
      name: "dashboards",
      sources: [{
        use: "binance_rest",
        with: {
          symbols: ["BTCUSDT", "ETHUSDT"],
          interval: "1m",
          from: "2024-03-01",
          to: "2024-03-01T12:00:00Z",
        },
      }],
      transforms: [{ use: "kline" }, { use: "rsi" }],
      sinks: [{ use: "influxdb", with: { url: server.url, database: "market" } }],
    });
    const { code, stderr } = await penstock("run", file, `--simulate=${scenario}`);
    assertEquals(code, 0, stderr);

    const asked = async (name: string) => {
      const text = queries("penstock_influxql").find((query) => query.name === name)?.text ?? "";
      const [series] = await server.query(filledIn(text), "market");
      return series;
    };
    assertEquals((await asked("variable exchange"))?.values, [["exchange", "binance"]]);
    assertEquals((await asked("variable symbol"))?.values, [
      ["symbol", "BTCUSDT"],
      ["symbol", "ETHUSDT"],
    ]);
    assertEquals((await asked("variable interval"))?.values, [["interval", "1m"]]);
    const candles = await asked("$symbol $interval");
    assertEquals(candles?.columns, ["time", "open", "high", "low", "close", "volume"]);
    // Twelve hours in steps of ten minutes, three of which had no candles.
    assertEquals(candles?.values.length, 72 - 3);
    for (const panel of ["RSI 14", "Volume", "Bought by takers", "Trades"]) {
      const values = (await asked(panel))?.values ?? [];
      assert(values.length >= 67, panel);
      for (const [, value] of values) assert(typeof value === "number" && value >= 0, panel);
    }
    assertEquals((await asked("Candles missing before"))?.values.map(([, missing]) => missing), [
      30,
    ]);
  },
);

/** A query as Grafana would send it. */
function filledIn(text: string): string {
  const from = Date.UTC(2024, 2, 1);
  return text.replaceAll("$timeFilter", `time >= ${from}ms AND time < ${from + 43_200_000}ms`)
    .replaceAll("$__interval", "10m").replaceAll("$exchange", "binance")
    .replaceAll("$symbol", "BTCUSDT").replaceAll("$interval", "1m");
}

/** What a run shows: of the engine as it is shown, of plugins as they count it. */
async function knownMetrics(): Promise<string[]> {
  const monitor = new Monitor();
  monitor.begin(() => ({
    pipeline: "one",
    ledger: {
      sources: { one: emptyStep() },
      transforms: {},
      sinks: {},
      deadLetter: emptyStep(),
      dropped: 0,
    },
    given: new Map(),
    deliveries: [],
    epochs: 1,
    savedMs: 0,
    nowMs: 0,
  }));
  monitor.follow("one", () => [{ labels: {}, isLive: true, lagMs: 0, lastMs: 0 }]);
  const shown = await renderMetrics(monitor, "one", { memoryBytes: 1 });
  const counted: string[] = [];
  for (const plugin of ["binance_rest", "binance_websocket"]) {
    for (const path of [`${plugin}.ts`, ...PARTS]) {
      const code = await Deno.readTextFile(new URL(`../../sources/${path}`, import.meta.url));
      for (const [, kind, name] of code.matchAll(/\.(count|gauge)\("(\w+)"/g)) {
        counted.push(`penstock_${plugin}_${name}${kind === "count" ? "_total" : ""}`);
      }
    }
  }
  return [...Array.from(shown.matchAll(/^# TYPE (\w+)/gm), ([, name = ""]) => name), ...counted];
}

/** What the two sources share. */
const PARTS = Array.from(
  Deno.readDirSync(new URL("../../sources/_binance/", import.meta.url)),
  ({ name }) => `_binance/${name}`,
);
