import type { Point } from "../../../mod.ts";
import priceChange from "../../../pipelines/custom/price_change.ts";
import { testTransform } from "../../contracts/mod.ts";

const HOUR_MS = 3_600_000;
const SHAPE = {
  kind: "point",
  measurement: "price",
  tags: ["symbol"],
  fields: { close: "float", closed: "boolean" },
} as const;

function point(symbol: string, hour: number, fields: Point["fields"]): Point {
  return { measurement: "price", tags: { symbol }, fields, timeMs: hour * HOUR_MS };
}

testTransform(priceChange, {
  options: {},
  badOptions: [{ field: "" }, { field: 5 }],
  permissions: {},
  shape: SHAPE,
  badShapes: [
    { kind: "raw", format: "candle" },
    { ...SHAPE, fields: { closed: "boolean" } },
    { ...SHAPE, fields: { close: "string" } },
  ],
  records: [
    point("TULIP", 1, { close: "400.00" }),
    point("PEPPER", 1, { close: 0 }),
    point("TULIP", 2, { close: "410.00" }),
    point("PEPPER", 2, { close: 2 }),
    point("TULIP", 3, { close: "205.00" }),
    point("PEPPER", 3, { close: 3, closed: true }),
    // Open candles are measured against the last closed one, which they do not replace.
    point("PEPPER", 4, { close: 6, closed: false }),
    point("PEPPER", 4, { close: 1.5, closed: false }),
    point("PEPPER", 4, { close: 3.75, closed: true }),
    // A candle that comes again is measured against the one before it, and so is the next.
    point("TULIP", 3, { close: "615.00" }),
    point("TULIP", 4, { close: "615.00" }),
    point("TULIP", 5, { closed: true }),
    point("TULIP", 6, { close: "123.00" }),
  ],
  expected: [
    point("TULIP", 1, { close: "400.00" }),
    point("PEPPER", 1, { close: 0 }),
    point("TULIP", 2, { close: "410.00", change_percent: 2.5 }),
    point("PEPPER", 2, { close: 2 }),
    point("TULIP", 3, { close: "205.00", change_percent: -50 }),
    point("PEPPER", 3, { close: 3, closed: true, change_percent: 50 }),
    point("PEPPER", 4, { close: 6, closed: false, change_percent: 100 }),
    point("PEPPER", 4, { close: 1.5, closed: false, change_percent: -50 }),
    point("PEPPER", 4, { close: 3.75, closed: true, change_percent: 25 }),
    point("TULIP", 3, { close: "615.00", change_percent: 50 }),
    point("TULIP", 4, { close: "615.00", change_percent: 0 }),
    point("TULIP", 5, { closed: true }),
    point("TULIP", 6, { close: "123.00", change_percent: -80 }),
  ],
  rejects: [
    point("TULIP", 7, { close: "" }),
    point("TULIP", 7, { close: "many" }),
    point("PEPPER", 7, { close: NaN }),
    point("TULIP", 5, { close: "1.00" }),
  ],
});

testTransform(priceChange, {
  name: "of another field",
  options: { field: "volume" },
  shape: { kind: "point", measurement: "price", tags: ["symbol"], fields: { volume: "integer" } },
  badShapes: [SHAPE],
  records: [
    point("TULIP", 1, { volume: 4n }),
    point("PEPPER", 1, { volume: 10n }),
    point("TULIP", 2, { volume: 5n }),
  ],
  expected: [
    point("TULIP", 1, { volume: 4n }),
    point("PEPPER", 1, { volume: 10n }),
    point("TULIP", 2, { volume: 5n, change_percent: 25 }),
  ],
});
