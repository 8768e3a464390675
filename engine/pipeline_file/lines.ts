/**
 * Lines and columns of a text.
 *
 * @module
 */

/** Where something is: line and column, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * What finds the line and column of an offset.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const positionOf = positionsIn("a: 1\nb: 2\n");
 * assertEquals(positionOf(8), { line: 2, column: 4 });
 * ```
 */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let [first, behind] = [0, starts.length];
    while (behind - first > 1) {
      const middle = (first + behind) >> 1;
      if ((starts[middle] ?? 0) <= offset) first = middle;
      else behind = middle;
    }
    return { line: first + 1, column: offset - (starts[first] ?? 0) + 1 };
  };
}
