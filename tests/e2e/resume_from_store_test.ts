/** Without a checkpoint a run goes on from what InfluxDB holds: only what is missing is fetched. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { hasProgram, installHint, testWith } from "../servers/needs.ts";
import { Market } from "./_market.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
const MINUTE = 60_000;
const FROM = Date.UTC(2024, 2, 1);
const TO = Date.UTC(2024, 2, 4);

testWith(
  "influxd",
  "candles go on from where the store of each series ends, and RSI is that of an uninterrupted run",
  async () => {
    await using market = await Market.open(["market", "reference"]);
    const span = { interval: "1m", from: FROM, to: TO };
    await market.run("reference", market.history("reference", { ...span, symbols: SYMBOLS }));
    // Stored up to three different moments: gaps of an hour and of two days, and a whole series.
    const ends = { BTCUSDT: TO - 60 * MINUTE, ETHUSDT: TO - 2 * 1_440 * MINUTE };
    for (const [symbol, to] of Object.entries(ends)) {
      await market.run(symbol, market.history("market", { ...span, to, symbols: [symbol] }));
    }
    market.asked.length = 0;
    const pipeline = market.history("market", { ...span, symbols: SYMBOLS, start: "stored" });
    const { stderr } = await market.run("resumed", pipeline);
    assertStringIncludes(stderr, "Going on from where the stores end series=2 from_beginning=1");
    const firsts = Object.fromEntries(SYMBOLS.map((symbol) => [
      symbol,
      Math.min(...market.asked.filter((one) => one.symbol === symbol).map((one) => one.startMs)),
    ]));
    assertEquals(firsts, {
      BTCUSDT: ends.BTCUSDT - MINUTE,
      ETHUSDT: ends.ETHUSDT - MINUTE,
      SOLUSDT: FROM,
    });
    // 61, 2,881 and 4,320 candles in pages of a thousand, and for each series whether there are more.
    assertEquals(market.asked.length, 1 + 3 + 5 + 3);
    const reference = await market.stored("reference");
    assertEquals(reference.length, 3 * 3 * 1_440);
    assertEquals(await market.stored("market"), reference);
    await market.forget("resumed");
    market.asked.length = 0;
    await market.run("resumed", pipeline);
    assertEquals(
      market.asked.toSorted((a, b) => a.startMs - b.startMs || (a.symbol < b.symbol ? -1 : 1)),
      [TO - MINUTE, TO - MINUTE + 1].flatMap((startMs) =>
        SYMBOLS.map((symbol) => ({ symbol, startMs }))
      ),
    );
    assertEquals(await market.stored("market"), reference);
  },
);

const RECORDED = fromFileUrl(
  new URL("../../../shared/data/rest-BTCUSDT-4h-2018-q1.json", import.meta.url),
);
const present = await Deno.stat(RECORDED).then(() => true, () => false);
const ready = present && hasProgram("influxd");
const HOLE = "Hole in BTCUSDT 4h: the exchange has no candles";

Deno.test({
  name:
    "a hole of the exchange lies between what is stored and what is fetched, and is told of once" +
    (ready ? "" : ` (skipped: needs ../shared and influxd: ${installHint("influxd")})`),
  ignore: !ready,
  fn: async () => {
    const files = [{ symbol: "BTCUSDT", interval: "4h", path: RECORDED }] as const;
    await using market = await Market.open(["market", "reference"], { files: [...files] });
    const span = { symbols: ["BTCUSDT"], interval: "4h", from: "2018-01-01", to: "2018-04-01" };
    await market.run("reference", market.history("reference", span));
    // The last candle before the hole is the last one stored.
    const head = { ...span, to: "2018-02-08T04:00:00Z" };
    await market.run("head", market.history("market", head));
    const pipeline = market.history("market", { ...span, start: "stored" });
    const { stderr } = await market.run("resumed", pipeline);
    assertStringIncludes(stderr, HOLE);
    const reference = await market.stored("reference");
    assertEquals(reference.length, 533);
    assertEquals(reference.filter((row) => row.includes('["gap_bars",7]')).length, 1);
    assertEquals(await market.stored("market"), reference);
    await market.forget("resumed");
    market.asked.length = 0;
    const again = await market.run("resumed", pipeline);
    assert(!again.stderr.includes(HOLE), again.stderr);
    const lastMs = Date.UTC(2018, 2, 31, 20);
    assertEquals(market.asked.map(({ startMs }) => startMs), [lastMs, lastMs + 1]);
    assertEquals(await market.stored("market"), reference);
  },
});
