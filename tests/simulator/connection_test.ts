import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import { createSimulator, type Scenario } from "../../simulator/mod.ts";
import { DAY, HOUR, MINUTE, NOW, simulate } from "./_ask.ts";
import { listen } from "./_listen.ts";

const QUIET: Scenario = { streams: { snapshot_ms: "never" } };
const LIST = '{"method":"LIST_SUBSCRIPTIONS","id":1}';

Deno.test("five frames in a second are answered, the sixth ends the connection with 1008", async () => {
  const { simulator, clock } = simulate(QUIET);
  const heard = listen(simulator, "/ws");
  await clock.advance(5);
  for (let index = 0; index < 5; index++) heard.socket.send(LIST);
  await clock.advance(1_000);
  assertEquals(heard.texts.length, 5);
  heard.socket.send(LIST);
  await clock.advance(5);
  assertEquals([heard.texts.length, heard.happened], [6, ["open"]]);
  // The second rolls on: the one before counts for another second.
  for (let index = 0; index < 5; index++) heard.socket.send(LIST);
  await clock.advance(5);
  assertEquals([heard.texts.length, heard.happened], [10, ["open", "close 1008"]]);
});

Deno.test("a connection is closed at the age of a day", async () => {
  const { simulator, clock } = simulate(QUIET);
  const heard = listen(simulator, "/ws");
  await clock.advance(5);
  await clock.advance(24 * HOUR - 1);
  assertEquals(heard.happened, ["open"]);
  await clock.advance(1);
  assertEquals(heard.happened, ["open", "close 1001"]);
});

Deno.test("age and code of that close can be set: 1006 breaks the connection", async () => {
  const { simulator, clock } = simulate({ streams: { lifetime_s: 2.5, lifetime_code: 1_006 } });
  const heard = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(2_505);
  assertEquals(heard.happened, ["open", "error", "close 1006"]);
  const told = heard.texts.length;
  await clock.advance(MINUTE);
  assertEquals(heard.texts.length, told);
});

Deno.test("a handshake beyond 300 in five minutes is refused, until the first is that old", async () => {
  const { simulator, clock } = simulate(QUIET);
  const sockets = Array.from({ length: 300 }, () => listen(simulator, "/ws"));
  await clock.advance(1_000);
  assert(sockets.every(({ happened }) => happened.join() === "open"));
  assertEquals(simulator.handshake("ws://localhost/ws").status, 429);
  const refused = listen(simulator, "/ws");
  await clock.advance(5);
  assertEquals(refused.happened, ["error", "close 1006"]);
  await clock.advance(299_000);
  const late = listen(simulator, "/ws");
  await clock.advance(5);
  assertEquals(late.happened, ["open"]);
  const { handshakes, refused: count, opened, open } = simulator.counters.streams;
  assertEquals([handshakes, count, opened, open], [303, 2, 301, 301]);
  simulator.close();
});

Deno.test("a URL that is too long is refused, and so are too many streams in one", () => {
  const { simulator } = simulate();
  const status = (names: number) =>
    simulator.handshake(`ws://localhost/ws/${Array(names).fill("btcusdt@kline_1m").join("/")}`)
      .status;
  // A name takes 17 characters with its slash, the rest of the URL 18.
  assertEquals([status(469), status(470)], [101, 414]);
  const { simulator: wide } = simulate({ streams: { url_length: 100_000 } });
  const url = (names: number) =>
    `ws://localhost/stream?streams=${
      Array.from({ length: names }, (_, index) => `s${index}usdt@kline_1m`).join("/")
    }`;
  assertEquals([wide.handshake(url(1_024)).status, wide.handshake(url(1_025)).status], [101, 400]);
});

Deno.test("there are no streams but under /ws and /stream", () => {
  const { simulator } = simulate();
  const status = (path: string) => simulator.handshake(`ws://localhost${path}`).status;
  assertEquals(["/", "/api/v3/klines", "/wsx", "/streams", "/market/ws"].map(status), [
    404,
    404,
    404,
    404,
    404,
  ]);
  assertEquals(["/ws", "/ws/", "/stream", "/stream?streams="].map(status), [101, 101, 101, 101]);
});

Deno.test("two connections hear the same, whenever each of them was opened", async () => {
  const { simulator, clock } = simulate();
  const first = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(15_000);
  const second = listen(simulator, "/stream?streams=btcusdt@kline_1m");
  await clock.advance(MINUTE);
  const late = first.klines().filter(({ E }) => E > NOW + 15_005);
  assertEquals(second.klines(), late);
  assertEquals(second.closes().length, 1);
  simulator.close();
});

Deno.test("a simulator keeps what was really sent to whom, and counts it", async () => {
  const { simulator, clock } = simulate({
    ...QUIET,
    stream_faults: [{ kind: "omit", symbol: "ETHUSDT" }],
  });
  const first = listen(simulator, "/stream?streams=btcusdt@kline_1m/ethusdt@kline_1m");
  await clock.advance(MINUTE);
  first.socket.send(LIST);
  const second = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(MINUTE);
  first.socket.close();
  await clock.advance(1_000);
  const midnight = NOW - 30_000;
  assertEquals(
    simulator.closes,
    [
      [1, "btcusdt@kline_1m", midnight],
      [1, "btcusdt@kline_1m", midnight + MINUTE],
      [2, "btcusdt@kline_1m", midnight + MINUTE],
      [1, "ethusdt@kline_1m", midnight + MINUTE],
    ].map(([connection, stream, openMs]) => ({
      connection: Number(connection),
      stream: String(stream),
      openMs: Number(openMs),
      atMs: Number(openMs) + MINUTE + 3,
    })),
  );
  assertEquals(simulator.connections, [
    {
      number: 1,
      url: "ws://localhost/stream?streams=btcusdt@kline_1m/ethusdt@kline_1m",
      openedMs: NOW + 5,
      endedMs: NOW + 2 * MINUTE + 5,
      code: 1_005,
      streams: 2,
      framesSent: 4,
      framesReceived: 1,
    },
    {
      number: 2,
      url: "ws://localhost/ws/btcusdt@kline_1m",
      openedMs: NOW + MINUTE + 5,
      streams: 1,
      framesSent: 1,
      framesReceived: 0,
    },
  ]);
  assertEquals(simulator.counters.streams, {
    handshakes: 2,
    refused: 0,
    opened: 2,
    open: 1,
    peakHandshakes: 2,
    framesSent: 5,
    framesReceived: 1,
    closesByStream: { "btcusdt@kline_1m": 3, "ethusdt@kline_1m": 1 },
  });
  assertEquals(second.closes().length, 1);
  simulator.close();
});

Deno.test("what is kept as sent is what arrived, whatever goes wrong", async () => {
  const { simulator, clock } = simulate({
    streams: { snapshot_ms: 20_000 },
    stream_faults: [
      { kind: "late", delay_ms: 100_000, after: 1, times: 3 },
      { kind: "omit", symbol: "ETHUSDT", after: 2, times: 2 },
      { kind: "repeat", gap_ms: 45_000, after: 5, times: 2 },
      { kind: "reorder", after: 8, times: 2 },
      { kind: "hold", after: 11, times: 2 },
      { kind: "mute", connection: 3, from: NOW + 2 * MINUTE },
      { kind: "cut", connection: 1, age_ms: 5.5 * MINUTE },
      { kind: "half_open", connection: 2, age_ms: 7 * MINUTE },
    ],
  });
  const all = [];
  for (let index = 0; index < 5; index++) {
    all.push(listen(simulator, "/stream?streams=btcusdt@kline_1m/ethusdt@kline_1m"));
    await clock.advance(2 * MINUTE + 1_000);
  }
  const arrived = all.map((heard) => heard.closes().map(({ k }) => `${k.s} ${k.t}`));
  const sent = all.map((_, index) =>
    simulator.closes.filter(({ connection }) => connection === index + 1)
      .map(({ stream, openMs }) => `${stream.split("@")[0]?.toUpperCase()} ${openMs}`)
  );
  assertEquals(arrived, sent);
  assert(arrived.every(({ length }) => length > 0));
  simulator.close();
});

Deno.test("only so many closes are kept as one asks for", async () => {
  const { simulator, clock } = simulate(QUIET, { keptCloses: 3 });
  listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(5 * MINUTE);
  const midnight = NOW - 30_000;
  assertEquals(simulator.closes.map(({ openMs }) => (openMs - midnight) / MINUTE), [2, 3, 4]);
  simulator.close();
});

Deno.test("nothing waits once all connections have ended, however they did", async () => {
  for (const leave of ["client", "exchange", "death", "simulator"] as const) {
    const time = new VirtualClock(NOW, { manual: true });
    let waiting = 0;
    const clock = {
      now: () => time.now(),
      steady: () => time.steady(),
      sleep: async (ms: number, signal?: AbortSignal) => {
        waiting++;
        await time.sleep(ms, signal).finally(() => waiting--);
      },
    };
    const simulator = createSimulator({
      stream_faults: leave === "exchange"
        ? [{ kind: "close", age_ms: 1_000 }]
        : leave === "death"
        ? [{ kind: "half_open", age_ms: 1_000 }]
        : [{ kind: "late", delay_ms: DAY, times: "always", events: "all" }],
      outages: [{ from: NOW + DAY, to: NOW + 2 * DAY }],
    }, { clock });
    const { socket } = listen(simulator, "/ws/btcusdt@kline_1M/btcusdt@kline_1m");
    await time.advance(5_000);
    if (leave === "client") socket.close();
    if (leave === "simulator") simulator.close();
    await time.advance(10);
    assertEquals([leave, waiting], [leave, 0]);
  }
});

Deno.test("close() breaks all connections, those under way too, and ends all waiting", async () => {
  const { simulator, clock } = simulate();
  const open = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(5);
  const connecting = listen(simulator, "/ws");
  simulator.close();
  assertEquals(open.happened, ["open", "error", "close 1006"]);
  assertEquals(connecting.happened, ["error", "close 1006"]);
  await clock.advance(MINUTE);
  assertEquals([open.texts.length, simulator.counters.streams.open], [0, 0]);
  const again = listen(simulator, "/ws");
  await clock.advance(5);
  assertEquals(again.happened, ["open"]);
  simulator.close();
});
