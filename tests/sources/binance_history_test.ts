import { assertEquals, assertRejects } from "@std/assert";
import { FatalError } from "../../engine/errors.ts";
import type { Position, SeriesRange, SourcePlugin } from "../../engine/plugin.ts";
import { binanceRest } from "../../sources/binance_rest.ts";
import { binanceWebsocket } from "../../sources/binance_websocket.ts";
import { inText } from "../contracts/pure.ts";
import { type Row, rowsFrom } from "./_binance/scripted_exchange.ts";
import { type World, worldOf } from "./_reading.ts";

const MINUTE = 60_000;
const T0 = Date.UTC(2024, 0, 1);
/** The 3,000th minute closed ten seconds ago. */
const NOW = T0 + 3_000 * MINUTE + 10_000;
const BTC = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "1m",
} as const;
/** With a hole of 70 minutes. */
const ROWS = rowsFrom(T0, 3_001).toSpliced(1_200, 70);

function at(slot: number): number {
  return T0 + slot * MINUTE;
}

function setUp(nowMs = NOW, aheadMs = 0): World {
  return worldOf({ rows: { BTCUSDT: ROWS, ETHUSDT: rowsFrom(T0, 3_001) }, aheadMs }, nowMs);
}

function historyOf(plugin: SourcePlugin, given: unknown, { context }: World) {
  const checked = plugin.options.safeParse(given);
  if (!checked.success) throw new Error(JSON.stringify(checked.error.issues));
  const { history } = plugin;
  if (!history) throw new Error("There is no history");
  return {
    ranges: (from: Position = {}) => history.ranges(checked.data, from, context),
    async read(range: SeriesRange): Promise<unknown[]> {
      const pages = await Array.fromAsync(history.read(checked.data, range, context));
      return pages.flat().map((record) => ({ ...record, candle: inText(record.candle) }));
    },
  };
}

function opens(rows: readonly Row[]): unknown[] {
  return rows.map(([openMs]) => openMs);
}

function opensIn(records: readonly unknown[]): unknown[] {
  return records.map((record) => Object(record).candle[0]);
}

Deno.test("the history of binance_rest has a range for each symbol, up to what has closed", async () => {
  const given = { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m", from: T0 };
  const eth = { ...BTC, symbol: "ETHUSDT", base: "ETH" };
  assertEquals(await historyOf(binanceRest, given, setUp()).ranges(), [
    { tags: BTC, fromMs: T0, toMs: at(3_000) },
    { tags: eth, fromMs: T0, toMs: at(3_000) },
  ]);
  const ended = { ...given, symbols: ["BTCUSDT"], from: "1 hour ago", to: at(2_990) };
  assertEquals(await historyOf(binanceRest, ended, setUp()).ranges(), [
    { tags: BTC, fromMs: NOW - 60 * MINUTE, toMs: at(2_990) },
  ]);
});

Deno.test("the history of binance_websocket has a range for each symbol and interval, open at the start without `from`", async () => {
  const given = { symbols: ["BTCUSDT"], interval: ["1m", "1h", "3d"] };
  assertEquals(await historyOf(binanceWebsocket, given, setUp()).ranges(), [
    { tags: BTC, fromMs: undefined, toMs: at(3_000) },
    { tags: { ...BTC, interval: "1h" }, fromMs: undefined, toMs: T0 + 50 * 60 * MINUTE },
    { tags: { ...BTC, interval: "3d" }, fromMs: undefined, toMs: T0 },
  ]);
});

Deno.test("the history of a source ends where its position stands, and begins where it or `from` does", async () => {
  const given = { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m", from: at(1_000) };
  const position = {
    "BTCUSDT@1m": { from: at(500), after: at(1_700) + 14_789 },
    "ETHUSDT@1m": { from: at(2_000) },
  };
  const eth = { ...BTC, symbol: "ETHUSDT", base: "ETH" };
  assertEquals(await historyOf(binanceRest, given, setUp()).ranges(position), [
    { tags: BTC, fromMs: at(500), toMs: at(1_701) },
    { tags: eth, fromMs: at(1_000), toMs: at(2_000) },
  ]);
  const live = { symbols: ["BTCUSDT"], interval: "1m" };
  assertEquals(await historyOf(binanceWebsocket, live, setUp()).ranges(position), [
    { tags: BTC, fromMs: at(500), toMs: at(1_701) },
  ]);
});

Deno.test("the history of a source goes by the exchange's clock", async () => {
  const given = { symbols: ["BTCUSDT"], interval: "1m", from: T0 };
  const history = historyOf(binanceRest, given, setUp(NOW - 60 * MINUTE, 60 * MINUTE));
  assertEquals((await history.ranges())[0]?.toMs, at(3_000));
  const records = await history.read({ tags: BTC, fromMs: at(2_998), toMs: at(3_000) });
  assertEquals(opensIn(records), [at(2_998), at(2_999)]);
});

Deno.test("the history of a source gives the closed candles of a range, page by page; holes are absent", async () => {
  const given = { symbols: ["BTCUSDT"], interval: "1m", from: T0 };
  const world = setUp();
  const history = historyOf(binanceRest, given, world);
  const records = await history.read({ tags: BTC, fromMs: at(150), toMs: at(2_700) });
  const expected = ROWS.slice(150, 2_700 - 70);
  assertEquals(records, expected.map((candle) => ({ series: BTC, candle, closed: true })));
  assertEquals(await history.read({ tags: BTC, fromMs: at(1_200), toMs: at(1_270) }), []);
  assertEquals(opensIn(await history.read({ tags: BTC, toMs: at(3) })), opens(ROWS.slice(0, 3)));
  const infos = world.exchange.requests.filter(({ pathname }) => pathname.endsWith("Info"));
  assertEquals(infos.length, 1);
});

Deno.test("the history of a source leaves out the open candle, whatever range is asked for", async () => {
  const given = { symbols: ["BTCUSDT"], interval: "1m", from: T0 };
  const history = historyOf(binanceRest, given, setUp());
  const records = await history.read({ tags: BTC, fromMs: at(2_999), toMs: at(9_000) });
  assertEquals(opensIn(records), [at(2_999)]);
});

Deno.test("the history of a source leaves nothing under way where its reader stops early", async () => {
  const world = setUp();
  const checked = binanceRest.options.safeParse({ symbols: ["BTCUSDT"], interval: "1m", from: T0 });
  if (!checked.success) throw new Error("Wrong options");
  const range = { tags: BTC, fromMs: T0, toMs: at(3_000) };
  for await (const _ of binanceRest.history?.read(checked.data, range, world.context) ?? []) break;
  assertEquals(world.exchange.underWay(), 0);
});

Deno.test("the history of a source names the tags it needs", async () => {
  const given = { symbols: ["BTCUSDT"], interval: "1m", from: T0 };
  await assertRejects(
    () => historyOf(binanceRest, given, setUp()).read({ tags: { symbol: "BTCUSDT" }, toMs: NOW }),
    FatalError,
    'it must have the tags "symbol" and "interval"',
  );
});
