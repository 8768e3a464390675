/**
 * Decimals: checked and compared without a trip through a float.
 *
 * @module
 */

import type { Decimal } from "../engine/decimal.ts";

const DOT = 46;
const ZERO = 48;

/**
 * Whether text is a plain decimal: digits, or digits, a point and digits.
 *
 * No sign, no exponent, no blanks, nothing but ASCII.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert(isDecimal("93576.00000000"));
 * assert(!isDecimal("-1"));
 * assert(!isDecimal("1e5"));
 * ```
 */
export function isDecimal(text: string): boolean {
  const { length } = text;
  let i = 0;
  let code = 0;
  // Of all codes only those of the ten digits give at most 9. It is faster than a regular expression.
  while (i < length && ((code = text.charCodeAt(i)) ^ ZERO) <= 9) i++;
  if (i === 0 || i === length) return i > 0;
  if (code !== DOT) return false;
  const first = ++i;
  while (i < length && (text.charCodeAt(i) ^ ZERO) <= 9) i++;
  return i === length && i > first;
}

/**
 * Compares two decimals as text exactly, whatever the number of their digits.
 *
 * @param a A plain decimal, as {@linkcode isDecimal} has it.
 * @param b Another.
 * @returns Below 0 where `a` is the smaller one, above 0 where it is the larger one, else 0.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 *
 * assert(compareDecimals("9.5", "10.25") < 0);
 * assertEquals(compareDecimals("1.50", "01.5"), 0);
 * ```
 */
export function compareDecimals(a: string, b: string): number {
  const [wholeA, partA] = split(a);
  const [wholeB, partB] = split(b);
  if (wholeA.length !== wholeB.length) return wholeA.length - wholeB.length;
  if (wholeA !== wholeB) return wholeA < wholeB ? -1 : 1;
  const digits = Math.max(partA.length, partB.length);
  const [fullA, fullB] = [partA.padEnd(digits, "0"), partB.padEnd(digits, "0")];
  if (fullA === fullB) return 0;
  return fullA < fullB ? -1 : 1;
}

/** Whether a price lies between two others, or is one of them. */
export function isWithin(price: Decimal, low: Decimal, high: Decimal): boolean {
  return compareExactly(low, price) <= 0 && compareExactly(price, high) <= 0;
}

function compareExactly(a: Decimal, b: Decimal): number {
  return a.isAlike(b) ? a.compareAlike(b) : compareDecimals(String(a), String(b));
}

/**
 * Whether two decimals have the same number of digits before and after the point, so that they
 * compare as text.
 *
 * @param dotAt Where the point of both has to be.
 */
export function sameLayout(a: string, b: string, dotAt: number): boolean {
  return a.length === b.length && b.charCodeAt(dotAt) === DOT;
}

function split(decimal: string): [whole: string, part: string] {
  const [whole = "", part = ""] = decimal.split(".");
  return [whole.replace(/^0+/, ""), part];
}
