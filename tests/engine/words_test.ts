import { assertEquals } from "@std/assert";
import {
  describeAge,
  describeBytes,
  describeCount,
  describeMoment,
  describeSpan,
} from "../../engine/words.ts";

Deno.test("describeSpan() uses at most two units", () => {
  assertEquals(
    [900, 59_999, 61_000, 3_660_000, 200_000_000, 4e12].map(describeSpan),
    ["0.9 s", "60.0 s", "1 min 1 s", "1 h 1 min", "2 d 7 h", "46,296 d 7 h"],
  );
});

Deno.test("describeAge() tells what lies ahead from what is past", () => {
  assertEquals([61_000, 0, -61_000].map(describeAge), [
    "1 min 1 s ago",
    "0.0 s ago",
    "1 min 1 s ahead",
  ]);
});

Deno.test("describeBytes() and describeCount() keep numbers short", () => {
  assertEquals(describeBytes(0), "0 bytes");
  assertEquals(describeBytes(10_000), "10 kB");
  assertEquals(describeCount(1_234_567.25), "1,234,567.25");
});

Deno.test("describeMoment() is UTC, to the second", () => {
  assertEquals(describeMoment(Date.UTC(2024, 0, 2, 3, 4, 5, 999)), "2024-01-02T03:04:05Z");
});
