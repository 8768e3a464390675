import { assertEquals, assertNotEquals } from "@std/assert";
import { Decimal } from "../../../engine/decimal.ts";
import { fingerprint } from "../../../sources/_binance/fingerprint.ts";

const ROW = [0, "1.0", "2", "1", "2", "9", 59_999, "12", 3, "4", "5", "0"];

Deno.test("fingerprint() is the same for text and decimals of the same digits", () => {
  const decimals = ROW.map((cell) => typeof cell === "string" ? Decimal.of(cell) : cell);
  assertEquals(fingerprint(decimals), fingerprint(ROW));
  assertNotEquals(fingerprint(ROW.with(5, "9.0")), fingerprint(ROW));
});

Deno.test("fingerprint() takes whatever JSON may have put into a cell", () => {
  const odd: unknown = JSON.parse('{"toString":1,"valueOf":1}');
  assertNotEquals(fingerprint([...ROW.slice(0, 4), odd, ...ROW.slice(5)]), fingerprint(ROW));
});
