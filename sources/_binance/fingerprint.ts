/**
 * Whether two versions of a candle are the same, without keeping both.
 *
 * @module
 */

import { textOf } from "../../engine/text.ts";

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
    const text = textOf(row[column]);
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
    hash = Math.imul(hash ^ 0x7c, 0x01000193);
  }
  return hash >>> 0;
}
