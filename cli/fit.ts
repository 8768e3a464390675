/**
 * Cuts text to the columns of a terminal.
 *
 * @module
 */

import { columnsOf } from "../engine/columns.ts";

/**
 * Cuts a text that is too long, with an ellipsis at its end.
 *
 * @param text One line.
 * @param columns How many columns it may take.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(fit("ten per cent", 8), "ten per…");
 * assertEquals(fit("10 %", 8), "10 %");
 * ```
 */
export function fit(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let cut = text;
  while (cut !== "" && columnsOf(cut) > columns - 1) cut = cut.slice(0, -1);
  return `${cut}…`;
}
