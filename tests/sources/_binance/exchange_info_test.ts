import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../../engine/clock.ts";
import { FatalError, OptionsError } from "../../../engine/errors.ts";
import { BinanceClient } from "../../../sources/_binance/client.ts";
import { lookUpSymbols, readExchangeInfo } from "../../../sources/_binance/exchange_info.ts";
import { fakeContext } from "../../contracts/context.ts";
import { json, type Script, scriptedExchange } from "./scripted_exchange.ts";

const START_MS = Date.UTC(2024, 0, 1);
const ROWS = { BTCUSDT: [], ETHUSDT: [], LTCUSDT: [], "1000SATSUSDT": [], 币安人生USDT: [] };

async function lookUp(names: readonly string[], script: Partial<Script> = {}) {
  const clock = new VirtualClock(START_MS);
  const exchange = scriptedExchange({ clock, rows: ROWS, ...script });
  const context = fakeContext({ clock, fetch: exchange.fetch });
  const client = new BinanceClient({ baseUrl: "http://localhost", weightShare: 0.5, context });
  const asked = () =>
    exchange.requests.map(({ searchParams }) => decodeURIComponent(`${searchParams}`));
  const found = lookUpSymbols(client, names, context, new AbortController().signal);
  const error = await found.then(() => undefined, (error) => error);
  return { found, error, asked, context, client, budget: client.budget };
}

Deno.test("lookUpSymbols() asks for just the symbols it needs, in one request", async () => {
  const { found, asked } = await lookUp(["ETHUSDT", "1000SATSUSDT"]);
  assertEquals(await found, [
    { symbol: "ETHUSDT", status: "TRADING", base: "ETH", quote: "USDT" },
    { symbol: "1000SATSUSDT", status: "TRADING", base: "1000SATS", quote: "USDT" },
  ]);
  assertEquals(asked(), ['symbols=["ETHUSDT","1000SATSUSDT"]']);
});

Deno.test("lookUpSymbols() takes names in any script", async () => {
  const { found } = await lookUp(["币安人生USDT"]);
  assertEquals((await found)[0]?.base, "币安人生");
});

Deno.test("lookUpSymbols() asks for the whole list when there are more than fit in an address", async () => {
  const names = Array.from({ length: 101 }, (_, at) => `A${at}USDT`);
  const rows = Object.fromEntries(names.map((name) => [name, []]));
  const { found, asked } = await lookUp(names, { rows });
  assertEquals((await found).map(({ symbol }) => symbol), names);
  assertEquals(asked(), ["showPermissionSets=false"]);
});

Deno.test("lookUpSymbols() names all unknown symbols, with the nearest that exist", async () => {
  const { error } = await lookUp(["BTCUSTD", "ETHUSDT", "LTCUSD", "XYZ"]);
  assertEquals(error instanceof OptionsError, true);
  assertEquals(
    error.message,
    'Cannot use symbols "BTCUSTD", "LTCUSD" and "XYZ": the exchange has no such symbols',
  );
  assertEquals(error.hint, 'Did you mean "BTCUSDT" for "BTCUSTD" and "LTCUSDT" for "LTCUSD"?');
});

Deno.test("lookUpSymbols() suggests one name for one unknown symbol", async () => {
  const { error } = await lookUp(["BTCUSD"]);
  assertEquals(
    error.message,
    'Cannot use symbol "BTCUSD": the exchange has no such symbol',
  );
  assertEquals(error.hint, 'Did you mean "BTCUSDT"?');
});

Deno.test("lookUpSymbols() says how to write a symbol when none is near", async () => {
  const { error } = await lookUp(["XYZ"]);
  assertEquals(error.hint, "Write them as the exchange does, such as BTCUSDT");
});

Deno.test("lookUpSymbols() finds a symbol that is not listed, beside one that does not exist", async () => {
  const { error, asked } = await lookUp(["LTCUSDT", "BTCUSTD"], { unlisted: ["LTCUSDT"] });
  assertEquals(error.message, 'Cannot use symbol "BTCUSTD": the exchange has no such symbol');
  assertEquals(asked(), [
    'symbols=["LTCUSDT","BTCUSTD"]',
    "showPermissionSets=false",
    "symbol=LTCUSDT",
    "symbol=BTCUSTD",
  ]);
});

Deno.test("lookUpSymbols() looks further for a symbol that an answer leaves out", async () => {
  const { found, asked } = await lookUp(["BTCUSDT", "ETHUSDT"], {
    instead: (_url, count) =>
      count === 0
        ? json({
          symbols: [{ symbol: "BTCUSDT", status: "TRADING", baseAsset: "BTC", quoteAsset: "USDT" }],
        })
        : undefined,
  });
  assertEquals((await found).map(({ symbol }) => symbol), ["BTCUSDT", "ETHUSDT"]);
  assertEquals(asked().length, 2);
});

Deno.test("lookUpSymbols() does not ask for each name of a list of another exchange", async () => {
  const names = Array.from({ length: 50 }, (_, at) => `X${at}`);
  const { error, asked } = await lookUp(names);
  assertEquals(error instanceof OptionsError, true);
  assertEquals(asked().length, 2);
});

Deno.test("lookUpSymbols() takes characters that no symbol has for an unknown symbol", async () => {
  const { error } = await lookUp(["BTC/USDT"], {
    instead: (url) =>
      url.search.includes("BTC%2FUSDT")
        ? json({ code: -1100, msg: "Illegal characters found in parameter 'symbol'" }, 400)
        : undefined,
  });
  assertEquals(error.message, 'Cannot use symbol "BTC/USDT": the exchange has no such symbol');
  assertEquals(error.hint, 'Did you mean "BTCUSDT"?');
});

Deno.test("lookUpSymbols() does without a parameter that the exchange does not have", async () => {
  const { error, asked } = await lookUp(["BTCUSTD"], {
    instead: (url) =>
      url.searchParams.has("showPermissionSets")
        ? json({ code: -1104, msg: "Not all sent parameters were read" }, 400)
        : undefined,
  });
  assertEquals(error instanceof OptionsError, true);
  assertEquals(asked()[2], "");
});

Deno.test("lookUpSymbols() takes a symbol that does not trade, and says so", async () => {
  const { found, context } = await lookUp(["LTCUSDT", "BTCUSDT"], {
    status: { LTCUSDT: "BREAK" },
  });
  assertEquals((await found).map(({ status }) => status), ["BREAK", "TRADING"]);
  assertEquals(context.said, [{
    level: "warn",
    message: "LTCUSDT does not trade: its candles may end early",
    details: { status: "BREAK" },
  }]);
});

Deno.test("lookUpSymbols() sets the client's clock and limits by what the exchange says", async () => {
  const { client, budget, context } = await lookUp(["BTCUSDT"], { limit: 40, aheadMs: -3_000 });
  assertEquals(client.now(), START_MS - 3_000);
  assertEquals(
    budget.take(2, client.now(), 0.5),
    3_000,
    "20 of 20 are used, and the minute ends soon",
  );
  assertEquals(context.said, []);
});

Deno.test("lookUpSymbols() tells of a clock that is far off", async () => {
  const { context } = await lookUp(["BTCUSDT"], { aheadMs: 3_600_000 });
  assertEquals(context.said.map(({ level, details }) => ({ level, details })), [
    { level: "warn", details: { exchange_ahead_ms: 3_600_000 } },
  ]);
});

Deno.test("lookUpSymbols() tries again after a failure that passes", async () => {
  const { found, context } = await lookUp(["BTCUSDT"], {
    instead: (_url, count) =>
      count === 0 ? json({ code: -1001, msg: "Disconnected" }, 500) : undefined,
  });
  assertEquals((await found).length, 1);
  assertEquals(context.counters.get("failed_requests"), 1);
});

Deno.test("readExchangeInfo() reads each limit on requests, and none on orders", () => {
  const { limits } = readExchangeInfo({
    symbols: [],
    rateLimits: [
      { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 1200 },
      { rateLimitType: "REQUEST_WEIGHT", interval: "DAY", intervalNum: 2, limit: 90000 },
      { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 100 },
      { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 6100 },
      { rateLimitType: "REQUEST_WEIGHT", interval: "YEAR", intervalNum: 1, limit: 1 },
      { rateLimitType: "REQUEST_WEIGHT" },
      null,
    ],
  });
  assertEquals(limits, [
    { kind: "weight", windowMs: 60_000, limit: 1200, header: "x-mbx-used-weight-1m" },
    { kind: "weight", windowMs: 172_800_000, limit: 90000, header: "x-mbx-used-weight-2d" },
    { kind: "requests", windowMs: 300_000, limit: 6100 },
  ]);
});

Deno.test("readExchangeInfo() takes base and quote from the exchange, never from the name", () => {
  const { symbols } = readExchangeInfo({
    symbols: [{ symbol: "USDTTRY", status: "HALT", baseAsset: "USDT", quoteAsset: "TRY" }],
  });
  assertEquals(symbols.get("USDTTRY"), {
    symbol: "USDTTRY",
    status: "HALT",
    base: "USDT",
    quote: "TRY",
  });
});

Deno.test("readExchangeInfo() refuses what lists no symbols", () => {
  for (const value of [[], {}, null, "hello", { symbols: {} }]) {
    assertThrows(() => readExchangeInfo(value), FatalError, "it lists no symbols");
  }
});

const RECORDED = new URL("../../../../shared/data/exchangeInfo-us.txt", import.meta.url);

Deno.test({
  name: "readExchangeInfo() reads a real answer (needs ../shared)",
  ignore: !(await Deno.stat(RECORDED).catch(() => undefined)),
  fn: async () => {
    const [line = ""] = (await Deno.readTextFile(RECORDED)).split("\n");
    const info = readExchangeInfo(JSON.parse(line.slice(line.indexOf("{"))));
    assertEquals(info.symbols.get("BTCUSD"), {
      symbol: "BTCUSD",
      status: "TRADING",
      base: "BTC",
      quote: "USD",
    });
    assertEquals(info.timeMs, 1_633_998_274_562);
    assertEquals(info.limits, [
      { kind: "weight", windowMs: 60_000, limit: 1_200, header: "x-mbx-used-weight-1m" },
      { kind: "requests", windowMs: 300_000, limit: 6_100 },
    ]);
  },
});

Deno.test("lookUpSymbols() ends when its signal aborts", async () => {
  const clock = new VirtualClock(START_MS);
  const context = fakeContext({
    clock,
    fetch: (_url, init) =>
      new Promise((_, reject) =>
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason))
      ),
  });
  const client = new BinanceClient({ baseUrl: "http://localhost", weightShare: 0.5, context });
  const stop = new AbortController();
  const found = lookUpSymbols(client, ["BTCUSDT"], context, stop.signal);
  stop.abort(new Error("stop"));
  await assertRejects(() => found, Error, "stop");
});

Deno.test("readExchangeInfo() leaves out limits that no exchange can mean", () => {
  const limit = { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 60 };
  const { limits } = readExchangeInfo({
    symbols: [],
    rateLimits: [
      { ...limit, intervalNum: 1e303 },
      { ...limit, limit: 5e-324 },
      { ...limit, limit: 1.5 },
      { ...limit, interval: "toString" },
      limit,
    ],
  });
  assertEquals(limits.map(({ windowMs, limit }) => [windowMs, limit]), [[60_000, 60]]);
});
