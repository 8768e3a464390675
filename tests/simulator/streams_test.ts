import { assert, assertEquals, assertMatch } from "@std/assert";
import { Broadcast } from "../../simulator/broadcast.ts";
import { Exchange } from "../../simulator/exchange.ts";
import { type KlineRow, parseScenario, type Scenario } from "../../simulator/mod.ts";
import { DAY, HOUR, MINUTE, NOW, simulate } from "./_ask.ts";
import { type KlineMessage, listen } from "./_listen.ts";

const MIDNIGHT = NOW - 30_000;

/** A closed kline as the REST row of its candle. */
function rowOf({ k }: KlineMessage): KlineRow {
  return [k.t, k.o, k.h, k.l, k.c, k.v, k.T, k.q, k.n, k.V, k.Q, "0"];
}

/** What is heard on one connection until some time has passed. */
async function hear(path: string, ms: number, scenario: Scenario = {}) {
  const { simulator, clock } = simulate(scenario);
  const heard = listen(simulator, path);
  await clock.advance(ms);
  return { ...heard, simulator, [Symbol.dispose]: () => simulator.close() };
}

Deno.test("a stream tells each candle closed once, with the values that REST gives", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 3 * MINUTE);
  // It joins in the middle of the candle of midnight, half a minute old.
  const truth = heard.simulator.candles("BTCUSDT", "1m", MIDNIGHT, MIDNIGHT + 3 * MINUTE);
  assertEquals(truth.length, 3);
  assertEquals(heard.closes().map(rowOf), truth);
  assertEquals(heard.closes().map(({ E, k }) => E - k.T), [4, 4, 4]);
  assertEquals(heard.happened, ["open"]);
});

Deno.test("snapshots come every two seconds, and only grow", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 20_000);
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
});

Deno.test("candles of a second come every second", async () => {
  using heard = await hear("/ws/btcusdt@kline_1s", 3_500);
  assertEquals(heard.closes().map(({ k }) => (k.t - NOW) / 1_000), [0, 1, 2]);
  assertEquals(heard.closes().map(({ k }) => k.T - k.t), [999, 999, 999]);
});

Deno.test("snapshots can be thinned out, and left out", async () => {
  using thin = await hear("/ws/btcusdt@kline_1m", 90_000, { streams: { snapshot_ms: 20_000 } });
  assertEquals(thin.klines().filter(({ k }) => !k.x).map(({ E }) => (E - NOW) / 1_000), [
    10.003,
    50.003,
    70.003,
  ]);
  using none = await hear("/ws/btcusdt@kline_1m", 90_000, { streams: { snapshot_ms: "never" } });
  assertEquals(
    none.klines().map(({ E, k }) => [(E - NOW) / 1_000, k.x]),
    [
      [30.003, true],
      [90.003 - 0.003, true],
    ].slice(0, 1),
  );
});

Deno.test("a raw event is exactly as documented", async () => {
  using heard = await hear("/ws/ethbtc@kline_1m", 31_000, { streams: { snapshot_ms: "never" } });
  const [row] = heard.simulator.candles("ETHBTC", "1m", MIDNIGHT, NOW);
  assert(row);
  const [, o, h, l, c, v, , q, n, V, Q] = row;
  assertMatch(o, /^0\.\d{8}$/);
  const first = 100 * MIDNIGHT;
  assertEquals(heard.texts, [
    `{"e":"kline","E":${MIDNIGHT + 60_003},"s":"ETHBTC","k":{"t":${MIDNIGHT},` +
    `"T":${MIDNIGHT + 59_999},"s":"ETHBTC","i":"1m","f":${first},"L":${first + n - 1},` +
    `"o":"${o}","c":"${c}","h":"${h}","l":"${l}","v":"${v}","n":${n},"x":true,"q":"${q}",` +
    `"V":"${V}","Q":"${Q}","B":"0"}}`,
  ]);
});

Deno.test("a combined event is a raw one in an envelope that names its stream", async () => {
  const streams = "btcusdt@kline_1m/ethusdt@kline_1m";
  const scenario: Scenario = { streams: { snapshot_ms: "never" } };
  using combined = await hear(`/stream?streams=${streams}`, 31_000, scenario);
  using raw = await hear(`/ws/${streams}`, 31_000, scenario);
  assertEquals(raw.closes().map(({ s }) => s), ["BTCUSDT", "ETHUSDT"]);
  assertEquals(combined.texts, [
    `{"stream":"btcusdt@kline_1m","data":${raw.texts[0]}}`,
    `{"stream":"ethusdt@kline_1m","data":${raw.texts[1]}}`,
  ]);
});

Deno.test("a candle without trades is closed too, with ids of -1 and the last price", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 10 * MINUTE, {
    tradeless: 1,
    streams: { snapshot_ms: "never" },
  });
  const closes = heard.closes();
  assertEquals(closes.length, 10);
  const quiet = closes.filter(({ k }) => k.n === 0);
  assert(quiet.length >= 9);
  for (const { k } of quiet) {
    assertEquals([k.f, k.L, k.v, k.q, k.V, k.Q], [
      -1,
      -1,
      "0.00000000",
      "0.00000000",
      "0.00000000",
      "0.00000000",
    ]);
    assertEquals([k.h, k.l, k.c], [k.o, k.o, k.o]);
  }
});

Deno.test("no snapshot comes while a candle does not change", async () => {
  using heard = await hear("/ws/wanbtc@kline_1m", 10 * MINUTE, {
    symbols: [{ symbol: "WANBTC", base: "WAN", quote: "BTC", trades_per_minute: 4 }],
  });
  const snapshots = heard.klines().filter(({ k }) => !k.x);
  const states = new Set(snapshots.map(({ k }) => `${k.t} ${k.n}`));
  assertEquals(states.size, snapshots.length);
  assert(snapshots.length > 5 && snapshots.length < 60, `${snapshots.length}`);
  assert(snapshots.every(({ k }) => k.n > 0));
});

Deno.test("ids of trades grow from candle to candle", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 3 * MINUTE, {
    streams: { snapshot_ms: "never" },
  });
  const ids = heard.closes().flatMap(({ k }) => [k.f, k.L]);
  assertEquals(ids, ids.toSorted((a, b) => a - b));
  assert(heard.closes().every(({ k }) => k.L - k.f + 1 === k.n));
});

Deno.test("closes of a symbol may wait for its next trade", async () => {
  const symbols = [{ symbol: "WANBTC", base: "WAN", quote: "BTC", trades_per_minute: 0.2 }];
  using heard = await hear("/ws/wanbtc@kline_1m", 40 * MINUTE, {
    symbols,
    streams: { close_with_trade: ["WANBTC"], snapshot_ms: 20_000 },
  });
  const closes = heard.closes();
  assert(closes.length > 3);
  const truth = heard.simulator.candles("WANBTC", "1m", MIDNIGHT, MIDNIGHT + HOUR);
  assertEquals(closes.map(rowOf), truth.slice(0, closes.length));
  assert(closes.some(({ E, k }) => E - k.T > MINUTE));
  // Each is told with a snapshot, or with the end of a candle that saw trades; not later.
  for (const { E, k } of closes) {
    const later = truth.filter((row) => row[0] > k.t && row[6] < E).map((row) => row[8]);
    assert((later.at(-1) ?? 0) > 0 || E % 20_000 === 3);
    assert(later.slice(0, -1).every((trades) => trades === 0));
  }
});

Deno.test("times may be asked for in microseconds", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m?timeUnit=MICROSECOND", 31_000, {
    streams: { snapshot_ms: "never" },
  });
  const [{ E, k } = { E: 0, k: undefined }] = heard.closes();
  assertEquals([E, k?.t, k?.T], [
    1_000 * (MIDNIGHT + 60_003),
    1_000 * MIDNIGHT,
    1_000 * (MIDNIGHT + MINUTE) - 1,
  ]);
});

Deno.test("intervals keep their case: a month is no minute", async () => {
  using heard = await hear("/stream?streams=btcusdt@kline_1M/btcusdt@kline_1m", 4_000);
  const [month, minute] = heard.klines();
  assertEquals([month?.k.i, month?.k.t, month?.k.T], ["1M", MIDNIGHT, Date.UTC(2024, 6, 1) - 1]);
  assertEquals([minute?.k.i, minute?.k.t, minute?.k.T], ["1m", MIDNIGHT, NOW + 29_999]);
});

Deno.test("days may begin with those of UTC+8", async () => {
  for (const plus of ["+", "%2B"]) {
    const path = `/stream?streams=btcusdt@kline_1d@${plus}08:00`;
    using heard = await hear(path, 4_000);
    assertEquals(heard.klines()[0]?.k.t, MIDNIGHT - 8 * HOUR);
    assertEquals(JSON.parse(heard.texts[0] ?? "").stream, "btcusdt@kline_1d@+08:00");
  }
});

Deno.test("a symbol may have any script", async () => {
  using heard = await hear("/ws/币安人生usdt@kline_1m", 31_000, {
    streams: { snapshot_ms: "never" },
  });
  assertEquals(heard.closes().map(({ s }) => s), ["币安人生USDT"]);
});

Deno.test("upper case, unknown and delisted symbols and odd intervals are taken and stay mute", async () => {
  const names = ["BTCUSDT@kline_1m", "nousdt@kline_1m", "srmusdt@kline_1m", "btcusdt@kline_7m"];
  using heard = await hear(`/stream?streams=${names.join("/")}`, MINUTE);
  assertEquals([heard.happened, heard.texts], [["open"], []]);
});

Deno.test("there are no events in a halt, and the first candle after it is told", async () => {
  const halt = { from: MIDNIGHT + MINUTE, to: MIDNIGHT + 4 * MINUTE + 20_000 };
  using heard = await hear("/ws/btcusdt@kline_1m", 5 * MINUTE, {
    halts: [halt],
    streams: { snapshot_ms: 10_000 },
  });
  assertEquals(heard.closes().map(({ k }) => (k.t - MIDNIGHT) / MINUTE), [0, 4]);
  assertEquals(heard.klines().filter(({ E }) => E > halt.from + 3 && E < halt.to), []);
});

Deno.test("who joins in a halt that ends within a candle is told of that candle", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 31_000, {
    halts: [{ from: MIDNIGHT - MINUTE, to: NOW + 10_000 }],
    streams: { snapshot_ms: "never" },
  });
  assertEquals(heard.closes().map(({ k }) => k.t), [MIDNIGHT]);
});

Deno.test("a candle that a halt cuts is told closed at the cut", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 31_000, {
    halts: [{ from: NOW + 14_789, to: NOW + HOUR, cut: true }],
    streams: { snapshot_ms: "never" },
  });
  assertEquals(heard.closes().map(({ E, k }) => [E - NOW, k.T - NOW]), [[14_792, 14_788]]);
});

Deno.test("off-grid candles are told closed at their own end", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 2 * MINUTE, {
    shifts: [{ from: MIDNIGHT - HOUR, to: MIDNIGHT + HOUR, by_ms: 14_789 }],
    streams: { snapshot_ms: "never" },
  });
  assertEquals(heard.closes().map(({ E, k }) => [E - MIDNIGHT, k.T - MIDNIGHT]), [
    [MINUTE + 14_792, MINUTE + 14_788],
    [2 * MINUTE + 14_792, 2 * MINUTE + 14_788],
  ]);
});

Deno.test("a correction is told where it was made before the close, and not where it comes after", async () => {
  const correction = (at: number) => ({
    symbol: "BTCUSDT",
    interval: "1m" as const,
    open_time: MIDNIGHT,
    at,
    values: { close: "1.00000000" },
  });
  for (const [at, isTold] of [[NOW + 1_000, true], [NOW + 31_000, false]] as const) {
    using heard = await hear("/ws/btcusdt@kline_1m", 32_000, {
      corrections: [correction(at)],
      streams: { snapshot_ms: "never" },
    });
    assertEquals(heard.closes()[0]?.k.c === "1.00000000", isTold);
    assertEquals(
      heard.simulator.candles("BTCUSDT", "1m", MIDNIGHT, NOW)[0]?.[4],
      "1.00000000",
    );
  }
});

Deno.test("a close has all its trades while REST still lags behind", async () => {
  using heard = await hear("/ws/btcusdt@kline_1m", 31_000, {
    lag: { absent_ms: 2_000, changing_ms: 3_000 },
    streams: { snapshot_ms: "never" },
  });
  const truth = heard.simulator.candles("BTCUSDT", "1m", MIDNIGHT, NOW);
  assertEquals(heard.closes().map(rowOf), truth);
});

Deno.test("what is not listened to any more costs nothing", async () => {
  const { simulator, clock } = simulate();
  const { socket } = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(5_000);
  socket.close();
  await clock.advance(DAY);
  assertEquals(simulator.counters.streams.open, 0);
  assertEquals(simulator.counters.streams.framesSent, 2);
});

Deno.test("who joins between the end of a candle and its close is told of it", async () => {
  const { simulator, clock } = simulate({ streams: { snapshot_ms: "never" } });
  // The handshake takes 5 ms, the close comes 3 ms after the minute.
  await clock.advance(30_000 - 4);
  const heard = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(1_000);
  assertEquals(heard.closes().map(({ k }) => k.t), [MIDNIGHT]);
  simulator.close();
});

Deno.test("a snapshot just before a close does not tell it", async () => {
  // Candles end at the millisecond that is second to third in a minute, snapshots come at its end.
  using heard = await hear("/ws/btcusdt@kline_1m", 3 * MINUTE, {
    shifts: [{ from: MIDNIGHT - HOUR, to: MIDNIGHT + HOUR, by_ms: 1 }],
    streams: { snapshot_ms: 20_000 },
  });
  assertEquals(heard.closes().map(({ E, k }) => [(k.t - MIDNIGHT - 1) / MINUTE, E - k.T]), [
    [0, 4],
    [1, 4],
    [2, 4],
  ]);
});

Deno.test("a close comes before a snapshot of the same moment", async () => {
  using heard = await hear("/ws/busyusdt@kline_1m", 5 * MINUTE, {
    symbols: [{
      symbol: "BUSYUSDT",
      base: "BUSY",
      quote: "USDT",
      trades_per_minute: 1_000_000,
    }],
    streams: { snapshot_ms: 2 * MINUTE },
  });
  const told = heard.klines().map(({ k }) => `${(k.t - MIDNIGHT) / MINUTE} ${k.x}`);
  assertEquals(told, ["0 true", "1 true", "2 false", "2 true", "3 true", "4 false", "4 true"]);
});

Deno.test("snapshots of candles of a second come twice as often as others", async () => {
  using heard = await hear("/ws/btcusdt@kline_1s/btcusdt@kline_1m", 1_900, {
    streams: { snapshot_ms: 1_000 },
  });
  const times = (interval: string) =>
    heard.klines().filter(({ k }) => k.i === interval && !k.x).map(({ E }) => E - NOW);
  assertEquals([times("1s"), times("1m")], [[503, 1_503], [1_003]]);
});

Deno.test("a stream that is left costs nothing while another goes on", () => {
  const exchange = new Exchange(parseScenario({}), NOW);
  const series = exchange.series.bind(exchange);
  const asked = { BTCUSDT: 0, ETHUSDT: 0 };
  exchange.series = (listed, ...rest) => {
    const found = series(listed, ...rest);
    const find = found.find.bind(found);
    found.find = (...window) => {
      if (listed.symbol === "BTCUSDT" || listed.symbol === "ETHUSDT") asked[listed.symbol]++;
      return find(...window);
    };
    return found;
  };
  let nowMs = NOW;
  const tasks: { atMs: number; run: () => void }[] = [];
  const schedule = {
    at: (atMs: number, run: () => void) => {
      const task = { atMs, run };
      tasks.push(task);
      return () => void tasks.splice(tasks.indexOf(task), 1);
    },
  };
  const broadcast = new Broadcast({
    exchange,
    schedule,
    now: () => nowMs,
    snapshotMs: 2_000,
    closesWithTrade: new Set(),
  });
  const listener = { tell: () => {} };
  broadcast.join("btcusdt@kline_1m", listener);
  broadcast.join("ethusdt@kline_1m", listener);
  broadcast.leave("btcusdt@kline_1m", listener);
  const before = { ...asked };
  nowMs = NOW + MINUTE;
  for (const { run } of tasks.splice(0)) run();
  assertEquals(asked.BTCUSDT, before.BTCUSDT);
  assert(asked.ETHUSDT > before.ETHUSDT);
  broadcast.leave("ethusdt@kline_1m", listener);
  assertEquals(tasks, []);
});

Deno.test("a thousand candles close in the same moment, on one connection", async () => {
  const symbols = Array.from({ length: 1_024 }, (_, index) => ({
    symbol: `S${index}USDT`,
    base: `S${index}`,
    quote: "USDT",
  }));
  const names = symbols.map(({ symbol }) => `${symbol.toLowerCase()}@kline_1m`);
  const path = `/stream?streams=${names.join("/")}`;
  using heard = await hear(path, 95_000, {
    symbols,
    streams: { snapshot_ms: "never", url_length: 30_000 },
  });
  const times = Map.groupBy(heard.closes(), ({ E }) => E);
  assertEquals([...times].map(([E, { length }]) => [E - NOW, length]), [
    [30_003, 1_024],
    [90_003, 1_024],
  ]);
  assertEquals(new Set(heard.closes().map(({ s }) => s)).size, 1_024);
});

Deno.test("ten series of two days are told whole", async () => {
  const names = ["btcusdt", "ethusdt", "bnbusdt", "solusdt", "xrpusdt"]
    .flatMap((symbol) => [`${symbol}@kline_1h`, `${symbol}@kline_30m`]);
  using heard = await hear(`/stream?streams=${names.join("/")}`, 2 * DAY, {
    streams: { snapshot_ms: "never", lifetime_s: 200_000 },
  });
  const told = Map.groupBy(heard.closes(), ({ k }) => `${k.s} ${k.i}`);
  assertEquals(told.size, 10);
  for (const [series, closes] of told) {
    const [symbol = "", interval = ""] = series.split(" ");
    const truth = heard.simulator.candles(symbol, interval, MIDNIGHT, MIDNIGHT + 2 * DAY);
    assertEquals(truth.length, interval === "1h" ? 48 : 96);
    assertEquals(closes.map(rowOf), truth);
  }
});
