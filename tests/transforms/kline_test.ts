import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Decimal } from "../../engine/decimal.ts";
import { OptionsError, RecordError } from "../../engine/errors.ts";
import type { Doubt } from "../../engine/plugin.ts";
import type { Point, PointShape, RawCandle, Series } from "../../engine/point.ts";
import { kline, toPoint } from "../../transforms/kline.ts";
import { inText } from "../contracts/pure.ts";
import { testTransform } from "../contracts/transform.ts";

const SERIES: Series = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "1m",
};
const OPEN_MS = Date.UTC(2025, 0, 1);

const REST_ROW = [
  1735689600000,
  "93576.00000000",
  "93610.93000000",
  "93537.50000000",
  "93576.01000000",
  "8.21827000",
  1735689659999,
  "768978.10234000",
  2631,
  "3.95157000",
  "369757.32652890",
  "0",
];
const ARCHIVE_ROW = REST_ROW.map(String);
const MICROSECOND_ROW = ARCHIVE_ROW.with(0, "1735689600000000").with(6, "1735689659999999");
const EVENT = {
  e: "kline",
  E: 1735689660003,
  s: "BTCUSDT",
  k: {
    t: 1735689600000,
    T: 1735689659999,
    s: "BTCUSDT",
    i: "1m",
    f: 4359000001,
    L: 4359002631,
    o: "93576.00000000",
    c: "93576.01000000",
    h: "93610.93000000",
    l: "93537.50000000",
    v: "8.21827000",
    n: 2631,
    x: true,
    q: "768978.10234000",
    V: "3.95157000",
    Q: "369757.32652890",
    B: "0",
  },
};
const POINT = {
  measurement: "kline",
  tags: { exchange: "binance", symbol: "BTCUSDT", base: "BTC", quote: "USDT", interval: "1m" },
  fields: {
    open: "93576.00000000",
    high: "93610.93000000",
    low: "93537.50000000",
    close: "93576.01000000",
    volume: "8.21827000",
    quote_volume: "768978.10234000",
    taker_buy_volume: "3.95157000",
    taker_buy_quote_volume: "369757.32652890",
    trades: 2631,
    closed: true,
  },
  timeMs: OPEN_MS,
};
const OPEN_POINT = { ...POINT, fields: { ...POINT.fields, closed: false } };

testTransform(kline, {
  options: {},
  badOptions: [{ interval: "1m" }, null, "1m"],
  permissions: {},
  shape: { kind: "raw", format: "candle" },
  badShapes: [
    { kind: "raw", format: "trade" },
    { kind: "point", measurement: "kline", tags: [], fields: { close: "float" } },
  ],
  records: [
    { series: SERIES, candle: REST_ROW },
    { series: SERIES, candle: ARCHIVE_ROW },
    { series: SERIES, candle: MICROSECOND_ROW },
    { series: SERIES, candle: EVENT },
    { series: SERIES, candle: REST_ROW, closed: true },
    { series: SERIES, candle: REST_ROW, closed: false },
    { series: SERIES, candle: { ...EVENT, k: { ...EVENT.k, x: false } } },
    { series: SERIES, candle: { ...EVENT, k: { ...EVENT.k, x: false } }, closed: true },
  ],
  expected: [POINT, POINT, POINT, POINT, POINT, OPEN_POINT, OPEN_POINT, OPEN_POINT],
  rejects: [
    { series: SERIES, candle: REST_ROW.slice(0, 11) },
    { series: SERIES, candle: REST_ROW.with(3, "93700.00000000") },
    { series: SERIES, candle: null },
  ],
});

Deno.test("kline keeps tags and their values as the series has them, without a copy", () => {
  const { tags } = toPoint({ series: SERIES, candle: REST_ROW });
  assertStrictEquals(tags, SERIES);
});

Deno.test("kline keeps each digit of a decimal, also those a float would lose", () => {
  const volume = "123456789012345678.12345678";
  const { fields } = toPoint({ series: SERIES, candle: REST_ROW.with(5, volume).with(7, "0") });
  assertEquals([fields.volume, fields.quote_volume], [volume, "0"]);
});

Deno.test("kline takes a candle without trades: zeros are values, ids of -1 do not matter", () => {
  const k = {
    ...EVENT.k,
    o: "2.10",
    h: "2.10",
    l: "2.10",
    c: "2.10",
    v: "0.00",
    n: 0,
    f: -1,
    L: -1,
  };
  const { fields } = toPoint({
    series: SERIES,
    candle: { ...EVENT, k: { ...k, q: "0.00", V: "0.00", Q: "0.00" } },
  });
  assertEquals(fields, {
    open: "2.10",
    high: "2.10",
    low: "2.10",
    close: "2.10",
    volume: "0.00",
    quote_volume: "0.00",
    taker_buy_volume: "0.00",
    taker_buy_quote_volume: "0.00",
    trades: 0,
    closed: true,
  });
});

Deno.test("kline does not mind keys that are new, missing where unused, or an unused column", () => {
  const { B: _, ...k } = { ...EVENT.k, Z: { new: true } };
  assertEquals(toPoint({ series: SERIES, candle: { ...EVENT, k, st: 2 } }), POINT);
  assertEquals(toPoint({ series: SERIES, candle: REST_ROW.with(11, null as never) }), POINT);
  assertEquals(toPoint({ series: SERIES, candle: ARCHIVE_ROW.with(11, "7.5\r") }), POINT);
});

Deno.test("kline keeps off-grid open times and candles that the exchange cut short", () => {
  const row = REST_ROW.with(0, 1518136094789).with(6, 1518136094789);
  assertEquals(toPoint({ series: SERIES, candle: row }).timeMs, 1518136094789);
});

Deno.test("kline drops what microseconds have beyond a millisecond", () => {
  const row = REST_ROW.with(0, 1735689600000999).with(6, 1735689600001000);
  assertEquals(toPoint({ series: SERIES, candle: row }).timeMs, 1735689600000);
});

Deno.test("kline compares prices of different layouts as numbers, exactly", () => {
  const prices = (open: string, high: string, low: string, close: string): RawCandle => ({
    series: SERIES,
    candle: REST_ROW.with(1, open).with(2, high).with(3, low).with(4, close),
  });
  assertEquals(toPoint(prices("99.5", "100.25", "9.75", "100.250")).fields.high, "100.25");
  assertEquals(toPoint(prices("2", "2", "2", "2")).fields.open, "2");
  assertThrows(
    () => toPoint(prices("9.5", "10.0", "9.75", "9.8")),
    RecordError,
    '"open" and "close"',
  );
  assertThrows(
    () => toPoint(prices("9.8", "9.9", "9.5", "10.0")),
    RecordError,
    '"open" and "close"',
  );
  assertThrows(
    () => toPoint(prices("1.00", "1.00", "1.00000000000000000001", "1.00")),
    RecordError,
    '"high" must not be below "low"',
  );
});

const AT =
  "Cannot read the 1m candle of BTCUSDT on binance that opens at 2025-01-01T00:00:00.000Z as ";

const WRONG_ROWS: Record<string, [candle: unknown, message: string]> = {
  "11 columns": [REST_ROW.slice(0, 11), "it must have 12 columns: it has 11"],
  "13 columns": [[...REST_ROW, "0"], "it must have 12 columns: it has 13"],
  "text for a number": [
    REST_ROW.with(2, "high"),
    '"high" must be text of decimal digits, without a sign: it is "high"',
  ],
  "NaN": [
    REST_ROW.with(4, "NaN"),
    '"close" must be text of decimal digits, without a sign: it is "NaN"',
  ],
  "a negative volume": [
    REST_ROW.with(5, "-8.21827000"),
    '"volume" must be text of decimal digits, without a sign: it is "-8.21827000"',
  ],
  "an exponent": [
    REST_ROW.with(9, "1e-7"),
    '"taker_buy_volume" must be text of decimal digits, without a sign: it is "1e-7"',
  ],
  "a number, whose digits are lost": [
    REST_ROW.with(7, 768978.10234),
    '"quote_volume" must be text of decimal digits, without a sign: it is 768978.10234',
  ],
  "nothing in a column": [
    REST_ROW.with(10, null as never),
    '"taker_buy_quote_volume" must be text of decimal digits, without a sign: it is null',
  ],
  "high below low": [
    REST_ROW.with(2, "93500.00000000"),
    '"high" must not be below "low": it has low "93537.50000000", high "93500.00000000"',
  ],
  "high below open": [
    REST_ROW.with(2, "93576.00500000"),
    '"open" and "close" must lie between "low" and "high": it has open "93576.00000000", ' +
    'close "93576.01000000", low "93537.50000000", high "93576.00500000"',
  ],
  "low above open": [
    REST_ROW.with(3, "93576.00500000"),
    '"open" and "close" must lie between "low" and "high": it has open "93576.00000000", ' +
    'close "93576.01000000", low "93576.00500000", high "93610.93000000"',
  ],
  "close time before open time": [
    REST_ROW.with(6, 1735689599999),
    '"close_time" must not be before "open_time": it is 1735689599999',
  ],
  "close time in seconds": [
    REST_ROW.with(6, 1735689660),
    '"close_time" must be in milliseconds or microseconds since 1970, not in seconds: it is 1735689660',
  ],
  "trades below zero": [
    REST_ROW.with(8, -1),
    '"trades" must be a whole number, 0 at least: it is -1',
  ],
  "half a trade": [
    REST_ROW.with(8, 2631.5),
    '"trades" must be a whole number, 0 at least: it is 2631.5',
  ],
  "trades in words": [
    REST_ROW.with(8, "many"),
    '"trades" must be a whole number, 0 at least: it is "many"',
  ],
  "no trades": [REST_ROW.with(8, ""), '"trades" must be a whole number, 0 at least: it is ""'],
};

for (const [name, [candle, message]] of Object.entries(WRONG_ROWS)) {
  Deno.test(`kline refuses a row with ${name}, naming series, open time and column`, () => {
    const error = assertThrows(() => toPoint({ series: SERIES, candle }), RecordError);
    assertEquals(error.message, AT + message);
  });
}

const WRONG_TIMES: [time: unknown, shown: string, why: string][] = [
  [1735689600, "1735689600", "must be in milliseconds or microseconds since 1970, not in seconds"],
  [
    "1735689600",
    '"1735689600"',
    "must be in milliseconds or microseconds since 1970, not in seconds",
  ],
  [0, "0", "must be in milliseconds or microseconds since 1970"],
  [1735689600000.5, "1735689600000.5", "must be a whole number, 0 at least"],
  ["open_time", '"open_time"', "must be a whole number, 0 at least"],
  [-1735689600000, "-1735689600000", "must be a whole number, 0 at least"],
  ["1735689600000000000", '"1735689600000000000"', "must be a whole number, 0 at least"],
  [NaN, "NaN", "must be a whole number, 0 at least"],
  [undefined, "undefined", "must be a whole number, 0 at least"],
  [{}, "an object", "must be a whole number, 0 at least"],
];

for (const [time, shown, why] of WRONG_TIMES) {
  Deno.test(`kline refuses an open time of ${shown}`, () => {
    const candle = [time, ...REST_ROW.slice(1)];
    const error = assertThrows(() => toPoint({ series: SERIES, candle }), RecordError);
    assertEquals(
      error.message.slice(error.message.indexOf(" as ")),
      ` as "open_time" ${why}: it is ${shown}`,
    );
  });
}

const WRONG_EVENTS: Record<string, [candle: unknown, message: string]> = {
  "of another symbol": [
    { ...EVENT, s: "ETHUSDT", k: { ...EVENT.k, s: "ETHUSDT" } },
    'the event must be of that symbol: it is of "ETHUSDT"',
  ],
  "of two symbols": [
    { ...EVENT, s: "ETHUSDT" },
    'the event must be of that symbol: it is of "ETHUSDT"',
  ],
  "of another interval": [
    { ...EVENT, k: { ...EVENT.k, i: "1M" } },
    'the event must be of that interval: it is of "1M"',
  ],
  "that does not say whether it is closed": [
    { ...EVENT, k: { ...EVENT.k, x: 1 } },
    '"closed" must be true or false: it is 1',
  ],
  "without a close": [
    { ...EVENT, k: { ...EVENT.k, c: undefined } },
    '"close" must be text of decimal digits, without a sign: it is undefined',
  ],
  "with high below low": [
    { ...EVENT, k: { ...EVENT.k, h: "1.0" } },
    '"high" must not be below "low": it has low "93537.50000000", high "1.0"',
  ],
};

for (const [name, [candle, message]] of Object.entries(WRONG_EVENTS)) {
  Deno.test(`kline refuses an event ${name}`, () => {
    const error = assertThrows(() => toPoint({ series: SERIES, candle }), RecordError);
    assertEquals(error.message, AT + message);
  });
}

Deno.test("kline refuses what is neither a row nor an event of a candle", () => {
  const others = [undefined, null, 7, "1735689600000,1,1,1,1", {}, { e: "trade", k: {} }, {
    e: "kline",
  }];
  for (const candle of others) {
    assertThrows(
      () => toPoint({ series: SERIES, candle }),
      RecordError,
      "it must be a row of 12 columns or a websocket event of a candle",
    );
  }
});

Deno.test("kline does not show a long value as a whole", () => {
  const candle = REST_ROW.with(1, "x".repeat(5_000));
  const { message } = assertThrows(() => toPoint({ series: SERIES, candle }), RecordError);
  assertEquals(message.includes(`"${"x".repeat(40)}…"`), true);
  assertEquals(message.includes("x".repeat(41)), false);
});

Deno.test("kline says what it needs when it stands in the wrong place", () => {
  const points: PointShape = { kind: "point", measurement: "kline", tags: [], fields: {} };
  const error = assertThrows(() => kline.shape(points, {}), OptionsError);
  assertEquals(
    error.message,
    "Cannot make candles of these records as they must be raw: they are points already",
  );
  assertEquals(error.hint, "Put it first, right behind a source of candles");
  assertThrows(() => kline.shape({ kind: "raw", format: "trade" }, {}), OptionsError, '"trade"');
});

Deno.test("kline declares what its points look like, in the order of their fields", () => {
  assertEquals(kline.shape({ kind: "raw", format: "candle" }, {}), {
    kind: "point",
    measurement: "kline",
    tags: ["exchange", "symbol", "base", "quote", "interval"],
    fields: {
      open: "float",
      high: "float",
      low: "float",
      close: "float",
      volume: "float",
      quote_volume: "float",
      taker_buy_volume: "float",
      taker_buy_quote_volume: "float",
      trades: "integer",
      closed: "boolean",
    },
  });
});

/** The same row as a source gives it that reads decimals from bytes. */
function withDecimals(row: readonly unknown[]): unknown[] {
  return row.map((value, column) =>
    typeof value === "string" && column < 11 ? Decimal.of(value) : value
  );
}

Deno.test("kline gives the same point for decimals as for text", () => {
  const row = withDecimals(REST_ROW);
  const point = toPoint({ series: SERIES, candle: row });
  assertStrictEquals(point.fields.quote_volume, row[7]);
  assertEquals(inText(point), toPoint({ series: SERIES, candle: REST_ROW }));
});

const PRICES = ["9.5", "10.25", "9.50", "10.250", "9", "100.00", "10.25000001", "10.24999999"];

Deno.test("kline refuses the same candles, with the same words, whether decimals or text", () => {
  const outcome = (candle: unknown) => {
    try {
      return inText(toPoint({ series: SERIES, candle }));
    } catch (error) {
      return String(error);
    }
  };
  let refused = 0;
  for (const [open, high] of PRICES.flatMap((a) => PRICES.map((b) => [a, b] as const))) {
    for (const [low, close] of PRICES.flatMap((a) => PRICES.map((b) => [a, b] as const))) {
      const row = REST_ROW.with(1, open).with(2, high).with(3, low).with(4, close);
      const expected = outcome(row);
      if (typeof expected === "string") refused++;
      assertEquals(outcome(withDecimals(row)), expected);
    }
  }
  assertEquals(refused > 3_000 && refused < PRICES.length ** 4, true);
});

Deno.test("kline refuses a decimal where a whole number belongs", () => {
  const candle = withDecimals(REST_ROW).with(8, Decimal.of("2631"));
  const message = '"trades" must be a whole number, 0 at least: it is "2631"';
  assertThrows(() => toPoint({ series: SERIES, candle }), RecordError, message);
});

Deno.test("toPoint() refuses what has no text of its own, and shows nothing of a list", () => {
  const odd: unknown = JSON.parse('{"toString":1,"valueOf":1}');
  const [openMs, open, ...rest]: unknown[] = REST_ROW;
  const refused: [unknown[], string][] = [
    [[odd, open, ...rest], "it is an object"],
    [[openMs, ["\n"], ...rest], "it is a list"],
    [[openMs, "1", ...rest.slice(0, -1), odd], "must lie between"],
  ];
  for (const [candle, message] of refused) {
    assertThrows(() => toPoint({ series: SERIES, candle }), RecordError, message);
  }
});

/** The fields of a stored candle that nothing is wrong with. */
const STORED: Point["fields"] = {
  open: 10,
  high: 12.5,
  low: 9,
  close: 11,
  volume: 3,
  quote_volume: 33,
  taker_buy_volume: 1,
  taker_buy_quote_volume: 11,
  trades: 4,
  closed: true,
};

function doubtsOf(fields: Point["fields"]): readonly Doubt[] {
  const tags = { exchange: "binance", symbol: "BTCUSDT", interval: "1m" };
  return kline.doubts?.({ measurement: "kline", tags, fields, timeMs: 0 }, {}) ?? [];
}

Deno.test("kline doubts nothing about a candle as it should be", () => {
  assertEquals(doubtsOf(STORED), []);
});

Deno.test("kline doubts a stored candle that is open, or lacks fields: it must be fetched again", () => {
  assertEquals(doubtsOf({ ...STORED, closed: false }), [
    { what: "of a candle that is open", isUnfinished: true },
  ]);
  const { high: _, closed: __, ...rest } = STORED;
  assertEquals(doubtsOf(rest), [{ what: "without high, closed", isUnfinished: true }]);
});

Deno.test("kline doubts values that cannot all be right", async (t) => {
  const cases: readonly [string, Point["fields"]][] = [
    ["with open or close outside of low and high", { open: 13 }],
    ["with open or close outside of low and high", { close: 8.5 }],
    ["with a price that is not above zero", { low: 0 }],
    ["with trades, or volume, alone", { trades: 0 }],
    ["that takers bought more of than was traded", { taker_buy_volume: 3.5 }],
  ];
  for (const [what, fields] of cases) {
    await t.step(`${what}: ${JSON.stringify(fields)}`, () => {
      assertEquals(doubtsOf({ ...STORED, ...fields }), [{ what }]);
    });
  }
});

Deno.test("kline doubts candles without volume only where 60 come in a row", () => {
  const still = { ...STORED, volume: 0, trades: 0, taker_buy_volume: 0 };
  assertEquals(doubtsOf(still), [{ what: "without volume, one after another", least: 60 }]);
});
