import { assert, assertEquals } from "@std/assert";
import { ByteBuffer } from "../../sinks/_byte_buffer.ts";
import { writeFloat } from "../../sinks/_float.ts";
import { seededRandom } from "../contracts/context.ts";

const random = seededRandom(3);
const buffer = new ByteBuffer();
const bits = new DataView(new ArrayBuffer(8));

/** What is written of a value, or nothing; fails unless it is what `String` gives. */
function write(value: number): string | undefined {
  buffer.end = 0;
  buffer.reserve(32);
  const isWritten = writeFloat(buffer, value);
  const text = new TextDecoder().decode(buffer.copy());
  assertEquals(text, isWritten ? String(value) : "");
  return isWritten ? text : undefined;
}

/** The float that is some steps away. */
function step(value: number, steps: number): number {
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(steps));
  return bits.getFloat64(0);
}

Deno.test("writeFloat() writes the shortest digits, before and behind the point", () => {
  assertEquals(write(0.1 + 0.2), "0.30000000000000004");
  assertEquals(write(100 / 3), "33.333333333333336");
  assertEquals(write(1 / 3), "0.3333333333333333");
  assertEquals(write(1 / 700_000), "0.0000014285714285714286");
  assertEquals(write(1234567890.1234567), "1234567890.1234567");
  assertEquals(write(2 ** 31 - 2 ** -22), "2147483647.9999998");
  assertEquals(write(9.000000000000002), "9.000000000000002");
  assertEquals(write(0.1), "0.1");
  assertEquals(write(4.35), "4.35");
  assertEquals(write(1), "1");
  assertEquals(write(50), "50");
  assertEquals(write(2_000_000_000), "2000000000");
});

Deno.test("writeFloat() leaves all others to String, and writes nothing of them", () => {
  for (
    const value of [
      0,
      -0,
      1e-7,
      2 ** 31 + 0.1,
      1e21,
      1e300,
      5e-324,
      -1 / 3,
      NaN,
    ]
  ) {
    assertEquals(write(value), undefined, String(value));
  }
  for (const value of [Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 93738.19, 9_500]) {
    assertEquals(write(value), undefined, String(value));
  }
});

Deno.test("writeFloat() agrees with String on floats of any size, and writes most of them", () => {
  let written = 0;
  for (let i = 0; i < 100_000; i++) if (write(10 ** (15 * random() - 6)) !== undefined) written++;
  assert(written > 93_000, `${written} of 100000`);
});

Deno.test("writeFloat() agrees with String beside powers of two and of ten, and short decimals", () => {
  for (let exponent = -22; exponent <= 52; exponent++) {
    for (let steps = -50; steps <= 50; steps++) write(step(2 ** exponent, steps));
  }
  for (let exponent = -7; exponent <= 16; exponent++) {
    for (let steps = -50; steps <= 50; steps++) write(step(Number(`1e${exponent}`), steps));
  }
  for (let i = 0; i < 50_000; i++) {
    const short = Number((10 ** (15 * random() - 6)).toPrecision(1 + i % 17));
    for (const steps of [-1, 0, 1]) write(step(short, steps));
  }
});

Deno.test("ByteBuffer.integer() writes what String does", () => {
  const values = [0, 1, 9, 10, 9_999, 10_000, 99_999_999, 100_000_000, Number.MAX_SAFE_INTEGER];
  for (let i = 0; i < 20_000; i++) values.push(Math.floor(2 ** (53 * random())));
  for (const value of values) {
    buffer.end = 0;
    buffer.integer(value);
    assertEquals(new TextDecoder().decode(buffer.copy()), String(value));
  }
});

Deno.test("ByteBuffer.digits() fills up with zeros from the left", () => {
  buffer.end = 0;
  buffer.digits(7, 3);
  for (let value = 0; value < 10_000; value++) buffer.digits(value, 4);
  const expected = Array.from({ length: 10_000 }, (_, value) => String(value).padStart(4, "0"));
  assertEquals(new TextDecoder().decode(buffer.copy()), `007${expected.join("")}`);
});
