/**
 * What happens on the simulated market: prices and candles as a pure function of time.
 *
 * Nothing is remembered from one candle to the next, so that any candle of any year costs the
 * same, whichever window it is asked for in. All amounts are whole numbers of the smallest step,
 * so that no digit is lost before it is written.
 *
 * @module
 */

import { hash, hashText, Random } from "./random.ts";

/** Length of the shortest wave of the price; each further one is four times as long. */
const SHORTEST_MS = 2_000;
/** The longest of so many waves takes four years. */
const WAVES = 14;
const YEAR_MS = 31_557_600_000;
/** How far a price goes in a year, as a share. */
const YEARLY_SPAN = 0.45;
/** The usual size of a trade, in dollars. */
const TRADE_VALUE = 250;
/** What one unit of a quote asset is worth in dollars, roughly; other assets count as 1. */
const QUOTE_VALUE: Readonly<Record<string, number>> = { BTC: 64_000, ETH: 3_100, BNB: 590 };

/** One symbol's market. */
export interface Market {
  /** What sets it apart from other markets. */
  readonly seed: number;
  /** The level around which the price moves, in ticks. */
  readonly levelTicks: number;
  /** Decimals of a price. Prices are whole numbers of ticks: `0.01` has two. */
  readonly priceDecimals: number;
  /** Decimals of an amount. Volumes are whole numbers of steps; both decimals add up to 8. */
  readonly amountDecimals: number;
  /** Trades per millisecond, on average. */
  readonly tradesPerMs: number;
  /** The usual size of a trade, in steps. */
  readonly tradeSteps: number;
}

/** What a market is made from. */
export interface MarketDescription {
  /** Seed of the whole simulation. */
  readonly seed: number;
  /** The symbol's name. */
  readonly symbol: string;
  /** The asset prices are told in. */
  readonly quote: string;
  /** The level around which the price moves. */
  readonly price: number;
  /** How busy it is. */
  readonly tradesPerMinute: number;
}

/** A candle that saw trades, in ticks and steps. */
export interface Candle {
  /** First price. */
  readonly open: number;
  /** Highest price. */
  readonly high: number;
  /** Lowest price. */
  readonly low: number;
  /** Last price. */
  readonly close: number;
  /** Number of trades. */
  readonly trades: number;
  /** Steps that changed hands. */
  readonly volume: number;
  /** Steps of it that a buyer took. */
  readonly takerVolume: number;
  /** Average price, in ticks, of what buyers took. */
  readonly takerPrice: number;
  /** Average price, in ticks, of the rest. */
  readonly makerPrice: number;
  /** Which trade made the high, counted from 1. */
  readonly highTrade: number;
  /** Which trade made the low. */
  readonly lowTrade: number;
}

/**
 * Makes a market from what a scenario says of a symbol.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const market = marketOf({
 *   seed: 1,
 *   symbol: "BTCUSDT",
 *   quote: "USDT",
 *   price: 64_000,
 *   tradesPerMinute: 600,
 * });
 * assertEquals(market.priceDecimals, 2);
 * assertEquals(market.amountDecimals, 6);
 * ```
 */
export function marketOf(description: MarketDescription): Market {
  const { seed, symbol, quote, price, tradesPerMinute } = description;
  const priceDecimals = Math.min(8, Math.max(2, 3 - Math.floor(Math.log10(price))));
  const amountDecimals = 8 - priceDecimals;
  const tradeSize = TRADE_VALUE / (QUOTE_VALUE[quote] ?? 1) / price;
  return {
    seed: hash(hashText(symbol), seed),
    levelTicks: price * 10 ** priceDecimals,
    priceDecimals,
    amountDecimals,
    tradesPerMs: tradesPerMinute / 60_000,
    tradeSteps: Math.max(1, tradeSize * 10 ** amountDecimals),
  };
}

/**
 * The price at a moment: waves of many lengths, from seconds to years, laid over each other, each
 * as high as a random walk would go in its time.
 *
 * @param market The market.
 * @param atMs Epoch milliseconds.
 * @returns Ticks, at least 1.
 */
export function priceAt(market: Market, atMs: number): number {
  let exponent = 0;
  let lengthMs = SHORTEST_MS;
  let height = YEARLY_SPAN * Math.sqrt(SHORTEST_MS / YEAR_MS);
  for (let wave = 0; wave < WAVES; wave++) {
    const seed = hash(market.seed, wave);
    const position = atMs / lengthMs + seed / 4_294_967_296;
    const knot = Math.floor(position);
    const share = position - knot;
    const here = hash(seed, knot) / 2_147_483_648 - 1;
    const next = hash(seed, knot + 1) / 2_147_483_648 - 1;
    exponent += height * (here + (next - here) * share * share * (3 - 2 * share));
    lengthMs *= 4;
    height *= 2;
  }
  return Math.max(1, Math.round(market.levelTicks * Math.exp(exponent)));
}

/**
 * The finished candle of a span, or nothing when no one traded.
 *
 * @param market The market.
 * @param seed What sets this candle apart from all others.
 * @param fromMs First moment of the span, in epoch milliseconds.
 * @param toMs First moment after it.
 * @param least The least number of trades.
 */
export function candleOf(
  market: Market,
  seed: number,
  fromMs: number,
  toMs: number,
  least: number,
): Candle | undefined {
  const random = new Random(seed);
  const trades = Math.max(least, tradesIn(market, toMs - fromMs, random));
  if (trades === 0) return undefined;
  // The first trade of a candle seldom happens at the very price of the last one before it.
  const open = Math.max(1, priceAt(market, fromMs) + Math.floor(3 * random.next()) - 1);
  const close = trades === 1 ? open : priceAt(market, toMs);
  const reach = trades < 4 ? 0 : open * YEARLY_SPAN * Math.sqrt((toMs - fromMs) / YEAR_MS);
  const high = Math.max(open, close) + Math.floor(reach * random.next() ** 2);
  const low = Math.max(1, Math.min(open, close) - Math.floor(reach * random.next() ** 2));
  const volume = Math.max(
    trades,
    Math.round(trades * market.tradeSteps * (0.4 + 1.2 * random.next())),
  );
  const takerShare = trades === 1 ? Math.round(random.next()) : 0.3 + 0.4 * random.next();
  const [first, second] = turns(trades, random);
  const rising = close >= open;
  return {
    open,
    high,
    low,
    close,
    trades,
    volume,
    takerVolume: Math.floor(volume * takerShare),
    takerPrice: low + Math.round((high - low) * random.next()),
    makerPrice: low + Math.round((high - low) * random.next()),
    highTrade: rising ? second : first,
    lowTrade: rising ? first : second,
  };
}

/**
 * A candle as it stood after some of its trades.
 *
 * The price goes in straight lines from the first trade over low and high to the last one. Nothing
 * that may only grow ever shrinks: high, volumes, trades; nor does the low rise.
 *
 * @param candle The finished candle.
 * @param trades How many of its trades have happened, at least 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const candle = {
 *   open: 100,
 *   high: 120,
 *   low: 90,
 *   close: 110,
 *   trades: 10,
 *   volume: 1_000,
 *   takerVolume: 500,
 *   takerPrice: 105,
 *   makerPrice: 100,
 *   lowTrade: 3,
 *   highTrade: 8,
 * };
 * const early = soFar(candle, 2);
 * assertEquals([early.open, early.high, early.low, early.close], [100, 100, 95, 95]);
 * assertEquals(early.volume, 200);
 * assertEquals(soFar(candle, 10), candle);
 * ```
 */
export function soFar(candle: Candle, trades: number): Candle {
  if (trades >= candle.trades) return candle;
  const close = priceOfTrade(candle, trades);
  const share = trades / candle.trades;
  return {
    ...candle,
    close,
    high: trades >= candle.highTrade ? candle.high : Math.max(candle.open, close),
    low: trades >= candle.lowTrade ? candle.low : Math.min(candle.open, close),
    trades,
    volume: Math.floor(candle.volume * share),
    takerVolume: Math.floor(candle.takerVolume * share),
  };
}

/** Trades in a span: bursts and lulls, and on quiet markets often none. */
function tradesIn(market: Market, lengthMs: number, random: Random): number {
  const mood = 0.3 + 0.7 * Math.min(8, -Math.log(1 - random.next()));
  const expected = market.tradesPerMs * lengthMs * mood;
  const draw = random.next();
  if (expected > 30) return Math.round(expected);
  // Poisson, by adding up chances until the draw is reached.
  let chance = Math.exp(-expected);
  let reached = chance;
  let trades = 0;
  while (draw > reached && trades < 100) {
    trades++;
    chance *= expected / trades;
    reached += chance;
  }
  return trades;
}

/** The two trades between first and last at which the price turns. */
function turns(trades: number, random: Random): [number, number] {
  if (trades < 4) return [1, trades];
  const first = 2 + Math.floor(random.next() * (trades - 3) / 2);
  return [first, first + 1 + Math.floor(random.next() * (trades - 1 - first))];
}

function priceOfTrade(candle: Candle, trade: number): number {
  const { open, high, low, close, trades, highTrade, lowTrade } = candle;
  const lowFirst = lowTrade < highTrade;
  const [first, firstPrice] = lowFirst ? [lowTrade, low] : [highTrade, high];
  const [second, secondPrice] = lowFirst ? [highTrade, high] : [lowTrade, low];
  if (trade <= first) return between(1, open, first, firstPrice, trade);
  if (trade <= second) return between(first, firstPrice, second, secondPrice, trade);
  return between(second, secondPrice, trades, close, trade);
}

function between(from: number, start: number, to: number, end: number, at: number): number {
  return to === from ? start : Math.round(start + (end - start) * (at - from) / (to - from));
}
