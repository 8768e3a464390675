/** A market for measurements: cheap to make, with digits as the exchange writes them. */

/** When it begins, in epoch milliseconds. */
export const START_MS = Date.UTC(2024, 4, 17, 9, 30);

/** Names of symbols. */
export function symbolOf(at: number): string {
  return `COIN${at}USDT`;
}

/** A closed candle as a websocket event has it, without times and names. */
export function candleAt(at: number, minute: number) {
  const cents = 6_411_767 + 37 * ((minute * 7 + at) % 53) - 11 * (minute % 29);
  const price = (offset: number) => `${((cents + offset) / 100).toFixed(2)}000000`;
  const volume = `${(minute % 7) + 0.38518 * (at % 5 + 1)}`.slice(0, 10);
  return {
    ...{ o: price(0), c: price(minute % 13), h: price(40), l: price(-30) },
    ...{ v: volume, n: 115 + (minute % 9), x: true },
    ...{ q: "24696.88116430", V: "0.17878000", Q: "11462.96470450", B: "0" },
  };
}

/** What the exchange says of symbols. */
export function exchangeInfo(count: number): unknown {
  return {
    serverTime: START_MS + 1,
    rateLimits: [
      { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6_000 },
    ],
    symbols: Array.from({ length: count }, (_, at) => ({
      ...{ symbol: symbolOf(at), status: "TRADING", baseAsset: `COIN${at}`, quoteAsset: "USDT" },
    })),
  };
}
