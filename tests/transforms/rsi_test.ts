import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertExists,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { z } from "zod";
import { Decimal } from "../../engine/decimal.ts";
import { OptionsError } from "../../engine/errors.ts";
import type { Point, PointShape } from "../../engine/point.ts";
import { kline } from "../../transforms/kline.ts";
import { rsi } from "../../transforms/rsi.ts";
import { seededRandom } from "../contracts/context.ts";
import { testTransform } from "../contracts/transform.ts";
import { bar, bars, column, openBar, parse, run, shapeOf, start, TAGS } from "./_rsi.ts";

const SHAPE: PointShape = {
  kind: "point",
  measurement: "kline",
  tags: ["exchange", "symbol", "interval"],
  fields: { open: "float", close: "float", closed: "boolean", trades: "integer", note: "string" },
};

/**
 * Period 2 over 10, 13, 12, 12, 13, 12. Changes: 3, -1, 0, 1, -1.
 * Bar 2: (3 + 0) / 2 = 1.5 and (0 + 1) / 2 = 0.5, 100 * 1.5 / 2 = 75.
 * Bar 3: 0.75 and 0.25, 75. Bar 4: (0.75 + 1) / 2 = 0.875 and 0.125, 87.5.
 * Bar 5: 0.4375 and (0.125 + 1) / 2 = 0.5625, 43.75.
 */
const CLOSES = ["10", "13", "12.00", "12", "13.0", "12"];
const VALUES = [undefined, undefined, 75, 75, 87.5, 43.75];
const GAINS = [undefined, undefined, 1.5, 0.75, 0.875, 0.4375];
const LOSSES = [undefined, undefined, 0.5, 0.25, 0.125, 0.5625];

const ETHER = { ...TAGS, symbol: "ETHUSDT" };
const ofEther = (point: Point): Point => ({ ...point, tags: ETHER });

testTransform(rsi, {
  options: { period: 2 },
  badOptions: [
    { period: 1 },
    { period: 2.5 },
    { period: "14" },
    { source: "" },
    { flat: "zero" },
    { gap: "ignore" },
    { gap: "reset", gap_max: -1 },
    { gap_max: 3 },
    { gap: "fill", gap_max: 3 },
  ],
  permissions: {},
  shape: SHAPE,
  badShapes: [
    { kind: "raw", format: "candle" },
    { ...SHAPE, fields: { open: "float" } },
    { ...SHAPE, fields: { close: "string" } },
    { ...SHAPE, fields: { close: "float", avg_loss_2: "float" } },
    { ...SHAPE, fields: { close: "float", gap_bars: "float" } },
  ],
  records: [
    bar(0, "10"),
    ofEther(bar(0, "2.5")),
    bar(1, "13"),
    ofEther(openBar(1, "3.5")),
    bar(2, "12.00"),
    ofEther(openBar(1, "5.5")),
    openBar(3, "14"),
    ofEther(bar(1, "4.5")),
    bar(3, "12"),
    bar(3, "12"),
    ofEther(openBar(2, "4.5")),
    bar(5, "13.0"),
    ofEther(bar(2, "2.5")),
    bar(2, "12.00"),
    ofEther(bar(2, "4.5")),
  ],
  expected: [
    bar(0, "10"),
    ofEther(bar(0, "2.5")),
    bar(1, "13"),
    ofEther(openBar(1, "3.5")),
    bar(2, "12.00", { rsi_2: 75, avg_gain_2: 1.5, avg_loss_2: 0.5 }),
    ofEther(openBar(1, "5.5")),
    bar(3, "14", { closed: false, rsi_2: 87.5, avg_gain_2: 1.75, avg_loss_2: 0.25 }),
    ofEther(bar(1, "4.5")),
    bar(3, "12", { rsi_2: 75, avg_gain_2: 0.75, avg_loss_2: 0.25 }),
    bar(3, "12", { rsi_2: 75, avg_gain_2: 0.75, avg_loss_2: 0.25 }),
    ofEther(bar(2, "4.5", { closed: false, rsi_2: 100, avg_gain_2: 1, avg_loss_2: 0 })),
    bar(5, "13.0", { rsi_2: 87.5, avg_gain_2: 0.875, avg_loss_2: 0.125, gap_bars: 1 }),
    ofEther(bar(2, "2.5", { rsi_2: 50, avg_gain_2: 1, avg_loss_2: 1 })),
    bar(2, "12.00"),
    ofEther(bar(2, "4.5", { rsi_2: 100, avg_gain_2: 1, avg_loss_2: 0 })),
  ],
});

Deno.test("rsi gives Wilder's averages and index from the bar of its period on", () => {
  const points = run(bars(CLOSES), { period: 2 });
  assertEquals(column(points, "rsi_2"), VALUES);
  assertEquals(column(points, "avg_gain_2"), GAINS);
  assertEquals(column(points, "avg_loss_2"), LOSSES);
});

Deno.test("rsi of moves by 1 up and down is 50, 53.5714 and 49.7449 at period 14", () => {
  const closes = Array.from({ length: 17 }, (_, i) => 100 + i % 2);
  const values = column(run(bars(closes)), "rsi_14");
  assertEquals(values.slice(0, 14), Array(14).fill(undefined));
  assertEquals(values[14], 50);
  // 100 * (13 * 0.5 + 1) / 14, then that times 13 / 14.
  assertAlmostEquals(Number(values[15]), 750 / 14, 1e-12);
  assertAlmostEquals(Number(values[16]), 9750 / 196, 1e-12);
});

Deno.test("rsi is 100 where prices only rise, and 0 where they only fall", () => {
  const rising = Array.from({ length: 20 }, (_, i) => 100 + i);
  const tail = (values: readonly unknown[]) => new Set(values.slice(14));
  assertEquals(tail(column(run(bars(rising)), "rsi_14")), new Set([100]));
  assertEquals(tail(column(run(bars(rising.toReversed())), "rsi_14")), new Set([0]));
});

Deno.test("rsi of a price that never moved is what `flat` says, and the averages are 0", () => {
  const flat = bars(Array(5).fill("7.10"));
  const last = (options: object) => run(flat, { period: 2, ...options }).at(-1)?.fields;
  const rest = { close: "7.10", closed: true, avg_gain_2: 0, avg_loss_2: 0 };
  assertEquals(last({}), { ...rest, rsi_2: 50 });
  assertEquals(last({ flat: "neutral" }), { ...rest, rsi_2: 50 });
  assertEquals(last({ flat: "talib" }), { ...rest, rsi_2: 0 });
  assertEquals(last({ flat: "tradingview" }), { ...rest, rsi_2: 100 });
  assertEquals(last({ flat: null }), rest);
});

Deno.test("rsi keeps its value through a flat stretch until the averages are gone", () => {
  const closes = [10, 13, 12, ...Array(11_000).fill(12)];
  const values = column(run(bars(closes), { period: 14 }), "rsi_14").slice(14);
  const end = values.indexOf(50);
  // The sum is 4 / 14 at bar 14; n = 8994 is the first with 4 / 14 * (13 / 14) ** n < 1e-290.
  assertEquals(end, 8994);
  for (const value of values.slice(0, end)) assertAlmostEquals(Number(value), 75, 1e-9);
  assertEquals(new Set(values.slice(end)), new Set([50]));
});

Deno.test("rsi with `flat: talib` takes averages below 1e-14 for none, as TA-Lib does", () => {
  const closes = [10, 13, 12, ...Array(600).fill(12)];
  const values = column(run(bars(closes), { flat: "talib" }), "rsi_14").slice(14);
  const end = values.indexOf(0);
  // n = 419 is the first with 4 / 14 * (13 / 14) ** n < 1e-14.
  assertEquals(end, 419);
  assertAlmostEquals(Number(values[end - 1]), 75, 1e-9);
});

Deno.test("rsi is as good at prices of 1e-5 as at any other", () => {
  const closes = [
    "0.00001000",
    "0.00001003",
    "0.00001002",
    "0.00001002",
    "0.00001003",
    "0.00001002",
  ];
  const values = column(run(bars(closes), { period: 2 }), "rsi_2");
  for (const [i, value] of VALUES.entries()) {
    if (value === undefined) assertEquals(values[i], undefined);
    else assertAlmostEquals(Number(values[i]), value, 1e-9);
  }
});

Deno.test("rsi keeps each bit when prices are scaled by a power of two", () => {
  const closes = randomWalk(300);
  const plain = column(run(bars(closes)), "rsi_14");
  const scaled = column(run(bars(closes.map((close) => close / 1024))), "rsi_14");
  assertEquals(scaled, plain);
});

Deno.test("rsi at a bar depends on no later bar", () => {
  const closes = randomWalk(60);
  const all = run(bars(closes));
  for (let length = 1; length < closes.length; length++) {
    const other = run(bars([...closes.slice(0, length), 1, 99]));
    assertEquals(other.slice(0, length), all.slice(0, length));
  }
});

Deno.test("rsi goes on with the same bits from a state that was saved after any bar", () => {
  const points = bars(randomWalk(200));
  const expected = run(points);
  for (let stop = 0; stop <= points.length; stop++) {
    const before = start();
    const emitted = points.slice(0, stop).map(before.step);
    const after = start({}, JSON.parse(JSON.stringify(before.state())));
    emitted.push(...points.slice(stop).map(after.step));
    assertEquals(emitted, expected);
  }
});

Deno.test("rsi goes on with the same bits from a stored candle, once there are averages", () => {
  const points = bars(randomWalk(200));
  const whole = run(points);
  const restore = (point: Point) => rsi.state?.restore?.(point, parse({}));
  for (const [at, point] of whole.entries()) {
    const stored = JSON.parse(JSON.stringify(point));
    if (at < 14) assertEquals(restore(stored), undefined);
    else {
      const { step } = start({}, restore(stored));
      assertEquals(points.slice(at + 1).map(step), whole.slice(at + 1));
    }
  }
});

Deno.test("rsi does not go on from a stored candle that lacks a value it needs", () => {
  const [stored] = run(bars(randomWalk(20))).slice(-1);
  assertExists(stored);
  for (const name of ["close", "avg_gain_14", "avg_loss_14"]) {
    const { [name]: _, ...fields } = stored.fields;
    assertEquals(rsi.state?.restore?.({ ...stored, fields }, parse({})), undefined);
  }
});

Deno.test("rsi leaves its state untouched by any number of open candles", () => {
  const closes = randomWalk(40);
  const random = seededRandom(3);
  const expected = start();
  const running = start();
  for (const [minute, close] of closes.entries()) {
    const state = running.state();
    for (let update = 0; update < 5; update++) {
      const { fields } = running.step(openBar(minute, 100 * random()));
      assertEquals("rsi_14" in fields, minute >= 14);
      assertStrictEquals(running.state(), state);
    }
    assertEquals(running.step(bar(minute, close)), expected.step(bar(minute, close)));
  }
});

Deno.test("rsi of an open candle is what it would be if the candle closed as it is", () => {
  const closes = randomWalk(40);
  const running = start();
  for (const [minute, close] of closes.entries()) {
    const { closed: _, ...open } = running.step(openBar(minute, close)).fields;
    const { closed: __, ...closed } = running.step(bar(minute, close)).fields;
    assertEquals(open, closed);
  }
});

Deno.test("rsi after a corrected last candle is as if the wrong one had never come", () => {
  const points = bars(randomWalk(40));
  const expected = start();
  const wanted = points.map(expected.step);
  for (const [wrong, point] of points.entries()) {
    const running = start();
    const emitted = points.slice(0, wrong).map(running.step);
    running.step(bar(wrong, 1));
    running.step(bar(wrong, 1_000));
    emitted.push(running.step(point), ...points.slice(wrong + 1).map(running.step));
    assertEquals(emitted, wanted);
    assertEquals(running.state(), expected.state());
  }
});

Deno.test("rsi gives a candle that comes again the same values, and its state stays the same", () => {
  const running = start({ period: 2 });
  for (const point of bars(CLOSES)) {
    const first = running.step(point);
    const state = running.state();
    assertEquals(running.step(point), first);
    assertStrictEquals(running.state(), state);
  }
  // (0.4375 + 1) / 2 = 0.71875 and 0.28125.
  assertEquals(running.step(bar(6, "13")).fields.rsi_2, 71.875);
});

Deno.test("rsi lets a candle older than the last one pass as it is", () => {
  const running = start({ period: 2 });
  const points = bars(CLOSES);
  for (const point of points) running.step(point);
  const state = running.state();
  for (const point of [bar(4, "99"), openBar(4, "99"), ...points.slice(0, 5)]) {
    assertStrictEquals(running.step(point), point);
    assertStrictEquals(running.state(), state);
  }
});

Deno.test("rsi of an update that comes after its candle has closed counts from the one before", () => {
  const running = start({ period: 2 });
  const points = bars(CLOSES).map(running.step);
  const state = running.state();
  const { rsi_2 } = running.step(openBar(5, "12")).fields;
  assertEquals(rsi_2, points[5]?.fields.rsi_2);
  assertStrictEquals(running.state(), state);
});

/** Bars 3 and 4 are missing between the third and the fourth. */
const WITH_HOLE = [bar(0, 10), bar(1, 13), bar(2, 12), bar(5, 13), bar(6, 12), bar(7, 12)];

Deno.test("rsi passes over a hole, and says how large it was", () => {
  const points = run(WITH_HOLE, { period: 2 });
  // (1.5 + 1) / 2 = 1.25 and 0.25; 0.625 and (0.25 + 1) / 2 = 0.625; halves of both.
  assertEquals(column(points, "avg_gain_2"), [undefined, undefined, 1.5, 1.25, 0.625, 0.3125]);
  assertEquals(column(points, "avg_loss_2"), [undefined, undefined, 0.5, 0.25, 0.625, 0.3125]);
  assertEquals(column(points, "gap_bars"), [
    undefined,
    undefined,
    undefined,
    2,
    undefined,
    undefined,
  ]);
});

Deno.test("rsi with `gap: fill` counts missing candles as candles at the last price", () => {
  const points = run(WITH_HOLE, { period: 2, gap: "fill" });
  // 1.5 and 0.5 become 0.375 and 0.125 by two candles without a change; then a rise by 1.
  assertEquals(column(points, "avg_gain_2").slice(2, 4), [1.5, 0.6875]);
  assertEquals(column(points, "avg_loss_2").slice(2, 4), [0.5, 0.0625]);
  assertEquals(column(points, "gap_bars").slice(2, 5), [undefined, 2, undefined]);
});

Deno.test("rsi with `gap: fill` begins within a hole if the candles before it do not suffice", () => {
  const points = run([bar(0, 10), bar(1, 13), bar(4, 12)], { period: 3, gap: "fill" });
  // Changes 3, 0, 0 are the first three: 1 and 0; then a fall by 1.
  assertEquals(points[2]?.fields, {
    close: 12,
    closed: true,
    rsi_3: 100 * ((2 / 3) / (2 / 3 + 1 / 3)),
    avg_gain_3: 2 / 3,
    avg_loss_3: 1 / 3,
    gap_bars: 2,
  });
});

Deno.test("rsi with `gap: fill` is done with a hole of years at once", () => {
  const YEARS = 5 * 365 * 24 * 60;
  const points = run([...bars(CLOSES), bar(YEARS, 12)], { period: 2, gap: "fill" });
  assertEquals(points.at(-1)?.fields, {
    close: 12,
    closed: true,
    rsi_2: 50,
    avg_gain_2: 0,
    avg_loss_2: 0,
    gap_bars: YEARS - 6,
  });
});

Deno.test("rsi with `gap: reset` starts anew after a hole", () => {
  const points = run(WITH_HOLE, { period: 2, gap: "reset" });
  // After the hole the changes are -1 and 0.
  assertEquals(column(points, "rsi_2"), [undefined, undefined, 75, undefined, undefined, 0]);
  assertEquals(column(points, "avg_loss_2").at(-1), 0.5);
  assertEquals(column(points, "gap_bars")[3], 2);
});

Deno.test("rsi with `gap: reset` passes over holes of up to `gap_max` candles", () => {
  const values = (gap_max: number) =>
    column(run(WITH_HOLE, { period: 2, gap: "reset", gap_max }), "rsi_2");
  assertEquals(values(1)[3], undefined);
  assertEquals(values(2), column(run(WITH_HOLE, { period: 2 }), "rsi_2"));
});

Deno.test("rsi treats a corrected candle after a hole as the first one after it", () => {
  for (const gap of ["compress", "fill", "reset"] as const) {
    const expected = run(WITH_HOLE, { period: 2, gap });
    const running = start({ period: 2, gap });
    const emitted = WITH_HOLE.map((point) => {
      running.step(openBar(minuteOf(point), 50));
      running.step(bar(minuteOf(point), 70));
      return running.step(point);
    });
    assertEquals(emitted, expected);
  }
});

Deno.test("rsi sees no holes where points do not say of which interval they are", () => {
  const untagged = (tags: Record<string, string>) =>
    run(WITH_HOLE.map((point) => ({ ...point, tags })), { period: 2 });
  for (const tags of [{ symbol: "BTCUSDT" }, { interval: "2d" }, { interval: "" }]) {
    const points = untagged(tags);
    assertEquals(column(points, "gap_bars"), Array(6).fill(undefined));
    assertEquals(column(points, "rsi_2"), column(run(WITH_HOLE, { period: 2 }), "rsi_2"));
  }
});

Deno.test("rsi knows that months differ in length", () => {
  const month = (index: number, close: number): Point => ({
    ...bar(0, close),
    tags: { ...TAGS, interval: "1M" },
    timeMs: Date.UTC(2024, index, 1),
  });
  const points = run([month(0, 1), month(1, 2), month(2, 3), month(5, 4)]);
  assertEquals(column(points, "gap_bars"), [undefined, undefined, undefined, 2]);
});

Deno.test("rsi passes on a candle without a value as it is, and does not count it", () => {
  const [ten, thirteen, ...rest] = bars(CLOSES);
  assert(ten && thirteen);
  const expected = column(run([ten, thirteen, ...rest], { period: 2 }), "rsi_2");
  for (const value of [undefined, NaN, Infinity, -Infinity, "NaN", "", 1e301, true]) {
    const { close: _, ...fields } = thirteen.fields;
    const empty: Point = {
      ...thirteen,
      fields: value === undefined ? fields : { ...fields, close: value },
    };
    const later = rest.map((point) => ({ ...point, timeMs: point.timeMs + 60_000 }));
    const running = start({ period: 2 });
    running.step(ten);
    assertStrictEquals(running.step(empty), empty);
    const last = running.step({ ...thirteen, timeMs: thirteen.timeMs + 60_000 });
    assertEquals(last.fields, thirteen.fields, "it is not a hole either");
    assertEquals(column(later.map(running.step), "rsi_2"), expected.slice(2));
  }
});

Deno.test("rsi gives no value to a candle without one, however many came before", () => {
  const running = start({ period: 2 });
  for (const point of bars(CLOSES)) running.step(point);
  assertEquals(running.step(bar(8, NaN)).fields, { close: NaN, closed: true, gap_bars: 2 });
  assertEquals(running.step(bar(9, "12")).fields.rsi_2, 43.75);
});

Deno.test("rsi puts the right value in place of one that was missing", () => {
  const points = bars(CLOSES);
  const running = start({ period: 2 });
  const emitted = points.map((point, minute) => {
    running.step(bar(minute, NaN));
    return running.step(point);
  });
  assertEquals(emitted, run(points, { period: 2 }));
});

Deno.test("rsi never starts where there are no values at all", () => {
  const points = bars(Array(5).fill(NaN));
  assertEquals(run(points, { period: 2 }), points);
});

Deno.test("rsi takes numbers, text of digits and large integers alike", () => {
  const values = (closes: readonly (string | number | bigint)[]) =>
    column(run(bars(closes), { period: 2 }), "rsi_2");
  assertEquals(values([10, 13, 12, 12, 13, 12]), VALUES);
  assertEquals(values([10n, 13n, 12n, 12n, 13n, 12n]), VALUES);
});

Deno.test("rsi works on any numeric field, of points that are no candles as well", () => {
  const points = [10, 13, 12].map((celsius, minute): Point => ({
    measurement: "weather",
    tags: { place: "attic" },
    fields: { celsius },
    timeMs: minute,
  }));
  assertEquals(run(points, { period: 2, source: "celsius" })[2]?.fields, {
    celsius: 12,
    rsi_2: 75,
    avg_gain_2: 1.5,
    avg_loss_2: 0.5,
  });
});

Deno.test("rsi keeps tags and measurement, and puts its fields behind the others", () => {
  const point = run(bars(CLOSES), { period: 2 })[5];
  assertEquals(point?.measurement, "kline");
  assertStrictEquals(point?.tags, TAGS);
  assertEquals(Object.keys(point?.fields ?? {}), [
    "close",
    "closed",
    "rsi_2",
    "avg_gain_2",
    "avg_loss_2",
  ]);
});

Deno.test("rsi of two periods can follow each other in one pipeline", () => {
  const fast = shapeOf(SHAPE, { period: 2 });
  const both = shapeOf(fast, { period: 3 });
  assertEquals(both, {
    ...SHAPE,
    fields: {
      ...SHAPE.fields,
      rsi_2: "float",
      avg_gain_2: "float",
      avg_loss_2: "float",
      gap_bars: "integer",
      rsi_3: "float",
      avg_gain_3: "float",
      avg_loss_3: "float",
    },
  });
  const [first, second] = [start({ period: 2 }), start({ period: 3 })];
  const points = WITH_HOLE.map((point) => second.step(first.step(point)));
  assertEquals(column(points, "rsi_2"), column(run(WITH_HOLE, { period: 2 }), "rsi_2"));
  assertEquals(column(points, "rsi_3"), column(run(WITH_HOLE, { period: 3 }), "rsi_3"));
  assertEquals(column(points, "gap_bars"), [
    undefined,
    undefined,
    undefined,
    2,
    undefined,
    undefined,
  ]);
});

Deno.test("rsi fits behind kline, and declares no `gap_bars` where no interval is told", () => {
  const candles = kline.shape({ kind: "raw", format: "candle" }, {});
  const { fields } = shapeOf(candles);
  assertEquals(Object.keys(fields).slice(-5), [
    "closed",
    "rsi_14",
    "avg_gain_14",
    "avg_loss_14",
    "gap_bars",
  ]);
  const untagged = shapeOf({ ...SHAPE, tags: ["symbol"] });
  assertEquals("gap_bars" in untagged.fields, false);
});

const WRONG_SHAPES: [
  shape: PointShape,
  options: object,
  message: string,
  hint: string | undefined,
][] = [
  [
    SHAPE,
    { source: "closee" },
    'Cannot add "rsi_14" as `source` must be a numeric field of "kline": "closee" is none',
    'Did you mean "close"?',
  ],
  [
    SHAPE,
    { source: "note" },
    'Cannot add "rsi_14" as `source` must be a numeric field of "kline": "note" is none',
    'Its numeric fields are "open", "close" and "trades"',
  ],
  [
    shapeOf(SHAPE),
    { source: "trades" },
    'Cannot add "rsi_14" as it must be a new field: "kline" has it already',
    "Give one of the two steps another `period`",
  ],
  [
    { ...SHAPE, tags: ["symbol"] },
    { gap: "fill" },
    'Cannot look for missing candles as points must have the tag "interval": "kline" has none',
    "Leave `gap` out",
  ],
  [
    { ...SHAPE, fields: { close: "float", gap_bars: "string" } },
    {},
    'Cannot add "gap_bars" as it must be an integer: "kline" has it as string',
    undefined,
  ],
];

for (const [shape, options, message, hint] of WRONG_SHAPES) {
  Deno.test(`rsi is refused before anything runs: ${message}`, () => {
    const error = assertThrows(() => rsi.shape(shape, parse(options)), OptionsError);
    assertEquals([error.message, error.hint], [message, hint]);
  });
}

Deno.test("rsi needs points, and says what makes them", () => {
  const error = assertThrows(
    () => rsi.shape({ kind: "raw", format: "candle" }, parse({})),
    OptionsError,
    'Cannot add "rsi_14" as records must be points: they are raw "candle" records',
  );
  assertEquals(error.hint, "Put a transform before it that makes points of them, such as `kline`");
});

Deno.test("rsi keeps one state per measurement and set of tags", () => {
  const key = (measurement: string, tags: Record<string, string>) =>
    rsi.key?.({ ...bar(0, 1), measurement, tags }, parse({}));
  const shared = { symbol: "BTCUSDT", interval: "1m" };
  assertEquals(key("kline", shared), "kline?interval=1m&symbol=BTCUSDT");
  assertEquals(key("kline", { interval: "1m", symbol: "BTCUSDT" }), key("kline", shared));
  assertNotEquals(key("kline", { symbol: "BTCUSDT", interval: "1M" }), key("kline", shared));
  assertNotEquals(key("other", shared), key("kline", shared));
  assertEquals(key("kline", shared), "kline?interval=1m&symbol=BTCUSDT");
  assertNotEquals(key("a", { b: "c&d=e" }), key("a", { b: "c", d: "e" }));
});

Deno.test("rsi has defaults for all of its options, and tells editors of each", () => {
  const { names: _, ...options } = parse({});
  assertEquals(options, { period: 14, source: "close", flat: "neutral", gap: "compress" });
  const schema = z.toJSONSchema(rsi.options as z.ZodType, { io: "input" });
  assertEquals(Object.keys(schema.properties ?? {}), [
    "period",
    "source",
    "flat",
    "gap",
    "gap_max",
  ]);
});

Deno.test("rsi says of each wrong option what must hold", () => {
  const issues = (input: unknown) => {
    const result = rsi.options.safeParse(input);
    return result.success ? [] : result.error.issues.map(({ path, message }) => [path, message]);
  };
  assertEquals(issues({ gap_max: 3 }), [[["gap_max"], "must be left out unless `gap` is `reset`"]]);
  assertEquals(issues({ period: 1, flat: "zero", perod: 3 }).length, 3);
});

function minuteOf({ timeMs }: Point): number {
  return (timeMs - Date.UTC(2024, 0, 1)) / 60_000;
}

function randomWalk(length: number): number[] {
  const random = seededRandom(7);
  let price = 100;
  return Array.from(
    { length },
    () => price = Number((price * (0.99 + 0.02 * random())).toFixed(2)),
  );
}

Deno.test("rsi gives the same for decimals as for text", () => {
  const closes = randomWalk(200).map((close) => close.toFixed(8));
  const points = run(bars(closes.map((close) => Decimal.of(close))), { period: 5 });
  const expected = run(bars(closes), { period: 5 });
  for (const name of ["rsi_5", "avg_gain_5", "avg_loss_5"]) {
    assertEquals(column(points, name), column(expected, name));
  }
});

Deno.test("rsi has 0 as the blank of `gap_bars`: none is missing", () => {
  const checked = rsi.options.safeParse({});
  assertEquals(checked.success && rsi.blanks?.(checked.data), { gap_bars: 0 });
});
