import { assertEquals } from "@std/assert";
import { Writer } from "../../simulator/writer.ts";

function written(write: (writer: Writer) => void, capacity?: number): string {
  const writer = new Writer(capacity);
  write(writer);
  return new TextDecoder().decode(writer.bytes());
}

Deno.test("Writer.whole() writes numbers of any size", () => {
  const values = [0, 7, 10, 999_999_999, 1e9, 1_000_000_007, 1_717_200_000_000, 2 ** 53 - 1];
  for (const value of values) {
    assertEquals(written((writer) => writer.whole(value)), String(value));
  }
});

Deno.test("Writer.decimal() writes eight places whatever the step", () => {
  const decimal = (steps: number, decimals: number) =>
    written((writer) => writer.decimal(steps, decimals));
  assertEquals(decimal(0, 2), '"0.00000000"');
  assertEquals(decimal(5, 0), '"5.00000000"');
  assertEquals(decimal(1_371_565, 2), '"13715.65000000"');
  assertEquals(decimal(1_371_505, 2), '"13715.05000000"');
  assertEquals(decimal(1, 8), '"0.00000001"');
  assertEquals(decimal(172_878_781_992, 0), '"172878781992.00000000"');
  assertEquals(decimal(2 ** 53 - 1, 8), '"90071992.54740991"');
});

Deno.test("Writer.value() multiplies exactly, also beyond what a float can hold", () => {
  const value = (amounts: [number, number], prices: [number, number]) =>
    written((writer) => writer.value(amounts, prices));
  assertEquals(value([3, 4], [100, 1]), '"0.00000304"');
  assertEquals(value([0, 0], [7, 7]), '"0.00000000"');
  // 2⁵³ is 9,007,199,254,740,992: both products are larger, and odd.
  assertEquals(value([1_000_000_007, 0], [90_071_993, 0]), '"900719936.30503951"');
  assertEquals(value([123_456_789_123, 1], [987_654_321, 2]), '"1219326312341.16750485"');
});

Deno.test("Writer.text() writes any script", () => {
  assertEquals(written((writer) => writer.text("币安 ok")), "币安 ok");
});

Deno.test("Writer grows as far as it needs to", () => {
  const text = written((writer) => {
    for (let index = 0; index < 100; index++) {
      writer.whole(index);
      writer.text(",");
      writer.decimal(index, 1);
      writer.text(";");
    }
  }, 0);
  const expected = Array.from(
    { length: 100 },
    (_, index) => `${index},"${Math.floor(index / 10)}.${index % 10}0000000";`,
  );
  assertEquals(text, expected.join(""));
});
