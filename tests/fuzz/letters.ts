/** Targets: dead letters. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseDeadLetter, toDeadLetter } from "../../engine/dead_letters/dead_letter.ts";
import { Decimal } from "../../engine/decimal.ts";
import { FatalError, RecordError } from "../../engine/errors.ts";
import { recordFromJson, recordToJson } from "../../engine/dead_letters/record_json.ts";
import { countRefusal, parseLimit } from "../../engine/dead_letters/refusal_limit.ts";
import { step, total } from "../engine/_fakes.ts";
import { decimal, json, must, mustBeMessage, NASTY, onlyThrows, spoiled, text } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

/** Whatever plain data may hold. */
const record: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      text(),
      fc.double(),
      fc.boolean(),
      fc.bigInt(),
      fc.constantFrom(null, undefined),
      decimal().map((digits) => Decimal.of(digits)),
      fc.uint8Array({ maxLength: 4 }),
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom("a", "b", "$decimal", "$mapping", "$value", "$x", "__proto__", "toString"),
      tie("value"),
      { maxKeys: 3, noNullPrototype: true },
    ),
  ),
})).value;

const records = defineTarget({
  name: "kept_records",
  promise: "A record that is kept comes back as it was, to the last digit",
  cases: 1_000,
  arbitrary: record,
  holds(value) {
    const kept = recordFromJson(JSON.parse(JSON.stringify(recordToJson(value))));
    mustBeSame(kept, value);
  },
});

function mustBeSame(found: unknown, expected: unknown): void {
  if (expected instanceof Decimal) {
    must(found instanceof Decimal && String(found) === String(expected), "a decimal of its digits");
  } else if (typeof expected !== "object" || expected === null) {
    must(Object.is(found, expected), `${String(expected)}, found ${String(found)}`);
  } else if (expected instanceof Uint8Array) assertEquals(found, expected);
  else {
    must(typeof found === "object" && found !== null, "a list or a mapping");
    must(Array.isArray(found) === Array.isArray(expected), "a list for a list");
    assertEquals(Object.keys(found), Object.keys(expected));
    for (const [key, value] of Object.entries(expected)) {
      mustBeSame(Object.getOwnPropertyDescriptor(found, key)?.value, value);
    }
  }
}

const foreign = defineTarget({
  name: "foreign_records",
  promise: "JSON that no record was kept as is refused, or is plain data",
  cases: 500,
  arbitrary: fc.oneof(
    json(),
    fc.dictionary(
      fc.constantFrom("$decimal", "$bigint", "$bytes", "$value", "$mapping", "$"),
      json(),
      {
        maxKeys: 2,
        noNullPrototype: true,
      },
    ),
  ),
  holds(value) {
    const made = onlyThrows([FatalError], () => recordFromJson(value));
    if ("value" in made) mustBeSame(recordFromJson(recordToJson(made.value)), made.value);
  },
});

const LETTER = JSON.stringify(
  toDeadLetter("btc", {
    ...{ step: step(total), number: 7, error: new RecordError("Cannot be") },
    record: { close: Decimal.of("0.10"), rows: [1, "2", undefined] },
  }),
);

const lines = defineTarget({
  name: "dead_letters",
  promise: "A line of a file is a dead letter, or there is a sentence on why it is none",
  cases: 1_000,
  arbitrary: spoiled(fc.constant(LETTER), [...NASTY, "{", "}", "[", "]", ":", "0", "$"]),
  holds(line) {
    const letter = parseDeadLetter(line);
    if (typeof letter === "string") mustBeMessage(letter);
    else must(letter.number >= 1 && Number.isSafeInteger(letter.number), "a number");
  },
});

const limits = defineTarget({
  name: "refusal_limits",
  promise: "A limit breaks at the first window that has too many, whatever the order of refusals",
  cases: 500,
  arbitrary: fc.tuple(
    fc.integer({ min: 0, max: 4 }),
    fc.integer({ min: 1, max: 20 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 80 }), { maxLength: 20 }),
  ),
  holds([refused, more, numbers]) {
    const limit = parseLimit(`${refused} in ${refused + more}`);
    must(typeof limit === "object", "a limit");
    let counting: readonly number[] = [];
    const seen: number[] = [];
    for (const number of numbers.toSorted((a, b) => a - b)) {
      seen.push(number);
      const counted = countRefusal(counting, number, limit);
      counting = counted.counting;
      const inWindow = seen.filter((one) => number - one < limit.records).length;
      assertEquals(counted.isBroken, inWindow > limit.refused);
      if (counted.isBroken) return;
    }
  },
});

/** All targets of this file. */
export const LETTERS: readonly FuzzTarget[] = [records, foreign, lines, limits];
