import { assert, assertEquals, assertThrows } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import { OptionsError } from "../../engine/errors.ts";
import { createSimulator, type RequestInfo } from "../../simulator/mod.ts";
import { ask, HOUR, NOW, simulate } from "./_ask.ts";

const KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1";

Deno.test("a simulator remembers what it was asked, and what it answered", async () => {
  const { simulator, clock } = simulate();
  await ask(simulator, KLINES);
  await clock.advance(1_000);
  await ask(simulator, "/api/v3/klines?symbol=NO");
  assertEquals(simulator.requests, [
    {
      path: "/api/v3/klines",
      params: { symbol: "BTCUSDT", interval: "1h", limit: "1" },
      atMs: NOW,
      sequence: 1,
      pathSequence: 1,
      status: 200,
      weight: 2,
      usedWeight: 2,
    },
    {
      path: "/api/v3/klines",
      params: { symbol: "NO" },
      atMs: NOW + 1_000,
      sequence: 2,
      pathSequence: 2,
      status: 400,
      weight: 2,
      usedWeight: 4,
    },
  ]);
});

Deno.test("a simulator remembers the last 10,000 requests and counts all", async () => {
  const { simulator } = simulate({ limits: { weight_per_minute: 20_000 } });
  for (let index = 0; index < 20_010; index++) await ask(simulator, "/api/v3/ping");
  assertEquals(simulator.requests.length, 10_000);
  assertEquals(simulator.requests[0]?.sequence, 10_011);
  assertEquals(simulator.requests.at(-1)?.sequence, 20_010);
  const { streams, ...counters } = simulator.counters;
  assertEquals(streams.handshakes, 0);
  assertEquals(counters, {
    requests: 20_010,
    byPath: { "/api/v3/ping": 20_010 },
    byStatus: { 200: 20_000, 429: 10 },
    peakWeight: 20_010,
    bans: 0,
  });
});

Deno.test("a simulator counts paths without an endpoint as one", async () => {
  const { simulator } = simulate();
  for (const path of ["/a", "/b", "/api/v3/ping"]) await ask(simulator, path);
  assertEquals(simulator.counters.byPath, { other: 2, "/api/v3/ping": 1 });
});

Deno.test("a simulator tells of a request before it answers, and waits", async () => {
  const told: RequestInfo[] = [];
  const gate = Promise.withResolvers<void>();
  const { simulator } = simulate({}, {
    onRequest: (request) => {
      told.push(request);
      return request.pathSequence === 2 && request.path === "/api/v3/klines"
        ? gate.promise
        : undefined;
    },
  });
  await ask(simulator, "/api/v3/ping");
  await ask(simulator, KLINES);
  let isAnswered = false;
  const answer = ask(simulator, KLINES).then(() => isAnswered = true);
  await Promise.resolve();
  assertEquals([told.length, isAnswered], [3, false]);
  gate.resolve();
  await answer;
  assertEquals(told.map((one) => [one.path, one.sequence, one.pathSequence]), [
    ["/api/v3/ping", 1, 1],
    ["/api/v3/klines", 2, 1],
    ["/api/v3/klines", 3, 2],
  ]);
});

Deno.test("a simulator's clock is that of the options where the scenario names no moment", () => {
  assertEquals(simulate().simulator.clock.now(), NOW);
});

Deno.test("a simulator's clock begins at the scenario's moment, and goes on with the other", async () => {
  const { simulator, clock } = simulate({ now: "2018-03-01T00:00:00Z" });
  const start = Date.UTC(2018, 2, 1);
  assertEquals(simulator.clock.now(), start);
  await clock.advance(HOUR);
  assertEquals(simulator.clock.now(), start + HOUR);
  const [row] = await (await ask(simulator, KLINES)).json();
  assertEquals(row[0], start + HOUR);
  const slept = simulator.clock.sleep(5_000);
  await clock.advance(5_000);
  await slept;
});

Deno.test("spans in a scenario count back from its start, and stay there", async () => {
  const { simulator, clock } = simulate({
    halts: [{ from: "3 hours ago", to: "1 hour ago" }],
    symbols: [{ symbol: "BTCUSDT", base: "BTC", quote: "USDT", listed: "5 hours ago" }],
  });
  const opens = () => simulator.candles("BTCUSDT", "1h", 0, NOW - HOUR).map((row) => row[0]);
  const before = opens();
  // Listing, start and end of the halt lie half a minute past 19, 21 and 23 o'clock.
  assertEquals(before.map((ms) => (ms - Date.UTC(2024, 4, 31)) / HOUR), [19, 20, 21, 23]);
  await clock.advance(10 * HOUR);
  assertEquals(opens(), before);
});

Deno.test("createSimulator() refuses a halt that ends before it begins", () => {
  const error = assertThrows(
    () => simulate({ halts: [{ from: "2024-01-02", to: "2024-01-01" }] }),
    OptionsError,
  );
  assertEquals(
    error.message,
    "Cannot use the scenario: `from` must be before `to`, found 2024-01-02T00:00:00.000Z and " +
      "2024-01-01T00:00:00.000Z",
  );
});

Deno.test("candles() refuses a symbol or an interval that is not there", () => {
  const { simulator } = simulate();
  assertThrows(() => simulator.candles("NO", "1m", 0, NOW), OptionsError, 'found "NO" and "1m"');
  assertThrows(() => simulator.candles("BTCUSDT", "1x", 0, NOW), OptionsError, '"1x"');
});

Deno.test("candles() costs no weight and leaves no record", () => {
  const { simulator } = simulate();
  assertEquals(simulator.candles("BTCUSDT", "1h", NOW - 10 * HOUR, NOW).length, 9);
  assertEquals([simulator.requests.length, simulator.counters.requests], [0, 0]);
});

Deno.test("two simulators of one scenario answer alike on any clock", async () => {
  const at = (nowMs: number) =>
    createSimulator({ seed: 9 }, { clock: new VirtualClock(nowMs) })
      .candles("ETHBTC", "5m", NOW - HOUR, NOW - HOUR / 2);
  assertEquals(at(NOW), at(NOW + 1_000 * HOUR));
  assertEquals(at(NOW).length, 6);
  const { simulator } = simulate({ seed: 9 });
  const query = `symbol=ETHBTC&interval=5m&startTime=${NOW - HOUR}&endTime=${NOW - HOUR / 2 - 1}`;
  assertEquals(await (await ask(simulator, `/api/v3/klines?${query}`)).json(), at(NOW));
});

Deno.test("a candle of any year costs the same, and nothing is kept", async () => {
  const { simulator } = simulate({ listed: "2017-08-17" });
  const rows = simulator.candles(
    "BTCUSDT",
    "1s",
    Date.UTC(2023, 0, 1),
    Date.UTC(2023, 0, 1) + 5_000,
  );
  assertEquals(rows.length, 5);
  assert(rows.every((row) => row[6] - row[0] === 999));
  const response = await ask(
    simulator,
    "/api/v3/klines?symbol=BTCUSDT&interval=1s&startTime=0&limit=1",
  );
  assertEquals((await response.json())[0][0], Date.UTC(2017, 7, 17));
});
