import { assertEquals, assertThrows } from "@std/assert";
import { FatalError } from "../../../engine/errors.ts";
import { Measurements } from "../../../engine/monitor/measurements.ts";

const FEED = { id: "feed", plugin: { id: "binance_websocket" } };

Deno.test("Measurements keep values apart by labels, in whatever order these are given", () => {
  const measurements = new Measurements();
  const metrics = measurements.of(FEED);
  metrics.count("closes", 1, { symbol: "BTCUSDT", interval: "1m" });
  metrics.count("closes", 2, { interval: "1m", symbol: "BTCUSDT" });
  metrics.count("closes", 4, { interval: "1M", symbol: "BTCUSDT" });
  metrics.gauge("buffered_bytes", 9);
  metrics.gauge("buffered_bytes", 5);
  assertEquals(measurements.all(), [
    {
      ...{ step: "feed", plugin: "binance_websocket", name: "closes", kind: "counter" },
      values: [
        { labels: { symbol: "BTCUSDT", interval: "1m" }, value: 3 },
        { labels: { interval: "1M", symbol: "BTCUSDT" }, value: 4 },
      ],
    },
    {
      ...{ step: "feed", plugin: "binance_websocket", name: "buffered_bytes", kind: "gauge" },
      values: [{ labels: {}, value: 5 }],
    },
  ]);
  assertEquals(measurements.totals(), { feed: { closes: 7 } });
});

Deno.test("Measurements count together what is beyond 2,000 values of one metric", () => {
  const measurements = new Measurements();
  const metrics = measurements.of(FEED);
  for (let id = 0; id < 5_000; id++) metrics.count("trades", 1, { id: `${id}` });
  const [trades] = measurements.all();
  assertEquals(trades?.values.length, 2_001);
  assertEquals(trades?.values.at(-1), { labels: { id: "other" }, value: 3_000 });
});

for (
  const [what, use] of Object.entries<(metrics: ReturnType<Measurements["of"]>) => void>({
    "a name that is not in snake_case": (metrics) => metrics.count("usedWeight"),
    "a name that ends as counters do": (metrics) => metrics.gauge("weight_total", 1),
    "a counter that is set": (metrics) => {
      metrics.count("weight");
      metrics.gauge("weight", 1);
    },
    "a label that the engine sets": (metrics) => metrics.count("weight", 1, { step: "a" }),
    "a label that is not in snake_case": (metrics) => metrics.count("weight", 1, { "a-b": "a" }),
  })
) {
  Deno.test(`Measurements refuse ${what}`, () => {
    assertThrows(() => use(new Measurements().of(FEED)), FatalError, "a metric must");
  });
}
