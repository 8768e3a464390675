/**
 * Values of fields as text, checked against their declared type.
 *
 * @module
 */

import { Decimal } from "../engine/decimal.ts";
import type { FieldType, FieldValue } from "../engine/point.ts";

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** A decimal that cannot be beyond the largest float. */
const SMALL_DECIMAL = /^-?\d{1,300}(?:\.\d+)?$/;

/**
 * The text of a value: what a store would read, without quotes and suffixes.
 *
 * @returns Nothing if the value is not of the type.
 */
export function valueText(type: FieldType, value: FieldValue): string | undefined {
  switch (type) {
    case "float":
      return floatText(value);
    case "integer":
      return integerText(value);
    case "boolean":
      return typeof value === "boolean" ? String(value) : undefined;
    case "string":
      return typeof value === "string" ? value : undefined;
  }
}

/**
 * The text of a float: digits as they are, a number as JavaScript prints it.
 *
 * @returns Nothing if the value is no finite decimal.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(floatText("13715.65000000"), "13715.65000000");
 * assertEquals(floatText(1e-7), "1e-7");
 * assertEquals(floatText("5."), undefined);
 * ```
 */
export function floatText(value: FieldValue): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  if (value instanceof Decimal) return floatText(String(value));
  if (typeof value !== "string") return undefined;
  if (SMALL_DECIMAL.test(value)) return value;
  return DECIMAL.test(value) && Number.isFinite(Number(value)) ? value : undefined;
}

/**
 * The digits of an integer.
 *
 * @returns Nothing if the value is neither a safe integer nor a bigint of 64 bits.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(integerText(2n ** 63n - 1n), "9223372036854775807");
 * assertEquals(integerText(2n ** 63n), undefined);
 * assertEquals(integerText(1.5), undefined);
 * ```
 */
export function integerText(value: FieldValue): string | undefined {
  const isInteger = typeof value === "bigint"
    ? value >= INT64_MIN && value <= INT64_MAX
    : Number.isSafeInteger(value);
  return isInteger ? String(value) : undefined;
}
