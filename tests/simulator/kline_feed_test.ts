import { assertEquals } from "@std/assert";
import { Exchange } from "../../simulator/exchange.ts";
import { KlineFeed } from "../../simulator/kline_feed.ts";
import { parseScenario } from "../../simulator/mod.ts";
import { MINUTE, NOW } from "./_ask.ts";

const MIDNIGHT = NOW - 30_000;

function join(closesWithTrade = false, tradeless = 0): KlineFeed {
  const exchange = new Exchange(parseScenario({ tradeless }), NOW);
  const listed = exchange.symbol("BTCUSDT") ?? exchange.symbols[0];
  if (!listed) throw new Error("No symbols");
  const nextMinute = (ms: number) => (Math.floor(ms / MINUTE) + 1) * MINUTE;
  return new KlineFeed(exchange.series(listed, "1m"), nextMinute, NOW, closesWithTrade);
}

Deno.test("a feed tells all candles that closed while the machine slept, in order and once", () => {
  const feed = join();
  const later = MIDNIGHT + 300 * MINUTE + 3;
  const minutes = feed.closes(later).map(({ openMs }) => (openMs - MIDNIGHT) / MINUTE);
  assertEquals(minutes, Array.from({ length: 300 }, (_, minute) => minute));
  assertEquals(feed.closes(later), []);
});

Deno.test("a feed wakes for the end of the candle under way", () => {
  const feed = join();
  assertEquals(feed.nextMs(NOW), MIDNIGHT + MINUTE + 3);
  assertEquals(feed.closes(MIDNIGHT + MINUTE + 2), []);
  assertEquals(feed.closes(MIDNIGHT + MINUTE + 3).length, 1);
  assertEquals(feed.nextMs(MIDNIGHT + MINUTE + 3), MIDNIGHT + 2 * MINUTE + 3);
});

Deno.test("a feed without trades keeps no more closes than a bound", () => {
  const feed = join(true, 1);
  // Of 32 candles one has trades, and frees those before it.
  const told = feed.closes(MIDNIGHT + 1_000 * MINUTE);
  assertEquals(told.length > 900 && told.length < 1_000, true);
  const opens = told.map(({ openMs }) => openMs);
  assertEquals(opens, opens.toSorted((a, b) => a - b));
});
