/**
 * How wide a text is on a terminal.
 *
 * @module
 */

import { eastAsianWidth } from "get-east-asian-width";

/** Marks that are put on the character before them, and what is not seen at all. */
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\p{Cc}]/u;

/**
 * The columns that a text takes, character by character, as most terminals count them.
 *
 * @param text One line.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(["BTC", "e\u0301", "漢字", "🚀"].map(columnsOf), [3, 1, 4, 2]);
 * ```
 */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) {
    if (!NO_WIDTH.test(character)) columns += eastAsianWidth(character.codePointAt(0) ?? 0);
  }
  return columns;
}
