/** RSI is added to candles in a real VictoriaMetrics, where each field is a series of its own. */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type Samples, startVictoriaMetrics } from "../servers/victoria_metrics.ts";
import { testWith } from "../servers/needs.ts";
import { RSI_FIELDS } from "./_market.ts";
import { penstock, temporaryFolder, TestExchange, writePipeline } from "./_penstock.ts";

const CANDLES = 2 * 1_440;

testWith(
  "victoria-metrics",
  "RSI is added to candles in VictoriaMetrics, with the digits it keeps",
  async () => {
    await using exchange = new TestExchange();
    await using server = await startVictoriaMetrics();
    await using temporary = await temporaryFolder();
    const run = async (name: string, pipeline: unknown) => {
      const file = await writePipeline(join(temporary.path, name), pipeline);
      const { code, stderr } = await penstock("run", file);
      assertEquals(code, 0, stderr);
    };
    const at = { url: server.url, server: "victoria_metrics", database: "market" };
    const candles = (transforms: readonly unknown[], sink: unknown) => ({
      name: "candles",
      sources: [{
        use: "binance_rest",
        with: {
          ...{ symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m", base_url: exchange.rest },
          ...{ from: "2024-03-01", to: "2024-03-02" },
        },
      }],
      transforms: [{ use: "kline" }, ...transforms],
      sinks: [sink],
    });
    await run("candles", candles([], { use: "influxdb", with: at }));
    await run(
      "reference",
      candles([{ use: "rsi" }], { use: "file", with: { path: "out.json", format: "json" } }),
    );
    const before = await server.export('{db="market"}');
    await run("populate", {
      name: "populate_rsi",
      sources: [{ use: "influxdb", id: "stored", with: { ...at, fields: { close: "float" } } }],
      transforms: [{ use: "rsi" }, { use: "keep_fields", with: { fields: RSI_FIELDS } }],
      sinks: [{ use: "influxdb", with: at }],
    });
    const after = await server.export('{db="market"}');
    const isRsi = ({ metric }: Samples) =>
      RSI_FIELDS.some((field) => metric.__name__ === `kline_${field}`);
    const sorted = (all: readonly Samples[]) => all.map((one) => JSON.stringify(one)).sort();
    assertEquals(sorted(after.filter((one) => !isRsi(one))), sorted(before));
    assertEquals(before.length, 2 * 10);
    const text = await Deno.readTextFile(join(temporary.path, "reference", "out.json"));
    const points = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(points.length, CANDLES);
    for (const one of after.filter(isRsi)) {
      const { __name__ = "", symbol } = one.metric;
      const field = __name__.replace("kline_", "");
      const own = points.filter(({ tags, fields }) => tags.symbol === symbol && field in fields);
      assertEquals(one.timestamps, own.map(({ time }) => Date.parse(time)));
      for (const [at, { fields }] of own.entries()) {
        const [value, expected] = [one.values[at] ?? NaN, Number(fields[field])];
        assert(Math.abs(value - expected) <= 1e-9 * Math.max(1, expected), `${value}, ${expected}`);
      }
    }
    assertEquals(after.filter(isRsi).length, 2 * 3);
  },
);
