import { assert, assertEquals } from "@std/assert";
import type { KlineRow } from "../../simulator/mod.ts";
import { MINUTE, NOW, simulate } from "./_ask.ts";
import { type KlineMessage, listen } from "./_listen.ts";

/** A closed kline as the REST row of its candle. */
function rowOf({ k }: KlineMessage): KlineRow {
  return [k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q, "0"];
}

Deno.test("a stream tells each candle closed once, with the values that REST gives", async () => {
  const { simulator, clock } = simulate();
  const heard = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(3 * MINUTE);
  // It joins in the middle of the candle of midnight, half a minute old.
  const midnight = NOW - 30_000;
  const truth = simulator.candles("BTCUSDT", "1m", midnight, midnight + 3 * MINUTE);
  assertEquals(truth.length, 3);
  assertEquals(heard.closes().map(rowOf), truth);
  assertEquals(heard.closes().map(({ E, k }) => E - k.T), [4, 4, 4]);
  assertEquals(heard.happened, ["open"]);
  simulator.close();
});

Deno.test("snapshots come every two seconds, and only grow", async () => {
  const { simulator, clock } = simulate();
  const heard = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(20_000);
  const klines = heard.klines();
  assertEquals(klines.map(({ E }) => (E - NOW) / 1_000), [
    2.003,
    4.003,
    6.003,
    8.003,
    10.003,
    12.003,
    14.003,
    16.003,
    18.003,
  ]);
  assert(klines.every(({ k }, at) => !k.x && k.n > (klines[at - 1]?.k.n ?? 0)));
  simulator.close();
});
