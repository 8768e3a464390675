import { assertEquals, assertThrows } from "@std/assert";
import { OptionsError } from "../../../engine/errors.ts";
import { isOfSeries, resetCheckpoint } from "../../../engine/checkpoint/reset.ts";
import { checkpointOf } from "../state/_checkpoint.ts";

Deno.test("isOfSeries() goes by whole words in any order, and by their case", () => {
  const key = "kline?base=BTC&exchange=binance&interval=1m&quote=USDT&symbol=BTCUSDT";
  for (const series of ["BTCUSDT@1m", "1m BTCUSDT", "BTCUSDT", key]) {
    assertEquals(isOfSeries(key, series), true, series);
  }
  for (const series of ["BTCUSDT@1M", "BTCUSD", "BTCUSDT@1h", "", "@"]) {
    assertEquals(isOfSeries(key, series), false, series);
  }
});

Deno.test("resetCheckpoint() forgets one series in all steps", () => {
  const before = checkpointOf();
  const { checkpoint, removed, sources } = resetCheckpoint(before, { series: "BTCUSDT@1h" });
  assertEquals(removed, [
    "source feed: BTCUSDT@1h",
    "transform rsi: kline?interval=1h&symbol=BTCUSDT",
  ]);
  assertEquals(Object.keys(checkpoint.positions.feed ?? {}), ["BTCUSDT@1m", "ETHUSDT@1h"]);
  assertEquals(Object.keys(checkpoint.states.rsi ?? {}), ["kline?interval=1h&symbol=ETHUSDT"]);
  assertEquals([checkpoint.tokens, checkpoint.ledger], [before.tokens, before.ledger]);
  assertEquals(sources, ["feed"]);
  assertEquals(before, checkpointOf());
});

Deno.test("resetCheckpoint() forgets one series in one step", () => {
  const wish = { series: "BTCUSDT@1h", step: "rsi" };
  const { checkpoint, removed, sources } = resetCheckpoint(checkpointOf(), wish);
  assertEquals(removed, ["transform rsi: kline?interval=1h&symbol=BTCUSDT"]);
  assertEquals([checkpoint.positions, sources], [checkpointOf().positions, []]);
});

Deno.test("resetCheckpoint() forgets one step, whichever kind it is", () => {
  const removedBy = (step: string) => resetCheckpoint(checkpointOf(), { step }).removed;
  assertEquals(removedBy("feed"), ["source feed: where it stood (3 entries)"]);
  assertEquals(removedBy("rsi"), ["transform rsi: what it remembered (2 keys)"]);
  assertEquals(removedBy("file"), ["sink file: where it went on"]);
});

Deno.test("resetCheckpoint() forgets what a step had refused, so that its limit begins anew", () => {
  const before = { ...checkpointOf(), refusals: { rsi: [1, 2], candles: [3] } };
  assertEquals(resetCheckpoint(before, { step: "rsi" }).checkpoint.refusals, { candles: [3] });
});

Deno.test("resetCheckpoint() names the nearest step or series where there is none", () => {
  const errorOf = (wish: { step?: string; series?: string }) => {
    const { message, hint } = assertThrows(
      () => resetCheckpoint(checkpointOf(), wish),
      OptionsError,
    );
    return [message, hint];
  };
  assertEquals(errorOf({ step: "rsj" }), [
    'Cannot reset step "rsj" as the checkpoint must have it: it has not',
    'Did you mean "rsi"?',
  ]);
  assertEquals(errorOf({ series: "BTCUSDT@1d" }), [
    'Cannot reset series "BTCUSDT@1d" as something must be kept of it: nothing is',
    'Did you mean "BTCUSDT@1h"?',
  ]);
});
