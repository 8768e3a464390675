import { assertEquals, assertStringIncludes } from "@std/assert";
import { Decimal } from "../../engine/decimal.ts";
import { encodeJson } from "../../sinks/_json.ts";
import { QUOTE, quotePoint, refusalOf, TAGS, textOf, TIME_MS } from "./_fixtures.ts";

const HEAD = '{"measurement":"quote","tags":{"symbol":"BTCUSDT","exchange":"binance"},"fields":{';
const TAIL = '},"time":"2018-01-01T00:00:00.000Z"}\n';

function line(fields: Readonly<Record<string, unknown>>): string {
  return textOf(encodeJson, [quotePoint({ fields })]);
}

Deno.test("encodeJson() writes a declared point with numbers that keep their digits", () => {
  assertEquals(
    line({ note: 'a"\n', closed: false, trades: 9_223_372_036_854_775_807n, price: "0.10000000" }),
    `${HEAD}"price":0.10000000,"trades":9223372036854775807,"closed":false,"note":"a\\"\\n"${TAIL}`,
  );
  assertEquals(line({ price: 1e21 }), `${HEAD}"price":1e+21${TAIL}`);
  assertEquals(line({ price: "-0.0" }), `${HEAD}"price":-0.0${TAIL}`);
});

Deno.test("encodeJson() writes lines that JSON.parse reads", () => {
  const text = line({ price: "22516071.86700722", trades: 3, closed: true, note: "ü\ud800" });
  assertEquals(JSON.parse(text), {
    measurement: "quote",
    tags: { symbol: "BTCUSDT", exchange: "binance" },
    fields: { price: 22_516_071.86700722, trades: 3, closed: true, note: "ü\ud800" },
    time: "2018-01-01T00:00:00.000Z",
  });
});

Deno.test("encodeJson() writes times with milliseconds, in UTC", () => {
  assertStringIncludes(
    textOf(encodeJson, [quotePoint({ timeMs: TIME_MS + 61_005 })]),
    '"time":"2018-01-01T00:01:01.005Z"',
  );
  assertStringIncludes(
    textOf(encodeJson, [quotePoint({ timeMs: 0 })]),
    '"time":"1970-01-01T00:00:00.000Z"',
  );
});

Deno.test("encodeJson() takes fields for absent that every object inherits", () => {
  const shape = { ...QUOTE, fields: { toString: "float", price: "float" } } as const;
  assertEquals(textOf(encodeJson, [quotePoint()], [shape]), `${HEAD}"price":1.50${TAIL}`);
});

Deno.test("encodeJson() takes names that line protocol does not", () => {
  const shape = { ...QUOTE, measurement: "#\\", tags: ["a b"], fields: { time: "float" } } as const;
  const point = { measurement: "#\\", tags: { "a b": '"' }, fields: { time: 1 }, timeMs: TIME_MS };
  assertEquals(
    textOf(encodeJson, [point], [shape]),
    `{"measurement":"#\\\\","tags":{"a b":"\\""},"fields":{"time":1${TAIL}`,
  );
});

for (
  const [problem, parts] of Object.entries({
    'field "price" must be a finite number': { fields: { price: NaN } },
    'its decimal digits such as "0.10", found "5."': { fields: { price: "5." } },
    'its decimal digits such as "0.10", found "007"': { fields: { price: "007" } },
    'its decimal digits such as "0.10", found "-00.5"': { fields: { price: "-00.5" } },
    'field "trades" must be a whole number': { fields: { trades: 0.5 } },
    'field "closed" must be true or false, found "true"': { fields: { closed: "true" } },
    'field "note" must be text, found 5': { fields: { note: 5 } },
    'field "extra" is not declared': { fields: { price: 1, extra: 1 } },
    "it must have at least one field": { fields: {} },
    'tag "run" is not declared': { tags: { ...TAGS, run: "1" } },
    'tag "symbol" must be there': { tags: { exchange: "a" } },
    "its time must be whole milliseconds": { timeMs: 0.5 },
  })
) {
  Deno.test(`encodeJson() refuses a declared point: ${problem}`, () => {
    assertStringIncludes(refusalOf(encodeJson, quotePoint(parts)), problem);
  });
}

Deno.test("encodeJson() tells measurements apart that share one object of tags", () => {
  const other = { ...QUOTE, measurement: "other" };
  const records = [quotePoint(), quotePoint({ measurement: "other" })];
  const names = textOf(encodeJson, records, [QUOTE, other]).trimEnd().split("\n")
    .map((text) => JSON.parse(text).measurement);
  assertEquals(names, ["quote", "other"]);
});

Deno.test("encodeJson() writes any other record as JSON has it, without loss", () => {
  const records = [
    [1, "0.10", null],
    "text\n",
    7n,
    { at: NaN, high: Infinity, low: -Infinity, deep: [10n ** 20n] },
    quotePoint({ measurement: "undeclared", fields: { price: "5." } }),
  ];
  assertEquals(
    textOf(encodeJson, records),
    [
      '[1,"0.10",null]',
      '"text\\n"',
      '"7"',
      '{"at":"NaN","high":"Infinity","low":"-Infinity","deep":["100000000000000000000"]}',
      '{"measurement":"undeclared","tags":{"symbol":"BTCUSDT","exchange":"binance"},"fields":{"price":"5."},"timeMs":1514764800000}',
      "",
    ].join("\n"),
  );
});

Deno.test("encodeJson() refuses records that JSON cannot hold", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  assertStringIncludes(
    refusalOf(encodeJson, circular),
    "Cannot write a record as JSON: it must be made of plain values",
  );
  assertEquals(
    refusalOf(encodeJson, undefined),
    "Cannot write a record as JSON: it must be a value, found undefined",
  );
  assertEquals(
    refusalOf(encodeJson, () => 1),
    "Cannot write a record as JSON: it must be a value, found function",
  );
});

Deno.test("encodeJson() refuses a record by its index and writes the others", () => {
  const rejected: number[] = [];
  const bytes = encodeJson([1, undefined, 3], {
    shapes: [],
    reject: (index) => void rejected.push(index),
  });
  assertEquals(rejected, [1]);
  assertEquals(new TextDecoder().decode(bytes), "1\n3\n");
});

Deno.test("encodeJson() writes a decimal as a number in points, as text in other records", () => {
  const price = Decimal.of("0.10000000");
  assertEquals(line({ price }), `${HEAD}"price":0.10000000${TAIL}`);
  assertEquals(textOf(encodeJson, [[1, price]]), '[1,"0.10000000"]\n');
});
