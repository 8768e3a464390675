import { assertEquals } from "@std/assert";
import { countRefusal, parseLimit } from "../../../engine/dead_letters/refusal_limit.ts";

Deno.test("parseLimit() reads a limit, none, or says what must hold", () => {
  assertEquals(parseLimit("10 in 1000"), { refused: 10, records: 1_000 });
  assertEquals(parseLimit("0 in 1"), { refused: 0, records: 1 });
  assertEquals(parseLimit("none"), undefined);
  for (const text of ["", "10", "10 of 1000", "-1 in 10", "1.5 in 10", " 1 in 10", "10%"]) {
    assertEquals(parseLimit(text), "must be such as `10 in 1000`, or `none`", text);
  }
  assertEquals(parseLimit("1000 in 1000"), "must be fewer records than it counts them in");
  assertEquals(parseLimit("10001 in 99999"), "must be at most 10000 records, or `none`");
});

/** Whether a limit of 2 in 10 breaks at the last of some refusals, and not before. */
function breaksAtLast(numbers: readonly number[]): boolean[] {
  let counting: readonly number[] = [];
  return numbers.map((number) => {
    const counted = countRefusal(counting, number, { refused: 2, records: 10 });
    counting = counted.counting;
    return counted.isBroken;
  });
}

Deno.test("countRefusal() breaks at one more than the limit within the records in a row", () => {
  assertEquals(breaksAtLast([1, 5, 10]), [false, false, true]);
  assertEquals(breaksAtLast([1, 5, 11]), [false, false, false]);
  assertEquals(breaksAtLast([1, 5, 11, 14]), [false, false, false, true]);
  assertEquals(breaksAtLast([1, 20, 40, 60, 61, 62]), [false, false, false, false, false, true]);
});

Deno.test("countRefusal() does not mind that a later record was refused first", () => {
  assertEquals(breaksAtLast([10, 5, 1]), [false, false, true]);
  assertEquals(breaksAtLast([11, 5, 1]), [false, false, false]);
});

Deno.test("countRefusal() of no refusals at all breaks at the first", () => {
  assertEquals(countRefusal([], 1, { refused: 0, records: 1 }).isBroken, true);
});

Deno.test("countRefusal() keeps no more than what can still count", () => {
  let counting: readonly number[] = [];
  for (let number = 0; number < 10_000; number += 10) {
    counting = countRefusal(counting, number, { refused: 2, records: 10 }).counting;
  }
  assertEquals(counting, [9_980, 9_990].slice(-2));
});
