import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { FatalError, OptionsError } from "../../engine/errors.ts";
import { binanceWebsocket } from "../../sources/binance_websocket.ts";
import { liveWorld, orderOf, readLive, warningsOf } from "./_live.ts";
import { at, checkTruth, MINUTE, NOW, playTruth } from "./_truth.ts";

const OPTIONS = { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1m" };

Deno.test("binance_websocket gives settled values, catalogue row 10: REST that lags", async () => {
  const { context } = await playTruth({
    lag: { absent_ms: 1_500, changing_ms: 1_000 },
    stream_faults: [{ kind: "omit", times: 8 }],
  });
  assertEquals(context.counters.get("corrected_candles"), undefined);
  assertEquals(Number(context.counters.get("recovered_candles")) >= 8, true);
});

Deno.test("binance_websocket asks again for what a lagging REST does not have yet", async () => {
  await playTruth({ lag: { absent_ms: 20_000 }, stream_faults: [{ kind: "omit", times: 8 }] });
});

Deno.test("binance_websocket tells of a halt once, catalogue row 11, and not again when it is resumed", async () => {
  const halts = [{ from: at(3), to: at(8) }];
  const { context, position, world } = await playTruth({ halts });
  assertEquals(warningsOf(context).sort(), [
    "Hole in BTCUSDT 1m: the exchange has no candles",
    "Hole in ETHUSDT 1m: the exchange has no candles",
  ]);
  assertEquals(context.counters.get("missing_candles"), 10);
  const resumed = await readLive(world, OPTIONS, {
    untilMs: world.clock.now() + 3 * MINUTE,
    from: position,
  });
  world.simulator.close();
  assertEquals(warningsOf(resumed.context), []);
  assertEquals(resumed.records.length, 6);
});

Deno.test("binance_websocket gives the others while one symbol is halted for long", async () => {
  const symbols = [
    { symbol: "BTCUSDT", base: "BTC", quote: "USDT" },
    { symbol: "ETHUSDT", base: "ETH", quote: "USDT", delisted: at(3) },
  ];
  const { records } = await playTruth({ symbols }, 12);
  assertEquals(orderOf(records).filter((line) => line.startsWith("BTC")).length, 12);
});

Deno.test("binance_websocket is not banned, catalogue row 16: 429 in the middle of a fill", async () => {
  const { world } = await playTruth(
    {
      faults: [{ kind: "status", status: 429, retry_after_s: 40, after: 3 }],
      limits: { weight_per_minute: 120 },
    },
    12,
    { from: NOW - 5_000 * MINUTE },
  );
  assertEquals(world.simulator.counters.bans, 0);
  assert(world.simulator.counters.peakWeight <= 60, `${world.simulator.counters.peakWeight}`);
});

Deno.test("binance_websocket goes on after a ban in the middle of a fill", async () => {
  await playTruth(
    {
      faults: [{ kind: "status", status: 418, retry_after_s: 200, after: 3 }],
    },
    14,
    { from: NOW - 5_000 * MINUTE },
  );
});

Deno.test("binance_websocket reads on through pages of HTML, catalogue row 17", async () => {
  await playTruth({
    faults: [{ kind: "html", status: 403, times: 2, path: "/api/v3/klines" }],
    stream_faults: [{ kind: "omit", times: 3 }],
  });
});

Deno.test("binance_websocket stops, catalogue row 18: the exchange is not to be reached from here", async () => {
  const world = liveWorld({ faults: [{ kind: "status", status: 451 }] }, NOW);
  const error = await readLive(world, OPTIONS, { untilMs: NOW + MINUTE }).catch((error) => error);
  assertInstanceOf(error, FatalError);
  world.simulator.close();
});

Deno.test("binance_websocket keeps within its memory, catalogue row 21: a slow sink", async () => {
  let most = 0;
  const { context } = await playTruth(
    {},
    40,
    { from: NOW - 6_000 * MINUTE, buffer_bytes: 1_000_000 },
    {
      each: async (_batch, context) => {
        most = Math.max(most, context.gauges.get("buffered_bytes") ?? 0);
        if (context.now() < NOW + 30 * MINUTE) await context.sleep(170_000).catch(() => {});
      },
    },
  );
  assert(most > 0 && most <= 2_000_000, `${most}`);
  assertEquals(context.counters.get("holes"), undefined);
});

Deno.test("binance_websocket gives candles off the grid as they are, catalogue row 22", async () => {
  await playTruth(
    {
      halts: [{ from: at(-500, 14), to: at(-400), cut: true }],
      shifts: [{ from: at(-300), to: at(-200), by_ms: 14_789 }],
    },
    4,
    { from: NOW - 700 * MINUTE },
  );
});

Deno.test("binance_websocket gives candles without trades, catalogue row 23", async () => {
  await playTruth({ tradeless: 0.6 }, 15);
});

Deno.test("binance_websocket fills a long gap after a restart, catalogue row 27", async () => {
  const world = liveWorld({ streams: { snapshot_ms: 10_000 } }, NOW);
  const first = await readLive(world, OPTIONS, { untilMs: NOW + 5 * MINUTE });
  await world.clock.sleep(30 * 60 * MINUTE);
  const second = await readLive(world, OPTIONS, {
    untilMs: world.clock.now() + 3 * MINUTE,
    from: first.position,
  });
  const records = [...first.records, ...second.records];
  assertEquals(records.length > 3_600, true);
  checkTruth(world, { ...second, records }, OPTIONS);
  world.simulator.close();
});

Deno.test("binance_websocket misses nothing while the exchange is away for ten minutes", async () => {
  const { context, world } = await playTruth({ outages: [{ from: at(3, 59), to: at(14) }] }, 20);
  assertEquals(Number(context.counters.get("recovered_candles")) >= 18, true);
  assert(world.simulator.counters.streams.peakHandshakes <= 120);
});

Deno.test("binance_websocket misses nothing in an hour of connections that give nothing", async () => {
  const { context } = await playTruth({
    stream_faults: [{ kind: "mute", from: at(5), to: at(65) }],
  }, 75);
  assertEquals(Number(context.counters.get("recovered_candles")) >= 120, true);
});

Deno.test("binance_websocket renews a connection before the exchange cuts it, without a gap", async () => {
  const world = liveWorld({ streams: { snapshot_ms: "never" } }, NOW);
  const options = { symbols: ["BTCUSDT"], interval: "1h", silence_s: 3_600, first_event_s: 86_400 };
  const { records, context } = await readLive(world, options, { untilMs: NOW + 60 * 60 * MINUTE });
  const [first, second, third] = world.simulator.connections;
  world.simulator.close();
  assertEquals(records.length, 60);
  const counters = Object.fromEntries(context.counters);
  assertEquals([counters["reconnects{cause=renewal}"], counters.reconnects], [2, 2]);
  assertEquals(counters.recovered_candles, undefined);
  for (const [old, next] of [[first, second], [second, third]]) {
    const openedS = Number(next?.openedMs) / 1_000 % 60;
    assert(openedS >= 20 && openedS <= 41, `renewed in second ${openedS}`);
    assert(Number(old?.endedMs) > Number(next?.openedMs), "one has to be open at any time");
  }
});

Deno.test("binance_websocket gives a candle again when the exchange corrects it soon after", async () => {
  const world = liveWorld({
    corrections: [{
      symbol: "BTCUSDT",
      interval: "1m",
      open_time: at(3),
      at: at(4, 30),
      values: { close: "64001.00" },
    }],
    stream_faults: [{ kind: "omit", symbol: "BTCUSDT", from: at(5), times: 1 }],
  }, NOW);
  const { records, context } = await readLive(world, OPTIONS, { untilMs: at(8) });
  const given = records.flatMap(({ series, candle }) =>
    series.symbol === "BTCUSDT" && Array.isArray(candle) && candle[0] === at(3)
      ? [String(candle[4])]
      : []
  );
  assertEquals(given.length, 2);
  assertEquals(given[1], "64001.00");
  assertEquals(context.counters.get("corrected_candles"), 1);
  world.simulator.close();
});

Deno.test("binance_websocket gives the open candle as well with `updates: all`, in order", async () => {
  const world = liveWorld({ stream_faults: [{ kind: "omit", times: 2 }] }, NOW);
  const options = { symbols: ["BTCUSDT"], interval: "1m", updates: "all" };
  const reading = await readLive(world, options, { untilMs: at(6, 40) });
  checkTruth(world, reading, { symbols: ["BTCUSDT"] });
  world.simulator.close();
  let lastMs = 0;
  let open = 0;
  let lastClosedMs = 0;
  for (const { candle, closed } of reading.records) {
    const openMs = Number(Object(candle)[0]);
    assert(openMs >= lastMs, "a candle came after one that opened later");
    assert(openMs > lastClosedMs, "a snapshot came after its close");
    lastMs = openMs;
    if (closed) lastClosedMs = openMs;
    else open++;
  }
  assert(open > 50, `${open}`);
});

Deno.test("binance_websocket gives the newest snapshot alone to a slow consumer", async () => {
  const world = liveWorld({}, NOW);
  const options = { symbols: ["BTCUSDT"], interval: "1m", updates: "all" };
  const { batches } = await readLive(world, options, {
    untilMs: at(6),
    each: async (_batch, context) => await context.sleep(20_000).catch(() => {}),
  });
  world.simulator.close();
  assertEquals(batches.every(({ records }) => records.length <= 2), true);
  assertEquals(batches.length < 20, true);
});

Deno.test("binance_websocket subscribes to streams that do not fit into the address", async () => {
  const symbols = Array.from({ length: 620 }, (_, at) => ({
    symbol: `COIN${at}USDT`,
    base: `COIN${at}`,
    quote: "USDT",
  }));
  const world = liveWorld({ symbols, streams: { snapshot_ms: "never" } }, NOW);
  const options = {
    symbols: symbols.map(({ symbol }) => symbol),
    interval: "1m",
    streams_per_connection: 1_024,
    // The market of this test tells closes alone, which must not look like a dead stream.
    silence_s: 3_600,
  };
  const { records, context } = await readLive(world, options, { untilMs: at(2, 20) });
  const { connections } = world.simulator;
  world.simulator.close();
  assertEquals(records.length, 2 * 620);
  assertEquals(connections.length, 1);
  assertEquals(connections[0]?.streams, 620);
  assertEquals(context.counters.get("recovered_candles"), undefined);
});

Deno.test("binance_websocket refuses symbols that the exchange does not have", async () => {
  const world = liveWorld({}, NOW);
  const options = { symbols: ["BTCUSD"], interval: "1m" };
  const error = await readLive(world, options, { untilMs: NOW + MINUTE }).catch((error) => error);
  assertInstanceOf(error, OptionsError);
  assertEquals(world.sockets, []);
});

for (
  const wrong of [
    { symbols: ["btcusdt"], interval: "1m" },
    { symbols: ["BTCUSDT"], interval: "1x" },
    { symbols: ["BTCUSDT"], interval: [] },
    { symbols: ["BTCUSDT"], interval: ["1m", "1m"] },
    { symbols: ["BTCUSDT"], interval: "1m", base_url: "https://stream.binance.com" },
    { symbols: ["BTCUSDT"], interval: "1m", rest_url: "wss://api.binance.com" },
    { symbols: ["BTCUSDT"], interval: "1m", streams_per_connection: 1_025 },
    { symbols: ["BTCUSDT"], interval: "1m", updates: "open" },
  ]
) {
  Deno.test(`binance_websocket refuses the options ${JSON.stringify(wrong)}`, () => {
    assertEquals(binanceWebsocket.options.safeParse(wrong).success, false);
  });
}

Deno.test("binance_websocket may reach the two hosts of its options", () => {
  const checked = binanceWebsocket.options.safeParse(OPTIONS);
  assert(checked.success);
  assertEquals(binanceWebsocket.permissions?.(checked.data), {
    net: ["stream.binance.com:9443", "api.binance.com:443"],
  });
});

Deno.test("binance_websocket goes on with the others when a symbol is taken off the list", async () => {
  const world = liveWorld({
    faults: [{ kind: "vanish", gone: "ETHUSDT", path: "/api/v3/klines", times: "always" }],
    stream_faults: [{ kind: "mute", symbol: "ETHUSDT" }],
  }, NOW);
  const reading = await readLive(world, OPTIONS, { untilMs: NOW + 8 * MINUTE });
  checkTruth(world, reading, { symbols: ["BTCUSDT"] });
  world.simulator.close();
  assertEquals(warningsOf(reading.context).filter((text) => text.includes("ETHUSDT")), [
    "Cannot read candles of ETHUSDT: the exchange has taken the symbol off its list: nothing more " +
    "comes of it",
  ]);
});
