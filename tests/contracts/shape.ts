/**
 * Whether a record looks as its shape says.
 *
 * @module
 */

import { Decimal } from "../../engine/decimal.ts";
import type { FieldType, FieldValue, PointShape, RecordShape } from "../../engine/point.ts";

/** What text a float may be: decimal digits, as exchanges write them. */
const DECIMAL = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * What is wrong with a record.
 *
 * @param record What a source or transform gave.
 * @param shape What it says of its records.
 * @returns The first thing that is not as the shape declares, or nothing when all is well.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const shape = {
 *   kind: "point",
 *   measurement: "price",
 *   tags: ["symbol"],
 *   fields: { close: "float" },
 * } as const;
 * const point = { measurement: "price", tags: { symbol: "A" }, fields: { close: NaN }, timeMs: 0 };
 * assertEquals(findShapeFault(point, shape), 'field "close" must be a float: it is NaN');
 * ```
 */
export function findShapeFault(record: unknown, shape: RecordShape): string | undefined {
  if (shape.kind === "point") return findPointFault(record, shape);
  return shape.format === "candle" ? findCandleFault(record) : undefined;
}

function findPointFault(record: unknown, shape: PointShape): string | undefined {
  if (!isObject(record)) return `it must be a point: it is ${show(record)}`;
  const { measurement, tags, fields, timeMs } = record;
  if (measurement !== shape.measurement) {
    return `its measurement must be "${shape.measurement}": it is ${show(measurement)}`;
  }
  if (!isObject(tags) || !isObject(fields)) return "it must have tags and fields";
  if (!Number.isSafeInteger(timeMs)) {
    return `its timeMs must be a whole number of milliseconds: it is ${show(timeMs)}`;
  }
  return findTagFault(tags, shape) ?? findFieldFault(fields, shape);
}

function findTagFault(tags: Record<string, unknown>, shape: PointShape): string | undefined {
  const undeclared = Object.keys(tags).find((name) => !shape.tags.includes(name));
  if (undeclared !== undefined) return `tag "${undeclared}" is not declared`;
  const wrong = shape.tags.find((name) => typeof tags[name] !== "string" || tags[name] === "");
  return wrong && `tag "${wrong}" must be text that is not empty: it is ${show(tags[wrong])}`;
}

function findFieldFault(fields: Record<string, unknown>, shape: PointShape): string | undefined {
  const entries = Object.entries(fields);
  if (entries.length === 0) return "it must have at least one field";
  for (const [name, value] of entries) {
    const type = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (!type) return `field "${name}" is not declared`;
    if (!isOfType(value, type)) return `field "${name}" must be a ${type}: it is ${show(value)}`;
  }
  return undefined;
}

function isOfType(value: unknown, type: FieldType): value is FieldValue {
  switch (type) {
    case "float":
      if (value instanceof Decimal) return true;
      return typeof value === "string" ? DECIMAL.test(value) : Number.isFinite(value);
    case "integer":
      return typeof value === "bigint" || Number.isSafeInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
  }
}

function findCandleFault(record: unknown): string | undefined {
  if (!isObject(record)) return `it must be a raw candle: it is ${show(record)}`;
  const { series } = record;
  if (!isObject(series)) return "it must have a series";
  const wrong = ["exchange", "symbol", "base", "quote", "interval"]
    .find((name) => typeof series[name] !== "string" || series[name] === "");
  if (wrong !== undefined) {
    return `"${wrong}" of its series must be text: it is ${show(series[wrong])}`;
  }
  return "candle" in record ? undefined : "it must have a candle";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
