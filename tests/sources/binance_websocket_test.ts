import { assertEquals } from "@std/assert";
import type { Scenario } from "../../simulator/mod.ts";
import { closedRows, liveWorld, readLive, warningsOf } from "./_live.ts";
import { at, MINUTE, NOW, playTruth } from "./_truth.ts";

Deno.test("binance_websocket gives closed candles as they close", async () => {
  const { records, context, batches } = await playTruth({}, 5);
  assertEquals(records.length, 10);
  assertEquals(warningsOf(context), []);
  assertEquals(batches[0], {
    records: [],
    position: { "BTCUSDT@1m": { from: at(0) }, "ETHUSDT@1m": { from: at(0) } },
  });
});

Deno.test("binance_websocket gives a closed candle within a second of its end", async () => {
  const lateMs: number[] = [];
  await playTruth({}, 5, {}, {
    each: ({ records }, context) => {
      for (const { candle } of records) {
        if (Array.isArray(candle)) lateMs.push(context.now() - Number(candle[6]));
      }
    },
  });
  assertEquals(lateMs.length, 10);
  assertEquals(lateMs.filter((ms) => ms > 1_000), []);
});

Deno.test("binance_websocket joins history and stream without a seam, catalogue rows 9, 12 and 13: no open candle, no end too early, none too many", async () => {
  const from = NOW - 2_500 * MINUTE;
  const { records, context } = await playTruth({}, 5, { from });
  assertEquals(records.length, 2 * 2_504);
  assertEquals(context.counters.get("reconnects"), undefined);
  assertEquals(context.counters.get("holes"), undefined);
});

Deno.test("binance_websocket reads several intervals, months and weeks included, catalogue row 20: `1m` is not `1M`", async () => {
  const symbols = ["BTCUSDT"];
  const interval = ["1m", "3m", "1h", "1w", "1M"];
  const world = liveWorld({ streams: { snapshot_ms: "never" } }, Date.UTC(2024, 6, 31, 23, 50, 30));
  const untilMs = Date.UTC(2024, 7, 1, 0, 2, 30);
  const from = Date.UTC(2024, 5, 20);
  const { records } = await readLive(world, { symbols, interval, from }, { untilMs });
  world.simulator.close();
  const rows = closedRows(records);
  for (const one of interval) {
    const truth = world.simulator.candles("BTCUSDT", one, from, untilMs);
    assertEquals(
      rows[`BTCUSDT@${one}`]?.map((row) => row.split(" ")[0]),
      truth.map(([openMs]) => String(openMs)),
      one,
    );
  }
  assertEquals(rows["BTCUSDT@1M"]?.length, 1);
});

type Fault = NonNullable<Scenario["stream_faults"]>[number];

const CATALOGUE: readonly [name: string, faults: readonly Fault[], ...recovered: boolean[]][] = [
  ["1: a connection that gives nothing at all", [{ kind: "mute" }], true],
  ["1: a stream that gives nothing at all", [{ kind: "mute", symbol: "ETHUSDT" }], true],
  ["2: data that stops while the socket stays open", [{
    kind: "half_open",
    age_ms: 150_000,
    times: 1,
  }], true],
  ["3: a cut in the middle", [{ kind: "cut", at: at(4, 59) }], true],
  ["4: a message of an unknown type", [{ kind: "insert", times: 5 }], false],
  ["4: a message that is no JSON", [{ kind: "insert", frame: "not_json" }], false],
  ["4: a binary frame", [{ kind: "insert", frame: "binary" }], false],
  ["4: a very large frame", [{ kind: "insert", frame: "large" }], false],
  ["4: fields that are not documented", [{ kind: "extra_fields" }], false],
  ["4: a shutdown notice that is kept", [{
    kind: "shutdown",
    age_ms: 100_000,
    close_after_ms: 5_000,
    times: 1,
  }], false],
  [
    "4: a shutdown notice that is never followed",
    [{ kind: "shutdown", age_ms: 100_000, times: 1 }],
    false,
  ],
  [
    "5: closes with 1008 one after the other",
    [{ kind: "close", code: 1008, age_ms: 50, times: 6 }],
    true,
  ],
  ["6: closes with 1001", [{ kind: "close", code: 1001, age_ms: 60_000, times: 4 }]],
  ["7: closes that come late", [{ kind: "late", delay_ms: 30_000, times: 3 }], true],
  ["7: closes that are absent", [{ kind: "omit", times: 3 }], true],
  ["7: closes that come after the next candle", [{ kind: "reorder", times: 4 }]],
  ["7: closes that come on the next connection", [{ kind: "hold", times: 2 }, {
    kind: "cut",
    at: at(4),
  }], true],
  ["8: the same close twice", [{ kind: "repeat", times: "always" }], false],
  [
    "8: the same close again a minute later",
    [{ kind: "repeat", times: "always", gap_ms: 61_000 }],
    false,
  ],
  ["10: events with a wrong time", [{ kind: "skew", skew_ms: -90_000 }], false],
  ["26: refused handshakes", [{ kind: "refuse", times: 7 }], true],
  ["26: slow handshakes", [{ kind: "slow_handshake", delay_ms: 40_000, times: 2 }]],
];

for (const [name, faults, recovers] of CATALOGUE) {
  Deno.test(`binance_websocket gives the truth in spite of catalogue row ${name}`, async () => {
    const { context } = await playTruth({ stream_faults: [...faults] });
    const recovered = context.counters.get("recovered_candles") ?? 0;
    if (recovers !== undefined) assertEquals(recovered > 0, recovers, `${recovered} recovered`);
  });
}

Deno.test("binance_websocket tells apart a connection that is dead from a market that is quiet", async () => {
  const dead = await playTruth({
    stream_faults: [{ kind: "half_open", age_ms: 150_000, times: 1 }],
  });
  assertEquals(dead.context.counters.get("reconnects{cause=silent}"), 1);
  const halts = [{ from: at(2), to: at(9) }];
  const quiet = await playTruth({ halts });
  assertEquals(quiet.context.counters.get("reconnects"), undefined);
});

Deno.test("binance_websocket replaces a connection for a mute stream, but not again and again", async () => {
  const { context, world } = await playTruth({
    stream_faults: [{ kind: "mute", symbol: "ETHUSDT" }],
  }, 25);
  assertEquals(context.counters.get("reconnects{cause=mute_stream}"), 2);
  assertEquals(world.sockets.filter(({ readyState }) => readyState < WebSocket.CLOSING).length, 0);
});

Deno.test("binance_websocket replaces a connection for a stream that was acknowledged but gives nothing", async () => {
  const world = liveWorld({ stream_faults: [{ kind: "mute", symbol: "ETHUSDT" }] }, NOW);
  const options = { symbols: ["BTCUSDT", "ETHUSDT"], interval: "1h" };
  const { context } = await readLive(world, options, { untilMs: at(12) });
  world.simulator.close();
  assertEquals(context.counters.get("reconnects{cause=mute_stream}"), 1);
  assertEquals(context.counters.get("reconnects"), 1);
});

Deno.test("binance_websocket leaves a connection alone on which nothing is traded", async () => {
  const symbols = [{ symbol: "BTCUSDT", base: "BTC", quote: "USDT", trades_per_minute: 0.05 }];
  const { context } = await playTruth({ symbols }, 30, { symbols: ["BTCUSDT"] });
  assertEquals(context.counters.get("reconnects"), undefined);
});

Deno.test("binance_websocket has one socket per connection after many cuts", async () => {
  const { world } = await playTruth({
    stream_faults: [{ kind: "close", code: 1006, age_ms: 45_000 }],
  }, 15);
  const { connections } = world.simulator;
  assertEquals(connections.length > 10, true);
  for (const [index, { openedMs }] of connections.entries()) {
    const before = connections[index - 1];
    if (before) assertEquals((before.endedMs ?? Infinity) < openedMs, true, `${index}`);
  }
});
