import { assertEquals } from "@std/assert";
import { compareDecimals, isDecimal, sameLayout } from "../../transforms/_decimal.ts";

Deno.test("isDecimal() takes digits, with or without a point between them", () => {
  for (const text of ["0", "7", "0.0", "93576.00000000", "007.50", "123456789012345678901.1"]) {
    assertEquals(isDecimal(text), true, text);
  }
});

Deno.test("isDecimal() refuses all else that JavaScript would make a number of", () => {
  const texts = [
    "",
    " ",
    "-1",
    "+1",
    "1e5",
    "0x10",
    ".5",
    "5.",
    ".",
    " 1",
    "1 ",
    "1\n",
    "Infinity",
  ];
  for (const text of texts) assertEquals(isDecimal(text), false, text);
});

Deno.test("isDecimal() refuses text that is no number at all", () => {
  for (const text of ["NaN", "abc", "1.2.3", "1..2", "1,5", "1_000", "١٢", "１２", "1/2", "1:2"]) {
    assertEquals(isDecimal(text), false, text);
  }
});

Deno.test("compareDecimals() compares digit by digit, whatever the layout", () => {
  const pairs: [a: string, b: string, sign: number][] = [
    ["1", "2", -1],
    ["10", "9", 1],
    ["9.99", "10.00", -1],
    ["1.5", "1.50", 0],
    ["1", "1.0", 0],
    ["1", "1.000000000000000000001", -1],
    ["0.1", "0.09", 1],
    ["01.5", "1.5", 0],
    ["0.00", "0", 0],
    ["12345678901234567.1", "12345678901234567.2", -1],
  ];
  for (const [a, b, sign] of pairs) {
    assertEquals(Math.sign(compareDecimals(a, b)), sign, `${a} and ${b}`);
    assertEquals(Math.sign(compareDecimals(b, a)), 0 - sign, `${b} and ${a}`);
  }
});

Deno.test("sameLayout() holds where both have the point at that place", () => {
  assertEquals(sameLayout("12.50", "99.25", 2), true);
  assertEquals(sameLayout("12.50", "1.250", 2), false);
  assertEquals(sameLayout("12.50", "12.5", 2), false);
  assertEquals(sameLayout("12", "13", -1), false);
});
