import { assertEquals, assertThrows } from "@std/assert";
import { OptionsError } from "../../engine/errors.ts";
import type { Point } from "../../engine/point.ts";
import { keepFields } from "../../transforms/keep_fields.ts";
import { testTransform } from "../contracts/transform.ts";

const SHAPE = {
  kind: "point",
  measurement: "price",
  tags: ["symbol"],
  fields: { close: "float", trades: "integer", note: "string" },
} as const;

function point(timeMs: number, fields: Point["fields"]): Point {
  return { measurement: "price", tags: { symbol: "TULIP" }, fields, timeMs };
}

testTransform(keepFields, {
  options: { fields: ["note", "close"] },
  badOptions: [{}, { fields: [] }, { fields: [""] }, { fields: ["close", "close"] }],
  permissions: {},
  shape: SHAPE,
  badShapes: [
    { kind: "raw", format: "candle" },
    { ...SHAPE, fields: { close: "float" } },
  ],
  records: [
    point(1, { close: "400.00", trades: 3, note: "a" }),
    point(2, { trades: 4 }),
    point(3, { close: 0, trades: 5 }),
    point(4, {}),
  ],
  expected: [point(1, { note: "a", close: "400.00" }), point(3, { close: 0 })],
});

Deno.test("keep_fields keeps the fields in the order in which they are written", () => {
  const shape = keepFields.shape(SHAPE, { fields: ["note", "close"] });
  assertEquals(shape, { ...SHAPE, fields: { close: "float", note: "string" } });
  assertEquals(shape.kind === "point" && Object.keys(shape.fields), ["close", "note"]);
});

Deno.test("keep_fields names the nearest field where one does not exist", () => {
  const error = assertThrows(() => keepFields.shape(SHAPE, { fields: ["closed"] }), OptionsError);
  assertEquals(
    error.message,
    'Cannot keep field "closed" as it must be a field of "price": it is none',
  );
  assertEquals(error.hint, 'Did you mean "close"?');
});
