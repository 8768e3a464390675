/**
 * A source of candles that are worked out from their time: any number of them, fast, and the same
 * ones each time. All values are multiples of a quarter, so that their sums are exact.
 *
 * @module
 */

import { z } from "zod";
import { defineSource, type RawCandle, type Series } from "../../mod.ts";

/** The first open time: 2023-01-01. */
export const START_MS = Date.UTC(2023, 0, 1);
/** The fields whose sums are compared. */
export const SUMMED = [
  ...["open", "high", "low", "close", "volume", "quote_volume"],
  ...["taker_buy_volume", "taker_buy_quote_volume", "trades"],
] as const;

const MINUTE_MS = 60_000;
const BATCH = 1_000;

/** The row of a candle as the exchange gives it, by the number of its minute. */
export function rowOf(symbol: string, minute: number): (string | number)[] {
  const seed = [...symbol].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  const wave = (step: number) =>
    (mix(seed + Math.floor((minute + step) / 7)) + mix(minute + step)) % 4_000;
  const [open, close] = [wave(0), wave(1)];
  const high = Math.max(open, close) + mix(minute) % 9;
  const low = Math.min(open, close) - mix(minute + 3) % 9;
  const text = (quarters: number) => `${(100_000 + quarters) / 4}`.replace(/\.\d$/, "$&0");
  const volume = 8 + mix(minute + seed) % 4_000;
  const openMs = START_MS + minute * MINUTE_MS;
  return [
    ...[openMs, text(open), text(high), text(low), text(close), String(volume / 4)],
    ...[openMs + MINUTE_MS - 1, String(volume * 30), mix(minute) % 500 + 1],
    ...[String(volume / 8), String(volume * 15), "0"],
  ];
}

function mix(value: number): number {
  return (Math.imul(value ^ 0x9e3779b9, 0x85ebca6b) >>> 13) % 65_521;
}

/** The source. */
export default defineSource({
  id: "generated_candles",
  summary: "Gives candles that are worked out from their time",
  options: z.strictObject({
    symbols: z.array(z.string()).describe("Symbols"),
    minutes: z.int().describe("Candles of each symbol"),
  }),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "candle" }),
  async *read({ symbols, minutes }, from, { signal }) {
    const series = symbols.map((symbol): Series => ({
      ...{ exchange: "binance", symbol, base: symbol.slice(0, 3), quote: "USDT", interval: "1m" },
    }));
    for (let minute = Number(from.minute ?? 0); minute < minutes; minute += BATCH) {
      const end = Math.min(minutes, minute + BATCH);
      const records: RawCandle[] = [];
      for (const each of series) {
        for (let at = minute; at < end; at++) {
          records.push({ series: each, candle: rowOf(each.symbol, at), closed: true });
        }
      }
      await Promise.resolve();
      signal.throwIfAborted();
      yield { records, position: { minute: end }, progress: end / minutes };
    }
  },
});
