/**
 * Makes points of candles.
 *
 * REST rows, archive rows and websocket events of the same candle give the same point. Prices and
 * volumes keep the digits of the exchange. A candle that cannot be right is refused, by name of
 * series, open time and column.
 *
 * @module
 */

import { z } from "zod";
import { Decimal } from "../engine/decimal.ts";
import { OptionsError, RecordError } from "../engine/errors.ts";
import { defineTransform, type Doubt, type StepContext } from "../engine/plugin.ts";
import {
  KLINE_SHAPE,
  type Point,
  type PointShape,
  type RawCandle,
  type Series,
} from "../engine/point.ts";
import { textOf } from "../engine/text.ts";
import { compareDecimals, isDecimal, isWithin, sameLayout } from "./_decimal.ts";

/** The columns of a row, in the order of the exchange. The last one is not used. */
const COLUMNS = [
  "open_time",
  "open",
  "high",
  "low",
  "close",
  "volume",
  "close_time",
  "quote_volume",
  "trades",
  "taker_buy_volume",
  "taker_buy_quote_volume",
  "unused",
] as const;

/** In the order in which they are declared. */
const FIELDS = Object.keys(KLINE_SHAPE.fields);
/** So many candles in a row without volume are worth a look. */
const STILL = 60;

/** The `kline` transform. */
export const kline = defineTransform({
  id: "kline",
  summary: "Makes points of candles, whether they come by REST, websocket or archive",
  options: z.strictObject({}),
  shape(input): PointShape {
    if (input.kind === "raw" && input.format === "candle") return KLINE_SHAPE;
    const found = input.kind === "raw" ? `raw records "${input.format}"` : "points already";
    throw new OptionsError(
      `Cannot make candles of these records as they must be raw: they are ${found}`,
      {
        hint: "Put it first, right behind a source of candles",
      },
    );
  },
  step(record: RawCandle, { emit }: StepContext<unknown, void, Point>): void {
    emit(toPoint(record));
  },
  doubts,
});

/**
 * What is odd about a stored candle whose interval is over.
 *
 * @returns One that is not closed, or lacks a field, must be fetched again. Tradeless candles are
 * nothing unusual, unless there are many in a row.
 */
function doubts({ fields }: Point): Doubt[] {
  const found: Doubt[] = [];
  const absent = FIELDS.filter((name) => fields[name] === undefined);
  if (fields.closed === false) found.push({ what: "of a candle that is open", isUnfinished: true });
  if (absent.length > 0) {
    return [...found, { what: `without ${absent.join(", ")}`, isUnfinished: true }];
  }
  const [open = 0, high = 0, low = 0, close = 0, volume = 0, , taker = 0, , trades = 0] = FIELDS
    .map((name) => Number(fields[name]));
  if (low > Math.min(open, close) || high < Math.max(open, close)) {
    found.push({ what: "with open or close outside of low and high" });
  }
  if (low <= 0) found.push({ what: "with a price that is not above zero" });
  if ((volume === 0) !== (trades === 0)) found.push({ what: "with trades, or volume, alone" });
  if (taker > volume) found.push({ what: "that takers bought more of than was traded" });
  if (volume === 0) found.push({ what: "without volume, one after another", least: STILL });
  return found;
}

/**
 * Makes the point of one candle.
 *
 * @param record A REST row (times in milliseconds or microseconds), an archive row (the same as
 * text), or a websocket event, which says itself whether it is closed.
 * @returns A point at the open time. Its tags are the series object itself.
 * @throws {RecordError} If the candle cannot be right.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const point = toPoint({
 *   series: { exchange: "binance", symbol: "BELBTC", base: "BEL", quote: "BTC", interval: "1m" },
 *   candle: [
 *     1681153980000, "0.00002369", "0.00002370", "0.00002360", "0.00002361",
 *     "12.5", 1681154039999, "0.0002954", 3, "2.5", "0.0000591", "0",
 *   ],
 * });
 * assertEquals(point.fields.close, "0.00002361");
 * assertEquals(point.timeMs, Date.UTC(2023, 3, 10, 19, 13));
 * ```
 */
export function toPoint({ series, candle, closed = true }: RawCandle): Point {
  if (!Array.isArray(candle)) {
    const event = parseEvent(series, candle);
    return fromRow(series, event.row, event.closed);
  }
  if (candle.length === COLUMNS.length) return fromRow(series, candle, closed);
  throw refusal(series, candle[0], `it must have 12 columns: it has ${candle.length}`);
}

function fromRow(series: Series, row: readonly unknown[], closed: boolean): Point {
  const timeMs = timeAt(series, row, 0);
  const open = decimalAt(series, row, 1);
  const high = decimalAt(series, row, 2);
  const low = decimalAt(series, row, 3);
  const close = decimalAt(series, row, 4);
  if (!inRange(open, high, low, close)) throw rangeRefusal(series, row);
  const fields = {
    open,
    high,
    low,
    close,
    volume: decimalAt(series, row, 5),
    quote_volume: decimalAt(series, row, 7),
    taker_buy_volume: decimalAt(series, row, 9),
    taker_buy_quote_volume: decimalAt(series, row, 10),
    trades: wholeAt(series, row, 8),
    closed,
  };
  if (timeAt(series, row, 6) >= timeMs) {
    return { measurement: "kline", tags: series, fields, timeMs };
  }
  throw refusal(
    series,
    row[0],
    `"close_time" must not be before "open_time": it is ${show(row[6])}`,
  );
}

function decimalAt(series: Series, row: readonly unknown[], column: number): Decimal | string {
  const value = row[column];
  if (value instanceof Decimal) return value;
  if (typeof value === "string" && isDecimal(value)) return value;
  throw columnRefusal(series, row, column, "be text of decimal digits, without a sign");
}

function wholeAt(series: Series, row: readonly unknown[], column: number): number {
  const value = row[column];
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw columnRefusal(series, row, column, "be a whole number, 0 at least");
}

/** Milliseconds have 13 digits from 2001 to 2286, microseconds 16. */
function timeAt(series: Series, row: readonly unknown[], column: number): number {
  const time = wholeAt(series, row, column);
  if (time >= 1e12 && time < 1e13) return time;
  if (time >= 1e15 && time < 1e16) return Math.floor(time / 1_000);
  const seconds = time >= 1e9 && time < 1e10 ? ", not in seconds" : "";
  throw columnRefusal(
    series,
    row,
    column,
    `be in milliseconds or microseconds since 1970${seconds}`,
  );
}

function inRange(
  open: Decimal | string,
  high: Decimal | string,
  low: Decimal | string,
  close: Decimal | string,
): boolean {
  if (
    open instanceof Decimal && high instanceof Decimal && low instanceof Decimal &&
    close instanceof Decimal
  ) {
    return isWithin(open, low, high) && isWithin(close, low, high);
  }
  return areInRange(String(open), String(high), String(low), String(close));
}

/** Prices of one candle nearly always have the same layout, and then compare as text. */
function areInRange(open: string, high: string, low: string, close: string): boolean {
  const dotAt = open.indexOf(".");
  if (
    sameLayout(open, high, dotAt) && sameLayout(open, low, dotAt) && sameLayout(open, close, dotAt)
  ) {
    return open <= high && open >= low && close <= high && close >= low;
  }
  return [open, close].every((price) =>
    compareDecimals(price, high) <= 0 && compareDecimals(price, low) >= 0
  );
}

function parseEvent(series: Series, event: unknown): { row: readonly unknown[]; closed: boolean } {
  if (!isRecord(event) || event.e !== "kline" || !isRecord(event.k)) {
    throw refusal(
      series,
      undefined,
      "it must be a row of 12 columns or a websocket event of a candle",
    );
  }
  const { t, o, h, l, c, v, T, q, n, V, Q, s, i, x } = event.k;
  const other = s === series.symbol ? event.s ?? s : s;
  if (other !== series.symbol) {
    throw refusal(series, t, `the event must be of that symbol: it is of ${show(other)}`);
  }
  if (i !== series.interval) {
    throw refusal(series, t, `the event must be of that interval: it is of ${show(i)}`);
  }
  if (typeof x !== "boolean") {
    throw refusal(series, t, `"closed" must be true or false: it is ${show(x)}`);
  }
  return { row: [t, o, h, l, c, v, T, q, n, V, Q], closed: x };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function rangeRefusal(series: Series, row: readonly unknown[]): RecordError {
  const [, open = "", high = "", low = "", close = ""] = row.slice(0, 5).map(String);
  const found = `low ${show(low)}, high ${show(high)}`;
  const why = compareDecimals(high, low) < 0
    ? `"high" must not be below "low": it has ${found}`
    : `"open" and "close" must lie between "low" and "high": it has open ${show(open)}, close ${
      show(close)
    }, ${found}`;
  return refusal(series, row[0], why);
}

function columnRefusal(
  series: Series,
  row: readonly unknown[],
  column: number,
  must: string,
): RecordError {
  return refusal(series, row[0], `"${COLUMNS[column]}" must ${must}: it is ${show(row[column])}`);
}

function refusal(
  { exchange, symbol, interval }: Series,
  openTime: unknown,
  why: string,
): RecordError {
  return new RecordError(
    `Cannot read the ${interval} candle of ${symbol} on ${exchange} that opens at ${
      showTime(openTime)
    } as ${why}`,
  );
}

/** A value as a message shows it: short, whatever it is. */
function show(value: unknown): string {
  const text = textOf(value);
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return typeof value === "string" || value instanceof Decimal ? JSON.stringify(short) : short;
}

function showTime(openTime: unknown): string {
  const time = typeof openTime === "object" ? NaN : Number(openTime);
  const timeMs = time >= 1e15 ? time / 1_000 : time;
  return timeMs >= 1e12 && timeMs < 1e13 ? new Date(timeMs).toISOString() : show(openTime);
}
