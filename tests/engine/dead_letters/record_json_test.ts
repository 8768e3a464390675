import { assertEquals, assertThrows } from "@std/assert";
import type { Json } from "../../../engine/context.ts";
import { Decimal } from "../../../engine/decimal.ts";
import { FatalError } from "../../../engine/errors.ts";
import { recordFromJson, recordToJson } from "../../../engine/dead_letters/record_json.ts";

/** As a file keeps it. */
function kept(record: unknown): unknown {
  return recordFromJson(JSON.parse(JSON.stringify(recordToJson(record))));
}

Deno.test("recordToJson() keeps text, numbers, booleans, lists and mappings as they are", () => {
  const record: Json = { a: ["1.0", 2, -3.5e-7, true, null], "": {}, b: { c: [[]] } };
  assertEquals(recordToJson(record), record);
  assertEquals(kept(record), record);
});

Deno.test("recordToJson() keeps the digits of decimals, and that they are decimals", () => {
  const candle = [1735689600000, Decimal.of("93576.00000000"), "93576.00000000"];
  assertEquals(
    JSON.stringify(recordToJson(candle)),
    '[1735689600000,{"$decimal":"93576.00000000"},"93576.00000000"]',
  );
  const [, price, text] = kept(candle) as unknown[];
  assertEquals([price instanceof Decimal, String(price), text], [
    true,
    "93576.00000000",
    "93576.00000000",
  ]);
});

Deno.test("recordToJson() keeps what JSON has no word for", () => {
  const odd = [NaN, Infinity, -Infinity, -0, undefined, 2n ** 64n, -1n, new Uint8Array([0, 255])];
  const read = kept(odd) as unknown[];
  assertEquals(read, odd);
  assertEquals(Object.is(read[3], -0), true);
  assertEquals(4 in read, true);
  assertEquals(Object.keys(kept({ gap: undefined }) as object), ["gap"]);
});

Deno.test("recordToJson() keeps mappings that look like its own words apart from them", () => {
  for (const record of [{ $decimal: "1.0" }, { $mapping: { $value: "NaN" } }, { $x: 1 }]) {
    assertEquals(kept(record), record);
  }
  assertEquals(recordToJson({ $x: 1, y: 2 }), { $x: 1, y: 2 });
  const proto: unknown = JSON.parse('{"__proto__":{"a":1}}');
  assertEquals(JSON.stringify(kept(proto)), '{"__proto__":{"a":1}}');
});

Deno.test("recordToJson() refuses what it could not give back", () => {
  const round: unknown[] = [];
  round.push(round);
  const refused: [unknown, string][] = [
    [{ at: new Date(0) }, "it holds a Date"],
    [[new Map()], "it holds a Map"],
    [() => {}, "it holds a function"],
    [Symbol("s"), "it holds a symbol"],
    [round, "must not hold itself"],
  ];
  for (const [record, message] of refused) {
    assertThrows(() => recordToJson(record), FatalError, message);
  }
});

Deno.test("recordFromJson() refuses what was not written by recordToJson()", () => {
  for (
    const json of [
      { $decimal: "1e5" },
      { $decimal: 1 },
      { $decimal: "1".repeat(64) },
      { $bigint: "1.5" },
      { $bytes: "?" },
      { $value: "null" },
      { $mapping: [] },
      { $other: 1 },
    ]
  ) {
    assertThrows(() => recordFromJson([json]), FatalError, "must have written it");
  }
});
