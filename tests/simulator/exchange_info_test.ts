import { assertEquals } from "@std/assert";
import type { Simulator } from "../../simulator/mod.ts";
import { ask, HOUR, NOW, simulate } from "./_ask.ts";

interface Info {
  readonly serverTime: number;
  readonly rateLimits: readonly unknown[];
  readonly symbols: readonly {
    readonly symbol: string;
    readonly status: string;
    readonly baseAsset: string;
    readonly quoteAsset: string;
    readonly permissionSets: readonly unknown[];
    readonly filters: readonly Record<string, string>[];
  }[];
}

async function askInfo(simulator: Simulator, query = ""): Promise<Info> {
  return await (await ask(simulator, `/api/v3/exchangeInfo${query}`)).json();
}

async function askNames(simulator: Simulator, query: string): Promise<string[]> {
  return (await askInfo(simulator, query)).symbols.map((one) => one.symbol);
}

Deno.test("exchangeInfo lists the symbols of the scenario with their assets and status", async () => {
  const { simulator } = simulate({
    symbols: [
      { symbol: "USDTTRY", base: "USDT", quote: "TRY" },
      { symbol: "OLDBTC", base: "OLD", quote: "BTC", status: "CANCEL_ONLY" },
    ],
  });
  const { symbols } = await askInfo(simulator);
  assertEquals(symbols.map((one) => [one.symbol, one.baseAsset, one.quoteAsset, one.status]), [
    ["USDTTRY", "USDT", "TRY", "TRADING"],
    ["OLDBTC", "OLD", "BTC", "CANCEL_ONLY"],
  ]);
});

Deno.test("exchangeInfo has symbols by default whose names are hard to take apart", async () => {
  assertEquals(await askNames(simulate().simulator, ""), [
    "BTCUSDT",
    "ETHUSDT",
    "BNBUSDT",
    "SOLUSDT",
    "XRPUSDT",
    "DOGEUSDT",
    "ETHBTC",
    "PEPEUSDT",
    "1000SATSUSDT",
    "USDTTRY",
    "币安人生USDT",
    "WANBTC",
    "SRMUSDT",
  ]);
});

Deno.test("exchangeInfo tells the limits of the scenario and the time", async () => {
  const { simulator } = simulate({ limits: { weight_per_minute: 1_200 } });
  const info = await askInfo(simulator);
  assertEquals(info.serverTime, NOW);
  assertEquals(info.rateLimits, [
    { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 1_200 },
    { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 100 },
    { rateLimitType: "ORDERS", interval: "DAY", intervalNum: 1, limit: 200_000 },
    { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 61_000 },
  ]);
});

Deno.test("exchangeInfo gives the symbols that are asked for, in that order", async () => {
  const { simulator } = simulate();
  assertEquals(await askNames(simulator, "?symbol=ETHBTC"), ["ETHBTC"]);
  assertEquals(await askNames(simulator, '?symbols=["XRPUSDT","BTCUSDT"]'), ["XRPUSDT", "BTCUSDT"]);
  const name = encodeURIComponent("币安人生USDT");
  assertEquals(await askNames(simulator, `?symbol=${name}`), ["币安人生USDT"]);
});

Deno.test("exchangeInfo filters by status and by permission", async () => {
  const { simulator } = simulate();
  assertEquals(await askNames(simulator, "?symbolStatus=BREAK"), ["SRMUSDT"]);
  assertEquals(await askNames(simulator, "?permissions=LEVERAGED&symbolStatus=BREAK"), []);
  assertEquals(await askNames(simulator, '?permissions=["SPOT"]&symbolStatus=BREAK'), ["SRMUSDT"]);
});

Deno.test("exchangeInfo leaves permission sets empty when told to", async () => {
  const { simulator } = simulate();
  const sets = async (query: string) =>
    (await askInfo(simulator, `?symbol=BTCUSDT${query}`)).symbols[0]?.permissionSets;
  assertEquals(await sets(""), [["SPOT"]]);
  assertEquals(await sets("&showPermissionSets=false"), []);
});

Deno.test("exchangeInfo tells the steps in which prices and amounts are given", async () => {
  const info = await askInfo(simulate().simulator, '?symbols=["BTCUSDT","PEPEUSDT"]');
  const steps = info.symbols.map((one) => [one.filters[0]?.tickSize, one.filters[1]?.stepSize]);
  assertEquals(steps, [["0.01000000", "0.00000100"], ["0.00000001", "1.00000000"]]);
});

Deno.test("exchangeInfo shows a symbol as BREAK from its delisting on", async () => {
  const { simulator, clock } = simulate({
    symbols: [{ symbol: "ABC", base: "A", quote: "BC", delisted: NOW + HOUR }],
  });
  assertEquals((await askInfo(simulator)).symbols[0]?.status, "TRADING");
  await clock.advance(HOUR);
  assertEquals((await askInfo(simulator)).symbols[0]?.status, "BREAK");
});

Deno.test("time and ping answer, time in microseconds when asked", async () => {
  const { simulator } = simulate();
  assertEquals(await (await ask(simulator, "/api/v3/ping")).json(), {});
  assertEquals(await (await ask(simulator, "/api/v3/time")).json(), { serverTime: NOW });
  const micro = await ask(simulator, "/api/v3/time", {
    headers: { "X-MBX-TIME-UNIT": "MICROSECOND" },
  });
  assertEquals(await micro.text(), `{"serverTime":${NOW}000}`);
});
