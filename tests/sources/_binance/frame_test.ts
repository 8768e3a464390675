import { assert, assertEquals } from "@std/assert";
import { Decimal } from "../../../engine/decimal.ts";
import { FrameReader } from "../../../sources/_binance/frame.ts";
import { seededRandom } from "../../contracts/context.ts";

const EVENT = '{"e":"kline","E":1681154040004,"s":"BELBTC","k":{"t":1681153980000,' +
  '"T":1681154039999,"s":"BELBTC","i":"1m","f":-1,"L":-1,"o":"0.00002369","c":"0.00002361",' +
  '"h":"0.00002370","l":"0.00002360","v":"12.5","n":3,"x":true,"q":"0.0002954","V":"2.5",' +
  '"Q":"0.0000591","B":"0"}}';
const COMBINED = `{"stream":"belbtc@kline_1m","data":${EVENT}}`;
const RECORDED = ["ws-recorded-1m.txt", "ws-recorded-2026.ndjson"]
  .map((name) => new URL(`../../../../shared/data/${name}`, import.meta.url));
const reader = new FrameReader();
const random = seededRandom(7);

/** Fails unless a frame is read as `JSON.parse` reads it, or not at all; says whether it was. */
function isReadAlike(text: string): boolean {
  const read = reader.read(text);
  if (!read) return false;
  // What is no JSON makes `JSON.parse` throw: it must not have been read.
  const value = JSON.parse(text);
  const { e, k } = value.data ?? value;
  const { t, o, h, l, c, v, T, q, n, V, Q, B, s, i, x } = k;
  assertEquals(e, "kline", text);
  assertEquals(JSON.parse(JSON.stringify(read)), {
    ...{ kind: "candle", symbol: s, interval: i, openMs: t, closed: x, trades: n },
    row: [t, o, h, l, c, v, T, q, n, V, Q, B],
  }, text);
  for (const at of [1, 2, 3, 4, 5, 7, 9, 10]) assert(read.row[at] instanceof Decimal);
  return true;
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}

Deno.test("FrameReader reads candles with and without an envelope, open and closed, by the bytes", () => {
  for (const text of [EVENT, COMBINED]) {
    assertEquals(isReadAlike(text), true);
    assertEquals(isReadAlike(text.replace('"x":true', '"x":false')), true);
  }
});

Deno.test("FrameReader reads the values of a candle in any order", () => {
  const { k, ...event } = JSON.parse(EVENT);
  for (let round = 0; round < 50; round++) {
    const shuffled = Object.entries(k).map((entry) => ({ entry, at: random() }))
      .sort((a, b) => a.at - b.at).map(({ entry }) => entry);
    assertEquals(isReadAlike(JSON.stringify({ ...event, k: Object.fromEntries(shuffled) })), true);
  }
});

Deno.test("FrameReader reads no frame with one byte changed, added or lost as JSON does not", () => {
  const codes = [...'"\\,.{}[]0159-+ekxT/: \n\t'].map((character) => character.charCodeAt(0));
  codes.push(0x00, 0x7f, 0x3a, 0xe9);
  let read = 0;
  for (let at = 0; at <= COMBINED.length; at++) {
    const [before, rest, next] = [
      COMBINED.slice(0, at),
      COMBINED.slice(at),
      COMBINED.slice(at + 1),
    ];
    if (isReadAlike(before + next)) read++;
    for (const code of codes) {
      const character = String.fromCharCode(code);
      if (isReadAlike(before + character + next)) read++;
      if (isReadAlike(before + character + rest)) read++;
    }
  }
  assert(read > 1_000, "digits and names may change");
});

Deno.test("FrameReader reads no frame that breaks off or goes on, whatever was there before", () => {
  for (const whole of [EVENT, COMBINED]) {
    for (let length = 0; length < whole.length; length++) {
      const fresh = new FrameReader();
      // What is left of a longer frame, which was not taken, goes on where this one breaks off.
      assertEquals(fresh.read(`${whole} `), undefined);
      assertEquals(fresh.read(whole.slice(0, length)), undefined, `${length} characters`);
    }
    for (const more of ["}", ",", " ", "0", "\n"]) {
      assertEquals(reader.read(whole + more), undefined);
    }
  }
});

const OTHERS = {
  "a reply": '{"result":null,"id":1}',
  "text where a time belongs": EVENT.replace('"t":1681153980000', '"t":"1681153980000"'),
  "a number where a decimal belongs": EVENT.replace('"0.00002369"', "0.00002369"),
  "a time in seconds": EVENT.replace('"t":1681153980000', '"t":1681153980'),
  "a time in microseconds": EVENT.replace('"t":1681153980000', '"t":1681153980000000'),
  "a candle without a close": EVENT.replace('"c":"0.00002361",', ""),
  "a candle without a state": EVENT.replace('"x":true,', ""),
  "a state that is a number": EVENT.replace('"x":true', '"x":1'),
  "a candle without an interval": EVENT.replace('"i":"1m",', ""),
  "an empty symbol": EVENT.replace('"s":"BELBTC","i"', '"s":"","i"'),
  "a name with an escape": EVENT.replace("BELBTC", "BEL\\u0042TC"),
  "a name that is not ASCII": EVENT.replaceAll("BELBTC", "币安USDT"),
  "a key that is not known": EVENT.replace('"B":"0"', '"B":"0","z":1'),
  "an event of another type": EVENT.replace('"kline"', '"trade"'),
  "a frame that is too long": EVENT.replace('"12.5"', `"${"1".repeat(20_000)}"`),
};

for (const [what, text] of Object.entries(OTHERS)) {
  Deno.test(`FrameReader leaves ${what} to JSON.parse, and goes on`, () => {
    assertEquals(reader.read(text), undefined);
    assertEquals(isReadAlike(COMBINED), true);
  });
}

Deno.test("FrameReader keeps what it has read, however much comes after it", () => {
  const frames = Array.from(
    { length: 1_000 },
    (_, at) => COMBINED.replace('"12.5"', `"${at}.125"`),
  );
  const read = frames.map((text) => reader.read(text));
  assertEquals(
    read.map((candle) => String(candle?.row[5])),
    Array.from(frames, (_, at) => `${at}.125`),
  );
});

for (const url of RECORDED) {
  const name = url.pathname.split("/").at(-1);
  Deno.test({
    name: `FrameReader reads the candles of ${name} as JSON does (needs ../shared)`,
    ignore: !exists(url),
    fn() {
      const lines = Deno.readTextFileSync(url).trim().split("\n");
      const texts = lines.map((line) => line.replace(/^[\d.]+: /, ""));
      const candles = texts.filter((text) => text.includes('"e":"kline"'));
      assert(candles.length >= 4);
      for (const text of candles) assertEquals(isReadAlike(text), true, text);
    },
  });
}
