import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseDeadLetter, toDeadLetter } from "../../../engine/dead_letters/dead_letter.ts";
import { Decimal } from "../../../engine/decimal.ts";
import { FatalError, RecordError } from "../../../engine/errors.ts";
import { toPoint } from "../../../transforms/kline.ts";
import { step, total } from "../_fakes.ts";

const SERIES = {
  exchange: "binance",
  symbol: "BELBTC",
  base: "BEL",
  quote: "BTC",
  interval: "1m",
};
/** A candle as the source of REST gives it: decimals are places in the answer. */
const CANDLE = {
  series: SERIES,
  candle: [
    1681153980000,
    ...["0.00002369", "0.00002370", "0.00002360", "0.00002361", "12.5"].map(Decimal.of),
    1681154039999,
    Decimal.of("0.0002954"),
    3,
    Decimal.of("2.5"),
    Decimal.of("0.0000591"),
    "0",
  ],
  closed: true,
};

function refusalOf(record: unknown) {
  return { step: step(total), record, number: 7, error: new RecordError("Cannot be") };
}

Deno.test("a dead letter holds the very record: what comes of it is the same to the last digit", () => {
  const line = JSON.stringify(toDeadLetter("btc", refusalOf(CANDLE)));
  const letter = parseDeadLetter(line);
  assert(typeof letter === "object");
  assertEquals(
    { ...letter, record: undefined },
    { pipeline: "btc", step: "total", number: 7, reason: "Cannot be", record: undefined },
  );
  const before = toPoint(CANDLE);
  const after = toPoint(letter.record as typeof CANDLE);
  assertEquals(JSON.stringify(after), JSON.stringify(before));
  assertEquals(after.fields.close instanceof Decimal, true);
});

Deno.test("toDeadLetter() says which step made a record that cannot be kept", () => {
  const error = assertThrows(
    () => toDeadLetter("btc", refusalOf({ when: new Date(0) })),
    FatalError,
    'Cannot keep a record that step "total" refused (Cannot be)',
  );
  assertStringIncludes(error.message, "it holds a Date");
  assertStringIncludes(error.hint ?? "", "plain data");
});

Deno.test("parseDeadLetter() says why a line is no dead letter", () => {
  const letter = { pipeline: "a", step: "b", number: 1, reason: "c", record: 1 };
  assertEquals(parseDeadLetter(JSON.stringify(letter)), letter);
  for (
    const line of [
      "{}",
      "7",
      "null",
      JSON.stringify({ ...letter, number: 0 }),
      JSON.stringify({ ...letter, more: 1 }),
    ]
  ) {
    assertEquals(
      parseDeadLetter(line),
      "it must be a mapping with a step and a record: it is not",
      line,
    );
  }
  assertEquals(parseDeadLetter('{"pipeline":'), "it must be JSON: it is not");
  assertEquals(
    parseDeadLetter(JSON.stringify({ ...letter, record: { $decimal: "x" } })),
    "its record must be one that was kept: Cannot read a record as penstock must have written it: " +
      'nothing is written as "$decimal" of such a value',
  );
});
