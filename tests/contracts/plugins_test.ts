import { assertEquals } from "@std/assert";
import { registry } from "../../cli/open.ts";
import { VirtualClock } from "../../engine/clock.ts";
import type { Plugin } from "../../engine/plugin.ts";
import type { Point, PointShape, RawCandle } from "../../engine/point.ts";
import { createSimulator, type Scenario, type Simulator } from "../../simulator/mod.ts";
import { file } from "../../sinks/file/mod.ts";
import { stdout } from "../../sinks/stdout.ts";
import { binanceRest } from "../../sources/binance_rest.ts";
import { type FakeContext, fakeContext } from "./context.ts";
import { type SinkTarget, testSink } from "./sink.ts";
import { testSource } from "./source.ts";

const MINUTE_MS = 60_000;
const NOW_MS = Date.UTC(2024, 0, 1, 12);
const FROM_MS = NOW_MS - 1_600 * MINUTE_MS;

/** A market with a halt, and an exchange that asks for patience now and then. */
const SCENARIO: Scenario = {
  halts: [{ from: NOW_MS - 900 * MINUTE_MS, to: NOW_MS - 870 * MINUTE_MS }],
  limits: { weight_per_minute: 40, others_per_minute: 5 },
};

function exchange(signal: AbortSignal): { simulator: Simulator; context: FakeContext } {
  const clock = new VirtualClock(NOW_MS);
  const simulator = createSimulator(SCENARIO, { clock });
  const context = fakeContext({
    clock,
    signal,
    fetch: (url, init) => simulator.handle(new Request(url, init)),
  });
  return { simulator, context };
}

function candlesOf(base: string): RawCandle[] {
  const { simulator } = exchange(new AbortController().signal);
  const series = {
    exchange: "binance",
    symbol: `${base}USDT`,
    base,
    quote: "USDT",
    interval: "1m",
  };
  return simulator.candles(series.symbol, "1m", FROM_MS, NOW_MS)
    .map((candle) => ({ series, candle: [...candle], closed: true }));
}

testSource(binanceRest, {
  name: "at the simulator",
  options: {
    symbols: ["BTCUSDT", "ETHUSDT"],
    interval: "1m",
    from: FROM_MS,
    base_url: "http://binance.test:8080",
  },
  permissions: { net: ["binance.test:8080"] },
  context: (signal) => exchange(signal).context,
  records: [...candlesOf("BTC"), ...candlesOf("ETH")],
  series: ({ series }) => series.symbol,
});

const PRICE: PointShape = {
  kind: "point",
  measurement: "price",
  tags: ["symbol"],
  fields: { close: "float", trades: "integer", closed: "boolean", note: "string" },
};

/** A point every hour, so that eight of them lie on the first day and four on the second. */
const POINTS: readonly Point[] = Array.from({ length: 12 }, (_, hour) => ({
  measurement: "price",
  tags: { symbol: hour % 2 === 0 ? "TULIP" : "PEPPER" },
  fields: { close: `${hour}.50`, trades: hour, closed: true, note: "été" },
  timeMs: Date.UTC(2024, 1, 28, 16 + hour),
}));

const LINES = POINTS.map(({ tags, fields, timeMs }) =>
  `price,symbol=${tags.symbol} close=${fields.close},trades=${fields.trades}i,closed=true,note="été" ${timeMs}\n`
);

const BAD_POINTS = [
  { ...POINTS[0], fields: { close: "NaN" } },
  { ...POINTS[0], fields: { close: "1", trades: 1.5 } },
  { ...POINTS[0], timeMs: 0.5 },
];

function printed(): SinkTarget {
  const contexts: FakeContext[] = [];
  return {
    context(signal) {
      const context = fakeContext({ signal });
      contexts.push(context);
      return context;
    },
    stored: () => contexts.map((context) => context.printed()).join(""),
  };
}

/** All files of a folder, one after the other, each under its name. */
function folder(): SinkTarget {
  const files = new Map<string, string>();
  return {
    context: (signal) => fakeContext({ signal, files }),
    stored: () =>
      [...files].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([name, text]) => `${name}:\n${text}`).join(""),
  };
}

for (const format of ["line_protocol", "json", "table"] as const) {
  testSink(stdout, {
    name: format,
    options: { format },
    badOptions: [{ format: "csv" }],
    permissions: {},
    shapes: [PRICE],
    badShapes: format === "json" ? [] : [{ kind: "raw", format: "candle" }],
    records: POINTS,
    rejects: BAD_POINTS,
    ...(format === "line_protocol" && { encoded: LINES.join(""), stored: LINES.join("") }),
    ...(format === "table" && { wholeOnly: "each table has a header" }),
    target: printed,
  });
}

testSink(file, {
  options: { path: "out/prices.lp" },
  badOptions: [{}, { path: "" }, { path: "a.lp", format: "table" }, { path: "a.lp", rotate: {} }],
  permissions: { read: ["out/prices.lp"], write: ["out/prices.lp"] },
  shapes: [PRICE],
  badShapes: [{ kind: "raw", format: "candle" }],
  records: POINTS,
  rejects: BAD_POINTS,
  encoded: LINES.join(""),
  stored: `out/prices.lp:\n${LINES.join("")}`,
  target: folder,
});

testSink(file, {
  name: "by day",
  options: { path: "out/prices.lp", rotate: { every: "day" } },
  permissions: { read: ["out"], write: ["out"] },
  shapes: [PRICE],
  records: POINTS,
  rejects: BAD_POINTS,
  stored: `out/prices.2024-02-28.lp:\n${LINES.slice(0, 8).join("")}` +
    `out/prices.2024-02-29.lp:\n${LINES.slice(8).join("")}`,
  target: folder,
});

testSink(file, {
  name: "by size, as JSON",
  options: { path: "prices.jsonl", rotate: { size: 1_000 } },
  permissions: { read: ["."], write: ["."] },
  shapes: [PRICE],
  records: POINTS,
  rejects: BAD_POINTS,
  target: folder,
});

testSink(file, {
  name: "of any records",
  options: { path: "rejected.jsonl" },
  shapes: [{ kind: "raw", format: "candle" }],
  records: POINTS.map(({ timeMs }) => ({ refused: timeMs, symbol: "été" })),
  target: folder,
});

const FOLDERS: readonly (readonly [name: string, plugins: readonly Plugin[]])[] = [
  ["sources", await registry.list("source")],
  ["transforms", await registry.list("transform")],
  ["sinks", await registry.list("sink")],
];

for (const [name, plugins] of FOLDERS) {
  Deno.test(`${name}/mod.ts lists each file and folder of ${name}/, by the plugin's id`, () => {
    const url = new URL(`../../${name}/`, import.meta.url);
    const found = Array.from(Deno.readDirSync(url), (entry) => entry.name)
      .filter((entry) => entry !== "mod.ts" && !entry.startsWith("_"))
      .map((entry) => entry.replace(/\.ts$/, ""));
    assertEquals(plugins.map(({ id }) => id).toSorted(), found.toSorted());
  });
}

Deno.test("each plugin that comes with penstock is tested with the suite of its kind", async () => {
  const texts = await Array.fromAsync(
    testFiles(new URL("../", import.meta.url)),
    (url) => Deno.readTextFile(url),
  );
  const suites = { source: "testSource", transform: "testTransform", sink: "testSink" };
  const untested = FOLDERS.flatMap(([, plugins]) => plugins).filter(({ kind, id }) => {
    const name = id.replaceAll(/_(.)/g, (_, letter) => letter.toUpperCase());
    return !texts.some((text) => text.includes(`${suites[kind]}(${name}, {`));
  });
  assertEquals(untested.map(({ id }) => id), []);
});

async function* testFiles(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* testFiles(new URL(`${name}/`, folder));
    else if (name.endsWith("_test.ts")) yield new URL(name, folder);
  }
}
