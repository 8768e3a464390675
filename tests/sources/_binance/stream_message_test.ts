import { assertEquals } from "@std/assert";
import { MessageReader } from "../../../sources/_binance/stream_message.ts";
import { toPoint } from "../../../transforms/kline.ts";

const SHARED = new URL("../../../../shared/data/", import.meta.url);
const reader = new MessageReader();
const readMessage = (data: unknown) => reader.read(data);
const isThere = await Deno.stat(SHARED).then(() => true, () => false);

async function messages(name: string): Promise<unknown[]> {
  const text = await Deno.readTextFile(new URL(name, SHARED));
  return text.trim().split("\n").map((line) => line.replace(/^[\d.]+: /, ""));
}

Deno.test("MessageReader reads raw and combined candles alike, and such as lack a key that is not used", () => {
  const k = {
    ...{ t: 1_681_153_980_000, T: 1_681_154_039_999, s: "BELBTC", i: "1m", f: -1, L: -1 },
    ...{ o: "1", c: "2", h: "3", l: "0.5", v: "9", n: 4, x: true, q: "12", V: "5", Q: "6" },
  };
  for (const B of ["0", undefined]) {
    const event = { e: "kline", E: 1_681_154_040_004, s: "BELBTC", k: { ...k, B } };
    for (const message of [event, { stream: "belbtc@kline_1m", data: event }]) {
      assertEquals(JSON.parse(JSON.stringify(readMessage(JSON.stringify(message)))), {
        ...{ kind: "candle", symbol: "BELBTC", interval: "1m", openMs: 1_681_153_980_000 },
        ...{ closed: true, trades: 4 },
        row: [k.t, "1", "3", "0.5", "2", "9", k.T, "12", 4, "5", "6", "0"],
      });
    }
  }
});

for (
  const [text, kind] of [
    ['{"result":null,"id":1}', { kind: "reply" }],
    ['{"result":["btcusdt@kline_1m"],"id":3}', { kind: "reply" }],
    ['{"code":2,"msg":"Invalid request","id":1}', { kind: "reply", error: "2 Invalid request" }],
    ['{"error":{"code":4,"msg":"Too many"},"id":null}', { kind: "reply", error: "4 Too many" }],
    ['{"e":"serverShutdown","E":1}', { kind: "shutdown" }],
    ['{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}', { kind: "shutdown" }],
    ['{"e":"trade","s":"BTCUSDT"}', { kind: "unknown", what: "event trade" }],
    ['{"e":"kline"}', { kind: "unknown", what: "candle without values" }],
    ['{"e":"kline","k":{"t":1,"s":"A","i":"1m","x":true}}', {
      kind: "unknown",
      what: "candle without a name, a time or a state",
    }],
    ["[1]", { kind: "unknown", what: "not an object" }],
    ["{}", { kind: "unknown", what: "no event" }],
    ["", { kind: "unknown", what: "not JSON" }],
  ] as const
) {
  Deno.test(`MessageReader reads ${text || "an empty message"}`, () => {
    assertEquals(readMessage(text), kind);
  });
}

Deno.test("MessageReader reads no binary messages", () => {
  assertEquals(readMessage(new ArrayBuffer(2)), { kind: "unknown", what: "binary" });
});

Deno.test({
  name: "MessageReader reads recorded candles, four of them closed (needs ../shared)",
  ignore: !isThere,
  fn: async () => {
    const texts = await messages("ws-recorded-1m.txt");
    const read = texts.map(readMessage);
    const candles = read.filter((message) => message.kind === "candle");
    assertEquals(candles.length, 8);
    const closed = candles.filter((candle) => candle.closed);
    assertEquals(closed.map(({ symbol }) => symbol), ["XEMUSDT", "LTCBRL", "BELBTC", "ELFBUSD"]);
    const events = texts.map((text) => JSON.parse(String(text)).data).filter(({ k }) => k.x);
    const points = closed.map(({ symbol, interval, row }, at) => {
      const series = { exchange: "binance", symbol, base: "", quote: "", interval };
      const point = toPoint({ series, candle: row, closed: true });
      const byEvent = toPoint({ series, candle: events[at] });
      assertEquals(JSON.stringify(point), JSON.stringify(byEvent));
      return point;
    });
    assertEquals(points.map(({ fields }) => `${fields.close} ${fields.volume} ${fields.trades}`), [
      "0.04110000 243.00000000 1",
      "473.10000000 0.53400000 2",
      "0.00002369 0.00000000 0",
      "0.31170000 0.00000000 0",
    ]);
    assertEquals(points.map(({ timeMs }) => timeMs), Array(4).fill(1_681_153_980_000));
  },
});

Deno.test({
  name: "MessageReader ignores replies among recorded messages of 2026 (needs ../shared)",
  ignore: !isThere,
  fn: async () => {
    const read = (await messages("ws-recorded-2026.ndjson")).map(readMessage);
    assertEquals(read.map(({ kind }) => kind), [
      "reply",
      "candle",
      "candle",
      "reply",
      "candle",
      "candle",
    ]);
  },
});

Deno.test("MessageReader reads a refusal whose reason is no text, or has line breaks", () => {
  assertEquals(readMessage('{"code":2,"msg":{"toString":1}}'), {
    kind: "reply",
    error: "2 an object",
  });
  assertEquals(readMessage('{"code":2,"msg":"a\\r\\nb"}'), { kind: "reply", error: "2 a b" });
});
