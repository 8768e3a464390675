/**
 * What a record looks like on its way: raw from an exchange, or a point that every sink understands.
 *
 * @module
 */

import type { Decimal } from "./decimal.ts";

/**
 * A value of a field. Its type in the store is the one its shape declares, never that of the value.
 *
 * Of a number in any form, `Number(value)` gives the float and `String(value)` the digits.
 */
export type FieldValue = string | number | bigint | boolean | Decimal;

/**
 * A record that sinks understand.
 *
 * A float may be a number, a string of decimal digits or a {@linkcode Decimal}. The latter two keep
 * the digits of the exchange from wire to store: 4 % of real quote volumes do not survive a trip
 * through a float. A field without a value is left out; there is no marker for "none".
 */
export interface Point {
  /** The name of the table in the store. */
  readonly measurement: string;
  /** The identity of the series. Points of one series should share one object: encoders cache by it. */
  readonly tags: Readonly<Record<string, string>>;
  /** The values. Absent means no value. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timeMs: number;
}

/** The type of a field in the store, declared once per measurement and field. */
export type FieldType = "float" | "integer" | "boolean" | "string";

/** What points of one measurement look like. */
export interface PointShape {
  /** Says that this is a point. */
  readonly kind: "point";
  /** The measurement of every such point. */
  readonly measurement: string;
  /** The tags every such point has. */
  readonly tags: readonly string[];
  /** The fields such a point may have, in the order they are written. */
  readonly fields: Readonly<Record<string, FieldType>>;
}

/** Records that are not points yet, such as the rows of an exchange. */
export interface RawShape {
  /** Says that a transform has to make points of it. */
  readonly kind: "raw";
  /** The name that a transform asks for, such as `candle`. */
  readonly format: string;
}

/** What a step takes or gives. Steps are checked against each other before anything runs. */
export type RecordShape = PointShape | RawShape;

/** What points of candles look like in every store: `kline` makes them, and they are read back so. */
export const KLINE_SHAPE: PointShape = {
  kind: "point",
  measurement: "kline",
  tags: ["exchange", "symbol", "base", "quote", "interval"],
  fields: {
    open: "float",
    high: "float",
    low: "float",
    close: "float",
    volume: "float",
    quote_volume: "float",
    taker_buy_volume: "float",
    taker_buy_quote_volume: "float",
    trades: "integer",
    closed: "boolean",
  },
};

/** One series of candles: one symbol at one interval on one exchange. A type, so that it may serve as tags. */
export type Series = {
  /** Name of the exchange, lower case. */
  readonly exchange: string;
  /** Symbol as the exchange writes it, upper case. */
  readonly symbol: string;
  /** Base asset, from the exchange, never cut from the symbol. */
  readonly base: string;
  /** Quote asset, from the exchange. */
  readonly quote: string;
  /** Interval as the exchange writes it: `1m` is a minute, `1M` a month. */
  readonly interval: string;
};

/**
 * A candle as an exchange sent it: a record of the raw format `candle`.
 *
 * The candle itself is not looked into before a transform reads it, so that a bad one is
 * rejected there, with its step's `on_error`.
 */
export interface RawCandle {
  /** The series it belongs to. Candles of one series share one object. */
  readonly series: Series;
  /** A REST row, an archive row or a websocket event. */
  readonly candle: unknown;
  /** Whether the candle is final. A websocket event says so itself. */
  readonly closed?: boolean;
}
