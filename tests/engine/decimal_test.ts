import { assertEquals, assertThrows } from "@std/assert";
import { areDigits, Decimal, numberOfDigits } from "../../engine/decimal.ts";
import { seededRandom } from "../contracts/context.ts";

const random = seededRandom(11);

function digits(count: number): string {
  return Array.from({ length: count }, () => Math.floor(10 * random())).join("");
}

/** A decimal in the middle of other bytes, as in an answer. */
function within(text: string, start = 4): Decimal {
  const bytes = new TextEncoder().encode(`${" ".repeat(start - 4)}[1,"${text}","0"]`);
  const end = start + text.length;
  const point = text.includes(".") ? start + text.indexOf(".") : end;
  return new Decimal(new DataView(bytes.buffer), start, point, end);
}

Deno.test("Decimal gives exactly its digits as text, in JSON and when it is printed", () => {
  for (
    const text of [
      "0",
      "7.0",
      "007.10",
      "93738.19000000",
      "0.1",
      digits(63),
      `${digits(40)}.${digits(22)}`,
    ]
  ) {
    assertEquals(String(Decimal.of(text)), text);
    assertEquals(String(within(text)), text);
    assertEquals(`${within(text)}`.length, within(text).length);
    const codes = Array.from(text, (_, at) => within(text).codeAt(at));
    assertEquals(String.fromCharCode(...codes), text);
    assertEquals(JSON.stringify([within(text)]), `["${text}"]`);
    assertEquals(Deno.inspect(within(text)), `Decimal(${text})`);
  }
});

for (
  const text of [
    "",
    ".",
    "5.",
    ".5",
    digits(64),
    `${digits(31)}.${digits(32)}`,
    "-1",
    "+1",
    "1e5",
    "1.2.3",
    " 1",
    "1\n",
    "٣",
    "NaN",
  ]
) {
  Deno.test(`Decimal.of() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => Decimal.of(text), RangeError, `it is ${JSON.stringify(text)}`);
  });
}

Deno.test("Decimal is the same number as its text, to the last bit", () => {
  const texts = [
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "90071992.54740993",
    "0.1",
    `0.${"0".repeat(21)}1`,
    `0.${"0".repeat(22)}1`,
    `1${"0".repeat(62)}`,
  ];
  for (let i = 0; i < 20_000; i++) {
    const part = Math.floor(26 * random());
    texts.push(digits(1 + Math.floor(17 * random())) + (part === 0 ? "" : `.${digits(part)}`));
  }
  for (const text of texts) assertEquals(Number(within(text)), Number(text), text);
});

Deno.test("Decimal compares with another of the same layout as its number does", () => {
  for (let i = 0; i < 5_000; i++) {
    const whole = 1 + Math.floor(5 * random());
    const part = Math.floor(9 * random());
    const tail = part === 0 ? "" : `.${digits(part)}`;
    const a = digits(whole) + tail;
    // Most have their first digits in common, as prices have.
    const b = i % 3 === 0 ? a : digits(1) + a.slice(1);
    const c = a.slice(0, -1) + digits(1);
    for (const other of [b, c]) {
      assertEquals(within(a).isAlike(Decimal.of(other)), true);
      const sign = Math.sign(within(a).compareAlike(Decimal.of(other)));
      assertEquals(sign, Math.sign(Number(a) - Number(other)), `${a} and ${other}`);
    }
  }
});

Deno.test("Decimal is not alike one with another number of digits on a side of the point", () => {
  assertEquals(within("1.25").isAlike(within("12.5")), false);
  assertEquals(within("1.25").isAlike(within("1.250")), false);
  assertEquals(within("125").isAlike(within("1.2")), false);
  assertEquals(within("1250").isAlike(within("1.25")), false);
});

Deno.test("Decimal.writeTo() writes its digits and not one byte beside them", () => {
  for (let count = 1; count <= 40; count++) {
    const text = count < 3 ? digits(count) : `${digits(1)}.${digits(count - 2)}`;
    for (const decimal of [within(text), Decimal.of(text)]) {
      const bytes = new Uint8Array(count + 6).fill(0x7c);
      assertEquals(decimal.writeTo(new DataView(bytes.buffer), 3), 3 + count);
      assertEquals(new TextDecoder().decode(bytes), `|||${text}|||`);
    }
  }
});

Deno.test("areDigits() knows digits in each of the four places", () => {
  for (let code = 0; code < 256; code++) {
    for (let place = 0; place < 4; place++) {
      const bytes = new Uint8Array([0x39, 0x30, 0x35, 0x39]);
      bytes[place] = code;
      const word = new DataView(bytes.buffer).getInt32(0, true);
      assertEquals(areDigits(word), code >= 0x30 && code <= 0x39, `${code} at ${place}`);
    }
  }
});

Deno.test("numberOfDigits() reads all numbers of four digits", () => {
  for (let value = 0; value < 10_000; value++) {
    const bytes = new TextEncoder().encode(String(value).padStart(4, "0"));
    assertEquals(numberOfDigits(new DataView(bytes.buffer).getInt32(0, true)), value);
  }
});

Deno.test("Decimal may lie far behind the start of its bytes, and within others", () => {
  for (const text of ["93738.19000000", "7"]) {
    for (const start of [2 ** 18 - 1, 2 ** 18, 2 ** 20]) {
      const far = within(text, start);
      assertEquals([String(far), Number(far), far.length], [text, Number(text), text.length]);
      assertEquals([far.isAlike(within(text)), far.compareAlike(within(text))], [true, 0]);
    }
    const { buffer } = new TextEncoder().encode(`${" ".repeat(2 ** 18)}####${text}`);
    const view = new DataView(buffer, 4);
    const point = text.includes(".") ? text.indexOf(".") : text.length;
    const [start, end] = [2 ** 18, 2 ** 18 + text.length];
    assertEquals(String(new Decimal(view, start, start + point, end)), text);
  }
});

Deno.test("Decimal refuses to be longer than it can be", () => {
  assertThrows(() => within("1".repeat(64)), RangeError, "63 characters at most: it has 64");
});
