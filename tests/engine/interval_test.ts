import { assert, assertEquals } from "@std/assert";
import {
  floorToInterval,
  type Interval,
  intervalMs,
  INTERVALS,
  missingBetween,
  nextOpen,
} from "../../engine/interval.ts";

const SHARED = new URL("../../../shared/data/", import.meta.url);
const shared = await Deno.stat(SHARED).then(() => true, () => false);

function at(iso: string): number {
  return new Date(iso).getTime();
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

Deno.test("INTERVALS holds the sixteen intervals, shortest first, minute and month apart", () => {
  assertEquals(INTERVALS.length, 16);
  assertEquals(new Set(INTERVALS).size, 16);
  const lengths = INTERVALS.map(intervalMs);
  assertEquals(lengths, lengths.toSorted((a, b) => a - b));
  assert(INTERVALS.includes("1m") && INTERVALS.includes("1M"));
});

Deno.test("intervalMs() gives the length of every interval", () => {
  assertEquals(INTERVALS.map(intervalMs), [
    1_000,
    60_000,
    180_000,
    300_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    14_400_000,
    21_600_000,
    28_800_000,
    43_200_000,
    86_400_000,
    259_200_000,
    604_800_000,
    2_678_400_000,
  ]);
});

// 2024-02-29 was a Thursday, and day 19,782 since the epoch: 3 × 6,594.
const FLOORS: readonly [Interval, string, string][] = [
  ["1s", "2024-02-29T13:37:41.000Z", "2024-02-29T13:37:42.000Z"],
  ["1m", "2024-02-29T13:37:00.000Z", "2024-02-29T13:38:00.000Z"],
  ["3m", "2024-02-29T13:36:00.000Z", "2024-02-29T13:39:00.000Z"],
  ["5m", "2024-02-29T13:35:00.000Z", "2024-02-29T13:40:00.000Z"],
  ["15m", "2024-02-29T13:30:00.000Z", "2024-02-29T13:45:00.000Z"],
  ["30m", "2024-02-29T13:30:00.000Z", "2024-02-29T14:00:00.000Z"],
  ["1h", "2024-02-29T13:00:00.000Z", "2024-02-29T14:00:00.000Z"],
  ["2h", "2024-02-29T12:00:00.000Z", "2024-02-29T14:00:00.000Z"],
  ["4h", "2024-02-29T12:00:00.000Z", "2024-02-29T16:00:00.000Z"],
  ["6h", "2024-02-29T12:00:00.000Z", "2024-02-29T18:00:00.000Z"],
  ["8h", "2024-02-29T08:00:00.000Z", "2024-02-29T16:00:00.000Z"],
  ["12h", "2024-02-29T12:00:00.000Z", "2024-03-01T00:00:00.000Z"],
  ["1d", "2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"],
  ["3d", "2024-02-29T00:00:00.000Z", "2024-03-03T00:00:00.000Z"],
  ["1w", "2024-02-26T00:00:00.000Z", "2024-03-04T00:00:00.000Z"],
  ["1M", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"],
];

Deno.test("floorToInterval() and nextOpen() know where the candles of all intervals open", () => {
  assertEquals(FLOORS.map(([interval]) => interval), [...INTERVALS]);
  const moment = at("2024-02-29T13:37:41.999Z");
  for (const [interval, open, next] of FLOORS) {
    assertEquals(iso(floorToInterval(interval, moment)), open, interval);
    assertEquals(iso(nextOpen(interval, at(open))), next, interval);
  }
});

Deno.test("floorToInterval() leaves an open time alone, and puts the last millisecond before the next with it", () => {
  for (const [interval, open, next] of FLOORS) {
    assertEquals(iso(floorToInterval(interval, at(open))), open, interval);
    assertEquals(iso(floorToInterval(interval, at(next) - 1)), open, interval);
    assertEquals(iso(floorToInterval(interval, at(next))), next, interval);
  }
});

Deno.test("floorToInterval() opens weeks on Monday 00:00 UTC", () => {
  const weeks: [string, string][] = [
    ["2024-03-03T23:59:59.999Z", "2024-02-26T00:00:00.000Z"],
    ["2024-03-04T00:00:00.000Z", "2024-03-04T00:00:00.000Z"],
    ["2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.000Z"],
    ["2023-12-31T12:00:00.000Z", "2023-12-25T00:00:00.000Z"],
    // The epoch itself was a Thursday.
    ["1970-01-01T00:00:00.000Z", "1969-12-29T00:00:00.000Z"],
    ["1970-01-05T00:00:00.000Z", "1970-01-05T00:00:00.000Z"],
  ];
  for (const [moment, open] of weeks) assertEquals(iso(floorToInterval("1w", at(moment))), open);
});

Deno.test("floorToInterval() and nextOpen() step from month to month over every length of month", () => {
  const opens: string[] = [];
  let open = floorToInterval("1M", at("2023-11-30T23:59:59.999Z"));
  for (let n = 0; n < 6; n++, open = nextOpen("1M", open)) opens.push(iso(open).slice(0, 10));
  assertEquals(opens, [
    "2023-11-01",
    "2023-12-01",
    "2024-01-01",
    "2024-02-01",
    "2024-03-01",
    "2024-04-01",
  ]);
  assertEquals(iso(nextOpen("1M", at("2023-02-01T00:00Z"))), "2023-03-01T00:00:00.000Z");
});

Deno.test("floorToInterval() goes down, not towards zero, before 1970", () => {
  const floors: [Interval, string][] = [
    ["1s", "1969-12-31T23:59:59.000Z"],
    ["1m", "1969-12-31T23:59:00.000Z"],
    ["4h", "1969-12-31T20:00:00.000Z"],
    ["1d", "1969-12-31T00:00:00.000Z"],
    ["3d", "1969-12-29T00:00:00.000Z"],
    ["1w", "1969-12-29T00:00:00.000Z"],
    ["1M", "1969-12-01T00:00:00.000Z"],
  ];
  for (const [interval, open] of floors) {
    assertEquals(iso(floorToInterval(interval, -1)), open, interval);
  }
});

Deno.test("floorToInterval() of 0 is a plain 0", () => {
  for (const interval of ["1s", "1m", "1h", "1d", "3d", "1M"] as const) {
    assertEquals(Object.is(floorToInterval(interval, 0), 0), true, interval);
  }
});

Deno.test("nextOpen() goes on from a candle off the grid by its own offset", () => {
  assertEquals(
    iso(nextOpen("1h", at("2018-02-09T09:28:14.789Z"))),
    "2018-02-09T10:28:14.789Z",
  );
  assertEquals(
    iso(nextOpen("1m", at("2017-12-04T06:49:06.123Z"))),
    "2017-12-04T06:50:06.123Z",
  );
});

Deno.test("missingBetween() finds none between a candle and the next, at any interval", () => {
  for (const [interval, open, next] of FLOORS) {
    assertEquals(missingBetween(interval, at(open), at(next)), 0, interval);
    assertEquals(
      missingBetween(interval, at(open), nextOpen(interval, at(next))),
      1,
      interval,
    );
  }
});

Deno.test("missingBetween() counts months by the calendar, not by days", () => {
  const months = (from: string, to: string) => missingBetween("1M", at(from), at(to));
  assertEquals(months("2024-01-01T00:00Z", "2024-02-01T00:00Z"), 0);
  assertEquals(months("2024-02-01T00:00Z", "2024-03-01T00:00Z"), 0);
  assertEquals(months("2023-12-01T00:00Z", "2024-03-01T00:00Z"), 2);
  assertEquals(months("2017-08-01T00:00Z", "2024-08-01T00:00Z"), 83);
});

Deno.test("missingBetween() is never less than 0: duplicates and rows out of order are not holes", () => {
  for (const interval of INTERVALS) {
    const open = floorToInterval(interval, at("2024-03-04T00:00Z"));
    assertEquals(missingBetween(interval, open, open), 0, interval);
    assertEquals(missingBetween(interval, nextOpen(interval, open), open), 0, interval);
  }
});

Deno.test("missingBetween() counts the spot-wide holes that are known", () => {
  // From the last candle before to the first after; the figures are those published for BTCUSDT.
  const holes: [Interval, string, string, number][] = [
    ["1m", "2019-03-12T01:59Z", "2019-03-12T08:00Z", 360],
    ["1m", "2019-11-13T05:29Z", "2019-11-13T05:33Z", 3],
    ["1m", "2020-12-21T13:47Z", "2020-12-21T18:00Z", 252],
    ["1m", "2021-04-25T04:00Z", "2021-04-25T08:45Z", 284],
    ["1h", "2023-03-24T12:00Z", "2023-03-24T14:00Z", 1],
    ["4h", "2018-02-08T00:00Z", "2018-02-09T08:00Z", 7],
  ];
  for (const [interval, last, first, missing] of holes) {
    assertEquals(missingBetween(interval, at(last), at(first)), missing, `${interval} ${last}`);
  }
});

Deno.test("missingBetween() takes an off-grid candle for the slot nearest to it: the halt of February 2018", () => {
  // Of the hours from 02-08 00:00 to 02-11 04:00, 77 with both ends, there are 45 candles: the
  // truncated first, 43 that open at HH:28:14.789, and the last one, overlapped by the one before.
  const opens = [at("2018-02-08T00:00Z")];
  for (let n = 0; n < 43; n++) opens.push(at("2018-02-09T09:28:14.789Z") + n * 3_600_000);
  assertEquals(iso(opens.at(-1) ?? 0), "2018-02-11T03:28:14.789Z");
  opens.push(at("2018-02-11T04:00Z"));
  const missing = opens.slice(1).map((open, i) => missingBetween("1h", opens[i] ?? NaN, open));
  assertEquals(missing, [32, ...Array(42).fill(0), 0]);
});

Deno.test("missingBetween() takes off-grid minutes for the slots nearest to them: the halt of December 2017", () => {
  const minutes = (from: string, to: string) => missingBetween("1m", at(from), at(to));
  // The last minute before the halt was cut off at 06:00:20; the first after it opened at 06:49:06.
  assertEquals(minutes("2017-12-04T06:00:00Z", "2017-12-04T06:49:06Z"), 48);
  assertEquals(minutes("2017-12-04T06:49:06Z", "2017-12-04T06:50:06Z"), 0);
  // From the shifted minutes back onto the grid.
  assertEquals(minutes("2017-12-18T10:00:06Z", "2017-12-18T10:15:00Z"), 14);
  assertEquals(minutes("2017-12-18T12:29:06Z", "2017-12-18T12:30:00Z"), 0);
});

Deno.test({
  name: "missingBetween() finds the one hole of recorded candles (needs ../shared)",
  ignore: !shared,
  async fn() {
    const text = await Deno.readTextFile(new URL("rest-BTCUSDT-4h-2018-q1.json", SHARED));
    const rows: [number, ...unknown[]][] = JSON.parse(text);
    const holes = rows.slice(1).flatMap(([open], i) => {
      const before = rows[i]?.[0] ?? NaN;
      const missing = missingBetween("4h", before, open);
      return missing > 0 ? [[iso(before), missing]] : [];
    });
    assertEquals(rows.length, 533);
    assertEquals(holes, [["2018-02-08T00:00:00.000Z", 7]]);
  },
});
