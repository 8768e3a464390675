import { assertEquals } from "@std/assert";
import { OptionsError } from "../../engine/errors.ts";
import type { Position, SourceBatch } from "../../engine/plugin.ts";
import type { Point, PointShape } from "../../engine/point.ts";
import { influxdb } from "../../sources/influxdb.ts";
import { kline } from "../../transforms/kline.ts";
import { imitate, type Imitation } from "../clients/influxdb/_imitated.ts";
import { OPTIONS, testStores } from "../clients/influxdb/_stores.ts";
import { type FakeContext, fakeContext } from "../contracts/context.ts";
import { testSource } from "../contracts/source.ts";

const MINUTE = 60_000;
const T0 = Date.UTC(2023, 11, 1);
const SHAPE = shapeOfCandles();

function shapeOfCandles(): PointShape {
  const shape = kline.shape({ kind: "raw", format: "candle" }, {});
  if (shape.kind === "raw") throw new Error("Candles must be points");
  return shape;
}

function tagsOf(symbol: string): Point["tags"] {
  return { base: symbol.slice(0, 3), exchange: "binance", interval: "1m", quote: "USDT", symbol };
}

function candle(symbol: string, slot: number, fields: Point["fields"] = {}): Point {
  return {
    measurement: "kline",
    tags: tagsOf(symbol),
    fields: { close: slot + 0.5, trades: slot, closed: true, ...fields },
    timeMs: T0 + slot * MINUTE,
  };
}

function candles(symbol: string, from: number, to: number): Point[] {
  return Array.from({ length: to - from }, (_, n) => candle(symbol, from + n));
}

const POINTS = [
  ...candles("BTCUSDT", 0, 300),
  ...candles("BTCUSDT", 20_000, 20_400),
  ...candles("ETHUSDT", 10, 12),
];

function world(kind: keyof typeof OPTIONS, more: Partial<Imitation> = {}) {
  const types = { close: "float", trades: "integer", closed: "boolean" } as const;
  const server = imitate({ kind, points: POINTS, types, ...more });
  return {
    ...server,
    context: (signal: AbortSignal = new AbortController().signal): FakeContext =>
      fakeContext({ signal, fetch: server.fetch }),
  };
}

for (const kind of ["v1", "v2", "v3", "victoria_metrics"] as const) {
  const { url } = OPTIONS[kind];
  testSource(influxdb, {
    name: `at an imitated ${kind}`,
    options: OPTIONS[kind],
    context: (signal) => world(kind).context(signal),
    records: POINTS,
    series: ({ tags }) => tags.symbol ?? "",
    permissions: { net: [new URL(url).host] },
    empty: { context: (signal) => world(kind, { points: [] }).context(signal) },
    badOptions: [
      {},
      { ...OPTIONS[kind], measurement: "" },
      { ...OPTIONS[kind], fields: {} },
      { ...OPTIONS[kind], fields: { close: "double" } },
      { ...OPTIONS[kind], tags: ["symbol", "symbol"] },
      { ...OPTIONS[kind], tags: ["close"] },
      { ...OPTIONS[kind], where: { color: "red" } },
      { ...OPTIONS[kind], where: { symbol: [] } },
      { ...OPTIONS[kind], from: "2024-02-01", to: "2024-01-01" },
    ],
    failing: [
      {
        name: "series have other tags",
        options: { ...OPTIONS[kind], tags: ["symbol"] },
        context: (signal) => world(kind).context(signal),
        error: OptionsError,
        message: 'has the tag "base" as well',
      },
      {
        name: "series lack a tag",
        options: { ...OPTIONS[kind], tags: [...Object.keys(tagsOf("BTCUSDT")), "color"] },
        context: (signal) => world(kind).context(signal),
        error: OptionsError,
        message: 'has no tag "color"',
      },
      {
        name: "the credentials are wrong",
        context: (signal) =>
          world(kind, {
            instead: () => Response.json({ error: "unauthorized access" }, { status: 401 }),
          }).context(signal),
        error: OptionsError,
        message: "answered 401",
      },
      {
        name: "`from` is not before now",
        options: { ...OPTIONS[kind], from: "2999-01-01" },
        context: (signal) => world(kind).context(signal),
        error: OptionsError,
        message: "`from` must be before `to`",
      },
    ],
  });
}

async function read(
  options: unknown,
  context: FakeContext,
  from: Position = {},
): Promise<{ batches: SourceBatch<Point>[]; records: Point[]; position: Position }> {
  const checked = influxdb.options.safeParse(options);
  if (!checked.success) throw new Error(JSON.stringify(checked.error.issues));
  const batches = await Array.fromAsync(influxdb.read(checked.data, from, context));
  return {
    batches,
    records: batches.flatMap(({ records }) => records),
    position: Object.assign({}, from, ...batches.map(({ position }) => position)),
  };
}

Deno.test("influxdb reads candles by default: the tags and fields that kline gives", () => {
  const checked = influxdb.options.safeParse(OPTIONS.v1);
  if (!checked.success) throw new Error("Wrong options");
  assertEquals(influxdb.shape(checked.data), SHAPE);
});

Deno.test("influxdb reads the series that are asked for, and the fields that are named", async () => {
  const { context } = world("v1");
  const options = {
    ...OPTIONS.v1,
    fields: { close: "float" },
    where: { symbol: ["ETHUSDT", "BNBUSDT"], interval: "1m" },
  };
  assertEquals((await read(options, context())).records, [
    { ...candle("ETHUSDT", 10), fields: { close: 10.5 } },
    { ...candle("ETHUSDT", 11), fields: { close: 11.5 } },
  ]);
});

Deno.test("influxdb leaves open candles out until they are closed", async () => {
  const open = candle("ETHUSDT", 12, { closed: false });
  const points = [...candles("ETHUSDT", 10, 12), open];
  const options = { ...OPTIONS.v1 };
  const first = await read(options, world("v1", { points }).context());
  assertEquals(first.records, candles("ETHUSDT", 10, 12));
  const narrow = await read(
    { ...options, fields: { close: "float" } },
    world("v1", { points }).context(),
  );
  assertEquals(narrow.records.map(({ fields }) => fields), [{ close: 10.5 }, { close: 11.5 }]);
  const all = await read({ ...options, updates: "all" }, world("v1", { points }).context());
  assertEquals(all.records, points);
  const later = [...points.slice(0, 2), candle("ETHUSDT", 12), candle("ETHUSDT", 13)];
  const second = await read(options, world("v1", { points: later }).context(), first.position);
  assertEquals(second.records, later.slice(2));
});

Deno.test("influxdb gives the stored point right before `from`, with all its fields, at the beginning", async () => {
  const averages = { rsi_14: 50, avg_gain_14: 0.1 + 0.2, avg_loss_14: 0.25 };
  const points = [
    ...candles("BTCUSDT", 0, 5),
    candle("BTCUSDT", 5, averages),
    candle("BTCUSDT", 6, { closed: false }),
    ...candles("BTCUSDT", 7, 9),
    ...candles("ETHUSDT", 7, 8),
  ];
  const options = {
    ...OPTIONS.v1,
    fields: { close: "float", closed: "boolean" },
    from: T0 + 7 * MINUTE,
  };
  const { batches, records, position } = await read(options, world("v1", { points }).context());
  assertEquals(batches[0], {
    records: [],
    position: {
      "base=BTC&exchange=binance&interval=1m&quote=USDT&symbol=BTCUSDT": { from: T0 + 7 * MINUTE },
      "base=ETH&exchange=binance&interval=1m&quote=USDT&symbol=ETHUSDT": { from: T0 + 7 * MINUTE },
    },
    before: [candle("BTCUSDT", 5, averages)],
  });
  assertEquals(batches.slice(1).some(({ before }) => before), false);
  assertEquals(records.map(({ timeMs }) => (timeMs - T0) / MINUTE), [7, 8, 7]);
  const again = await read(options, world("v1", { points }).context(), position);
  assertEquals(again.batches, []);
});

Deno.test("influxdb says where each series stands", async () => {
  const options = { ...OPTIONS.v1, where: { symbol: "BTCUSDT" } };
  const { position } = await read(options, world("v1").context());
  const checked = influxdb.options.safeParse(options);
  if (!checked.success) throw new Error("Wrong options");
  assertEquals(influxdb.describePosition?.(checked.data, position, T0), [{
    series: "base=BTC exchange=binance interval=1m quote=USDT symbol=BTCUSDT",
    lastMs: T0 + 20_399 * MINUTE,
  }]);
});

Deno.test("influxdb asks for points before `from` only where there is one, and for new series only", async () => {
  const points = [...candles("BTCUSDT", 0, 9), ...candles("ETHUSDT", 0, 9)];
  const whole = world("v1", { points });
  const { position } = await read({ ...OPTIONS.v1, where: { symbol: "BTCUSDT" } }, whole.context());
  const isBefore = (query: string) => query.includes("*::field");
  assertEquals(whole.asked.some(isBefore), false);
  const more = world("v1", { points });
  const options = { ...OPTIONS.v1, from: T0 + 5 * MINUTE };
  const { batches, records } = await read(options, more.context(), position);
  assertEquals(batches[0]?.before, [candle("ETHUSDT", 4)]);
  assertEquals(records, candles("ETHUSDT", 5, 9));
  assertEquals(more.asked.filter(isBefore).length > 0, true);
});

Deno.test("influxdb keeps `from` as it was when reading began", async () => {
  const clock = { now: () => T0 + 100 * MINUTE, sleep: () => new Promise<void>(() => {}) };
  const points = candles("BTCUSDT", 0, 90);
  const options = { ...OPTIONS.v1, from: "1 hour ago" };
  const first = await read(options, { ...world("v1", { points }).context(), ...clock });
  assertEquals(first.records.length, 50);
  const begun = Object.assign({}, first.batches[0]?.position);
  const later = { ...clock, now: () => T0 + 400 * MINUTE };
  const second = await read(options, { ...world("v1", { points }).context(), ...later }, begun);
  assertEquals(second.records.length, 50);
});

testStores(
  "influxdb reads what a store has, resumes after any batch, and probes",
  async (store) => {
    await store.write(SHAPE, POINTS.map((point) => ({ ...point })));
    const { url, server, database, org, bucket, token, version } = store.client.connection;
    const given = { url, server, database, org, bucket, version, token: token?.reveal() };
    const options = JSON.parse(JSON.stringify(given));
    const context = { ...store.context, now: () => T0 + 30_000 * MINUTE };
    const { batches, records } = await read(options, context);
    assertEquals(records, POINTS);
    for (const stop of [1, 2, batches.length]) {
      const head = batches.slice(0, stop);
      const position = Object.assign({}, ...head.map((batch) => batch.position));
      const tail = await read(options, context, position);
      assertEquals([...head.flatMap((batch) => batch.records), ...tail.records], POINTS);
    }
    const checked = influxdb.options.safeParse(options);
    if (!checked.success) throw new Error("Wrong options");
    const found = await influxdb.probe?.(checked.data, context);
    assertEquals(found?.startsWith('2 series of "kline" can be read from '), true, found);
  },
);
