import { assertEquals } from "@std/assert";
import { positionsIn } from "../../../engine/pipeline_file/lines.ts";

Deno.test("positionsIn() counts lines and columns from 1, a line break as the end of its line", () => {
  const positionOf = positionsIn("ab\r\n\nc");
  assertEquals([0, 1, 3, 4, 5, 6].map(positionOf), [
    { line: 1, column: 1 },
    { line: 1, column: 2 },
    { line: 1, column: 4 },
    { line: 2, column: 1 },
    { line: 3, column: 1 },
    { line: 3, column: 2 },
  ]);
});

Deno.test("positionsIn() takes a text without a line break for one line", () => {
  assertEquals(positionsIn("")(0), { line: 1, column: 1 });
});
