import { assertEquals, assertInstanceOf } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import { FatalError, OptionsError } from "../../engine/errors.ts";
import type { Position } from "../../engine/plugin.ts";
import type { RawCandle } from "../../engine/point.ts";
import { createSimulator, type Scenario } from "../../simulator/mod.ts";
import { type FakeContext, fakeContext } from "../contracts/context.ts";
import { opensOf, read, type RestOptions, warnings } from "./_reading.ts";

const MINUTE = 60_000;
const NOW = Date.UTC(2024, 4, 17, 9, 30, 20);

function setUp(scenario: Scenario, nowMs = NOW) {
  const clock = new VirtualClock(nowMs);
  const simulator = createSimulator(scenario, { clock });
  const context: FakeContext = fakeContext({
    clock,
    fetch: (url, init) => simulator.handle(new Request(url, init)),
  });
  return { clock, simulator, context };
}

function options(more: RestOptions = {}): RestOptions {
  return { symbols: ["BTCUSDT"], interval: "1m", from: NOW - 2_500 * MINUTE, ...more };
}

function rowsOf(records: readonly RawCandle[], symbol: string): unknown[] {
  return records.filter(({ series }) => series.symbol === symbol).map(({ candle }) => candle);
}

/** Reads, and compares with what the exchange really has. */
async function readTruth(scenario: Scenario, more: RestOptions = {}) {
  const world = setUp(scenario);
  const given = options(more);
  const reading = await read(world, given);
  for (const symbol of given.symbols as string[]) {
    const truth = world.simulator.candles(
      symbol,
      String(given.interval),
      Number(given.from),
      typeof given.to === "number" ? given.to : NOW,
    );
    const closed = truth.filter((row) => row[6] < NOW);
    assertEquals(rowsOf(reading.records, symbol), closed, symbol);
  }
  return { ...reading, ...world };
}

for (const interval of ["1s", "1m", "15m", "4h", "1d", "3d", "1w", "1M"]) {
  Deno.test(`binance_rest reads ${interval} candles as the exchange has them, up to the last closed one`, async () => {
    const lengthsMs: Record<string, number> = { "1s": 1_000, "1m": MINUTE, "15m": 15 * MINUTE };
    const fromMs = NOW - 2_100 * (lengthsMs[interval] ?? 60 * MINUTE);
    const { records, context } = await readTruth({}, {
      interval,
      symbols: ["BTCUSDT", "币安人生USDT"],
      from: ["1d", "3d", "1w", "1M"].includes(interval) ? Date.UTC(2018, 0, 1) : fromMs,
    });
    assertEquals(records.length > 0, true);
    assertEquals(context.counters.get("holes"), undefined);
  });
}

Deno.test("binance_rest reads a symbol that was delisted to its end", async () => {
  const { records, context } = await readTruth({}, {
    symbols: ["SRMUSDT"],
    interval: "1d",
    from: Date.UTC(2022, 10, 1),
  });
  assertEquals(opensOf(records).SRMUSDT?.at(-1), Date.UTC(2022, 10, 28));
  assertEquals(warnings(context), [{
    message: "SRMUSDT does not trade: its candles may end early",
    status: "BREAK",
  }]);
});

Deno.test("binance_rest reads through halts and shifted candles as in 2018", async () => {
  const { records, context } = await readTruth({
    halts: [
      { from: "2024-05-16T03:28:14.789Z", to: "2024-05-16T10:00:00Z", cut: true },
      { from: "2024-05-17T02:00:00Z", to: "2024-05-17T02:10:00Z" },
    ],
    shifts: [{ from: "2024-05-16T12:00:00Z", to: "2024-05-16T18:00:00Z", by_ms: 14_789 }],
  });
  assertEquals(records.length > 2_000, true);
  const holes = warnings(context).map((warning) => Object(warning).missing_candles);
  assertEquals(holes, [391, 10]);
});

Deno.test("binance_rest gives the same batches when it is resumed after any batch of a troubled market", async () => {
  const scenario: Scenario = {
    halts: [{ from: "2024-05-16T03:28:14.789Z", to: "2024-05-16T23:00:00Z", cut: true }],
    symbols: [
      { symbol: "BTCUSDT", base: "BTC", quote: "USDT" },
      { symbol: "NEWUSDT", base: "NEW", quote: "USDT", listed: "2024-05-17T01:00:30Z" },
      { symbol: "OLDUSDT", base: "OLD", quote: "USDT", delisted: "2024-05-16T20:00:00Z" },
    ],
  };
  const given = options({ symbols: ["NEWUSDT", "BTCUSDT", "OLDUSDT"] });
  const whole = await read(setUp(scenario), given);
  let position: Position = {};
  for (const [index, batch] of whole.batches.entries()) {
    position = { ...position, ...batch.position };
    const rest = await read(setUp(scenario), given, JSON.parse(JSON.stringify(position)));
    assertEquals(rest.batches, whole.batches.slice(index + 1), `after batch ${index}`);
  }
  assertEquals(whole.batches.length, 4);
});

Deno.test("binance_rest gets no refusal from an exchange with low limits that others use too", async () => {
  const { simulator } = await readTruth(
    { limits: { weight_per_minute: 60, others_per_minute: 24 } },
    { symbols: ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"] },
  );
  assertEquals(simulator.counters.byStatus, { 200: simulator.counters.requests });
  assertEquals(simulator.counters.peakWeight <= 54, true, `${simulator.counters.peakWeight}`);
});

Deno.test("binance_rest is never banned when the exchange says 429", async () => {
  const { simulator } = await readTruth(
    { faults: [{ kind: "status", status: 429, retry_after_s: 40, after: 3 }] },
    { symbols: ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"] },
  );
  assertEquals(simulator.counters.bans, 0);
});

Deno.test("binance_rest waits for the end of a ban", async () => {
  const { clock } = await readTruth({
    faults: [{ kind: "status", status: 418, retry_after_s: 300, after: 2 }],
  });
  assertEquals(clock.now() - NOW >= 300_000, true);
});

const FAULTS: readonly NonNullable<Scenario["faults"]>[number][] = [
  { kind: "html", status: 403 },
  { kind: "html", status: 503 },
  { kind: "status", status: 502 },
  { kind: "status", status: 504 },
  { kind: "status", status: 500, code: -1001 },
  { kind: "slow", delay_ms: 60_000 },
  { kind: "truncate" },
  { kind: "truncate", share: 0 },
  { kind: "reset" },
  { kind: "rows", rows: { change: "swapped", row: 500 } },
  { kind: "rows", rows: { change: "swapped", row: -1 } },
  { kind: "rows", rows: { change: "repeated", row: 0 } },
  { kind: "rows", rows: { change: "repeated", row: -1 } },
  { kind: "rows", rows: { change: "missing", row: 0 } },
  { kind: "rows", rows: { change: "missing", row: 700 } },
  { kind: "rows", rows: { change: "missing", row: -1 } },
  { kind: "rows", rows: { change: "missing", row: -2 } },
  { kind: "rows", rows: { change: "seconds", row: -1 } },
];

for (const fault of FAULTS) {
  const { kind, ...rest } = fault;
  Deno.test(`binance_rest reads the truth in spite of a fault: ${kind} ${JSON.stringify(rest)}`, async () => {
    for (const after of [1, 2, 3, 4, 5]) {
      await readTruth({ faults: [{ ...fault, after, times: kind === "rows" ? 1 : 2 }] }, {
        from: NOW - 1_300 * MINUTE,
        symbols: ["BTCUSDT", "ETHUSDT"],
      });
    }
  });
}

Deno.test("binance_rest gives a row with a fault in its place and all others as they are", async () => {
  const changes = [
    { change: "short", row: 7 },
    { change: "value", row: 7, column: 2, value: "NaN" },
    { change: "value", row: 7, column: 0, value: null },
    { change: "crossed", row: 7 },
    { change: "seconds", row: 7 },
  ] as const;
  for (const rows of changes) {
    const world = setUp({ faults: [{ kind: "rows", rows, path: "/api/v3/klines" }] });
    const { records } = await read(world, options());
    const truth = world.simulator.candles("BTCUSDT", "1m", NOW - 2_500 * MINUTE, NOW);
    const given = rowsOf(records, "BTCUSDT");
    assertEquals(given.length, truth.length);
    assertEquals(given.toSpliced(7, 1), truth.toSpliced(7, 1));
    assertEquals(JSON.stringify(given[7]) === JSON.stringify(truth[7]), false);
  }
});

Deno.test("binance_rest gives the settled values of a candle that has just closed", async () => {
  const now = Date.UTC(2024, 4, 17, 9, 30, 0, 200);
  const world = setUp({ lag: { changing_ms: 2_500 } }, now);
  const { records } = await read(world, options({ from: now - 5 * MINUTE }));
  const truth = world.simulator.candles("BTCUSDT", "1m", now - 5 * MINUTE, now);
  assertEquals(rowsOf(records, "BTCUSDT"), truth);
  assertEquals(records.length, 4);
});

Deno.test("binance_rest leaves a candle that the exchange does not show yet to the next run", async () => {
  const now = Date.UTC(2024, 4, 17, 9, 30, 10);
  const scenario: Scenario = { lag: { absent_ms: 20_000 } };
  const given = options({ from: now - 5 * MINUTE });
  const first = await read(setUp(scenario, now), given);
  assertEquals(opensOf(first.records).BTCUSDT?.at(-1), Date.UTC(2024, 4, 17, 9, 28));
  const second = await read(setUp(scenario, now + 30_000), given, first.position);
  assertEquals(opensOf(second.records).BTCUSDT, [Date.UTC(2024, 4, 17, 9, 29)]);
});

Deno.test("binance_rest stops when a symbol disappears between two calls", async () => {
  const world = setUp({ faults: [{ kind: "vanish", gone: "BTCUSDT", after: 2 }] });
  const error = await read(world, options()).catch((error) => error);
  assertInstanceOf(error, FatalError);
  assertEquals(
    error.message,
    "Cannot read candles of BTCUSDT: the exchange has taken the symbol off its list",
  );
});

Deno.test("binance_rest names the nearest symbols of the exchange", async () => {
  const symbols = ["BTCUSD", "ETHUSDT", "币安人USDT", "BTC-USDT", "BTC/USDT"];
  const error = await read(setUp({}), options({ symbols })).catch((error) => error);
  assertInstanceOf(error, OptionsError);
  assertEquals(
    error.message,
    'Cannot use symbols "BTCUSD", "币安人USDT", "BTC-USDT" and "BTC/USDT": the exchange has no such ' +
      "symbols",
  );
  assertEquals(
    error.hint,
    'Did you mean "BTCUSDT" for "BTCUSD", "币安人生USDT" for "币安人USDT", "BTCUSDT" for "BTC-USDT" and ' +
      '"BTCUSDT" for "BTC/USDT"?',
  );
});

const RECORDED = new URL("../../../shared/data/rest-BTCUSDT-4h-2018-q1.json", import.meta.url);

Deno.test({
  name: "binance_rest reads recorded candles of 2018 through their hole (needs ../shared)",
  ignore: !(await Deno.stat(RECORDED).catch(() => undefined)),
  fn: async () => {
    const rows = JSON.parse(await Deno.readTextFile(RECORDED));
    const world = setUp({
      files: [{ symbol: "BTCUSDT", interval: "4h", path: RECORDED.pathname }],
    });
    const { records } = await read(
      world,
      options({ interval: "4h", from: "2018-01-01", to: "2018-04-01" }),
    );
    assertEquals(records.length, 533);
    assertEquals(records.map(({ candle }) => candle), rows);
    assertEquals(warnings(world.context), [{
      message: "Hole in BTCUSDT 4h: the exchange has no candles",
      symbol: "BTCUSDT",
      interval: "4h",
      from: "2018-02-08T04:00:00.000Z",
      to: "2018-02-09T08:00:00.000Z",
      missing_candles: 7,
    }]);
    assertEquals(world.simulator.counters.byPath["/api/v3/klines"], 3);
  },
});
