/** Targets: rows of candles, as REST answers, pages and decimals. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Decimal } from "../../engine/decimal.ts";
import { FatalError } from "../../engine/errors.ts";
import { INTERVALS, nextOpen } from "../../engine/interval.ts";
import { fingerprint } from "../../sources/_binance/fingerprint.ts";
import { isTime, openOf } from "../../sources/_binance/holes.ts";
import { arrangePage } from "../../sources/_binance/page.ts";
import { parseRows } from "../../sources/_binance/rows.ts";
import { decimal, json, must, NASTY, onlyThrows, quote, spoiled } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const OPEN_MS = Date.UTC(2024, 0, 1);

/** The text of rows as the exchange writes them. */
function rowsText(): fc.Arbitrary<string> {
  const row = fc.tuple(
    fc.nat(1_000_000),
    fc.array(decimal(), { minLength: 4, maxLength: 4 }),
    fc.nat(99_999_999),
  ).map(([slot, [a, b, c, d], trades]) => {
    const openMs = OPEN_MS + 60_000 * slot;
    return `[${openMs},"${a}","${b}","${c}","${d}","${a}",${
      openMs + 59_999
    },"${b}",${trades},"${c}","${d}","0"]`;
  });
  return fc.array(row, { minLength: 1, maxLength: 3 }).map((rows) => `[${rows.join(",")}]`);
}

const encoder = new TextEncoder();

const goodRows = defineTarget({
  name: "rest_rows",
  promise: "Rows as the exchange writes them are read, and are what JSON.parse makes of them",
  cases: 500,
  arbitrary: rowsText(),
  holds(text) {
    const rows = parseRows(encoder.encode(text));
    must(rows !== undefined, "rows, found none");
    assertEquals(JSON.stringify(rows), text);
  },
});

const spoiledRows = defineTarget({
  name: "rest_rows_spoiled",
  promise: "What is read of a spoiled answer is what JSON.parse makes of it, or it is left alone",
  cases: 2_000,
  arbitrary: spoiled(rowsText(), [...NASTY, "[", "]", "[[", "]]", "0", "-", ".", ","]),
  holds(text) {
    const rows = parseRows(encoder.encode(text));
    if (rows === undefined) return;
    assertEquals(JSON.stringify(rows), JSON.stringify(JSON.parse(text)));
  },
});

const decimals = defineTarget({
  name: "decimals",
  promise: "A decimal has the digits, the float and the order of its text",
  cases: 1_000,
  arbitrary: fc.tuple(decimal(), decimal()),
  holds([a, b]) {
    const [left, right] = [Decimal.of(a), Decimal.of(b)];
    assertEquals([String(left), Number(left)], [a, Number(a)]);
    if (!left.isAlike(right)) return;
    assertEquals(Math.sign(left.compareAlike(right)), a === b ? 0 : a < b ? -1 : 1);
  },
});

/** Cells that stand where a time should. */
function timeCell(okay: fc.Arbitrary<number>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: okay }, { weight: 1, arbitrary: json() });
}

const page = fc.record({
  interval: fc.constantFrom(...INTERVALS.slice(1)),
  startSlot: fc.integer({ min: -5, max: 25 }),
  length: fc.integer({ min: 1, max: 30 }),
  hasBefore: fc.boolean(),
  nowSlot: fc.integer({ min: 0, max: 40 }),
  rows: fc.array(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc.tuple(
          timeCell(fc.integer({ min: -3, max: 40 })),
          timeCell(fc.integer({ min: -1, max: 2 })),
          fc.constantFrom("1", "2"),
        ),
      },
      { weight: 1, arbitrary: json() },
    ),
    { maxLength: 12 },
  ),
});

const pages = defineTarget({
  name: "pages",
  promise: "A page moves reading on or ends it, strictly ascending, with rows of the answer alone",
  cases: 2_000,
  arbitrary: page,
  holds({ interval, startSlot, length, hasBefore, nowSlot, rows }) {
    const unitMs = nextOpen(interval, OPEN_MS) - OPEN_MS;
    const at = (slot: unknown) => typeof slot === "number" ? OPEN_MS + unitMs * slot : slot;
    const answer = rows.map((row) => {
      if (!Array.isArray(row) || row.length !== 3) return row;
      const [slot, closes, price] = row;
      const openMs = at(slot);
      const closeMs = typeof closes === "number" && typeof openMs === "number"
        ? openMs + unitMs * closes - 1
        : closes;
      return [openMs, price, price, price, price, "1", closeMs, "1", 1, "1", "1", "0"];
    });
    const startMs = OPEN_MS + unitMs * startSlot;
    const nowMs = OPEN_MS + unitMs * nowSlot;
    const endMs = Math.min(nowMs, startMs + unitMs * length);
    if (endMs <= startMs) return;
    const query = { symbol: "BTCUSDT", interval, startMs, endMs, nowMs };
    const afterMs = hasBefore ? startMs - 1 : undefined;
    const made = onlyThrows([FatalError], () => arrangePage(answer, { ...query, afterMs }));
    if ("error" in made) return;
    const { rows: given, lastMs, isLast, holes } = made.value;
    must(given.every((row) => answer.includes(row)), "only rows of the answer");
    const opens = given.map(openOf).filter((openMs) => openMs !== undefined);
    must(
      opens.every((openMs, index) => openMs > (opens[index - 1] ?? startMs - 1) && openMs < endMs),
      `rows in order, found ${quote(opens)}`,
    );
    must(
      isLast || (lastMs !== undefined && lastMs >= startMs),
      "a page that moves on or is the last",
    );
    must(holes.every(({ missing }) => missing > 0), "holes that lack something");
    const whole = answer.filter((row) => {
      const openMs = openOf(row);
      const closeMs: unknown = Array.isArray(row) ? row[6] : undefined;
      return openMs !== undefined && openMs >= startMs && openMs <= (lastMs ?? -1) &&
        isTime(closeMs) && closeMs >= openMs && closeMs < nowMs;
    });
    must(
      whole.every((row) => opens.includes(openOf(row) ?? NaN)),
      `each closed candle up to ${lastMs}, found ${quote(opens)}`,
    );
  },
});

const fingerprints = defineTarget({
  name: "fingerprints",
  promise: "Whatever stands in a row has a fingerprint, and the same row the same",
  cases: 500,
  arbitrary: fc.array(json(), { maxLength: 12 }),
  holds(row) {
    const print = fingerprint(row);
    must(Number.isInteger(print) && print >= 0 && print < 2 ** 32, `32 bits, found ${print}`);
    assertEquals(fingerprint(JSON.parse(JSON.stringify(row))), print);
  },
});

/** All targets of this file. */
export const ROWS: readonly FuzzTarget[] = [goodRows, spoiledRows, decimals, pages, fingerprints];
