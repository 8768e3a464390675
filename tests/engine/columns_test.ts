import { assertEquals } from "@std/assert";
import { columnsOf } from "../../engine/columns.ts";

Deno.test("columnsOf() counts one column for most characters, two for wide ones", () => {
  assertEquals(["", "BTCUSDT ~", "·…é", "漢字", "ｶﾅ", "한국", "日本 5 %"].map(columnsOf), [
    0,
    9,
    3,
    4,
    2,
    4,
    8,
  ]);
});

Deno.test("columnsOf() counts none for marks on a character and for what is not seen", () => {
  assertEquals(["e\u0301", "\u200b", "a\u0000b", "❤\ufe0f"].map(columnsOf), [1, 0, 2, 1]);
});
