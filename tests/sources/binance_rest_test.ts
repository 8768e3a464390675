import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FatalError, OptionsError } from "../../engine/errors.ts";
import type { Position } from "../../engine/plugin.ts";
import type { RawCandle } from "../../engine/point.ts";
import { binanceRest } from "../../sources/binance_rest.ts";
import { seededRandom } from "../contracts/context.ts";
import { testSource } from "../contracts/source.ts";
import { json, type Row, rowAt, rowsFrom } from "./_binance/scripted_exchange.ts";
import { opensOf, read, warnings, worldOf } from "./_reading.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Ten seconds into a minute, so that nothing has just closed. */
const NOW = Date.UTC(2024, 0, 2, 0, 0, 10);
const T0 = Date.UTC(2024, 0, 1);
const BTC = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "1m",
} as const;

function at(slot: number): number {
  return T0 + slot * MINUTE;
}

function options(more: Readonly<Record<string, unknown>> = {}) {
  return { symbols: ["BTCUSDT"], interval: "1m", from: T0, ...more };
}

function candlesOf(symbol: string, rows: readonly Row[]): RawCandle[] {
  const base = symbol.slice(0, 3);
  return rows.map((candle) => ({ series: { ...BTC, symbol, base }, candle, closed: true }));
}

testSource(binanceRest, {
  options: { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m", from: T0, to: at(2_500) },
  context: (signal) =>
    worldOf(
      {
        rows: {
          BTCUSDT: rowsFrom(T0, 2_500).toSpliced(1_200, 70),
          ETHUSDT: [...rowsFrom(at(300), 500), rowAt(at(1_700))],
        },
      },
      at(5_000),
      signal,
    ).context,
  records: [
    ...candlesOf("BTCUSDT", rowsFrom(T0, 2_500).toSpliced(1_200, 70)),
    ...candlesOf("ETHUSDT", [...rowsFrom(at(300), 500), rowAt(at(1_700))]),
  ],
  series: ({ series }) => series.symbol,
  permissions: { net: ["api.binance.com:443"] },
  badOptions: [
    {},
    { symbols: [], interval: "1m", from: T0 },
    { symbols: ["btcusdt"], interval: "1m", from: T0 },
    { symbols: ["BTC USDT"], interval: "1m", from: T0 },
    { symbols: ["BTCUSDT", "BTCUSDT"], interval: "1m", from: T0 },
    { symbols: ["BTCUSDT"], interval: "1min", from: T0 },
    { symbols: ["BTCUSDT"], interval: "1m", from: T0 / 1_000 },
    { symbols: ["BTCUSDT"], interval: "1m", from: "2024-02-01", to: "2024-01-01" },
    { symbols: ["BTCUSDT"], interval: "1m", from: "2024-02-01", to: "2024-02-01" },
    { symbols: ["BTCUSDT"], interval: "1m", from: T0, base_url: "wss://host" },
    { symbols: ["BTCUSDT"], interval: "1m", from: T0, base_url: "host" },
    { symbols: ["BTCUSDT"], interval: "1m", from: T0, base_url: "https://host/?key=1" },
    { symbols: ["BTCUSDT"], interval: "1m", from: T0, weight_share: 0 },
    { symbols: ["BTCUSDT"], interval: "1m", from: T0, weight_share: 1.1 },
  ],
  empty: {
    context: (signal) => worldOf({ rows: { BTCUSDT: [], ETHUSDT: [] } }, NOW, signal).context,
  },
  failing: [
    {
      name: "a symbol does not exist",
      context: (signal) => worldOf({ rows: { BTCUSDT: [] } }, NOW, signal).context,
      error: OptionsError,
      message: 'Cannot use symbol "ETHUSDT": the exchange has no such symbol',
    },
    {
      name: "the exchange does not serve the country",
      context: (signal) =>
        worldOf({ rows: {}, instead: () => json({ code: 0, msg: "restricted" }, 451) }, NOW, signal)
          .context,
      error: FatalError,
      message: "does not serve the country",
    },
    {
      name: "the answer is no list",
      context: (signal) =>
        worldOf(
          {
            rows: { BTCUSDT: [], ETHUSDT: [] },
            instead: (url) => url.pathname.endsWith("klines") ? json({ rows: [] }) : undefined,
          },
          NOW,
          signal,
        ).context,
      error: FatalError,
      message: "Cannot read candles of BTCUSDT as an answer must be a list of rows: it is none",
    },
  ],
});

Deno.test("binance_rest hands the exchange's row on, untouched, with one series object", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 2) } }, NOW);
  const { records } = await read(world, options({ to: at(2) }));
  assertEquals(records, [
    {
      series: BTC,
      candle: [
        1704067200000,
        "13715.65000000",
        "13715.65000000",
        "13155.38000000",
        "13410.03000000",
        "1676.20480700",
        1704067259999,
        "22516071.86700722",
        19438,
        "739.51866600",
        "9937536.51382895",
        "0",
      ],
      closed: true,
    },
    { series: BTC, candle: rowAt(at(1)), closed: true },
  ]);
  assertEquals(records[0]?.series === records[1]?.series, true);
});

Deno.test("binance_rest needs the host of its address, with the port that goes with it", () => {
  const net = (base_url: string) => {
    const checked = binanceRest.options.safeParse(options({ base_url }));
    return checked.success ? binanceRest.permissions?.(checked.data) : checked.error;
  };
  assertEquals(net("https://data-api.binance.vision/"), { net: ["data-api.binance.vision:443"] });
  assertEquals(net("http://127.0.0.1:40001"), { net: ["127.0.0.1:40001"] });
  assertEquals(net("http://localhost"), { net: ["localhost:80"] });
});

Deno.test("binance_rest turns to a simulated exchange by its address alone", () => {
  const urls = { rest: "http://127.0.0.1:1", stream: "ws://127.0.0.1:1" };
  assertEquals(binanceRest.simulated?.(urls), { base_url: "http://127.0.0.1:1" });
});

Deno.test("binance_rest asks from one millisecond after the last candle to one before the end", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 1_400) } }, NOW);
  const { records } = await read(world, options({ to: at(1_200) }));
  assertEquals(records.length, 1_200);
  const query = { symbol: "BTCUSDT", interval: "1m", limit: "1000" };
  assertEquals(world.exchange.klines(), [
    { ...query, startTime: `${T0}`, endTime: `${at(1_200) - 1}` },
    { ...query, startTime: `${at(999) + 1}`, endTime: `${at(1_200) - 1}` },
    { ...query, startTime: `${at(1_199) + 1}`, endTime: `${at(1_200) - 1}` },
  ]);
});

Deno.test("binance_rest gives candles that open from `from` up to, not including, `to`", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0 - HOUR, 200) } }, NOW);
  const { records } = await read(world, options({ from: at(3), to: at(6) }));
  assertEquals(opensOf(records), { BTCUSDT: [at(3), at(4), at(5)] });
});

Deno.test("binance_rest rounds times between two candles up", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 200) } }, NOW);
  const { records } = await read(world, options({ from: at(3) + 1, to: at(5) + 1 }));
  assertEquals(opensOf(records), { BTCUSDT: [at(4), at(5)] });
});

Deno.test("binance_rest counts spans back from now", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(NOW - 10_000 - HOUR, 61) } }, NOW);
  const { records } = await read(world, options({ from: "3 minutes ago", to: "1 minute ago" }));
  assertEquals(opensOf(records), { BTCUSDT: [NOW - 2 * MINUTE - 10_000, NOW - MINUTE - 10_000] });
});

Deno.test("binance_rest reads up to the last closed candle without `to`", async () => {
  const open = NOW - 10_000;
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(open - 2 * MINUTE, 3) } }, NOW);
  const { records } = await read(world, options({ from: "1 hour ago" }));
  assertEquals(opensOf(records), { BTCUSDT: [open - 2 * MINUTE, open - MINUTE] });
  assertEquals(world.exchange.klines().map(({ endTime }) => endTime), [
    `${NOW - 1}`,
    `${open - 2 * MINUTE - 1}`,
  ], "the second looks for candles before the first that came");
});

Deno.test("binance_rest takes a `to` that lies ahead for now, and says so", async () => {
  const open = NOW - 10_000;
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(open - HOUR, 61) } }, NOW);
  const { records } = await read(world, options({ from: "1 hour ago", to: "2024-03-01" }));
  assertEquals(records.length, 59);
  assertEquals(world.exchange.klines().every(({ endTime }) => Number(endTime) < NOW), true);
  assertEquals(world.context.said, [{
    level: "info",
    message: "`to` lies ahead: reading ends with the last closed candle",
    details: { to: "2024-03-01T00:00:00.000Z" },
  }]);
});

Deno.test("binance_rest never asks for times that the exchange's own clock has not reached", async () => {
  const world = worldOf(
    { rows: { BTCUSDT: rowsFrom(NOW - 10_000 - HOUR, 61) }, aheadMs: -4_000 },
    NOW,
  );
  await read(world, options({ from: "1 hour ago" }));
  assertEquals(world.exchange.klines()[0]?.endTime, `${NOW - 4_001}`);
});

Deno.test("binance_rest decides by the exchange's clock which candle is open", async () => {
  const open = NOW - 10_000;
  const rows = { BTCUSDT: rowsFrom(open - 2 * MINUTE, 5) };
  const behind = await read(
    worldOf({ rows, aheadMs: -20_000 }, NOW),
    options({ from: "1 hour ago" }),
  );
  assertEquals(behind.records.length, 1);
  const ahead = await read(
    worldOf({ rows, aheadMs: MINUTE }, NOW),
    options({ from: "1 hour ago" }),
  );
  assertEquals(ahead.records.length, 3);
});

Deno.test("binance_rest waits until the values of a candle that has just closed have settled", async () => {
  const now = NOW - 9_000;
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(now - 1_000 - HOUR, 61) } }, now);
  const { records } = await read(world, options({ from: "1 hour ago" }));
  assertEquals(world.exchange.timesMs, [now, now, now + 2_000]);
  assertEquals(records.length, 59);
});

Deno.test("binance_rest does not wait for the pages before the one that reaches now", async () => {
  const now = NOW - 9_000;
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(now - 1_000 - 1_200 * MINUTE, 1_201) } }, now);
  await read(world, options({ from: now - 1_000 - 1_200 * MINUTE }));
  assertEquals(world.exchange.timesMs, [now, now, now, now + 2_000]);
});

Deno.test("binance_rest waits for settled values also where `from` lies long before the listing", async () => {
  const now = NOW - 9_000;
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(now - 1_000 - 5 * MINUTE, 6) } }, now);
  const { records } = await read(world, options({ from: "2017-01-01" }));
  assertEquals(world.exchange.klines().length, 4, "read and looked before the first, both twice");
  assertEquals(world.exchange.timesMs.at(-1), now + 2_000);
  assertEquals(records.length, 5);
});

Deno.test("binance_rest never asks for times before the exchange's first year", async () => {
  for (const from of ["100 years ago", "1999-12-31"]) {
    const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 3) } }, NOW);
    const { position } = await read(world, options({ from, to: at(3) }));
    assertEquals(world.exchange.klines()[0]?.startTime, "1483228800000");
    const later = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 3) } }, NOW);
    await read(later, options({ from, to: at(3) }), position);
    assertEquals(warnings(later.context), []);
  }
});

Deno.test("binance_rest starts at the listing where that is later than `from`", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(at(500), 10) } }, NOW);
  const { records } = await read(world, options({ from: "2017-01-01", to: at(505) }));
  assertEquals(opensOf(records).BTCUSDT, [at(500), at(501), at(502), at(503), at(504)]);
  assertEquals(world.context.counters.get("holes"), undefined);
});

Deno.test("binance_rest refuses a `from` that is not before `to` without asking anything", async () => {
  const world = worldOf({ rows: { BTCUSDT: [] } }, NOW);
  await assertRejects(
    () => read(world, options({ from: "1 day ago", to: "2024-01-01T00:00:10Z" })),
    OptionsError,
    "Cannot read candles as `from` must be before `to`: 2024-01-01T00:00:10.000Z is not before " +
      "2024-01-01T00:00:10.000Z",
  );
  assertEquals(world.exchange.requests.length, 0);
});

Deno.test("binance_rest refuses a `from` that lies ahead without asking anything", async () => {
  const world = worldOf({ rows: { BTCUSDT: [] } }, NOW);
  await assertRejects(
    () => read(world, options({ from: "2024-01-03" })),
    OptionsError,
    "Cannot read candles as `from` must be in the past: 2024-01-03T00:00:00.000Z is not before " +
      "now, 2024-01-02T00:00:10.000Z",
  );
  assertEquals(world.exchange.requests.length, 0);
});

Deno.test("binance_rest refuses a `from` that lies ahead by the exchange's clock", async () => {
  const world = worldOf({ rows: { BTCUSDT: [] }, aheadMs: -2 * HOUR }, NOW);
  await assertRejects(
    () => read(world, options({ from: "1 hour ago" })),
    OptionsError,
    "in the past",
  );
});

Deno.test("binance_rest tells of candles that end early, and of none at all", async () => {
  const world = worldOf({
    rows: { BTCUSDT: rowsFrom(T0, 3), ETHUSDT: [] },
    status: { ETHUSDT: "BREAK" },
  }, NOW);
  const { records } = await read(world, options({ symbols: ["BTCUSDT", "ETHUSDT"], to: at(9) }));
  assertEquals(records.length, 3);
  assertEquals(world.context.said.map(({ level, message }) => `${level}: ${message}`), [
    "warn: ETHUSDT does not trade: its candles may end early",
    "info: No candles of ETHUSDT 1m in the span asked for",
    "info: Candles of BTCUSDT 1m end early",
  ]);
});

Deno.test("binance_rest tells of each hole once, also where it lies between two pages", async () => {
  const rows = [
    ...rowsFrom(T0, 500),
    ...rowsFrom(at(507), 493),
    ...rowsFrom(at(1_000), 7),
    ...rowsFrom(at(1_100), 10),
  ];
  const world = worldOf({ rows: { BTCUSDT: rows } }, NOW);
  const { records } = await read(world, options({ to: at(1_110) }));
  assertEquals(records.length, 1_010);
  assertEquals(warnings(world.context), [
    {
      message: "Hole in BTCUSDT 1m: the exchange has no candles",
      symbol: "BTCUSDT",
      interval: "1m",
      from: "2024-01-01T08:20:00.000Z",
      to: "2024-01-01T08:27:00.000Z",
      missing_candles: 7,
    },
    {
      message: "Hole in BTCUSDT 1m: the exchange has no candles",
      symbol: "BTCUSDT",
      interval: "1m",
      from: "2024-01-01T16:47:00.000Z",
      to: "2024-01-01T18:20:00.000Z",
      missing_candles: 93,
    },
  ]);
  assertEquals(world.context.counters.get("holes"), 2);
  assertEquals(world.context.counters.get("missing_candles"), 100);
});

Deno.test("binance_rest neither loses nor repeats a hole when it is resumed at its edge", async () => {
  const rows = { BTCUSDT: [...rowsFrom(T0, 1_000), ...rowsFrom(at(1_010), 5)] };
  const before = worldOf({ rows }, NOW);
  const first = await read(before, options({ to: at(1_005) }));
  assertEquals(warnings(before.context), []);
  const between = worldOf({ rows }, NOW);
  const second = await read(between, options({ to: at(1_015) }), first.position);
  assertEquals(between.context.counters.get("missing_candles"), 10);
  const after = worldOf({ rows }, NOW);
  await read(after, options({ to: at(1_015) }), second.position);
  assertEquals(warnings(after.context), []);
});

Deno.test("binance_rest asks again for rows that an answer lacks", async () => {
  const rows = rowsFrom(T0, 1_300);
  const world = worldOf({
    rows: { BTCUSDT: rows },
    instead: (_url, count) =>
      count === 1 ? json(rows.slice(0, 1_000).toSpliced(400, 3)) : undefined,
  }, NOW);
  const { records } = await read(world, options({ to: at(1_300) }));
  assertEquals(records.map(({ candle }) => candle), rows);
  assertEquals(world.exchange.klines()[1], {
    symbol: "BTCUSDT",
    interval: "1m",
    startTime: `${at(399) + 1}`,
    endTime: `${at(403) - 1}`,
    limit: "1000",
  });
  assertEquals(world.context.counters.get("recovered_rows"), 3);
  assertEquals(world.context.counters.get("holes"), undefined);
});

Deno.test("binance_rest asks again for the first row where an answer lacks it", async () => {
  const rows = rowsFrom(T0, 5);
  const world = worldOf({
    rows: { BTCUSDT: rows },
    instead: (_url, count) => count === 1 ? json(rows.slice(2)) : undefined,
  }, NOW);
  const { records } = await read(world, options({ to: at(5) }));
  assertEquals(records.map(({ candle }) => candle), rows);
});

Deno.test("binance_rest tells of the part of a hole that stays one", async () => {
  const rows = rowsFrom(T0, 20).toSpliced(5, 4);
  const world = worldOf({
    rows: { BTCUSDT: rows },
    instead: (_url, count) => count === 1 ? json(rows.toSpliced(3, 2)) : undefined,
  }, NOW);
  const { records } = await read(world, options({ to: at(20) }));
  assertEquals(records.map(({ candle }) => candle), rows);
  assertEquals(world.context.counters.get("missing_candles"), 4);
});

Deno.test("binance_rest gives bad rows in their place and reads on behind them", async () => {
  const rows: Row[] = rowsFrom(T0, 1_500);
  rows[10] = ["now", ...rowAt(at(10)).slice(1)];
  rows[11] = rowAt(at(11)).slice(0, 11);
  rows[999] = [null];
  rows[1_000] = [];
  rows[1_499] = rowAt(at(1_499)).with(2, "NaN");
  const world = worldOf({ rows: { BTCUSDT: rows } }, at(5_000));
  const { records } = await read(world, options({ to: at(1_500) }));
  assertEquals(records.map(({ candle }) => candle), rows);
  assertEquals(world.context.counters.get("unreadable_rows"), 3);
  assertEquals(world.context.counters.get("holes"), undefined);
});

Deno.test("binance_rest ends where rows have no open time at all", async () => {
  const rows: Row[] = rowsFrom(T0, 1_500).map((row) => row.with(0, "?"));
  const pages: number[] = [];
  const world = worldOf({
    rows: { BTCUSDT: [] },
    instead: (url) => {
      if (!url.pathname.endsWith("klines")) return;
      const start = Math.ceil((Number(url.searchParams.get("startTime")) - T0) / MINUTE);
      pages.push(start);
      return json(rows.slice(start, start + 1_000));
    },
  }, at(5_000));
  const { records } = await read(world, options({ to: at(1_500) }));
  assertEquals(records.length, 1_500);
  assertEquals(pages, [0, 1_000, 1_500]);
});

Deno.test("binance_rest tells of rows that were not as they should be, and counts them", async () => {
  const [a, b, c, d] = rowsFrom(T0, 4);
  const world = worldOf({
    rows: { BTCUSDT: rowsFrom(T0, 4) },
    instead: (_url, count) =>
      count === 1 ? json([a, b, b, d, c, c?.with(4, "1.00000000")]) : undefined,
  }, NOW);
  const { records } = await read(world, options({ to: at(4) }));
  assertEquals(records.map(({ candle }) => candle), [a, b, c?.with(4, "1.00000000"), d]);
  assertEquals(warnings(world.context), [{
    message: "Rows of BTCUSDT 1m were not as they should be",
    symbol: "BTCUSDT",
    interval: "1m",
    reached: "2024-01-01T00:03:00.000Z",
    doubled_rows: 1,
    replaced_rows: 1,
    unsorted_rows: 2,
  }]);
  assertEquals(world.context.counters.get("replaced_rows"), 1);
});

Deno.test("binance_rest leaves rows out that a position already covers", async () => {
  const rows = rowsFrom(T0, 6);
  const world = worldOf({
    rows: { BTCUSDT: rows },
    instead: (_url, count) => count === 1 ? json(rows) : undefined,
  }, NOW);
  const { records } = await read(world, options({ to: at(6) }), {
    "BTCUSDT@1m": { from: T0, after: at(2) },
  });
  assertEquals(opensOf(records), { BTCUSDT: [at(3), at(4), at(5)] });
  assertEquals(world.context.counters.get("unasked_rows"), 3);
});

Deno.test("binance_rest reads the series that is furthest behind, of those equally far the first", async () => {
  const world = worldOf({
    rows: {
      BTCUSDT: rowsFrom(T0, 2_200),
      ETHUSDT: rowsFrom(T0, 2_200),
      LTCUSDT: rowsFrom(at(900), 1_300),
    },
  }, at(3_000));
  const { batches } = await read(
    world,
    options({ symbols: ["ETHUSDT", "LTCUSDT", "BTCUSDT"], to: at(2_200) }),
  );
  assertEquals(
    batches.map(({ records }) => `${records[0]?.series.symbol} ${records.length}`),
    [
      "ETHUSDT 1000",
      "LTCUSDT 1000",
      "BTCUSDT 1000",
      "ETHUSDT 1000",
      "BTCUSDT 1000",
      "LTCUSDT 300",
      "ETHUSDT 200",
      "BTCUSDT 200",
    ],
  );
});

Deno.test("binance_rest gives batch for batch the same whatever the network does", async () => {
  const symbols = Array.from({ length: 12 }, (_, at) => `A${at}USDT`);
  const rows = Object.fromEntries(
    symbols.map((name, index) => [name, rowsFrom(at(37 * index), 2_300 - 100 * index)]),
  );
  const readWith = async (delayMs?: () => number) =>
    (await read(
      worldOf({ rows, ...delayMs ? { delayMs } : {} }, at(9_000)),
      options({ symbols, to: at(2_400) }),
    )).batches;
  const expected = await readWith();
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    assertEquals(await readWith(() => Math.floor(9_000 * random())), expected);
  }
});

Deno.test("binance_rest gives exactly the further batches when it is resumed after any batch", async () => {
  const script = {
    rows: {
      BTCUSDT: rowsFrom(T0, 2_200).toSpliced(900, 200),
      ETHUSDT: rowsFrom(at(100), 1_500),
      LTCUSDT: [...rowsFrom(T0, 5), ...rowsFrom(at(2_100), 200)],
    },
    status: { ETHUSDT: "BREAK" },
  };
  const given = options({ symbols: ["BTCUSDT", "ETHUSDT", "LTCUSDT"], from: "1 day ago" });
  const now = at(1_440) + 10_000;
  const { batches } = await read(worldOf(script, now), given);
  assertEquals(batches.length, 5);
  let position: Position = {};
  for (const [index, batch] of batches.entries()) {
    position = { ...position, ...batch.position };
    const world = worldOf(script, now);
    const rest = await read(world, given, JSON.parse(JSON.stringify(position)));
    assertEquals(rest.batches, batches.slice(index + 1), `after batch ${index}`);
  }
});

Deno.test("binance_rest gives positions of what moved, and at first also of what did not yet", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 5), ETHUSDT: rowsFrom(T0, 5) } }, NOW);
  const { batches } = await read(world, options({ symbols: ["BTCUSDT", "ETHUSDT"], to: at(5) }));
  assertEquals(batches.map(({ position }) => position), [
    { "BTCUSDT@1m": { from: T0, after: at(4) }, "ETHUSDT@1m": { from: T0 } },
    { "ETHUSDT@1m": { from: T0, after: at(4) } },
  ]);
});

Deno.test("binance_rest keeps a relative `from` where it was when reading began", async () => {
  const rows = { BTCUSDT: rowsFrom(T0, 3_000), ETHUSDT: rowsFrom(T0, 3_000) };
  const given = options({ symbols: ["BTCUSDT", "ETHUSDT"], from: "10 minutes ago" });
  const first = await read(worldOf({ rows }, at(20) + 10_000), given);
  const afterOne = first.batches[0]?.position ?? {};
  const later = await read(worldOf({ rows }, at(500) + 10_000), given, afterOne);
  assertEquals(opensOf(later.records).ETHUSDT?.[0], at(11));
  assertEquals(opensOf(later.records).BTCUSDT?.[0], at(20));
});

Deno.test("binance_rest goes on from the last closed candle in a later run", async () => {
  const rows = { BTCUSDT: rowsFrom(T0, 100) };
  const first = await read(worldOf({ rows }, at(10) + 10_000), options());
  const second = await read(worldOf({ rows }, at(13) + 10_000), options(), first.position);
  assertEquals(first.records.length, 10);
  assertEquals(opensOf(second.records).BTCUSDT, [at(10), at(11), at(12)]);
  const third = await read(worldOf({ rows }, at(13) + 20_000), options(), second.position);
  assertEquals(third.batches, []);
});

Deno.test("binance_rest reads a symbol that was added later from `from`", async () => {
  const rows = { BTCUSDT: rowsFrom(T0, 100), ETHUSDT: rowsFrom(T0, 100) };
  const first = await read(worldOf({ rows }, NOW), options({ to: at(3) }));
  const both = options({ symbols: ["ETHUSDT", "BTCUSDT"], to: at(5) });
  const second = await read(worldOf({ rows }, NOW), both, first.position);
  assertEquals(opensOf(second.records), {
    ETHUSDT: [at(0), at(1), at(2), at(3), at(4)],
    BTCUSDT: [at(3), at(4)],
  });
});

Deno.test("binance_rest starts anew for another interval and keeps the place of the first", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 10, HOUR) } }, NOW);
  const position = { "BTCUSDT@1m": { from: T0, after: at(7) } };
  const read1h = await read(world, options({ interval: "1h", to: T0 + 2 * HOUR }), position);
  assertEquals(read1h.position, {
    "BTCUSDT@1m": { from: T0, after: at(7) },
    "BTCUSDT@1h": { from: T0, after: T0 + HOUR },
  });
});

Deno.test("binance_rest reads nothing when its position has reached `to`, even if that lies before `from`", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 10) } }, NOW);
  const { batches } = await read(world, options({ from: "1 hour ago", to: at(8) }), {
    "BTCUSDT@1m": { from: T0, after: at(8) },
  });
  assertEquals(batches, []);
});

Deno.test("binance_rest tells that what lies before the place where it began is not read", async () => {
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0, 10) } }, NOW);
  await read(world, options({ from: T0 - HOUR, to: at(10) }), {
    "BTCUSDT@1m": { from: T0, after: at(8) },
  });
  assertEquals(warnings(world.context), [{
    message: "`from` was moved back after reading began: what is older is not read",
    from: "2023-12-31T23:00:00.000Z",
    began: "2024-01-01T00:00:00.000Z",
    hint: "To read from the beginning, remove the pipeline's checkpoint: its folder in .penstock",
  }]);
});

Deno.test("binance_rest refuses a position that is not its own", async () => {
  for (
    const place of [null, 5, {}, { from: "2024" }, { from: T0, after: 1.5 }, { from: T0, x: 1 }]
  ) {
    const world = worldOf({ rows: { BTCUSDT: [] } }, NOW);
    const error = await read(world, options(), { "BTCUSDT@1m": place }).catch((error) => error);
    assertInstanceOf(error, FatalError);
    assertEquals(
      error.message,
      "Cannot resume BTCUSDT@1m as its position must say where: it does not",
    );
    assertEquals(world.exchange.requests.length, 0);
  }
});

Deno.test("binance_rest tells how much of the time of all series is covered", async () => {
  const world = worldOf({
    rows: { BTCUSDT: rowsFrom(T0, 2_000), ETHUSDT: rowsFrom(T0, 500) },
  }, at(9_000));
  const { batches } = await read(
    world,
    options({ symbols: ["BTCUSDT", "ETHUSDT"], to: at(2_000) }),
  );
  assertEquals(batches.map(({ records, progress }) => [records[0]?.series.base, progress]), [
    ["BTC", 0.25],
    ["ETH", 0.375],
    ["BTC", 1],
  ]);
});

Deno.test("binance_rest is done at the last closed candle, though the open one is not", async () => {
  const day = 24 * HOUR;
  const world = worldOf({ rows: { BTCUSDT: rowsFrom(T0 - 3 * day, 4, day) } }, T0 + HOUR);
  const { batches } = await read(world, options({ interval: "1d", from: T0 - 3 * day }));
  assertEquals(batches.map(({ records, progress }) => [records.length, progress]), [[3, 1]]);
});
