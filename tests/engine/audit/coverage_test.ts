import { assert, assertEquals } from "@std/assert";
import { Coverage, intervalOf } from "../../../engine/audit/coverage.ts";
import type { Interval } from "../../../engine/interval.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function coverageOf(
  interval: Interval,
  fromMs: number,
  toMs: number,
  times: readonly number[],
): Coverage {
  const coverage = new Coverage(interval, { fromMs, toMs }, []);
  for (const timeMs of times) coverage.take(timeMs);
  coverage.end();
  return coverage;
}

Deno.test("Coverage counts months by the calendar", () => {
  const month = (month: number) => Date.UTC(2024, month, 1);
  const { expected, gaps } = coverageOf("1M", month(0), month(12), [0, 1, 4, 11].map(month));
  assertEquals(expected, 12);
  assertEquals(gaps, [
    { fromMs: month(2), toMs: month(4), slots: 2 },
    { fromMs: month(5), toMs: month(11), slots: 6 },
  ]);
});

Deno.test("Coverage begins weeks on Mondays, and leaves out one that began before the range", () => {
  // 2024-01-03 is a Wednesday; the Mondays after it are the 8th, the 15th and the 22nd.
  const day = (day: number) => Date.UTC(2024, 0, day);
  const { expected, gaps } = coverageOf("1w", day(3), day(23), [day(8), day(22)]);
  assertEquals(expected, 3);
  assertEquals(gaps, [{ fromMs: day(15), toMs: day(22), slots: 1 }]);
});

Deno.test("Coverage takes the alignment of three days from what is there", () => {
  const first = Date.UTC(2024, 0, 2);
  const times = [first, first + 3 * DAY, first + 9 * DAY];
  const { expected, gaps } = coverageOf("3d", first - DAY, first + 12 * DAY, times);
  assertEquals(expected, 4);
  assertEquals(gaps, [{ fromMs: first + 6 * DAY, toMs: first + 9 * DAY, slots: 1 }]);
});

Deno.test("Coverage of the halt of February 2018 has one gap, and candles off the grid fill their slots", () => {
  const halt = Date.UTC(2018, 1, 8);
  const offset = 28 * 60_000 + 14_789;
  const coverage = new Coverage("1h", { fromMs: halt, toMs: halt + 36 * HOUR }, []);
  const placed = [
    halt,
    ...Array.from({ length: 26 }, (_, at) => halt + (9 + at) * HOUR + offset),
    halt + 35 * HOUR,
  ].map((timeMs) => coverage.take(timeMs));
  coverage.end();
  assertEquals(coverage.gaps, [{ fromMs: halt + HOUR, toMs: halt + 9 * HOUR, slots: 8 }]);
  assertEquals(placed.map(({ oddity }) => oddity).filter((oddity) => oddity).length, 26);
  assertEquals(placed.map(({ isBehindGap }) => isBehindGap).indexOf(true), 1);
});

Deno.test("Coverage tells of a time that is stored twice", () => {
  const coverage = new Coverage("1h", { fromMs: 0, toMs: 3 * HOUR }, []);
  const oddities = [0, HOUR, HOUR, 2 * HOUR].map((timeMs) => coverage.take(timeMs).oddity);
  assertEquals(oddities, [undefined, undefined, "stored twice", undefined]);
});

Deno.test("Coverage leaves out what lies beyond its range", () => {
  const { expected, gaps } = coverageOf("1h", HOUR, 3 * HOUR, [0, HOUR, 5 * HOUR]);
  assertEquals(expected, 2);
  assertEquals(gaps, [{ fromMs: 2 * HOUR, toMs: 3 * HOUR, slots: 1 }]);
});

Deno.test("Coverage keeps a bounded number of gaps: what lies between further ones goes with them", () => {
  const times = Array.from({ length: 12_000 }, (_, at) => 2 * at * 60_000);
  const { gaps } = coverageOf("1m", 0, 24_000 * 60_000, times);
  assertEquals(gaps.length, 10_000);
  assertEquals(gaps.reduce((sum, { slots }) => sum + slots, 0), 12_000);
  assertEquals(gaps.at(-1)?.toMs, 24_000 * 60_000);
});

Deno.test("Coverage with holes leaves out just their slots, whatever of them is there", () => {
  const hour = (from: number, to: number) => ({
    fromMs: from * HOUR,
    toMs: to * HOUR,
    slots: to - from,
  });
  const known = [hour(2, 4), hour(5, 6), hour(8, 12)];
  const coverage = new Coverage("1h", { fromMs: 0, toMs: 10 * HOUR }, known);
  const behind = [0, 3, 5, 7].map((at) => coverage.take(at * HOUR).isBehindGap);
  coverage.end();
  assertEquals(coverage.gaps, [hour(1, 2), hour(4, 5), hour(6, 7)]);
  assertEquals(coverage.holes, [hour(2, 3), hour(8, 10)]);
  assertEquals(coverage.expected, 7);
  assertEquals(behind, [false, true, true, true]);
});

Deno.test("intervalOf() knows the intervals of candles and no others", () => {
  assertEquals(intervalOf({ tags: { interval: "1M" } }), "1M");
  assertEquals(intervalOf({ tags: { interval: "7m" } }), undefined);
  assert(intervalOf({ tags: {} }) === undefined);
});
