import { assert, assertEquals } from "@std/assert";
import type { Scenario } from "../../simulator/mod.ts";
import { ask, HOUR, MINUTE, NOW, simulate } from "./_ask.ts";
import { type Heard, type KlineMessage, listen } from "./_listen.ts";

type Fault = NonNullable<Scenario["stream_faults"]>[number];

const MIDNIGHT = NOW - 30_000;
const BOTH = "/stream?streams=btcusdt@kline_1m/ethusdt@kline_1m";
const BTC = "/ws/btcusdt@kline_1m";

function scenario(faults: readonly Fault[]): Scenario {
  return { streams: { snapshot_ms: "never" }, stream_faults: [...faults] };
}

/** Each close as the symbol, the minute of its candle and how late it is told, in milliseconds. */
function told(heard: Heard): string[] {
  return heard.closes().map(tell);
}

function tell({ E, k }: KlineMessage): string {
  return `${k.s.slice(0, 3)} ${(k.t - MIDNIGHT) / MINUTE} ${E - k.T}`;
}

/** What is heard in five minutes on one connection. */
async function hear(path: string, ...faults: readonly Fault[]): Promise<Heard> {
  const { simulator, clock } = simulate(scenario(faults));
  const heard = listen(simulator, path);
  await clock.advance(5 * MINUTE);
  // The end of the test is no part of it.
  const happened = [...heard.happened];
  simulator.close();
  return { ...heard, happened };
}

Deno.test("nothing is told while all is mute, replies apart", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "mute" }]));
  const heard = listen(simulator, BOTH);
  await clock.advance(HOUR);
  heard.socket.send('{"method":"GET_PROPERTY","params":["combined"],"id":1}');
  await clock.advance(5);
  assertEquals([heard.happened, heard.texts], [["open"], ['{"result":true,"id":1}']]);
  simulator.close();
});

Deno.test("one stream may be mute, by symbol, by interval, within its time", async () => {
  const symbol = await hear(BOTH, { kind: "mute", symbol: "BTCUSDT" });
  assertEquals(told(symbol), ["ETH 0 4", "ETH 1 4", "ETH 2 4", "ETH 3 4", "ETH 4 4"]);
  const interval = await hear(
    "/ws/btcusdt@kline_1m/btcusdt@kline_3m",
    { kind: "mute", interval: "1m", times: "always" },
  );
  assertEquals(interval.closes().map(({ k }) => k.i), ["3m"]);
  const time = await hear(BTC, { kind: "mute", from: NOW + MINUTE, to: NOW + 3 * MINUTE });
  assertEquals(told(time), ["BTC 0 4", "BTC 3 4", "BTC 4 4"]);
});

Deno.test("streams may be mute only on later connections", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "mute", connection_from: 2 }]));
  const [first, second, third] = [
    listen(simulator, BTC),
    listen(simulator, BTC),
    listen(
      simulator,
      BTC,
    ),
  ];
  await clock.advance(2 * MINUTE);
  assertEquals([first, second, third].map((one) => one.closes().length), [2, 0, 0]);
  simulator.close();
});

Deno.test("a fault may be meant for one connection", async () => {
  const { simulator, clock } = simulate(
    scenario([{ kind: "mute", connection: 2 }, { kind: "cut", connection: 3, age_ms: 40_000 }]),
  );
  const all = [listen(simulator, BTC), listen(simulator, BTC), listen(simulator, BTC)];
  await clock.advance(2 * MINUTE);
  assertEquals(all.map((one) => one.closes().length), [2, 0, 1]);
  simulator.close();
});

Deno.test("a close may be left out, after so many, so often", async () => {
  assertEquals(told(await hear(BTC, { kind: "omit" })), [
    "BTC 1 4",
    "BTC 2 4",
    "BTC 3 4",
    "BTC 4 4",
  ]);
  assertEquals(told(await hear(BTC, { kind: "omit", after: 1, times: 2 })), [
    "BTC 0 4",
    "BTC 3 4",
    "BTC 4 4",
  ]);
  assertEquals(told(await hear(BTC, { kind: "omit", after: 4, times: "always" })).length, 4);
});

Deno.test("a close that is left out leaves snapshots alone unless they are meant too", async () => {
  for (const [events, snapshots] of [["closed", true], ["all", false]] as const) {
    const { simulator, clock } = simulate({
      stream_faults: [{ kind: "omit", events, times: "always", to: NOW + 29_000 }],
    });
    const heard = listen(simulator, BTC);
    await clock.advance(28_000);
    assertEquals(heard.klines().length > 0, snapshots);
    await clock.advance(MINUTE);
    assert(heard.klines().length > 0);
    simulator.close();
  }
});

Deno.test("a late close comes later, with the time it should have had", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "late", delay_ms: 25_000 }]));
  const heard = listen(simulator, BTC);
  await clock.advance(30_000 + 25_002);
  assertEquals(told(heard), []);
  await clock.advance(1);
  assertEquals(told(heard), ["BTC 0 4"]);
  assertEquals(simulator.closes.map(({ atMs }) => atMs), [NOW + 55_003]);
  await clock.advance(MINUTE);
  assertEquals(told(heard), ["BTC 0 4", "BTC 1 4"]);
  simulator.close();
});

Deno.test("a late close is lost with its connection", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "late", delay_ms: 25_000 }]));
  const heard = listen(simulator, BTC);
  await clock.advance(40_000);
  heard.socket.close();
  await clock.advance(MINUTE);
  assertEquals([heard.happened, told(heard)], [["open", "close 1005"], []]);
});

Deno.test("a close may come twice, at once or after a while", async () => {
  const at = await hear(BTC, { kind: "repeat" });
  assertEquals(told(at).slice(0, 3), ["BTC 0 4", "BTC 0 4", "BTC 1 4"]);
  const later = await hear(BTC, { kind: "repeat", gap_ms: 90_000 });
  assertEquals(told(later), ["BTC 0 4", "BTC 1 4", "BTC 0 4", "BTC 2 4", "BTC 3 4", "BTC 4 4"]);
});

Deno.test("a close may come after the first event of the next candle", async () => {
  const { simulator, clock } = simulate({ stream_faults: [{ kind: "reorder" }] });
  const heard = listen(simulator, BTC);
  await clock.advance(31_000);
  assertEquals(heard.closes(), []);
  await clock.advance(MINUTE - 31_000);
  const klines = heard.klines();
  const at = klines.findIndex(({ k }) => k.x);
  assertEquals(
    klines.slice(at - 2, at + 2).map(({ k }) => [(k.t - MIDNIGHT) / MINUTE, k.x]),
    [[0, false], [1, false], [0, true], [1, false]],
  );
  assertEquals(klines.filter(({ k }) => k.x).length, 1);
  simulator.close();
  const closesOnly = await hear(BTC, { kind: "reorder", after: 1 });
  assertEquals(told(closesOnly), ["BTC 0 4", "BTC 2 4", "BTC 1 4", "BTC 3 4", "BTC 4 4"]);
});

Deno.test("a close may arrive with the next connection that opens its stream", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "hold", symbol: "BTCUSDT" }]));
  const first = listen(simulator, BOTH);
  await clock.advance(MINUTE);
  assertEquals(told(first), ["ETH 0 4"]);
  const other = listen(simulator, "/ws/ethusdt@kline_1m");
  await clock.advance(1_000);
  assertEquals(told(other), []);
  const second = listen(simulator, BTC);
  await clock.advance(1_000);
  assertEquals(told(second), ["BTC 0 4"]);
  const third = listen(simulator, BTC);
  await clock.advance(1_000);
  assertEquals([told(first).length, told(third).length], [1, 0]);
  simulator.close();
});

Deno.test("a close that is held does not come to its own connection", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "hold" }]));
  const heard = listen(simulator, BTC);
  await clock.advance(MINUTE);
  for (const method of ["UNSUBSCRIBE", "SUBSCRIBE"]) {
    heard.socket.send(JSON.stringify({ method, params: ["btcusdt@kline_1m"], id: 1 }));
  }
  await clock.advance(10_000);
  assertEquals([heard.texts.length, told(heard)], [2, []]);
  simulator.close();
});

Deno.test("what waits for a stream is lost when the client leaves it", async () => {
  const { simulator, clock } = simulate(
    scenario([{ kind: "reorder" }, { kind: "late", delay_ms: 40_000, after: 1 }]),
  );
  const heard = listen(simulator, BTC);
  const send = (method: string) =>
    heard.socket.send(JSON.stringify({ method, params: ["btcusdt@kline_1m"], id: 1 }));
  // The first close waits for a later one, the second one is late.
  await clock.advance(95_000);
  send("UNSUBSCRIBE");
  await clock.advance(MINUTE);
  assertEquals(told(heard), []);
  send("SUBSCRIBE");
  await clock.advance(MINUTE);
  assertEquals(told(heard), ["BTC 3 4"]);
  simulator.close();
});

Deno.test("a close that was held comes after the reply to SUBSCRIBE", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "hold" }]));
  listen(simulator, BTC);
  await clock.advance(MINUTE);
  const second = listen(simulator, "/ws");
  await clock.advance(5);
  second.socket.send('{"method":"SUBSCRIBE","params":["btcusdt@kline_1m"],"id":1}');
  await clock.advance(5);
  assertEquals(second.texts[0], '{"result":null,"id":1}');
  assertEquals(told(second), ["BTC 0 4"]);
  simulator.close();
});

Deno.test("events may bear a wrong time while their candles are right", async () => {
  const heard = await hear(BTC, { kind: "skew", skew_ms: -3_000, to: NOW + 2 * MINUTE });
  assertEquals(told(heard), ["BTC 0 -2996", "BTC 1 -2996", "BTC 2 4", "BTC 3 4", "BTC 4 4"]);
});

Deno.test("events may have fields that no one knows", async () => {
  const heard = await hear(BTC, { kind: "extra_fields", times: 1 });
  const [strange, usual] = heard.texts.map((text) => JSON.parse(text));
  assertEquals(Object.keys(strange), ["e", "E", "s", "k", "st", "tags"]);
  assertEquals(Object.keys(strange.k).slice(-3), ["B", "z", "W"]);
  assertEquals(Object.keys(usual), ["e", "E", "s", "k"]);
  assertEquals(told(heard).length, 5);
});

Deno.test("events of an unknown type come in the envelope of the others", async () => {
  const heard = await hear(BOTH, { kind: "insert", symbol: "ETHUSDT" });
  const [, strange] = heard.texts;
  assertEquals(JSON.parse(strange ?? ""), {
    stream: "ethusdt@kline_1m",
    data: { e: "somethingNew", E: NOW + 30_003, s: "ETHUSDT", y: [1, null] },
  });
  assertEquals(told(heard).length, 10);
});

Deno.test("a frame may be no JSON, binary or very large", async () => {
  const text = await hear(BTC, { kind: "insert", frame: "not_json" });
  assertEquals(text.texts[0], "<html><body>Bad gateway</body></html>");
  const binary = await hear(BTC, { kind: "insert", frame: "binary", times: 2 });
  assertEquals(binary.happened, ["open", "binary", "binary"]);
  const large = await hear(BTC, { kind: "insert", frame: "large", bytes: 5_000_000 });
  assertEquals([large.texts[0]?.length, JSON.parse(large.texts[0] ?? "").e], [
    5_000_000,
    "somethingNew",
  ]);
  for (const heard of [text, binary, large]) assertEquals(told(heard).length, 5);
});

Deno.test("faults of one event add up", async () => {
  const heard = await hear(
    BTC,
    { kind: "skew", skew_ms: 100, times: 1 },
    { kind: "repeat" },
    { kind: "insert", frame: "not_json" },
    { kind: "omit", after: 3 },
  );
  assertEquals(heard.texts[0]?.slice(0, 6), "<html>");
  assertEquals(told(heard), ["BTC 0 104", "BTC 0 104", "BTC 1 4", "BTC 2 4", "BTC 4 4"]);
});

Deno.test("a cut breaks a connection without a close frame", async () => {
  const heard = await hear(BTC, { kind: "cut", age_ms: 90_000 });
  assertEquals(heard.happened, ["open", "error", "close 1006"]);
  assertEquals(told(heard), ["BTC 0 4", "BTC 1 4"]);
});

Deno.test("a mass disconnect hits all connections that are open then, and none that come later", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "cut", at: NOW + MINUTE }]));
  const early = [listen(simulator, BTC), listen(simulator, BTC), listen(simulator, BTC)];
  await clock.advance(MINUTE - 1);
  assertEquals(simulator.counters.streams.open, 3);
  await clock.advance(1);
  const late = listen(simulator, BTC);
  await clock.advance(5 * MINUTE);
  assert(early.every(({ happened }) => happened.join() === "open,error,close 1006"));
  assertEquals(late.happened, ["open"]);
  simulator.close();
});

Deno.test("a fault of connections counts those that it comes to", async () => {
  const { simulator, clock } = simulate(
    scenario([{ kind: "cut", age_ms: 1_000, after: 1, times: 1 }]),
  );
  const all = [];
  for (let index = 0; index < 3; index++) {
    all.push(listen(simulator, BTC));
    await clock.advance(2_000);
  }
  assertEquals(all.map(({ happened }) => happened.length), [1, 3, 1]);
  simulator.close();
});

Deno.test("a close by the exchange comes with its code and reason", async () => {
  for (const code of [1_001, 1_008, 4_000]) {
    const { simulator, clock } = simulate(
      scenario([{ kind: "close", code, reason: "Enough", age_ms: 1_000 }]),
    );
    const socket = simulator.connect("ws://localhost/ws");
    let end: CloseEvent | undefined;
    socket.onclose = (event) => end = event;
    await clock.advance(1_005);
    assertEquals([end?.code, end?.reason, end?.wasClean], [code, "Enough", true]);
    assertEquals(socket.readyState, WebSocket.CLOSED);
  }
});

Deno.test("a half-open connection stays open for its client, mute and deaf", async () => {
  const { simulator, clock } = simulate(scenario([{ kind: "half_open", age_ms: MINUTE }]));
  const heard = listen(simulator, BTC);
  await clock.advance(90_000);
  heard.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
  await clock.advance(48 * HOUR);
  assertEquals([heard.happened, told(heard), heard.texts.length], [["open"], ["BTC 0 4"], 1]);
  assertEquals(heard.socket.readyState, WebSocket.OPEN);
  assertEquals(simulator.counters.streams.open, 0);
  heard.socket.close();
  await clock.advance(29_999);
  assertEquals(heard.happened, ["open"]);
  await clock.advance(1);
  assertEquals(heard.happened, ["open", "error", "close 1006"]);
});

Deno.test("a shutdown is announced in the envelope of the connection, then comes the close", async () => {
  const faults: Fault[] = [{
    kind: "shutdown",
    age_ms: MINUTE,
    close_after_ms: 2 * MINUTE,
    code: 1_012,
  }];
  const raw = await hear(BTC, ...faults);
  const combined = await hear(BOTH, ...faults);
  const E = NOW + MINUTE + 5;
  assertEquals(raw.texts[1], `{"e":"serverShutdown","E":${E}}`);
  assertEquals(
    combined.texts[2],
    `{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":${E}}}`,
  );
  assertEquals(raw.happened, ["open", "close 1012"]);
  assertEquals(told(raw), ["BTC 0 4", "BTC 1 4", "BTC 2 4"]);
});

Deno.test("a shutdown that is announced may never come", async () => {
  const heard = await hear(BTC, { kind: "shutdown", age_ms: MINUTE });
  assertEquals([heard.happened, heard.texts.length, told(heard).length], [["open"], 6, 5]);
});

for (const status of [429, 403, 503]) {
  Deno.test(`a handshake may be refused with ${status}`, async () => {
    const { simulator, clock } = simulate(scenario([{ kind: "refuse", status, times: 2 }]));
    assertEquals(simulator.handshake("ws://localhost/ws").status, status);
    const refused = listen(simulator, BTC);
    await clock.advance(1_000);
    const taken = listen(simulator, BTC);
    await clock.advance(1_000);
    assertEquals(refused.happened, ["error", "close 1006"]);
    assertEquals(taken.happened, ["open"]);
    simulator.close();
  });
}

Deno.test("handshakes may be refused within a time", async () => {
  const { simulator, clock } = simulate(scenario([
    { kind: "refuse", from: NOW + 600, to: NOW + 1_800, times: "always" },
  ]));
  const statuses = [];
  for (let index = 0; index < 4; index++) {
    statuses.push(simulator.handshake("ws://localhost/ws").status);
    await clock.advance(600);
  }
  assertEquals(statuses, [101, 503, 503, 101]);
});

Deno.test("a handshake may be answered late, and given up", async () => {
  const { simulator, clock } = simulate(
    scenario([{ kind: "slow_handshake", delay_ms: MINUTE, times: 2 }]),
  );
  const patient = listen(simulator, "/ws");
  const hasty = listen(simulator, "/ws");
  await clock.advance(MINUTE - 1);
  assertEquals([patient.happened, patient.socket.readyState], [[], WebSocket.CONNECTING]);
  hasty.socket.close();
  await clock.advance(6);
  assertEquals([patient.happened, hasty.happened], [["open"], ["error", "close 1006"]]);
  assertEquals(simulator.counters.streams.opened, 1);
  simulator.close();
});

Deno.test("while the exchange is away connections break and all is refused", async () => {
  const { simulator, clock } = simulate({
    streams: { snapshot_ms: "never" },
    outages: [{ from: NOW + MINUTE, to: NOW + 11 * MINUTE }],
  });
  const ping = () => ask(simulator, "/api/v3/ping").then(({ status }) => status, (error) => error);
  const early = listen(simulator, BTC);
  await clock.advance(MINUTE - 1);
  assertEquals([await ping(), early.happened], [200, ["open"]]);
  await clock.advance(1);
  assert(await ping() instanceof TypeError);
  assertEquals(early.happened, ["open", "error", "close 1006"]);
  const refused = listen(simulator, BTC);
  await clock.advance(10 * MINUTE - 1);
  assertEquals(refused.happened, ["error", "close 1006"]);
  assert(await ping() instanceof TypeError);
  await clock.advance(1);
  const late = listen(simulator, BTC);
  await clock.advance(MINUTE);
  assertEquals([await ping(), late.happened, told(late)], [200, ["open"], ["BTC 11 4"]]);
  assertEquals(simulator.counters.requests, 2);
  simulator.close();
});
