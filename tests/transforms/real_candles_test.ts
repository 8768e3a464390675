import { assert, assertEquals } from "@std/assert";
import type { Point, RawCandle, Series } from "../../engine/point.ts";
import { toPoint } from "../../transforms/kline.ts";
import { column, run } from "./_rsi.ts";
import { hasShared, readShared } from "./_shared.ts";

const ignore = !hasShared;
const HOUR_MS = 3_600_000;
const DECIMALS = 8;

const BITCOIN: Series = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "1h",
};

Deno.test({
  name: "kline gives REST rows summed to hours and archive rows as equal points (needs ../shared)",
  ignore,
  fn: () => {
    const hours = [...hourly(readRows("data/rest-BTCUSDT-15m-2024-12-30.json"))]
      .map((candle) => toPoint({ series: BITCOIN, candle }));
    const archived = new Map(
      [...readCsv("data/BTCUSDT-1h-2024-12.csv"), ...readCsv("data/BTCUSDT-1h-2025-01.csv")]
        .map((candle) => toPoint({ series: BITCOIN, candle }))
        .map((point) => [point.timeMs, point]),
    );
    assertEquals(hours.length, 168);
    assertEquals(archived.size, 31 * 24 * 2);
    assertEquals(hours, hours.map(({ timeMs }) => archived.get(timeMs)));
  },
});

Deno.test({
  name:
    "kline reads archive files in milliseconds and microseconds as one series (needs ../shared)",
  ignore,
  fn: () => {
    const rows = [
      ...readCsv("data/BTCUSDT-1h-2024-12.csv"),
      ...readCsv("data/BTCUSDT-1h-2025-01.csv"),
    ];
    const points = rows.map((candle) => toPoint({ series: BITCOIN, candle }));
    const start = Date.UTC(2024, 11, 1);
    assertEquals(points.map(({ timeMs }) => timeMs), rows.map((_, i) => start + i * HOUR_MS));
    assertEquals(column(run(points), "gap_bars").every((gap) => gap === undefined), true);
  },
});

Deno.test({
  name: "kline keeps each decimal of recorded REST rows as it is (needs ../shared)",
  ignore,
  fn: () => {
    const rows = readRows("data/rest-BTCUSDT-4h-2018-q1.json");
    for (const row of rows) {
      const { fields, timeMs } = toPoint({ series: { ...BITCOIN, interval: "4h" }, candle: row });
      const columns: unknown[] = [1, 2, 3, 4, 5, 7, 9, 10, 8].map((index) => row[index]);
      assertEquals<unknown>([timeMs, ...Object.values(fields)], [row[0], ...columns, true]);
    }
  },
});

Deno.test({
  name: "rsi of recorded candles begins at the 15th and names the hole of 2018 (needs ../shared)",
  ignore,
  fn: () => {
    const series = { ...BITCOIN, interval: "4h" };
    const points = run(
      readRows("data/rest-BTCUSDT-4h-2018-q1.json").map((candle) => toPoint({ series, candle })),
    );
    assertEquals(points.length, 533);
    const values = column(points, "rsi_14");
    assertEquals(values.findIndex((value) => value !== undefined), 14);
    assert(values.slice(14).every((value) => Number(value) > 0 && Number(value) < 100));
    const holes = points.filter(({ fields }) => "gap_bars" in fields);
    assertEquals(
      holes.map(({ timeMs, fields }) => [new Date(timeMs).toISOString(), fields.gap_bars]),
      [["2018-02-09T08:00:00.000Z", 7]],
    );
  },
});

Deno.test({
  name: "kline reads recorded websocket messages, four of eight closed (needs ../shared)",
  ignore,
  fn: () => {
    const points = readShared("data/ws-recorded-1m.txt").trim().split("\n")
      .map((line) => fromEvent(JSON.parse(line.slice(line.indexOf("{"))).data));
    assertEquals(points.map(({ fields }) => fields.closed), [
      ...Array(4).fill(true),
      ...Array(4).fill(false),
    ]);
    assertEquals(points[2], {
      measurement: "kline",
      tags: { exchange: "binance", symbol: "BELBTC", base: "?", quote: "?", interval: "1m" },
      fields: {
        open: "0.00002369",
        high: "0.00002369",
        low: "0.00002369",
        close: "0.00002369",
        volume: "0.00000000",
        quote_volume: "0.00000000",
        taker_buy_volume: "0.00000000",
        taker_buy_quote_volume: "0.00000000",
        trades: 0,
        closed: true,
      },
      timeMs: Date.UTC(2023, 3, 10, 19, 13),
    });
  },
});

Deno.test({
  name: "kline reads recorded events of spot and futures, all open (needs ../shared)",
  ignore,
  fn: () => {
    const points = readShared("data/ws-recorded-2026.ndjson").trim().split("\n")
      .map((line) => JSON.parse(line)).filter(({ e }) => e === "kline").map(fromEvent);
    assertEquals(
      points.map(({ fields: { close, quote_volume, closed } }) => [close, quote_volume, closed]),
      [
        ["64117.99000000", "24696.88116430", false],
        ["64117.99000000", "26010.65877940", false],
        ["64025.70", "2069200.98090", false],
        ["64025.60", "2090585.53250", false],
      ],
    );
  },
});

type Row = readonly (string | number)[];

function readRows(path: string): Row[] {
  return JSON.parse(readShared(path));
}

function readCsv(path: string): string[][] {
  return readShared(path).trim().split("\n").map((line) => line.split(","));
}

function fromEvent(event: { s: string; k: { i: string } }): Point {
  const series = { ...BITCOIN, symbol: event.s, base: "?", quote: "?", interval: event.k.i };
  const record: RawCandle = { series, candle: event };
  return toPoint(record);
}

/** Rows of one hour each, from rows of quarters of an hour. */
function* hourly(rows: readonly Row[]): Generator<Row> {
  for (let i = 0; i + 4 <= rows.length; i += 4) {
    const quarters = rows.slice(i, i + 4);
    const texts = (index: number) => quarters.map((row) => String(row[index]));
    const [first, last] = [quarters[0], quarters[3]];
    assert(first && last);
    yield [
      first[0] ?? "",
      first[1] ?? "",
      texts(2).reduce((a, b) => scaled(a) > scaled(b) ? a : b),
      texts(3).reduce((a, b) => scaled(a) < scaled(b) ? a : b),
      last[4] ?? "",
      sum(texts(5)),
      last[6] ?? "",
      sum(texts(7)),
      texts(8).reduce((total, trades) => total + Number(trades), 0),
      sum(texts(9)),
      sum(texts(10)),
      "0",
    ];
  }
}

/** A decimal of eight places, in units of the last one. */
function scaled(decimal: string): bigint {
  const [whole = "", part = ""] = decimal.split(".");
  assertEquals(part.length, DECIMALS);
  return BigInt(whole + part);
}

function sum(decimals: readonly string[]): string {
  const total = decimals.reduce((units, decimal) => units + scaled(decimal), 0n);
  const digits = String(total).padStart(DECIMALS + 1, "0");
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`;
}
