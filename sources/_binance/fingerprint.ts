/**
 * Whether two versions of a candle are the same, without keeping both.
 *
 * @module
 */

import { Decimal } from "../../engine/decimal.ts";
import { textOf } from "../../engine/text.ts";

const SEPARATOR = 0x7c;

/** The open time of a candle that left, and a fingerprint of its values. */
export type Mark = readonly [openMs: number, fingerprint: number];

/**
 * A number that differs, in all likelihood, where the values of price, volume and trades differ.
 *
 * @param row A candle as a REST row; its times do not count.
 * @returns A whole number from 0 to 2 ** 32 - 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const row = [0, "1.0", "2", "1", "2", "9", 59_999, "12", 3, "4", "5", "0"];
 * assertEquals(fingerprint(row) === fingerprint([...row]), true);
 * assertEquals(fingerprint(row) === fingerprint(row.with(1, "1.1")), false);
 * ```
 */
export function fingerprint(row: readonly unknown[]): number {
  let hash = 0x811c9dc5;
  for (let column = 1; column <= 10; column++) {
    if (column === 6) continue;
    const value = row[column];
    hash = value instanceof Decimal ? foldDecimal(hash, value) : foldText(hash, textOf(value));
    hash = fold(hash, SEPARATOR);
  }
  return hash >>> 0;
}

function foldDecimal(hash: number, value: Decimal): number {
  let folded = hash;
  for (let at = 0; at < value.length; at++) folded = fold(folded, value.codeAt(at));
  return folded;
}

function foldText(hash: number, text: string): number {
  let folded = hash;
  for (let at = 0; at < text.length; at++) folded = fold(folded, text.charCodeAt(at));
  return folded;
}

/** One step of FNV-1a. */
function fold(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}
