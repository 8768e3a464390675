import { assertEquals, assertThrows } from "@std/assert";
import { Decimal } from "../../../engine/decimal.ts";
import { FatalError } from "../../../engine/errors.ts";
import { arrangePage, type PageQuery } from "../../../sources/_binance/page.ts";
import { rowAt, rowsFrom } from "./scripted_exchange.ts";

const MINUTE = 60_000;
const T0 = Date.UTC(2024, 0, 1);

function at(slot: number): number {
  return T0 + slot * MINUTE;
}

function query(more: Partial<PageQuery> = {}): PageQuery {
  return {
    symbol: "BTCUSDT",
    interval: "1m",
    afterMs: undefined,
    startMs: T0,
    endMs: at(1_000),
    nowMs: at(1_000),
    ...more,
  };
}

/** A row whose open time cannot be read. */
const UNREADABLE: readonly unknown[] = ["soon", ...rowAt(T0).slice(1)];

const NOTHING_ODD = {
  doubled_rows: 0,
  replaced_rows: 0,
  unsorted_rows: 0,
  unasked_rows: 0,
  recovered_rows: 0,
  unreadable_rows: 0,
};

Deno.test("arrangePage() gives the very rows of the answer when they are in order", () => {
  const rows = rowsFrom(T0, 3);
  const page = arrangePage(rows, query());
  assertEquals(page.rows === rows, true);
  assertEquals(page, {
    rows,
    lastMs: at(2),
    isLast: false,
    holes: [],
    oddities: NOTHING_ODD,
  });
});

Deno.test("arrangePage() takes an empty answer for the end", () => {
  const page = arrangePage([], query());
  assertEquals([page.isLast, page.lastMs, page.rows], [true, undefined, []]);
});

Deno.test("arrangePage() takes a page that reaches the end of the window for the last", () => {
  assertEquals(arrangePage(rowsFrom(T0, 3), query({ endMs: at(2) + 1 })).isLast, true);
  assertEquals(arrangePage(rowsFrom(T0, 3), query({ endMs: at(2) + 2 })).isLast, false);
});

Deno.test("arrangePage() leaves the open candle out and takes the page for the last", () => {
  const page = arrangePage(rowsFrom(T0, 3), query({ nowMs: at(2) + 30_000 }));
  assertEquals([page.rows.length, page.lastMs, page.isLast], [2, at(1), true]);
  assertEquals(page.oddities, NOTHING_ODD);
});

Deno.test("arrangePage() counts a candle as closed when its close time is past, not before", () => {
  const rows = rowsFrom(T0, 1);
  assertEquals(arrangePage(rows, query({ nowMs: at(1) - 1 })).rows.length, 0);
  assertEquals(arrangePage(rows, query({ nowMs: at(1) })).rows.length, 1);
});

Deno.test("arrangePage() does not take an old candle for open, whatever its close time says", () => {
  const rows = [rowAt(at(0)), rowAt(at(1)).with(6, at(900_000)), rowAt(at(2))];
  const page = arrangePage(rows, query({ nowMs: at(2) + 60_000 }));
  assertEquals([page.rows, page.lastMs, page.isLast], [rows, at(2), false]);
});

Deno.test("arrangePage() takes a candle that was cut short for closed before its interval is over", () => {
  const page = arrangePage(
    [rowAt(at(0)).with(6, at(0) + 14_788)],
    query({ nowMs: at(0) + 20_000 }),
  );
  assertEquals([page.rows.length, page.isLast], [1, false]);
});

Deno.test("arrangePage() does not end at the open candle while one before it is missing", () => {
  const page = arrangePage([rowAt(at(0)), rowAt(at(2))], query({ nowMs: at(2) + 30_000 }));
  assertEquals([page.rows.length, page.lastMs, page.isLast], [1, at(0), false]);
});

Deno.test("arrangePage() ends at a page of nothing but the open candle", () => {
  const page = arrangePage(
    rowsFrom(at(5), 1),
    query({ afterMs: at(4), startMs: at(4) + 1, nowMs: at(5) + 1 }),
  );
  assertEquals([page.rows, page.lastMs, page.isLast, page.holes], [[], undefined, true, []]);
});

Deno.test("arrangePage() finds holes before and between rows", () => {
  const rows = [rowAt(at(3)), rowAt(at(4)), rowAt(at(7))];
  assertEquals(arrangePage(rows, query({ afterMs: at(0), startMs: at(0) + 1 })).holes, [
    { afterMs: at(0), toMs: at(3), missing: 2 },
    { afterMs: at(4), toMs: at(7), missing: 2 },
  ]);
});

Deno.test("arrangePage() finds no hole before the first row of all", () => {
  assertEquals(arrangePage([rowAt(at(3))], query()).holes, []);
});

Deno.test("arrangePage() finds no hole where candles open off the grid, as in 2018", () => {
  const shifted = Date.UTC(2018, 1, 9, 10, 28, 14, 789);
  const hour = 60 * MINUTE;
  const rows = [
    rowAt(shifted, hour),
    rowAt(shifted + hour, hour),
    rowAt(Date.UTC(2018, 1, 9, 12), hour),
  ];
  const page = arrangePage(rows, query({ interval: "1h", startMs: shifted, endMs: T0 }));
  assertEquals([page.rows.length, page.holes], [3, []]);
});

Deno.test("arrangePage() gives a truncated candle as it is", () => {
  const cut = rowAt(at(0)).with(6, at(0) + 14_788);
  const page = arrangePage([cut, rowAt(at(4))], query());
  assertEquals(page.rows, [cut, rowAt(at(4))]);
  assertEquals(page.holes, [{ afterMs: at(0), toMs: at(4), missing: 3 }]);
});

Deno.test("arrangePage() counts months as months", () => {
  const month = (index: number) => rowAt(Date.UTC(2023, index, 1), 28 * 86_400_000);
  const rows = [month(0), month(1), month(2), month(5)];
  const window = query({ interval: "1M", startMs: Date.UTC(2023, 0, 1) });
  assertEquals(arrangePage(rows, window).holes, [
    { afterMs: Date.UTC(2023, 2, 1), toMs: Date.UTC(2023, 5, 1), missing: 2 },
  ]);
});

Deno.test("arrangePage() puts rows in order and counts those that came late", () => {
  const [a, b, c] = rowsFrom(T0, 3);
  const page = arrangePage([a, c, b], query());
  assertEquals(page.rows, [a, b, c]);
  assertEquals([page.lastMs, page.holes, page.oddities.unsorted_rows], [at(2), [], 1]);
});

Deno.test("arrangePage() gives a row that is there twice once", () => {
  const [a, b] = rowsFrom(T0, 2);
  const page = arrangePage([a, a?.slice(), b, b?.slice(), b?.slice()], query());
  assertEquals(page.rows, [a, b]);
  assertEquals(page.oddities, { ...NOTHING_ODD, doubled_rows: 3 });
});

Deno.test("arrangePage() gives the later of two rows of one open time", () => {
  const [a, b] = rowsFrom(T0, 2);
  const corrected = rowAt(T0).with(4, "13410.04000000");
  const page = arrangePage([a, b, corrected], query());
  assertEquals(page.rows, [corrected, b]);
  assertEquals(page.oddities, { ...NOTHING_ODD, replaced_rows: 1, unsorted_rows: 1 });
});

Deno.test("arrangePage() leaves out rows that were not asked for, and counts them", () => {
  const rows = rowsFrom(T0, 5);
  const page = arrangePage(rows, query({ afterMs: at(1), startMs: at(1) + 1, endMs: at(4) }));
  assertEquals(page.rows, rows.slice(2, 4));
  assertEquals([page.holes, page.oddities], [[], { ...NOTHING_ODD, unasked_rows: 3 }]);
});

Deno.test("arrangePage() refuses to go on when no row was asked for, as it would go on for ever", () => {
  assertThrows(
    () => arrangePage(rowsFrom(T0, 3), query({ afterMs: at(2), startMs: at(2) + 1 })),
    FatalError,
    "Cannot read candles of BTCUSDT as an answer must hold some that were asked for: " +
      "none of 3 rows opens from 2024-01-01T00:02:00.001Z to 2024-01-01T16:40:00.000Z",
  );
});

Deno.test("arrangePage() gives rows with a fault of any other kind in their place", () => {
  const [a, b, c, d] = rowsFrom(T0, 4);
  const rows = [a, b?.slice(0, 11), c?.with(2, "high"), d?.with(6, null)];
  const page = arrangePage(rows, query());
  assertEquals(page.rows, rows);
  assertEquals([page.lastMs, page.holes, page.oddities], [at(3), [], NOTHING_ODD]);
});

for (
  const [name, row] of [
    ["in seconds", rowAt(T0).with(0, T0 / 1_000)],
    ["in microseconds", rowAt(T0).with(0, T0 * 1_000)],
    ["with a fraction", rowAt(T0).with(0, T0 + 0.5)],
    ["as text", rowAt(T0).with(0, String(T0))],
    ["that is null", rowAt(T0).with(0, null)],
  ] as const
) {
  Deno.test(`arrangePage() gives a row with an open time ${name} where it stood`, () => {
    const [a, , c] = rowsFrom(T0, 3);
    const page = arrangePage([a, row, c], query());
    assertEquals(page.rows, [a, row, c]);
    assertEquals([page.holes, page.oddities], [[], { ...NOTHING_ODD, unreadable_rows: 1 }]);
  });
}

for (const row of [null, 7, "row", {}, []]) {
  Deno.test(`arrangePage() gives ${JSON.stringify(row)} in place of a row where it stood`, () => {
    const [a, , c] = rowsFrom(T0, 3);
    assertEquals(arrangePage([a, row, c], query()).rows, [a, row, c]);
    assertEquals(arrangePage([row, c], query()).rows, [row, c]);
  });
}

Deno.test("arrangePage() keeps an unreadable row behind its neighbour when rows are out of order", () => {
  const [a, b, c] = rowsFrom(T0, 3);
  assertEquals(arrangePage([b, UNREADABLE, a, c], query()).rows, [a, b, UNREADABLE, c]);
});

Deno.test("arrangePage() does not take an unreadable row for a hole, but what else is missing", () => {
  const rows = [rowAt(at(0)), UNREADABLE, rowAt(at(4))];
  assertEquals(arrangePage(rows, query()).holes, [{ afterMs: at(0), toMs: at(4), missing: 2 }]);
});

Deno.test("arrangePage() leaves unreadable rows at the end to the next page", () => {
  const [a, b] = rowsFrom(T0, 2);
  const page = arrangePage([a, b, UNREADABLE, UNREADABLE], query());
  assertEquals([page.rows, page.lastMs, page.isLast], [[a, b], at(1), false]);
  assertEquals(page.oddities, NOTHING_ODD);
});

Deno.test("arrangePage() lets a page of unreadable rows fill the slots that follow", () => {
  const rows = [UNREADABLE, UNREADABLE, UNREADABLE];
  const page = arrangePage(rows, query({ afterMs: at(1), startMs: at(1) + 1 }));
  assertEquals([page.rows.length, page.lastMs, page.isLast], [3, at(4), false]);
  assertEquals(page.oddities.unreadable_rows, 3);
});

Deno.test("arrangePage() starts at the first slot when the first page of all is unreadable", () => {
  assertEquals(arrangePage([UNREADABLE], query()).lastMs, at(0));
  assertEquals(arrangePage([UNREADABLE], query({ startMs: T0 + 1 })).lastMs, at(1));
});

Deno.test("arrangePage() leaves out an unreadable row that may be the open candle", () => {
  const window = query({ afterMs: at(1), startMs: at(1) + 1, nowMs: at(3) + 30_000 });
  const page = arrangePage([UNREADABLE, UNREADABLE], window);
  assertEquals([page.rows.length, page.lastMs, page.isLast], [1, at(2), true]);
});

Deno.test("arrangePage() ends when an unreadable row reaches the end of the window", () => {
  const window = query({ afterMs: at(1), startMs: at(1) + 1, endMs: at(3) });
  const page = arrangePage([UNREADABLE, UNREADABLE], window);
  assertEquals([page.rows.length, page.lastMs, page.isLast], [1, at(2), true]);
});

Deno.test("arrangePage() leaves its input as it was", () => {
  const [a, b, c] = rowsFrom(T0, 3);
  const rows = [c, b, b, a, UNREADABLE];
  arrangePage(rows, query());
  assertEquals(rows, [c, b, b, a, UNREADABLE]);
});

Deno.test("arrangePage() knows a row by the digits of its decimals", () => {
  const [row = []] = rowsFrom(T0, 1);
  const decimals = (close: string) => row.map((value, at) => at === 4 ? Decimal.of(close) : value);
  const same = arrangePage([decimals("1.50"), decimals("1.50")], query());
  assertEquals(same.oddities, { ...NOTHING_ODD, doubled_rows: 1 });
  const other = arrangePage([decimals("1.50"), decimals("1.51")], query());
  assertEquals(other.oddities, { ...NOTHING_ODD, replaced_rows: 1 });
});
