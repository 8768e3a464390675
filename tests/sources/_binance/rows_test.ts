import { assert, assertEquals } from "@std/assert";
import { Decimal } from "../../../engine/decimal.ts";
import { parseRows } from "../../../sources/_binance/rows.ts";
import { seededRandom } from "../../contracts/context.ts";

const TEXT = '[[1735516800000,"93738.19000000","93782.38000000","93510.00000000",' +
  '"93720.44000000","202.77714000",1735517699999,"18986363.98688940",64965,"103.98349000",' +
  '"9736008.81833130","0"],[1735517700000,"1","2.5","0.1","1.00","0",1735518599999,"0.0",0,' +
  '"0.00000000","00","0"]]';
const RECORDED = ["rest-BTCUSDT-15m-2024-12-30.json", "rest-BTCUSDT-4h-2018-q1.json"]
  .map((name) => new URL(`../../../../shared/data/${name}`, import.meta.url));
const random = seededRandom(5);

function parse(text: string) {
  return parseRows(new TextEncoder().encode(text));
}

/** Fails unless the text is read as `JSON.parse` reads it, or not at all; says whether it was. */
function isReadAlike(text: string): boolean {
  const rows = parse(text);
  if (rows === undefined) return false;
  // What is no JSON makes `JSON.parse` throw: it must not have been read.
  assertEquals(JSON.parse(JSON.stringify(rows)), JSON.parse(text), text);
  for (const row of rows) {
    const kinds = row.map((value) =>
      value instanceof Decimal ? "d" : typeof value === "number" ? "n" : "s"
    );
    assertEquals(kinds.join(""), "ndddddndndds");
    for (const value of row) if (value instanceof Decimal) assert(/^\d+(\.\d+)?$/.test(`${value}`));
  }
  return true;
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}

Deno.test("parseRows() gives numbers as numbers, decimals with their digits, the rest as text", () => {
  const [first, second] = parse(TEXT) ?? [];
  assertEquals(first?.map(String), [
    "1735516800000",
    "93738.19000000",
    "93782.38000000",
    "93510.00000000",
    "93720.44000000",
    "202.77714000",
    "1735517699999",
    "18986363.98688940",
    "64965",
    "103.98349000",
    "9736008.81833130",
    "0",
  ]);
  assertEquals([first?.[0], first?.[8], second?.[8]], [1735516800000, 64965, 0]);
  assertEquals(isReadAlike(TEXT), true);
});

Deno.test("parseRows() reads bytes that lie within others", () => {
  const bytes = new TextEncoder().encode(`####${TEXT}99`);
  const rows = parseRows(bytes.subarray(4, 4 + TEXT.length));
  assertEquals(String(rows?.[1]?.[2]), "2.5");
});

Deno.test("parseRows() reads no answer with one byte changed, added or lost as JSON does not", () => {
  const codes = [...'"\\,.[]{}0159-+eEnt/: \n\t'].map((character) => character.charCodeAt(0));
  codes.push(0x00, 0x7f, 0x3a, 0x2f);
  let read = 0;
  for (let at = 0; at <= TEXT.length; at++) {
    const [before, rest, next] = [TEXT.slice(0, at), TEXT.slice(at), TEXT.slice(at + 1)];
    if (isReadAlike(before + next)) read++;
    for (const code of codes) {
      const character = String.fromCharCode(code);
      if (isReadAlike(before + character + next)) read++;
      if (isReadAlike(before + character + rest)) read++;
    }
  }
  assert(read > 1_000, "digits may change");
});

Deno.test("parseRows() reads no byte that is not ASCII", () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let at = 0; at < bytes.length; at++) {
    for (const code of [0x80, 0xb0, 0xb5, 0xff]) {
      const changed = bytes.slice();
      changed[at] = code;
      assertEquals(parseRows(changed), undefined, `byte ${at}`);
    }
  }
});

Deno.test("parseRows() reads no answer that breaks off or goes on", () => {
  for (let length = 0; length < TEXT.length; length++) {
    assertEquals(parse(TEXT.slice(0, length)), undefined, `${length} bytes`);
  }
  for (const more of ["]", ",", " ", "0", "\n", "[]"]) assertEquals(parse(TEXT + more), undefined);
});

const OTHERS = {
  "no rows": "[]",
  "an error": '{"code":-1121,"msg":"Invalid symbol."}',
  "a page": "<html></html>",
  "text where a number belongs": TEXT.replace("1735516800000", '"1735516800000"'),
  "a number where a decimal belongs": TEXT.replace('"93738.19000000"', "93738.19"),
  "11 columns": TEXT.replace(',"0"]', "]"),
  "13 columns": TEXT.replace(',"0"]', ',"0","0"]'),
  "another last column": TEXT.replace('"0"]', '"1"]'),
  "NaN": TEXT.replace("93738.19000000", "NaN"),
  "null": TEXT.replace('"93738.19000000"', "null"),
  "a sign": TEXT.replace("93738.19000000", "-93738.19000000"),
  "an exponent": TEXT.replace("93738.19000000", "9e5"),
  "no digit before the point": TEXT.replace("93738.19000000", ".19"),
  "no digit behind the point": TEXT.replace("93738.19000000", "93738."),
  "empty text": TEXT.replace("93738.19000000", ""),
  "a negative number": TEXT.replace("64965", "-64965"),
  "a number with a fraction": TEXT.replace("64965", "64965.0"),
  "a number that begins with 0": TEXT.replace("64965", "064965"),
  "a number of 16 digits": TEXT.replace("64965", "1735516800000000"),
};

for (const [what, text] of Object.entries(OTHERS)) {
  Deno.test(`parseRows() leaves ${what} to JSON.parse`, () => assertEquals(parse(text), undefined));
}

Deno.test("parseRows() reads generated rows as JSON does", () => {
  const digits = (most: number) =>
    Array.from({ length: 1 + Math.floor(most * random()) }, () => Math.floor(10 * random())).join(
      "",
    );
  const decimal = () => random() < 0.3 ? digits(12) : `${digits(12)}.${digits(12)}`;
  const whole = () => Math.floor(10 ** (15 * random()));
  for (let round = 0; round < 300; round++) {
    const rows = Array.from({ length: 1 + Math.floor(4 * random()) }, () => [
      ...[whole(), decimal(), decimal(), decimal(), decimal(), decimal()],
      ...[whole(), decimal(), whole(), decimal(), decimal(), "0"],
    ]);
    assertEquals(isReadAlike(JSON.stringify(rows)), true, JSON.stringify(rows));
  }
});

for (const url of RECORDED) {
  const name = url.pathname.split("/").at(-1);
  Deno.test({
    name: `parseRows() reads ${name} as JSON does (needs ../shared)`,
    ignore: !exists(url),
    fn() {
      assertEquals(isReadAlike(JSON.stringify(JSON.parse(Deno.readTextFileSync(url)))), true);
    },
  });
}
