/** RSI is added to candles in a real InfluxDB: the same whatever happens, and nothing else is touched. */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { testWith } from "../servers/needs.ts";
import { Market, RSI_FIELDS } from "./_market.ts";
import { end, start } from "./_penstock.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT"];
const PLACES = 20;
const SPAN = { interval: "1m", symbols: SYMBOLS, from: "2024-03-01", to: "2024-03-04" };
const CANDLES = 2 * 3 * 1_440;
const PIPELINE = fromFileUrl(new URL("../../pipelines/populate_rsi.yaml", import.meta.url));

/** `populate_rsi.yaml` as a value, with small epochs. */
function populate(
  market: Market,
  url: string,
  database: string,
  more: Readonly<Record<string, unknown>> = {},
): unknown {
  const fields = { close: "float", closed: "boolean" };
  return {
    name: "populate_rsi",
    sources: [{ use: "influxdb", id: "stored", with: { url, database, fields, ...more } }],
    transforms: [{ use: "rsi" }, { use: "keep_fields", with: { fields: RSI_FIELDS } }],
    sinks: [market.at(database, { url })],
    epoch: { records: 1_000 },
  };
}

/** Candles without RSI in `market`, and with RSI in `reference`. */
async function openMarket(): Promise<Market> {
  const market = await Market.open(["market", "reference"]);
  await market.run("reference", market.history("reference", SPAN));
  await market.run("candles", market.history("market", SPAN, []));
  return market;
}

testWith(
  "influxd",
  "populate_rsi.yaml adds RSI to stored candles and changes no other field",
  async () => {
    await using market = await openMarket();
    const reference = await market.stored("reference");
    const candles = "open, high, low, close, volume, quote_volume, taker_buy_volume, " +
      "taker_buy_quote_volume, trades, closed";
    const before = await market.stored("market");
    assertEquals(before.length, CANDLES);
    assertEquals(before.some((row) => row.includes("rsi_14")), false);
    await Deno.copyFile(PIPELINE, join(market.folder, "populate_rsi.yaml"));
    const run = () =>
      end(start(["run", join(market.folder, "populate_rsi.yaml")], {
        env: { NO_COLOR: "1", INFLUX_URL: market.store.url, INFLUX_DATABASE: "market" },
      }));
    const first = await run();
    assertEquals(first.code, 0, first.stderr);
    assertEquals(await market.stored("market"), reference);
    assertEquals(
      await market.stored("market", candles),
      await market.stored("reference", candles),
    );
    const second = await run();
    assertEquals(second.code, 0, second.stderr);
    assertEquals(await market.stored("market"), reference);
    await Deno.remove(join(market.folder, ".penstock"), { recursive: true });
    const third = await run();
    assertEquals(third.code, 0, third.stderr);
    assertEquals(await market.stored("market"), reference);
  },
);

testWith(
  "influxd",
  "populating from the middle goes on from the stored averages, bit for bit",
  async () => {
    await using market = await openMarket();
    const url = market.store.url;
    const middle = Date.UTC(2024, 2, 2, 7, 31);
    await market.run("head", populate(market, url, "market", { to: middle }));
    const half = await market.stored("market");
    assertEquals(half.filter((row) => row.includes("rsi_14")).length, 2 * (1_891 - 14));
    await market.run("tail", populate(market, url, "market", { from: middle }));
    assertEquals(await market.stored("market"), await market.stored("reference"));
  },
);

testWith(
  "influxd",
  `populating that is killed at ${PLACES} places and started again adds the very same`,
  async () => {
    await using market = await openMarket();
    const reference = await market.stored("reference");
    let writes = 0;
    let killAt = Infinity;
    let kill = () => {};
    await using proxy = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        // Of two requests one is killed before it is stored, and one before it is acknowledged.
        const isDue = pathname === "/write" && ++writes === killAt;
        if (isDue && writes % 2 === 0) kill();
        const response = await fetch(`${market.store.url}${pathname}${search}`, {
          method: request.method,
          headers: request.headers,
          ...(request.method === "POST" ? { body: await request.bytes() } : {}),
        });
        if (isDue) kill();
        return new Response(response.body, response);
      },
    );
    const url = `http://127.0.0.1:${proxy.addr.port}`;
    let killed = 0;
    for (let place = 1; place <= PLACES; place++) {
      const database = `place_${place}`;
      await market.store.query(`CREATE DATABASE ${database}`);
      await market.store.query(
        `SELECT * INTO "${database}".autogen.kline FROM "market".autogen.kline GROUP BY *`,
      );
      const pipeline = populate(market, url, database);
      writes = 0;
      killAt = 1 + place;
      const child = await market.start(database, pipeline);
      kill = () => child.kill("SIGKILL");
      const first = await end(child);
      if (first.signal === "SIGKILL") killed++;
      killAt = Infinity;
      const second = await market.run(database, pipeline);
      assert(second.stderr.includes("the ledger balances"), second.stderr);
      assertEquals(await market.stored(database), reference, `killed at write ${place}`);
    }
    assertEquals(killed, PLACES);
  },
);
