/** RSI is added to candles in a real InfluxDB: the same whatever happens, and nothing else is touched. */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { testWith } from "../servers/needs.ts";
import { Market, RSI_FIELDS } from "./_market.ts";
import { end, killRun, start } from "./_penstock.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT"];
const PLACES = 6;
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
  const fields = { close: "float" };
  return {
    name: "populate_rsi",
    sources: [{ use: "influxdb", id: "stored", with: { url, database, fields, ...more } }],
    transforms: [{ use: "rsi" }, { use: "keep_fields", with: { fields: RSI_FIELDS } }],
    sinks: [market.at(database, { url })],
    epoch: { records: 500 },
  };
}

/** Candles without RSI in `market`, and with RSI in `reference`. */
async function openMarket(span: Readonly<Record<string, unknown>> = SPAN): Promise<Market> {
  const market = await Market.open(["market", "reference"]);
  await market.run("reference", market.history("reference", span));
  await market.run("candles", market.history("market", span, []));
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
    await using market = await openMarket({ ...SPAN, from: "2024-03-03" });
    const reference = await market.stored("reference");
    await using door = new Door(market.store.url);
    const copy = async (database: string) => {
      await market.store.query(`CREATE DATABASE ${database}`);
      const into = `SELECT * INTO "${database}".autogen.kline FROM "market".autogen.kline`;
      await market.store.query(`${into} GROUP BY *`);
    };
    await copy("whole");
    await market.run("whole", populate(market, door.url, "whole"));
    assertEquals(await market.stored("whole"), reference);
    const requests = door.requests;
    assert(requests > PLACES, String(requests));
    for (let place = 1; place <= PLACES; place++) {
      const database = `place_${place}`;
      await copy(database);
      const pipeline = populate(market, door.url, database);
      const child = await market.start(database, pipeline);
      door.callAt(Math.ceil(place * requests / PLACES), () => killRun(child));
      const first = await end(child);
      assertEquals(first.signal, "SIGKILL", `place ${place}: ${first.code} ${first.stderr}`);
      const second = await market.run(database, pipeline);
      assert(second.stderr.includes("the ledger balances"), second.stderr);
      assertEquals(await market.stored(database), reference, `place ${place}`);
    }
  },
);

/** A way to the store that sees each request, and calls at one of them. */
class Door implements AsyncDisposable {
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  requests = 0;
  #at = Infinity;
  #call: () => void = () => {};

  constructor(store: string) {
    const options = {
      ...{ port: 0, hostname: "127.0.0.1", onListen: () => {} },
      // Whoever asked has been killed meanwhile.
      onError: () => new Response(null, { status: 500 }),
    };
    this.#server = Deno.serve(options, (request) => this.#pass(request, store));
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Calls at the nth request from now on: at every other one before it is passed on, else after. */
  callAt(nth: number, call: () => void): void {
    this.requests = 0;
    this.#at = nth;
    this.#call = call;
  }

  async #pass(request: Request, store: string): Promise<Response> {
    const isDue = ++this.requests === this.#at;
    const isEven = this.requests % 2 === 0;
    if (isDue && isEven) this.#call();
    const { pathname, search } = new URL(request.url);
    const { status, headers, body } = await fetch(`${store}${pathname}${search}`, {
      method: request.method,
      ...(request.method === "POST" ? { body: await request.bytes() } : {}),
    });
    const answer = await new Response(body).bytes();
    if (isDue && !isEven) this.#call();
    const type = headers.get("content-type");
    return new Response(status === 204 ? null : answer, {
      status,
      headers: type === null ? {} : { "content-type": type },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
