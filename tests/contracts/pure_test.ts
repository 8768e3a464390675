import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Decimal } from "../../engine/decimal.ts";
import { assertSame, copyOf, frozenCopy, inText } from "./pure.ts";
import { findShapeFault } from "./shape.ts";

const CLOSE = Decimal.of("0.10");

Deno.test("copyOf() copies all the way down, shares what was shared, and keeps decimals", () => {
  const tags = { symbol: "A" };
  const records = [{ tags, fields: { close: CLOSE }, at: new Date(5) }, { tags, rest: [1n, null] }];
  const copy = copyOf(records);
  assertEquals(inText(copy), inText(records));
  assertEquals(copy[0]?.tags === tags, false);
  assertStrictEquals(copy[0]?.tags, copy[1]?.tags);
  assertStrictEquals(copy[0]?.fields?.close, CLOSE);
  assertEquals(copy[0]?.at, new Date(5));
  assertEquals(copy[0]?.at === records[0]?.at, false);
});

Deno.test("frozenCopy() can be frozen with decimals in it", () => {
  const { fields } = frozenCopy({ fields: { close: CLOSE } });
  assertEquals([Object.isFrozen(fields), String(fields.close)], [true, "0.10"]);
});

Deno.test("assertSame() compares decimals by their digits, with each other and with text", () => {
  assertSame([Decimal.of("0.10"), { close: CLOSE }], ["0.10", { close: CLOSE }], "same");
  assertThrows(() => assertSame([CLOSE], [Decimal.of("0.1")], "digits"), Error, "digits");
  assertThrows(() => assertSame([CLOSE], [0.1], "number"), Error, "number");
});

Deno.test("findShapeFault() takes a decimal for a float and for nothing else", () => {
  const shapeOf = (type: "float" | "integer" | "string") =>
    ({ kind: "point", measurement: "price", tags: [], fields: { close: type } }) as const;
  const point = { measurement: "price", tags: {}, fields: { close: CLOSE }, timeMs: 0 };
  assertEquals(findShapeFault(point, shapeOf("float")), undefined);
  assertEquals(
    findShapeFault(point, shapeOf("integer")),
    'field "close" must be a integer: it is 0.10',
  );
  assertEquals(
    findShapeFault(point, shapeOf("string")),
    'field "close" must be a string: it is 0.10',
  );
});
