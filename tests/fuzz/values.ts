/** Targets: times, intervals and indicators. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { floorToInterval, INTERVALS, missingBetween, nextOpen } from "../../engine/interval.ts";
import { parseTime, resolveTime } from "../../engine/time.ts";
import type { Point } from "../../engine/point.ts";
import { rsi } from "../../transforms/rsi.ts";
import { decimal, must, NASTY, quote, spoiled, text } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

const NOW_MS = Date.UTC(2024, 2, 31, 12);

const times = defineTarget({
  name: "times",
  promise: "A time that is accepted is a moment from 1970 on, as Date has it where it is ISO 8601",
  cases: 1_000,
  arbitrary: spoiled(
    fc.oneof(
      fc.constantFrom("2024-02-29", "2024-01-31T12:00:00Z", "2024-01-31 12:00", "now"),
      fc.constantFrom("30 days ago", "1 month ago", "2024-01-31T12:00:00.123+02:00"),
      fc.integer({ min: 0, max: 2 ** 45 }).map(String),
      text(),
    ),
    [...NASTY, "0", "9", "T", "Z", "+", ":", "1 year", "ago"],
    2,
  ),
  holds(written) {
    const time = parseTime(written);
    if (typeof time === "string") {
      must(time.startsWith("must "), `a sentence, found ${quote(time)}`);
      return;
    }
    const ms = resolveTime(time, NOW_MS);
    must(Number.isFinite(ms) && ms >= 0 && ms < 1e15, `a moment, found ${ms}`);
    const [date] = /^\s*\d{4}-\d{2}-\d{2}/.exec(written) ?? [];
    if (date === undefined) return;
    must(
      Math.abs(ms - Date.parse(date.trim())) < 2 * 86_400_000,
      `a moment of that day, found ${ms}`,
    );
  },
});

const intervals = defineTarget({
  name: "intervals",
  promise: "Each moment lies in one candle, candles follow each other, and none is missing between",
  cases: 1_000,
  arbitrary: fc.tuple(
    fc.constantFrom(...INTERVALS),
    fc.integer({ min: Date.UTC(2017, 0), max: Date.UTC(2040, 0) }),
    fc.nat(40),
  ),
  holds([interval, atMs, steps]) {
    const openMs = floorToInterval(interval, atMs);
    const nextMs = nextOpen(interval, openMs);
    must(openMs <= atMs && atMs < nextMs, `a candle that holds ${atMs}`);
    assertEquals(floorToInterval(interval, openMs), openMs);
    assertEquals(floorToInterval(interval, nextMs), nextMs);
    let laterMs = openMs;
    for (let step = 0; step <= steps; step++) laterMs = nextOpen(interval, laterMs);
    assertEquals(missingBetween(interval, openMs, laterMs), steps);
  },
});

const SERIES = { exchange: "binance", symbol: "A", base: "A", quote: "B", interval: "1m" };

const bars = fc.tuple(
  fc.record({
    period: fc.integer({ min: 2, max: 5 }),
    gap: fc.constantFrom("compress", "fill", "reset"),
    flat: fc.constantFrom("neutral", "talib", "tradingview", null),
  }),
  fc.array(
    fc.tuple(
      fc.integer({ min: -2, max: 6 }),
      fc.oneof(
        { weight: 6, arbitrary: decimal() },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 }).map(String) },
        { weight: 1, arbitrary: fc.constantFrom("0", "1e300", "-1e300", "1e-320", "NaN", "") },
        { weight: 1, arbitrary: fc.constant(undefined) },
      ),
      fc.boolean(),
    ),
    { maxLength: 25 },
  ),
);

const indicators = defineTarget({
  name: "rsi",
  promise:
    "RSI lies from 0 to 100 whatever comes, no candle is held back, and a state survives JSON",
  cases: 500,
  arbitrary: bars,
  holds([given, moves]) {
    const checked = rsi.options.safeParse(given);
    must(checked.success, "options that are right");
    const options = checked.data;
    const initial = rsi.state?.initial(options);
    must(initial !== undefined, "a state to begin with");
    let [state, copy] = [initial, initial];
    let timeMs = NOW_MS;
    for (const [slots, close, closed] of moves) {
      timeMs += 60_000 * slots;
      const fields = { ...close === undefined ? {} : { close }, closed };
      const point: Point = { measurement: "kline", tags: SERIES, fields, timeMs };
      const [one, two]: [Point[], Point[]] = [[], []];
      state = rsi.step(point, { options, state, emit: (out) => void one.push(out) });
      copy = rsi.step(point, {
        options,
        state: JSON.parse(JSON.stringify(copy)),
        emit: (out) => void two.push(out),
      });
      assertEquals(one, two);
      must(one.length === 1, `one point, found ${one.length}`);
      const value = one[0]?.fields[options.names.rsi];
      must(
        value === undefined || (typeof value === "number" && value >= 0 && value <= 100),
        `an index from 0 to 100, found ${quote(value)}`,
      );
    }
    assertEquals(JSON.stringify(state), JSON.stringify(copy));
  },
});

/** All targets of this file. */
export const VALUES: readonly FuzzTarget[] = [times, intervals, indicators];
