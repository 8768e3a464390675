/** Targets: candles in all their shapes, websocket frames among them. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RecordError } from "../../engine/errors.ts";
import type { Point } from "../../engine/point.ts";
import { fingerprint } from "../../sources/_binance/fingerprint.ts";
import { isTime } from "../../sources/_binance/holes.ts";
import { MessageReader } from "../../sources/_binance/stream_message.ts";
import { toPoint } from "../../transforms/kline.ts";
import { decimal, json, must, mustBeMessage, NASTY, onlyThrows, quote, spoiled } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const SERIES = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "1m",
};
const OPEN_MS = Date.UTC(2024, 0, 1);

/** A row that is right. Prices are put in order. */
const goodRow = fc.tuple(
  fc.array(decimal(), { minLength: 4, maxLength: 4 }),
  decimal(),
  fc.nat(1_000),
).map(([prices, volume, slot]) => {
  const [low = "", open = "", close = "", high = ""] = prices.toSorted(byValue);
  const openMs = OPEN_MS + 60_000 * slot;
  return [
    openMs,
    open,
    high,
    low,
    close,
    volume,
    openMs + 59_999,
    volume,
    slot,
    volume,
    volume,
    "0",
  ];
});

/** Some cells replaced; as text where archives have it so; times in microseconds where they do. */
const anyRow = fc.tuple(
  goodRow,
  fc.array(fc.tuple(fc.nat(11), json()), { maxLength: 2 }),
  fc.constantFrom("rest", "archive", "micros", "short", "long"),
).map(([row, changes, kind]) => {
  let cells: unknown[] = [...row];
  if (kind === "micros") {
    cells = cells.map((cell, at) => at === 0 || at === 6 ? Number(cell) * 1_000 : cell);
  }
  for (const [at, value] of changes) cells[at] = value;
  if (kind === "archive") cells = cells.map(asCell);
  if (kind === "short") cells.pop();
  if (kind === "long") cells.push("0");
  return cells;
});

/** A websocket event of a row. */
function eventOf(row: readonly unknown[], x: unknown): Record<string, unknown> {
  const [t, o, h, l, c, v, T, q, n, V, Q] = row;
  const { symbol: s, interval: i } = SERIES;
  const [f, L] = n === 0 ? [-1, -1] : [100, 199];
  const k = { t, T, s, i, f, L, o, c, h, l, v, n, x, q, V, Q, B: "0" };
  return { e: "kline", E: OPEN_MS, s, k };
}

const anyEvent = fc.tuple(
  anyRow,
  fc.oneof({ weight: 5, arbitrary: fc.boolean() }, { weight: 1, arbitrary: json() }),
  fc.option(fc.tuple(fc.constantFrom("e", "s", "k", "i", "x", "t"), json()), { freq: 3 }),
).map(([row, closed, change]) => {
  const event = eventOf(row, closed);
  if (change) {
    const [key, value] = change;
    if (key === "e" || key === "k") event[key] = value;
    else event.k = { ...Object(event.k), [key]: value };
  }
  return event;
});

const candles = defineTarget({
  name: "candles",
  promise: "A candle becomes a point with its very digits, or is refused with a RecordError",
  cases: 2_000,
  arbitrary: fc.oneof(
    { weight: 6, arbitrary: anyRow },
    { weight: 2, arbitrary: anyEvent },
    { weight: 1, arbitrary: json() },
  ),
  holds(candle) {
    const made = onlyThrows([RecordError], () => toPoint({ series: SERIES, candle }));
    if ("value" in made) mustBeCandle(made.value, candle);
  },
});

const goodCandles = defineTarget({
  name: "candles_right",
  promise: "A right candle gives one point, whether as a row, as text or as an event",
  cases: 500,
  arbitrary: goodRow,
  holds(row) {
    const digits = (candle: unknown) => {
      const { fields, timeMs } = toPoint({ series: SERIES, candle });
      return { fields: Object.entries(fields).map(String), timeMs };
    };
    const expected = digits(row);
    assertEquals(digits(row.map(String)), expected);
    assertEquals(digits(eventOf(row, true)), expected);
  },
});

const frames = defineTarget({
  name: "frames",
  promise: "A frame is read without an error, and a candle in it is what REST would give",
  cases: 1_500,
  arbitrary: fc.tuple(
    fc.oneof(
      { weight: 5, arbitrary: anyEvent },
      {
        weight: 2,
        arbitrary: fc.record({
          result: json(),
          id: json(),
          error: json(),
          code: json(),
          msg: json(),
        }, {
          requiredKeys: [],
        }),
      },
      { weight: 1, arbitrary: json() },
    ),
    fc.boolean(),
  ).map(([value, combined]) => JSON.stringify(combined ? { stream: "x", data: value } : value)),
  holds: (frame) => mustReadFrame(frame),
});

const brokenFrames = defineTarget({
  name: "frames_spoiled",
  promise: "A spoiled frame is read without an error, and never as a candle of another time",
  cases: 1_500,
  arbitrary: spoiled(
    goodRow.map((row) => JSON.stringify(eventOf(row, true))),
    [...NASTY, "{", "}", ":", "1", "9"],
  ),
  holds: (frame) => mustReadFrame(frame),
});

/** One for all frames, as a connection has: what is left of one must not be read as another. */
const reader = new MessageReader();

function mustReadFrame(frame: string): void {
  const message = reader.read(frame);
  if (message.kind === "unknown") mustBeMessage(message.what);
  if (message.kind === "reply" && message.error !== undefined) {
    mustBeMessage(message.error);
  }
  if (message.kind !== "candle") return;
  must(isTime(message.openMs), `a time, found ${message.openMs}`);
  must(message.row[0] === message.openMs, "a row that opens when the candle does");
  must(Number.isSafeInteger(fingerprint(message.row)), "a fingerprint");
  const { symbol, interval } = message;
  if (!/^\w+$/.test(symbol + interval)) return; // no series that a pipeline could name
  const series = { ...SERIES, symbol, interval };
  const value = JSON.parse(frame);
  const event = value.data ?? value;
  const byEvent = onlyThrows([RecordError], () => toPoint({ series, candle: event }));
  const byRow = onlyThrows(
    [RecordError],
    () => toPoint({ series, candle: message.row, closed: message.closed }),
  );
  if ("value" in byEvent && "value" in byRow) {
    assertEquals(JSON.stringify(byEvent.value), JSON.stringify(byRow.value));
  }
}

/** What was taken for a candle must be one: checked without the code that took it. */
function mustBeCandle({ fields, timeMs }: Point, candle: unknown): void {
  const text = JSON.stringify(candle);
  const prices = [fields.low, fields.open, fields.close, fields.high].map(String);
  for (const value of [...prices, fields.volume, fields.quote_volume, fields.taker_buy_volume]) {
    must(/^[0-9]+(\.[0-9]+)?$/.test(String(value)), `a decimal, found ${quote(value)}`);
    must(text.includes(JSON.stringify(value)), `digits of the exchange, found ${quote(value)}`);
  }
  const [low = "", open = "", close = "", high = ""] = prices;
  for (const price of [open, close]) {
    must(byValue(low, price) <= 0 && byValue(price, high) <= 0, `prices in order: ${prices}`);
  }
  must(isTime(timeMs), `a time, found ${timeMs}`);
  must(Number.isSafeInteger(fields.trades) && Number(fields.trades) >= 0, "a count of trades");
  must(typeof fields.closed === "boolean", "true or false");
}

/** The order of decimals by whole numbers of equal scale. */
function byValue(a: string, b: string): number {
  const [left, right] = [scaled(a), scaled(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function scaled(decimal: string): bigint {
  const [whole = "", part = ""] = decimal.split(".");
  return BigInt(whole + part.padEnd(30, "0"));
}

/** As text, like a cell of an archive. */
function asCell(cell: unknown): string {
  return typeof cell === "string" ? cell : JSON.stringify(cell);
}

/** All targets of this file. */
export const CANDLES: readonly FuzzTarget[] = [candles, goodCandles, frames, brokenFrames];
