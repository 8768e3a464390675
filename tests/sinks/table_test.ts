import { assertEquals, assertStringIncludes } from "@std/assert";
import { Decimal } from "../../engine/decimal.ts";
import { encodeTable } from "../../sinks/_table.ts";
import { QUOTE, quotePoint, refusalOf, TAGS, textOf, TIME_MS } from "./_fixtures.ts";

Deno.test("encodeTable() lines up columns, numbers to the right", () => {
  const records = [
    quotePoint({ fields: { price: "13715.65000000", trades: 19_438, closed: true, note: "ok" } }),
    quotePoint({
      tags: { symbol: "A", exchange: "b" },
      fields: { price: 9.5, closed: false },
      timeMs: TIME_MS + 60_000,
    }),
  ];
  assertEquals(textOf(encodeTable, records).split("\n"), [
    "time                      measurement  symbol   exchange           price  trades  closed  note",
    "2018-01-01T00:00:00.000Z  quote        BTCUSDT  binance   13715.65000000   19438  true    ok",
    "2018-01-01T00:01:00.000Z  quote        A        b                    9.5          false",
    "",
    "",
  ]);
});

Deno.test("encodeTable() measures columns as a terminal shows them", () => {
  const shape = { ...QUOTE, tags: ["symbol"], fields: { price: "float" } } as const;
  const records = ["漢字", "e\u0301", "AB"]
    .map((symbol) => quotePoint({ tags: { symbol }, fields: { price: 1 } }));
  assertEquals(textOf(encodeTable, records, [shape]).split("\n").slice(1, 4), [
    "2018-01-01T00:00:00.000Z  quote        漢字        1",
    "2018-01-01T00:00:00.000Z  quote        e\u0301           1",
    "2018-01-01T00:00:00.000Z  quote        AB          1",
  ]);
});

Deno.test("encodeTable() begins a table where the measurement changes", () => {
  const other = { ...QUOTE, measurement: "other", tags: [], fields: { n: "integer" } } as const;
  const point = quotePoint({ measurement: "other", tags: {}, fields: { n: 7 } });
  assertEquals(
    textOf(encodeTable, [point, point, quotePoint(), point], [QUOTE, other]).split("\n"),
    [
      "time                      measurement  n",
      "2018-01-01T00:00:00.000Z  other        7",
      "2018-01-01T00:00:00.000Z  other        7",
      "",
      "time                      measurement  symbol   exchange  price  trades  closed  note",
      "2018-01-01T00:00:00.000Z  quote        BTCUSDT  binance    1.50",
      "",
      "time                      measurement  n",
      "2018-01-01T00:00:00.000Z  other        7",
      "",
      "",
    ],
  );
});

Deno.test("encodeTable() shows control characters by their codes", () => {
  const text = textOf(encodeTable, [quotePoint({ fields: { note: "a\nb\u001b[2J\u009b" } })]);
  assertStringIncludes(text, String.raw`a\u000ab\u001b[2J\u009b`);
});

Deno.test("encodeTable() gives nothing for no records", () => {
  assertEquals(textOf(encodeTable, []), "");
});

for (
  const [problem, parts] of Object.entries({
    'field "price" must be a finite number': { fields: { price: "abc" } },
    'field "trades" must be a whole number': { fields: { trades: "7" } },
    'field "closed" must be true or false': { fields: { closed: 1 } },
    'field "note" must be text, found 5': { fields: { note: 5 } },
    'field "extra" is not declared': { fields: { price: 1, extra: 1 } },
    'tag "run" is not declared': { tags: { ...TAGS, run: "1" } },
    "its time must be whole milliseconds": { timeMs: NaN },
    "its measurement must be a declared one": { measurement: "other" },
  })
) {
  Deno.test(`encodeTable() refuses a point: ${problem}`, () => {
    assertStringIncludes(refusalOf(encodeTable, quotePoint(parts)), problem);
  });
}

Deno.test("encodeTable() shows all digits of a decimal", () => {
  const text = textOf(encodeTable, [quotePoint({ fields: { price: Decimal.of("0.10000000") } })]);
  assertStringIncludes(text, "  0.10000000\n");
});
