import { assert, assertEquals } from "@std/assert";
import { ask, askRows, askTimes, DAY, HOUR, isoMinute, MINUTE, simulate } from "./_ask.ts";

const HOURLY = "symbol=BTCUSDT&interval=1h";

/** A halt from half past ten to a quarter past one on 1 May 2024. */
const HALT = { from: "2024-05-01T10:30:00Z", to: "2024-05-01T13:15:00Z" };
const NINE = Date.UTC(2024, 4, 1, 9);

Deno.test("a halt makes no candle that lies in it whole, whichever end one counts from", async () => {
  const { simulator } = simulate({ halts: [HALT] });
  const expected = [
    "2024-05-01T09:00",
    "2024-05-01T10:00",
    "2024-05-01T13:00",
    "2024-05-01T14:00",
  ];
  assertEquals(await askTimes(simulator, `${HOURLY}&startTime=${NINE}&limit=4`), expected);
  const end = NINE + 5 * HOUR;
  assertEquals(await askTimes(simulator, `${HOURLY}&endTime=${end}&limit=4`), expected);
  assertEquals(
    await askTimes(simulator, `${HOURLY}&startTime=${NINE}&endTime=${end}`),
    expected,
  );
});

Deno.test("a halt leaves each interval the candles that reach out of it", async () => {
  const { simulator } = simulate({ halts: [HALT] });
  const missing = async (interval: string, stepMs: number) => {
    const query = `interval=${interval}&startTime=${NINE}&endTime=${NINE + 6 * HOUR}&limit=1000`;
    const times = (await askRows(simulator, `symbol=ETHUSDT&${query}`)).map((row) => row[0]);
    const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? NaN)) / stepMs - 1);
    return gaps.filter((gap) => gap > 0);
  };
  assertEquals(await missing("1m", MINUTE), [165]);
  assertEquals(await missing("5m", 5 * MINUTE), [33]);
  assertEquals(await missing("1h", HOUR), [2]);
  assertEquals(await missing("4h", 4 * HOUR), []);
});

Deno.test("a window inside a halt has no candles", async () => {
  const { simulator } = simulate({ halts: [HALT] });
  const query = `${HOURLY}&startTime=${NINE + 2 * HOUR}&endTime=${NINE + 3 * HOUR}`;
  assertEquals(await askTimes(simulator, query), []);
});

Deno.test("halts apply to every symbol, and more than one is possible", async () => {
  const second = { from: "2024-05-01T15:00:00Z", to: "2024-05-01T17:00:00Z" };
  const { simulator } = simulate({ halts: [second, HALT] });
  for (const symbol of ["BTCUSDT", "WANBTC"]) {
    const query = `symbol=${symbol}&interval=1h&startTime=${NINE}&limit=5`;
    assertEquals(await askTimes(simulator, query), [
      "2024-05-01T09:00",
      "2024-05-01T10:00",
      "2024-05-01T13:00",
      "2024-05-01T14:00",
      "2024-05-01T17:00",
    ]);
  }
});

Deno.test("a long halt is passed over, also in candles of a second", async () => {
  const { simulator } = simulate({
    halts: [{ from: "2018-01-01T00:00:00Z", to: "2024-05-01T00:00:00Z" }],
  });
  const query = `symbol=BTCUSDT&interval=1s&startTime=${
    Date.UTC(2017, 11, 31, 23, 59, 59)
  }&limit=2`;
  assertEquals(await askTimes(simulator, query), [
    "2017-12-31T23:59:59",
    "2024-05-01T00:00",
  ]);
});

Deno.test("a candle keeps its usual close time when a halt begins in it, unless it is cut", async () => {
  const query = `${HOURLY}&startTime=${NINE + HOUR}&limit=1`;
  const [kept] = await askRows(simulate({ halts: [HALT] }).simulator, query);
  const [cut] = await askRows(simulate({ halts: [{ ...HALT, cut: true }] }).simulator, query);
  assertEquals(kept?.[6], NINE + 2 * HOUR - 1);
  assertEquals(cut?.[6], Date.UTC(2024, 4, 1, 10, 30) - 1);
  assertEquals(kept?.slice(1, 6), cut?.slice(1, 6));
});

Deno.test("a halt that is still going on ends a series, and its end goes on with it", async () => {
  const { simulator, clock } = simulate({
    halts: [{ from: "2024-06-01T00:01:00Z", to: "2024-06-01T00:04:30Z" }],
  });
  const newest = () => askTimes(simulator, "symbol=BTCUSDT&interval=1m&limit=2");
  assertEquals(await newest(), ["2024-05-31T23:59", "2024-06-01T00:00"]);
  await clock.advance(3 * MINUTE);
  assertEquals(await newest(), ["2024-05-31T23:59", "2024-06-01T00:00"]);
  await clock.advance(MINUTE - 1);
  assertEquals(await newest(), ["2024-05-31T23:59", "2024-06-01T00:00"]);
  await clock.advance(1);
  assertEquals(await newest(), ["2024-06-01T00:00", "2024-06-01T00:04"]);
});

Deno.test("the first candle after a halt or a listing has trades, on the quietest symbol too", async () => {
  const { simulator } = simulate({
    halts: [HALT],
    listed: "2024-04-30T07:03:20Z",
    tradeless: 1,
  });
  const trades = async (from: number) => {
    const query = `symbol=WANBTC&interval=1m&startTime=${from}&limit=2`;
    return (await askRows(simulator, query)).map((row) => [isoMinute(row[0]), row[8] > 0]);
  };
  assertEquals(await trades(0), [["2024-04-30T07:03", true], ["2024-04-30T07:04", false]]);
  assertEquals(await trades(NINE + 2 * HOUR), [
    ["2024-05-01T13:15", true],
    ["2024-05-01T13:16", false],
  ]);
});

Deno.test("a candle stands still while a halt goes on in it", async () => {
  const { simulator, clock } = simulate({
    halts: [{ from: "2024-06-01T00:02:00Z", to: "2024-06-01T01:30:00Z" }],
  });
  const open = async () => (await askRows(simulator, `${HOURLY}&limit=1`))[0];
  await clock.advance(2 * MINUTE);
  const before = await open();
  await clock.advance(30 * MINUTE);
  assertEquals(await open(), before);
});

Deno.test("shifted candles open and close later by what whole intervals leave", async () => {
  // As in February 2018: 28 minutes 14.789 seconds after the hour.
  const { simulator } = simulate({
    shifts: [{
      from: "2018-02-09T10:00:00Z",
      to: "2018-02-09T12:00:00Z",
      by_ms: 28 * MINUTE + 14_789,
    }],
  });
  const from = Date.UTC(2018, 1, 9, 9);
  const rows = await askRows(simulator, `${HOURLY}&startTime=${from}&limit=4`);
  assertEquals(rows.map((row) => [row[0], row[6]].map(isoMinute)), [
    ["2018-02-09T09:00", "2018-02-09T09:59:59.999Z"],
    ["2018-02-09T10:28:14.789Z", "2018-02-09T11:28:14.788Z"],
    ["2018-02-09T11:28:14.789Z", "2018-02-09T12:28:14.788Z"],
    ["2018-02-09T12:00", "2018-02-09T12:59:59.999Z"],
  ]);
  const minutes = await askTimes(
    simulator,
    `symbol=BTCUSDT&interval=1m&startTime=${from + HOUR}&limit=2`,
  );
  assertEquals(minutes, ["2018-02-09T10:00:14.789Z", "2018-02-09T10:01:14.789Z"]);
});

Deno.test("windows go by the open times of shifted candles", async () => {
  const { simulator } = simulate({
    shifts: [{ from: "2018-02-09T10:00:00Z", to: "2018-02-09T12:00:00Z", by_ms: 1_694_789 }],
  });
  const open = Date.UTC(2018, 1, 9, 10, 28, 14, 789);
  const count = async (from: number, to: number) =>
    (await askRows(simulator, `${HOURLY}&startTime=${from}&endTime=${to}`)).length;
  assertEquals(await count(open, open), 1);
  assertEquals(await count(open - 1, open - 1), 0);
  assertEquals(await count(open + 1, open + 1), 0);
  assertEquals(await count(open - 28 * MINUTE, open - 1), 0);
});

Deno.test("a lag holds back the candle that just closed, and all after it", async () => {
  const { simulator, clock } = simulate({ lag: { absent_ms: 2_000 } });
  const query = "symbol=BTCUSDT&interval=1m&limit=1";
  assertEquals(await askTimes(simulator, query), ["2024-06-01T00:00"]);
  await clock.advance(30_000);
  assertEquals(await askTimes(simulator, query), ["2024-05-31T23:59"]);
  await clock.advance(1_999);
  assertEquals(await askTimes(simulator, query), ["2024-05-31T23:59"]);
  await clock.advance(1);
  assertEquals(await askTimes(simulator, query), ["2024-06-01T00:01"]);
});

Deno.test("a lag lets a closed candle change, while the truth knows it already", async () => {
  const { simulator, clock } = simulate({ lag: { changing_ms: 3_000 } });
  const open = Date.UTC(2024, 5, 1);
  const query = `symbol=BTCUSDT&interval=1m&startTime=${open}&limit=1`;
  await clock.advance(30_000);
  const truth = simulator.candles("BTCUSDT", "1m", open, open + 1);
  const [early] = await askRows(simulator, query);
  assert(early && early[6] < clock.now() && early[8] < (truth[0]?.[8] ?? 0));
  await clock.advance(2_999);
  assertEquals(await askRows(simulator, query), [early]);
  await clock.advance(1);
  assertEquals(await askRows(simulator, query), truth);
});

Deno.test("a correction changes a candle from its moment on", async () => {
  const open = Date.UTC(2024, 4, 1);
  const { simulator, clock } = simulate({
    corrections: [{
      symbol: "BTCUSDT",
      interval: "1h",
      open_time: open,
      at: "2024-06-01T00:01:00Z",
      values: { close: "1.50000000", quote_volume: "7.00000000" },
    }],
  });
  const query = `${HOURLY}&startTime=${open}&limit=1`;
  const [before] = await askRows(simulator, query);
  assertEquals([before], await askRows(simulate().simulator, query));
  assertEquals([before], simulator.candles("BTCUSDT", "1h", open, open + HOUR));
  await clock.advance(30_000);
  const [after] = await askRows(simulator, query);
  assertEquals<unknown>(after, before?.with(4, "1.50000000").with(7, "7.00000000"));
  assertEquals([after], simulator.candles("BTCUSDT", "1h", open, open + HOUR));
  const others = await askRows(simulate().simulator, `${HOURLY}&startTime=${open + HOUR}&limit=3`);
  assertEquals(await askRows(simulator, `${HOURLY}&startTime=${open + HOUR}&limit=3`), others);
});

Deno.test("a correction without a moment was made before the start, in any unit of time", async () => {
  const open = Date.UTC(2024, 4, 1);
  const { simulator } = simulate({
    corrections: [{
      symbol: "BTCUSDT",
      interval: "1h",
      open_time: open,
      values: { high: "99999.00000000" },
    }],
  });
  const response = await ask(simulator, `/api/v3/klines?${HOURLY}&startTime=${open}&limit=1`, {
    headers: { "X-MBX-TIME-UNIT": "MICROSECOND" },
  });
  const [row] = await response.json();
  assertEquals([row[0], row[2], row[6]], [
    open * 1_000,
    "99999.00000000",
    (open + HOUR) * 1_000 - 1,
  ]);
});

Deno.test("candles() gives closed candles only, from and up to a moment", () => {
  const { simulator } = simulate();
  const midnight = Date.UTC(2024, 5, 1);
  const opens = (from: number, to: number) =>
    simulator.candles("BTCUSDT", "1h", from, to).map((row) => isoMinute(row[0]));
  assertEquals(opens(midnight - 2 * HOUR, midnight + DAY), [
    "2024-05-31T22:00",
    "2024-05-31T23:00",
  ]);
  assertEquals(opens(midnight - 2 * HOUR, midnight - HOUR), ["2024-05-31T22:00"]);
  assertEquals(opens(midnight - HOUR, Infinity), ["2024-05-31T23:00"]);
});
