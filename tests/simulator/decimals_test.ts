import { assertEquals } from "@std/assert";
import { decimalText, valueText } from "../../simulator/decimals.ts";

Deno.test("decimalText() writes eight places whatever the step", () => {
  assertEquals(decimalText(0, 2), "0.00000000");
  assertEquals(decimalText(5, 0), "5.00000000");
  assertEquals(decimalText(1_371_565, 2), "13715.65000000");
  assertEquals(decimalText(1_371_505, 2), "13715.05000000");
  assertEquals(decimalText(1, 8), "0.00000001");
  assertEquals(decimalText(172_878_781_992, 0), "172878781992.00000000");
});

Deno.test("valueText() multiplies exactly, also beyond what a float can hold", () => {
  assertEquals(valueText([3, 4], [100, 1]), "0.00000304");
  assertEquals(valueText([0, 0], [7, 7]), "0.00000000");
  // 2⁵³ is 9,007,199,254,740,992: both products are larger, and odd.
  assertEquals(valueText([1_000_000_007, 0], [90_071_993, 0]), "900719936.30503951");
  assertEquals(
    valueText([123_456_789_123, 1], [987_654_321, 2]),
    "1219326312341.16750485",
  );
});
