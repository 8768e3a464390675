import type { Point } from "../../mod.ts";
import { testTransform } from "../../tests/contracts/mod.ts";
import myTransform from "./my_transform.ts";

const SHAPE = {
  kind: "point",
  measurement: "price",
  tags: ["symbol"],
  fields: { close: "float" },
} as const;

function point(symbol: string, minute: number, fields: Point["fields"]): Point {
  return { measurement: "price", tags: { symbol }, fields, timeMs: minute * 60_000 };
}

testTransform(myTransform, {
  options: {},
  badOptions: [{ field: "" }],
  permissions: {},
  shape: SHAPE,
  badShapes: [{ kind: "raw", format: "candle" }, { ...SHAPE, fields: { close: "string" } }],
  records: [
    point("A", 1, { close: "1.5" }),
    point("B", 1, { close: 10 }),
    point("A", 2, { close: "2.25" }),
    point("B", 2, { close: 4 }),
  ],
  expected: [
    point("A", 1, { close: "1.5" }),
    point("B", 1, { close: 10 }),
    point("A", 2, { close: "2.25", moved: 0.75 }),
    point("B", 2, { close: 4, moved: -6 }),
  ],
  rejects: [point("A", 3, { close: "many" })],
});
