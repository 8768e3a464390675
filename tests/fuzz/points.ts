/** Targets: what sinks make of points. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Decimal } from "../../engine/decimal.ts";
import { OptionsError, RecordError } from "../../engine/errors.ts";
import type { FieldType, FieldValue, Point, PointShape } from "../../engine/point.ts";
import { acceptLineProtocol, encodeLineProtocol } from "../../sinks/_line_protocol.ts";
import { encodeJson } from "../../sinks/_json.ts";
import { decodeLineProtocol } from "../sinks/_decode_line_protocol.ts";
import { decimal, must, onlyThrows, quote, text } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const TYPES = ["float", "integer", "boolean", "string"] as const;

/** Names that are right, and now and then any. */
function name(): fc.Arbitrary<string> {
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom("a", "B c", "d,e", "f=g", "héllo", "😀", "x_14", "z"),
    },
    { weight: 1, arbitrary: fc.oneof(text(), fc.constantFrom("time", "_field", "#a")) },
  );
}

function valueOfType(type: FieldType): fc.Arbitrary<FieldValue> {
  switch (type) {
    case "float":
      return fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        decimal(),
        decimal().map((digits) => Decimal.of(digits)),
        fc.constantFrom(0, -0, 1e300, 5e-324, "-0.5", "1e-7"),
      );
    case "integer":
      return fc.oneof(
        fc.maxSafeInteger(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      );
    case "boolean":
      return fc.boolean();
    case "string":
      return fc.string({ maxLength: 8, unit: "grapheme" }).filter((one) =>
        !/[\r\n]/.test(one) && one.isWellFormed()
      );
  }
}

const anyValue: fc.Arbitrary<FieldValue> = fc.oneof(
  text(),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  decimal().map((digits) => Decimal.of(digits)),
);

const timeMs = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 9_223_372_036_854 }) },
  { weight: 1, arbitrary: fc.integer({ min: -9_223_372_036_854, max: -1 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1.5, NaN, Infinity, 9_223_372_036_855, 2 ** 60) },
);

const shape = fc.record({
  measurement: name(),
  tags: fc.uniqueArray(name(), { maxLength: 3 }),
  fields: fc.uniqueArray(fc.tuple(name(), fc.constantFrom(...TYPES)), {
    minLength: 1,
    maxLength: 4,
    selector: ([field]) => field,
  }),
});

/** A shape, and points that mostly are of it. */
const points = shape.chain(({ measurement, tags, fields }) => {
  const tagValues = fc.tuple(...tags.map((tag) => name().map((value) => [tag, value] as const)));
  const fieldValues = fc.tuple(...fields.map(([field, type]) =>
    fc.oneof(
      { weight: 10, arbitrary: valueOfType(type) },
      { weight: 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: anyValue },
    ).map((value) => [field, value] as const)
  ));
  const point = fc.record({
    measurement: fc.oneof({ weight: 20, arbitrary: fc.constant(measurement) }, {
      weight: 1,
      arbitrary: name(),
    }),
    tags: tagValues.map((entries) => Object.fromEntries(entries)),
    fields: fieldValues.map((entries) =>
      Object.fromEntries(entries.filter(([, value]) => value !== undefined))
    ),
    timeMs,
  });
  const declared: PointShape = {
    kind: "point",
    measurement,
    tags,
    fields: Object.fromEntries(fields),
  };
  return fc.tuple(fc.constant(declared), fc.array(point, { minLength: 1, maxLength: 3 }));
}) as fc.Arbitrary<[PointShape, Point[]]>;

const lineProtocol = defineTarget({
  name: "line_protocol",
  promise: "What is written is read back alike by a decoder of its own; anything else is refused",
  cases: 2_000,
  arbitrary: points,
  holds([shape, records]) {
    if ("error" in onlyThrows([OptionsError], () => acceptLineProtocol(shape))) return;
    const refused = new Set<number>();
    const bytes = encodeLineProtocol(records, {
      shapes: [shape],
      reject(index, error) {
        must(error instanceof RecordError, "a RecordError");
        refused.add(index);
      },
    });
    const kept = records.filter((_, index) => !refused.has(index));
    const lines = decodeLineProtocol(bytes);
    must(lines.length === kept.length, `${kept.length} lines, found ${lines.length}`);
    for (const [index, line] of lines.entries()) {
      const point = kept[index];
      must(point !== undefined && line.measurement === point.measurement, "its measurement");
      assertEquals(new Map(line.tags), new Map(Object.entries(point.tags)));
      assertEquals(line.time, String(point.timeMs));
      must(line.fields.length === Object.keys(point.fields).length, "each field");
      for (const [field, written] of line.fields) {
        mustBeSame(written, shape.fields[field], point.fields[field]);
      }
    }
    for (const index of refused) mustBeRefusable(records[index], shape);
  },
});

function mustBeSame(
  written: string | { readonly text: string },
  type: FieldType | undefined,
  value: FieldValue | undefined,
): void {
  if (type === "string") return assertEquals(written, { text: String(value) });
  must(typeof written === "string", `no text, found ${quote(written)}`);
  if (type === "boolean") assertEquals(written, String(value));
  else if (type === "integer") assertEquals(written, `${value}i`);
  else if (typeof value === "number") assertEquals(Number(written), value + 0);
  else assertEquals(written, String(value));
}

/** Nothing that is right is refused: told without the code that refuses. */
function mustBeRefusable(point: Point | undefined, shape: PointShape): void {
  must(point !== undefined, "a record that was given");
  const bad = [
    point.measurement !== shape.measurement,
    !Number.isSafeInteger(point.timeMs) || point.timeMs === 0,
    Math.abs(point.timeMs) > 9_223_372_036_854,
    Object.keys(point.fields).length === 0,
    ...Object.values(point.tags).map((value) => !isPlainName(value)),
    ...Object.entries(point.fields).map(([field, value]) => !isOf(shape.fields[field], value)),
  ];
  must(bad.includes(true), `no reason to refuse ${quote(point)}`);
}

function isPlainName(value: string): boolean {
  // deno-lint-ignore no-control-regex -- they are what is looked for
  return value !== "" && value.isWellFormed() && !/[\\\x00-\x1f\x7f]/.test(value);
}

function isOf(type: FieldType | undefined, value: FieldValue): boolean {
  switch (type) {
    case "float":
      if (typeof value === "number") return Number.isFinite(value);
      if (typeof value === "string") {
        return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value) && Number.isFinite(Number(value));
      }
      return value instanceof Decimal;
    case "integer":
      if (typeof value === "bigint") return BigInt.asIntN(64, value) === value;
      return Number.isSafeInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && value.isWellFormed() && !/[\r\n]/.test(value);
    default:
      return false;
  }
}

const jsonLines = defineTarget({
  name: "json_lines",
  promise: "Each point is one line of JSON with its values, or is refused",
  cases: 1_000,
  arbitrary: points,
  holds([shape, records]) {
    let refused = 0;
    const bytes = encodeJson(records, {
      shapes: [shape],
      reject(_, error) {
        must(error instanceof RecordError, "a RecordError");
        refused++;
      },
    });
    const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
    must(lines.length === records.length - refused, "a line for each record that was not refused");
    for (const line of lines) must(typeof JSON.parse(line) === "object", "JSON");
  },
});

/** All targets of this file. */
export const POINTS: readonly FuzzTarget[] = [lineProtocol, jsonLines];
