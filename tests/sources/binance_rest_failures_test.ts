import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { FatalError } from "../../engine/errors.ts";
import { json, page, rowsFrom, type Script } from "./_binance/scripted_exchange.ts";
import { iterate, opensOf, read, worldOf } from "./_reading.ts";

const MINUTE = 60_000;
const T0 = Date.UTC(2024, 0, 1);

function at(slot: number): number {
  return T0 + slot * MINUTE;
}

const ROWS = { BTCUSDT: rowsFrom(T0, 2_500), ETHUSDT: rowsFrom(T0, 2_500) };
const BOTH = { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m", from: T0, to: at(2_500) };

/** Some more symbols than are read ahead. */
const MANY = Array.from({ length: 20 }, (_, index) => `A${index}USDT`);
const MANY_ROWS = Object.fromEntries(MANY.map((name) => [name, rowsFrom(T0, 1_100)]));
const READ_MANY = { symbols: MANY, interval: "1m", from: T0, to: at(1_100) };

const FAILURES: Readonly<Record<string, NonNullable<Script["instead"]>>> = {
  "a 429": () => json({ code: -1003, msg: "Too many requests" }, 429, { "retry-after": "7" }),
  "a ban": () => json({ code: -1003, msg: "banned" }, 418, { "retry-after": "120" }),
  "a 403 page": () => page(403),
  "a 503 page": () => page(503),
  "a page with status 200": () => page(200),
  "a 500": () => json({ code: -1000, msg: "unknown" }, 500),
  "a fault of the exchange with status 400": () => json({ code: -1001, msg: "gone" }, 400),
  "JSON that breaks off": () => new Response('[[1704067200000,"137'),
  "a connection that fails": () => Promise.reject(new TypeError("connection refused")),
};

for (const [name, instead] of Object.entries(FAILURES)) {
  Deno.test(`binance_rest gives each candle once in spite of ${name} at any request`, async () => {
    const { requests } = (await readThrough({ rows: ROWS })).exchange;
    for (let failing = 0; failing < requests.length; failing++) {
      await readThrough({
        rows: ROWS,
        instead: (url, count) => count === failing ? instead(url, count) : undefined,
      });
    }
  });
}

async function readThrough(script: Omit<Script, "clock">) {
  const world = worldOf(script, at(9_000));
  const { records } = await read(world, BOTH);
  const expected = Array.from({ length: 2_500 }, (_, slot) => at(slot));
  assertEquals(opensOf(records), { BTCUSDT: expected, ETHUSDT: expected });
  assertEquals(world.exchange.underWay(), 0);
  return world;
}

Deno.test("binance_rest sends nothing for any series until the Retry-After of a 429 has passed", async () => {
  const world = worldOf({
    rows: MANY_ROWS,
    instead: (_url, count) =>
      count === 5 ? json({ code: -1003, msg: "slow" }, 429, { "retry-after": "100" }) : undefined,
    delayMs: () => 1_000,
  }, at(9_000));
  await read(world, READ_MANY);
  const times = world.exchange.timesMs.map((time) => time - at(9_000));
  assertEquals(times.filter((time) => time > 1_000 && time < 100_000), []);
  assertEquals(world.context.counters.get("failed_requests"), 1);
});

Deno.test("binance_rest waits once, not once per series, when all requests are refused together", async () => {
  const world = worldOf({
    rows: MANY_ROWS,
    instead: (_url, count) => count >= 1 && count <= 8 ? page(403) : undefined,
  }, at(9_000));
  await read(world, READ_MANY);
  assertEquals(world.clock.now() - at(9_000) < 35_000, true);
});

Deno.test("binance_rest goes on when a page that was read ahead has failed", async () => {
  const world = worldOf({
    rows: ROWS,
    instead: (url, count) =>
      count < 20 && url.searchParams.get("symbol") === "ETHUSDT" ? page(502) : undefined,
  }, at(9_000));
  const { records } = await read(world, BOTH);
  assertEquals(records.length, 5_000);
});

Deno.test("binance_rest stops when a symbol disappears, after what was read of the others before it", async () => {
  const world = worldOf({
    rows: ROWS,
    instead: (url) =>
      url.searchParams.get("symbol") === "ETHUSDT" &&
        url.searchParams.get("startTime") !== String(T0)
        ? json({ code: -1121, msg: "Invalid symbol." }, 400)
        : undefined,
  }, at(9_000));
  const batches = iterate(world.context, BOTH);
  for (const symbol of ["BTCUSDT", "ETHUSDT", "BTCUSDT"]) {
    assertEquals((await batches.next()).value.records[0].series.symbol, symbol);
  }
  const error = await batches.next().catch((error) => error);
  assertInstanceOf(error, FatalError);
  assertEquals(
    error.message,
    "Cannot read candles of ETHUSDT: the exchange has taken the symbol off its list",
  );
  assertEquals(error.hint, "Take it out of `symbols`; what was read of it stays");
});

Deno.test("binance_rest stops when the exchange refuses a request, with its words", async () => {
  const world = worldOf({
    rows: ROWS,
    instead: (url) =>
      url.pathname.endsWith("klines")
        ? json({ code: -1120, msg: "Invalid interval." }, 400)
        : undefined,
  }, at(9_000));
  await assertRejects(
    () => read(world, BOTH),
    FatalError,
    "Cannot read candles of BTCUSDT: the exchange refuses it (-1120: Invalid interval.)",
  );
  assertEquals(world.exchange.underWay(), 0);
});

Deno.test("binance_rest stops when answers do not hold what was asked for", async () => {
  const world = worldOf({
    rows: ROWS,
    instead: (url) => url.pathname.endsWith("klines") ? json(rowsFrom(T0, 1_000)) : undefined,
  }, at(9_000));
  await assertRejects(() => read(world, BOTH), FatalError, "none of 1000 rows opens from");
});

Deno.test("binance_rest keeps within its share of the weight, whatever the limit", async () => {
  for (const limit of [60, 100, 6_000]) {
    const world = worldOf({ rows: MANY_ROWS, limit }, at(9_000));
    const { records } = await read(world, { ...READ_MANY, weight_share: 0.5 });
    assertEquals(records.length, 22_000);
    assertEquals(world.exchange.peakWeight() <= limit / 2, true, `${world.exchange.peakWeight()}`);
  }
});

Deno.test("binance_rest leaves weight to others at its address", async () => {
  const world = worldOf({ rows: MANY_ROWS, limit: 200, others: 150 }, at(9_000));
  await read(world, READ_MANY);
  assertEquals(world.exchange.peakWeight() <= 30, true, `${world.exchange.peakWeight()}`);
});

Deno.test("binance_rest asks for several series at once, but not for all of many", async () => {
  let most = 0;
  const world = worldOf({
    rows: MANY_ROWS,
    delayMs: () => {
      most = Math.max(most, world.exchange.underWay());
      return 500;
    },
  }, at(9_000));
  await read(world, READ_MANY);
  assertEquals(most, 8);
  assertEquals(world.exchange.requests.length, 1 + 3 * 20);
  assertEquals(world.clock.now() - at(9_000) <= 5_000, true, "one by one it would take 30 s");
});

Deno.test("binance_rest reads ahead while its consumer works, one page per series", async () => {
  const world = worldOf({ rows: ROWS, delayMs: () => 500 }, at(9_000));
  const batches = iterate(world.context, BOTH);
  await batches.next();
  await world.clock.sleep(60_000);
  assertEquals(world.exchange.klines().map(({ symbol, startTime }) => [symbol, startTime]), [
    ["BTCUSDT", `${T0}`],
    ["ETHUSDT", `${T0}`],
    ["BTCUSDT", `${at(999) + 1}`],
  ]);
  await batches.return?.();
});

Deno.test("binance_rest leaves no request and no timer when its consumer stops early", async () => {
  const world = worldOf({ rows: MANY_ROWS, delayMs: () => 5_000 }, at(9_000));
  const batches = iterate(world.context, READ_MANY);
  await batches.next();
  assertEquals(world.exchange.underWay(), 8);
  const before = world.clock.now();
  await batches.return?.();
  assertEquals(world.exchange.underWay(), 0);
  await world.clock.sleep(0);
  assertEquals(world.clock.now(), before);
});

Deno.test("binance_rest leaves no timer when its consumer stops while weight is used up", async () => {
  const world = worldOf({ rows: MANY_ROWS, limit: 60, delayMs: () => 5 }, at(9_000));
  const batches = iterate(world.context, READ_MANY);
  await batches.next();
  await world.clock.sleep(1_000);
  const before = world.clock.now();
  await batches.return?.();
  await world.clock.sleep(0);
  assertEquals(world.clock.now(), before);
});

Deno.test("binance_rest ends with the signal's reason while it waits to try again", async () => {
  const stop = new AbortController();
  const world = worldOf(
    { rows: ROWS, instead: (_url, count) => count > 0 ? page(403) : undefined },
    at(9_000),
    stop.signal,
  );
  const batches = iterate(world.context, BOTH);
  const reason = new Error("stop");
  const next = batches.next().catch((error) => error);
  await world.clock.sleep(1_000);
  stop.abort(reason);
  assertEquals(await next, reason);
  assertEquals(world.exchange.underWay(), 0);
});

Deno.test("binance_rest does nothing when its signal has aborted before", async () => {
  const reason = new Error("stop");
  const world = worldOf({ rows: ROWS }, at(9_000), AbortSignal.abort(reason));
  assertEquals(await iterate(world.context, BOTH).next().catch((error) => error), reason);
  assertEquals(world.exchange.requests.length, 0);
});
