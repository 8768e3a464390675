/**
 * JSON, one record on a line.
 *
 * A point of a declared measurement is checked against its declaration and written as
 * `{"measurement": …, "tags": {…}, "fields": {…}, "time": …}`. Floats are JSON numbers with exactly
 * the digits they came with, integers have all of their 64 bits, and the time is ISO 8601 in UTC
 * with milliseconds. A reader that keeps numbers as binary64 rounds them, the file does not.
 *
 * Any other record is written as JSON has it: a bigint as text of its digits, and a number that
 * JSON does not know as the text `NaN`, `Infinity` or `-Infinity`.
 *
 * @module
 */

import { describeError, RecordError } from "../engine/errors.ts";
import type { Encoding } from "../engine/plugin.ts";
import type { FieldType, FieldValue, Point } from "../engine/point.ts";
import {
  checkTags,
  checkTime,
  declare,
  type Declared,
  fieldRefusal,
  fieldsOf,
  isPoint,
  writeEach,
} from "./_points.ts";
import { valueText } from "./_values.ts";

/** What is a decimal, and no JSON number. */
const LEADING_ZERO = /^-?0\d/;

/**
 * Encodes records as lines of JSON.
 *
 * @param records Any records.
 * @param encoding The declared shapes, and where refused records go.
 * @param check What else must hold of a record; throws a {@linkcode RecordError} if it does not.
 * @returns The bytes, as UTF-8; each line ends with a line feed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const shapes = [
 *   { kind: "point", measurement: "price", tags: ["symbol"], fields: { close: "float" } },
 * ] as const;
 * const point = {
 *   measurement: "price",
 *   tags: { symbol: "BTCUSDT" },
 *   fields: { close: "0.10" },
 *   timeMs: 1_514_764_800_000,
 * };
 * const bytes = encodeJson([point, { any: 1n }], {
 *   shapes,
 *   reject: (_, error) => { throw error; },
 * });
 * assertEquals(
 *   new TextDecoder().decode(bytes),
 *   '{"measurement":"price","tags":{"symbol":"BTCUSDT"},"fields":{"close":0.10},' +
 *     '"time":"2018-01-01T00:00:00.000Z"}\n{"any":"1"}\n',
 * );
 * ```
 */
export function encodeJson(
  records: readonly unknown[],
  encoding: Pick<Encoding<unknown>, "shapes" | "reject">,
  check?: (record: unknown) => void,
): Uint8Array<ArrayBuffer> {
  const writers = new Map(
    [...declare(encoding.shapes)].map(([name, declared]) => [name, pointWriter(declared)]),
  );
  const lines = writeEach(records, encoding, (record) => {
    check?.(record);
    const write = isPoint(record) ? writers.get(record.measurement) : undefined;
    return `${isPoint(record) && write ? write(record) : anyText(record)}\n`;
  });
  return new TextEncoder().encode(lines.join(""));
}

function pointWriter(declared: Declared): (point: Point) => string {
  const labels = new Map(
    [...declared.fields.keys()].map((name) => [name, `,${JSON.stringify(name)}:`]),
  );
  // Points of one series share one object of tags.
  const heads = new Map<Point["tags"], string>();
  return (point) => {
    let head = heads.get(point.tags);
    if (head === undefined) heads.set(point.tags, head = headOf(point, declared));
    let fields = "";
    for (const [name, type, value] of fieldsOf(point, declared)) {
      const text = jsonText(type, value);
      if (text === undefined) throw fieldRefusal(point, name, type);
      fields += `${labels.get(name)}${text}`;
    }
    return head + fields.slice(1) + timeText(point);
  };
}

function headOf(point: Point, declared: Declared): string {
  checkTags(point, declared);
  const tags = declared.tags.filter((name) => Object.hasOwn(point.tags, name))
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(point.tags[name])}`);
  return `{"measurement":${JSON.stringify(point.measurement)},"tags":{${tags}},"fields":{`;
}

function timeText(point: Point): string {
  checkTime(point);
  return `},"time":"${new Date(point.timeMs).toISOString()}"}`;
}

/** Nothing, if the value is not of its type or JSON has no such number. */
function jsonText(type: FieldType, value: FieldValue): string | undefined {
  const text = valueText(type, value);
  if (text === undefined || (type === "float" && LEADING_ZERO.test(text))) return undefined;
  return type === "string" ? JSON.stringify(text) : text;
}

function anyText(record: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(record, withoutLoss);
  } catch (error) {
    throw new RecordError(
      `Cannot write a record as JSON: it must be made of plain values: ${describeError(error)}`,
      { cause: error },
    );
  }
  if (text !== undefined) return text;
  throw new RecordError(
    `Cannot write a record as JSON: it must be a value, found ${typeof record}`,
  );
}

function withoutLoss(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
