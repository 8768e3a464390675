/** Points that the tests of sinks share. @module */

import type { RecordError } from "../../engine/errors.ts";
import type { Point, PointShape, RecordShape } from "../../engine/point.ts";

/** A sink's encoding without options. */
export type Encode = (
  records: readonly unknown[],
  encoding: {
    readonly shapes: readonly RecordShape[];
    reject(index: number, error: RecordError): void;
  },
) => Uint8Array;

/** 2018-01-01T00:00:00Z. */
export const TIME_MS = 1_514_764_800_000;

/** A shape with a field of each type. */
export const QUOTE: PointShape = {
  kind: "point",
  measurement: "quote",
  tags: ["symbol", "exchange"],
  fields: { price: "float", trades: "integer", closed: "boolean", note: "string" },
};

/** The tags of {@linkcode QUOTE}, as one object for all points. */
export const TAGS = { symbol: "BTCUSDT", exchange: "binance" };

/** A point of {@linkcode QUOTE}. */
export function quotePoint(parts: { readonly [name in keyof Point]?: unknown } = {}): unknown {
  return { measurement: "quote", tags: TAGS, fields: { price: "1.50" }, timeMs: TIME_MS, ...parts };
}

/** The text of records none of which may be refused. */
export function textOf(
  encode: Encode,
  records: readonly unknown[],
  shapes: readonly RecordShape[] = [QUOTE],
): string {
  const reject = (_index: number, error: RecordError) => {
    throw error;
  };
  return new TextDecoder().decode(encode(records, { shapes, reject }));
}

/** The message of the error that a record is refused with; empty if it is not. */
export function refusalOf(
  encode: Encode,
  record: unknown,
  shapes: readonly RecordShape[] = [QUOTE],
): string {
  let message = "";
  const bytes = encode([record], { shapes, reject: (_, error) => void (message = error.message) });
  if (message !== "" && bytes.length > 0) throw new Error("A refused record left bytes behind");
  return message;
}
