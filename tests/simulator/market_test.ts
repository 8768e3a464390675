import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { candleOf, marketOf, priceAt, soFar } from "../../simulator/market.ts";

const BTCUSDT = marketOf({
  seed: 1,
  symbol: "BTCUSDT",
  quote: "USDT",
  price: 64_000,
  tradesPerMinute: 600,
});
const START = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

Deno.test("marketOf() chooses ticks by the price, and steps so that values have eight places", () => {
  const decimals = [64_000, 590, 33, 3.3, 0.52, 0.048, 0.00021, 0.0000031].map((price) => {
    const market = marketOf({ seed: 1, symbol: "A", quote: "USDT", price, tradesPerMinute: 1 });
    return [market.priceDecimals, market.amountDecimals];
  });
  assertEquals(decimals, [[2, 6], [2, 6], [2, 6], [3, 5], [4, 4], [5, 3], [7, 1], [8, 0]]);
});

Deno.test("priceAt() gives the same price for the same moment, and another for another seed", () => {
  assertEquals(priceAt(BTCUSDT, START), priceAt(BTCUSDT, START));
  assertNotEquals(priceAt(BTCUSDT, START), priceAt({ ...BTCUSDT, seed: 2 }, START));
});

Deno.test("priceAt() stays around the level for ten years", () => {
  for (let day = 0; day < 3_650; day++) {
    const share = priceAt(BTCUSDT, START + day * DAY) / BTCUSDT.levelTicks;
    assert(share > 1 / 7 && share < 7, `day ${day}: ${share}`);
  }
});

Deno.test("priceAt() moves little in a minute and more in a day", () => {
  const usual = (stepMs: number) => {
    let sum = 0;
    for (let step = 0; step < 1_000; step++) {
      const [a, b] = [step, step + 1].map((n) => priceAt(BTCUSDT, START + n * stepMs));
      sum += Math.log((b ?? NaN) / (a ?? NaN)) ** 2;
    }
    return Math.sqrt(sum / 1_000);
  };
  const [minute, day] = [usual(MINUTE), usual(DAY)];
  assert(minute > 0.0001 && minute < 0.002, `minute: ${minute}`);
  assert(day > 0.005 && day < 0.06, `day: ${day}`);
});

Deno.test("candleOf() begins near where the span before it ended", () => {
  for (let index = 0; index < 100; index++) {
    const [a, b] = [index, index + 1].map((n) =>
      candleOf(BTCUSDT, n, START + n * MINUTE, START + (n + 1) * MINUTE, 2)
    );
    assert(a && b && Math.abs(a.close - b.open) <= 1);
  }
});

Deno.test("candleOf() gives candles that hold together, from one trade to millions", () => {
  for (const [lengthMs, tradesPerMinute] of [[MINUTE, 0.5], [MINUTE, 4], [DAY, 5_000]] as const) {
    const market = { ...BTCUSDT, tradesPerMs: tradesPerMinute / MINUTE };
    for (let index = 0; index < 500; index++) {
      const candle = candleOf(market, index, START, START + lengthMs, 1);
      assert(candle);
      const { open, high, low, close, trades, volume, takerVolume } = candle;
      assert(low >= 1 && low <= Math.min(open, close) && high >= Math.max(open, close));
      assert(trades >= 1 && volume >= trades && takerVolume >= 0 && takerVolume <= volume);
      for (const price of [candle.takerPrice, candle.makerPrice]) {
        assert(price >= low && price <= high);
      }
      for (const value of Object.values(candle)) assert(Number.isSafeInteger(value));
    }
  }
});

Deno.test("candleOf() gives one price to a single trade", () => {
  const market = { ...BTCUSDT, tradesPerMs: 1e-12 };
  for (let index = 0; index < 20; index++) {
    const candle = candleOf(market, index, START, START + MINUTE, 1);
    assert(candle && candle.trades === 1);
    assertEquals([candle.high, candle.low, candle.close], Array(3).fill(candle.open));
    assert(candle.takerVolume === 0 || candle.takerVolume === candle.volume);
  }
});

Deno.test("candleOf() gives nothing when no one trades, unless someone must", () => {
  const market = { ...BTCUSDT, tradesPerMs: 0.1 / MINUTE };
  let traded = 0;
  for (let index = 0; index < 1_000; index++) {
    if (candleOf(market, index, START, START + MINUTE, 0)) traded++;
    assert(candleOf(market, index, START, START + MINUTE, 1));
  }
  assert(traded > 50 && traded < 150, `${traded}`);
});

Deno.test("soFar() grows from the first trade to the finished candle and never shrinks", () => {
  for (let index = 0; index < 200; index++) {
    const market = { ...BTCUSDT, tradesPerMs: (1 + index % 40) / MINUTE };
    const candle = candleOf(market, index, START, START + HOUR / 4, 1);
    assert(candle);
    const first = soFar(candle, 1);
    assertEquals([first.open, first.close], [candle.open, candle.open]);
    let before = first;
    for (let trades = 2; trades <= candle.trades; trades++) {
      const now = soFar(candle, trades);
      assert(now.high >= before.high && now.low <= before.low);
      assert(now.high >= now.close && now.low <= now.close);
      assert(now.volume >= before.volume && now.takerVolume >= before.takerVolume);
      assert(now.takerVolume <= now.volume && now.trades === trades);
      before = now;
    }
    assertEquals(before, candle);
  }
});

Deno.test("soFar() reaches high and low at the trades that made them", () => {
  const candle = candleOf(BTCUSDT, 5, START, START + HOUR, 4);
  assert(candle && candle.high > candle.open && candle.low < candle.open);
  assertEquals(soFar(candle, candle.highTrade).close, candle.high);
  assertEquals(soFar(candle, candle.lowTrade).close, candle.low);
});
