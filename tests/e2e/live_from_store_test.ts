/** Populate and connect: the live feed goes on from what InfluxDB holds, without a checkpoint. */

import { assert, assertEquals } from "@std/assert";
import { testWith } from "../servers/needs.ts";
import { Market } from "./_market.ts";
import { end } from "./_penstock.ts";

const SECOND = 1_000;

testWith(
  "influxd",
  "candles as they close go on from where the store ends, RSI included",
  async () => {
    await using market = await Market.open(["market", "reference"]);
    const symbols = ["BTCUSDT", "ETHUSDT"];
    const nowMs = Math.floor(Date.now() / SECOND) * SECOND;
    const from = nowMs - 1_500 * SECOND;
    const history = { interval: "1s", symbols, from, to: nowMs - 600 * SECOND };
    await market.run("history", market.history("market", history));
    market.asked.length = 0;
    const child = await market.start("live", {
      name: "live",
      sources: [{
        use: "binance_websocket",
        with: {
          ...{ symbols, interval: "1s", start: "stored" },
          ...{ base_url: market.stream, rest_url: market.rest },
        },
      }],
      transforms: [{ use: "kline" }, { use: "rsi" }],
      sinks: [market.at("market")],
    });
    const lastMs = async () => {
      const series = await market.store.query(
        `SELECT "close" FROM kline GROUP BY symbol ORDER BY time DESC LIMIT 1`,
        "market",
      );
      return Math.min(...series.map(({ values }) => Number(values[0]?.[0])));
    };
    const ending = end(child);
    while (await lastMs() < nowMs + 2 * SECOND) await new Promise((done) => setTimeout(done, 200));
    child.kill("SIGINT");
    const { code, stderr } = await ending;
    assertEquals(code, 130, stderr);
    assertEquals(Math.min(...market.asked.map(({ startMs }) => startMs)), nowMs - 601 * SECOND);
    const to = await lastMs() + SECOND;
    await market.run("reference", market.history("reference", { ...history, to }));
    const within = (rows: readonly string[]) =>
      rows.filter((row) => Number(/\["time",(\d+)\]/.exec(row)?.[1]) < to);
    const stored = within(await market.stored("market"));
    assert(stored.length > 2 * 1_500, String(stored.length));
    assertEquals(stored, await market.stored("reference"));
  },
);
