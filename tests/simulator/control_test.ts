import { assertEquals } from "@std/assert";
import type { Scenario } from "../../simulator/mod.ts";
import { MINUTE, simulate } from "./_ask.ts";
import { listen } from "./_listen.ts";

const QUIET: Scenario = { streams: { snapshot_ms: "never" } };

/** The replies to frames that are sent a second apart on a bare connection. */
async function replies(
  frames: readonly unknown[],
  scenario: Scenario = QUIET,
  path = "/ws",
): Promise<string[]> {
  const { simulator, clock } = simulate(scenario);
  const { socket, texts } = listen(simulator, path);
  await clock.advance(5);
  for (const frame of frames) {
    socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    await clock.advance(1_000);
  }
  simulator.close();
  return texts;
}

Deno.test("SUBSCRIBE and UNSUBSCRIBE are answered with null, LIST_SUBSCRIPTIONS with names", async () => {
  const params = ["btcusdt@kline_1m", "ethusdt@kline_5m"];
  assertEquals(
    await replies([
      { method: "SUBSCRIBE", params, id: 1 },
      { method: "LIST_SUBSCRIPTIONS", id: 2 },
      { method: "UNSUBSCRIBE", params: params.slice(0, 1), id: "third" },
      { method: "LIST_SUBSCRIPTIONS", id: null },
    ]),
    [
      '{"result":null,"id":1}',
      '{"result":["btcusdt@kline_1m","ethusdt@kline_5m"],"id":2}',
      '{"result":null,"id":"third"}',
      '{"result":["ethusdt@kline_5m"],"id":null}',
    ],
  );
});

Deno.test("a stream that is subscribed to is heard until it is unsubscribed from", async () => {
  const { simulator, clock } = simulate(QUIET);
  const heard = listen(simulator, "/ws");
  await clock.advance(MINUTE);
  heard.socket.send('{"method":"SUBSCRIBE","params":["btcusdt@kline_1m"],"id":1}');
  await clock.advance(2 * MINUTE);
  assertEquals(heard.closes().length, 2);
  heard.socket.send('{"method":"UNSUBSCRIBE","params":["btcusdt@kline_1m"],"id":2}');
  await clock.advance(2 * MINUTE);
  assertEquals([heard.closes().length, heard.texts.length], [2, 4]);
  simulator.close();
});

Deno.test("the property `combined` is that of the URL, and can be set", async () => {
  const get = { method: "GET_PROPERTY", params: ["combined"], id: 1 };
  const set = { method: "SET_PROPERTY", params: ["combined", true], id: 2 };
  assertEquals(await replies([get, set, get]), [
    '{"result":false,"id":1}',
    '{"result":null,"id":2}',
    '{"result":true,"id":1}',
  ]);
  assertEquals(await replies([get], QUIET, "/stream"), ['{"result":true,"id":1}']);
});

Deno.test("events are wrapped as soon as `combined` is set, replies never", async () => {
  const { simulator, clock } = simulate(QUIET);
  const { socket, texts } = listen(simulator, "/ws/btcusdt@kline_1m");
  await clock.advance(MINUTE);
  socket.send('{"method":"SET_PROPERTY","params":["combined",true],"id":1}');
  await clock.advance(MINUTE);
  assertEquals(texts.map((text) => text.slice(0, 12)), [
    '{"e":"kline"',
    '{"result":nu',
    '{"stream":"b',
  ]);
  simulator.close();
});

Deno.test("bad names, upper case and odd intervals succeed, and stay silent", async () => {
  const { simulator, clock } = simulate(QUIET);
  const { socket, texts } = listen(simulator, "/ws");
  await clock.advance(5);
  const params = ["BTCUSDT@kline_1m", "nonesuch@kline_1m", "btcusdt@kline_7m", "btcusdt@depth"];
  socket.send(JSON.stringify({ method: "SUBSCRIBE", params, id: 7 }));
  await clock.advance(3 * MINUTE);
  assertEquals(texts, ['{"result":null,"id":7}']);
  simulator.close();
});

const WRONG: readonly (readonly [what: string, frame: unknown, reply: string])[] = [
  [
    "an unknown property",
    { method: "SET_PROPERTY", params: ["combind", true], id: 1 },
    '{"code":0,"msg":"Unknown property: combind","id":1}',
  ],
  [
    "a property of the wrong type",
    { method: "SET_PROPERTY", params: ["combined", "yes"], id: 1 },
    '{"code":1,"msg":"Invalid value type: expected Boolean","id":1}',
  ],
  [
    "an unknown method",
    { method: "SUBSCRIB", params: [], id: 1 },
    '{"code":2,"msg":"Invalid request: unknown method or malformed params","id":1}',
  ],
  [
    "a method that every object has",
    { method: "constructor", params: [], id: 1 },
    '{"code":2,"msg":"Invalid request: unknown method or malformed params","id":1}',
  ],
  [
    "params that are no list",
    { method: "SUBSCRIBE", params: "btcusdt@kline_1m", id: 1 },
    '{"code":2,"msg":"Invalid request: unknown method or malformed params","id":1}',
  ],
  [
    "a name that cannot be one",
    { method: "SUBSCRIBE", params: ["btc usdt"], id: 1 },
    '{"code":2,"msg":"Invalid request: invalid stream name","id":1}',
  ],
  [
    "no name",
    { method: "SUBSCRIBE", params: [], id: 1 },
    '{"code":2,"msg":"Invalid request: invalid stream name","id":1}',
  ],
  [
    "an id that is none",
    { method: "LIST_SUBSCRIPTIONS", id: 1.5 },
    '{"code":2,"msg":"Invalid request: invalid request ID"}',
  ],
  ["a list", [1], '{"code":2,"msg":"Invalid request: expected an object"}'],
  [
    "text that is no JSON",
    "SUBSCRIBE btcusdt",
    '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}',
  ],
];

for (const [what, frame, reply] of WRONG) {
  Deno.test(`a frame with ${what} gets the exchange's error`, async () => {
    assertEquals(await replies([frame]), [reply]);
  });
}

Deno.test("errors may be nested, as they were seen on the wire", async () => {
  const scenario: Scenario = { streams: { error_shape: "nested" } };
  assertEquals(await replies([{ method: "NO", id: 5 }, "{"], scenario), [
    '{"error":{"code":2,"msg":"Invalid request: unknown method or malformed params"},"id":5}',
    '{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"},"id":null}',
  ]);
});

Deno.test("more streams than a connection may have get code 4, and none of them is added", async () => {
  const names = (count: number) =>
    Array.from({ length: count }, (_, index) => `s${index}usdt@kline_1m`);
  assertEquals(
    await replies([
      { method: "SUBSCRIBE", params: names(1_024), id: 1 },
      { method: "SUBSCRIBE", params: names(1_024), id: 2 },
      { method: "SUBSCRIBE", params: ["one@kline_1m", "more@kline_1m"], id: 3 },
    ]),
    [
      '{"result":null,"id":1}',
      '{"result":null,"id":2}',
      '{"code":4,"msg":"Too many subscriptions; the limit is 1024","id":3}',
    ],
  );
});

Deno.test("a binary frame is no JSON", async () => {
  const { simulator, clock } = simulate(QUIET);
  const { socket, texts } = listen(simulator, "/ws");
  await clock.advance(5);
  socket.send(new Uint8Array([1]));
  await clock.advance(5);
  assertEquals(JSON.parse(texts[0] ?? "{}").code, 3);
  simulator.close();
});
