import { assert, assertEquals, assertMatch } from "@std/assert";
import { INTERVALS } from "../../engine/interval.ts";
import { ask, askRows, askTimes, DAY, HOUR, isoMinute, MINUTE, NOW, simulate } from "./_ask.ts";

const MIDNIGHT = Date.UTC(2024, 5, 1);
const HOURLY = "symbol=BTCUSDT&interval=1h";

Deno.test("klines gives rows as the exchange writes them", async () => {
  const response = await ask(simulate().simulator, `/api/v3/klines?${HOURLY}&limit=2`);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json;charset=UTF-8");
  const decimal = String.raw`"\d+\.\d{8}"`;
  const row = String
    .raw`\[\d{13},${decimal},${decimal},${decimal},${decimal},${decimal},\d{13},${decimal},\d+,${decimal},${decimal},"0"\]`;
  assertMatch(await response.text(), new RegExp(`^\\[${row},${row}\\]$`));
});

Deno.test("klines includes candles that open at either bound", async () => {
  const { simulator } = simulate();
  const from = MIDNIGHT - 3 * HOUR;
  const query = `${HOURLY}&startTime=${from}&endTime=${from + 2 * HOUR}`;
  assertEquals(await askTimes(simulator, query), [
    "2024-05-31T21:00",
    "2024-05-31T22:00",
    "2024-05-31T23:00",
  ]);
});

Deno.test("klines rounds a start off the grid up and an end down", async () => {
  const { simulator } = simulate();
  const from = MIDNIGHT - 3 * HOUR;
  const query = `${HOURLY}&startTime=${from + 1}&endTime=${from + 2 * HOUR - 1}`;
  assertEquals(await askTimes(simulator, query), ["2024-05-31T22:00"]);
});

Deno.test("klines gives the newest rows when there is no bound, the open candle last", async () => {
  assertEquals(await askTimes(simulate().simulator, `${HOURLY}&limit=3`), [
    "2024-05-31T22:00",
    "2024-05-31T23:00",
    "2024-06-01T00:00",
  ]);
});

Deno.test("klines gives the oldest rows from a start on when there is no end", async () => {
  const query = `${HOURLY}&limit=2&startTime=${Date.UTC(2024, 0, 1)}`;
  assertEquals(await askTimes(simulate().simulator, query), [
    "2024-01-01T00:00",
    "2024-01-01T01:00",
  ]);
});

Deno.test("klines gives the newest rows up to an end when there is no start", async () => {
  const query = `${HOURLY}&limit=2&endTime=${Date.UTC(2024, 0, 1)}`;
  assertEquals(await askTimes(simulate().simulator, query), [
    "2023-12-31T23:00",
    "2024-01-01T00:00",
  ]);
});

Deno.test("klines cuts a window that holds too many rows at its end", async () => {
  const query = `${HOURLY}&limit=2&startTime=${MIDNIGHT - DAY}&endTime=${MIDNIGHT}`;
  assertEquals(await askTimes(simulate().simulator, query), [
    "2024-05-31T00:00",
    "2024-05-31T01:00",
  ]);
});

Deno.test("klines gives one row when both bounds are its open time", async () => {
  const query = `${HOURLY}&startTime=${MIDNIGHT}&endTime=${MIDNIGHT}`;
  assertEquals(await askTimes(simulate().simulator, query), ["2024-06-01T00:00"]);
});

Deno.test("klines gives no row when the start is after the end", async () => {
  const query = `${HOURLY}&startTime=${MIDNIGHT - HOUR}&endTime=${MIDNIGHT - 2 * HOUR}`;
  assertEquals(await askTimes(simulate().simulator, query), []);
});

Deno.test("klines begins at the listing when the start is before it", async () => {
  const { simulator } = simulate();
  const query = `${HOURLY}&startTime=0&limit=2`;
  assertEquals(await askTimes(simulator, query), ["2017-08-17T04:00", "2017-08-17T05:00"]);
});

Deno.test("klines gives no row, and no error, of a window before the listing", async () => {
  const query = `${HOURLY}&startTime=${Date.UTC(2017, 4, 1)}&endTime=${Date.UTC(2017, 5, 1)}`;
  assertEquals(await askTimes(simulate().simulator, query), []);
});

Deno.test("klines takes a bound before 2017 for the first day of 2017", async () => {
  const { simulator } = simulate({ listed: "2016-12-01" });
  assertEquals(await askTimes(simulator, `${HOURLY}&startTime=0&limit=1`), ["2017-01-01T00:00"]);
  assertEquals(await askTimes(simulator, `${HOURLY}&endTime=${Date.UTC(2016, 11, 15)}`), [
    "2017-01-01T00:00",
  ]);
});

Deno.test("klines opens the first candle on the grid, not at the first trade", async () => {
  const { simulator } = simulate({
    symbols: [{ symbol: "NEWUSDT", base: "NEW", quote: "USDT", listed: "2024-05-31T10:20:00Z" }],
  });
  assertEquals(await askTimes(simulator, "symbol=NEWUSDT&interval=1h&startTime=0&limit=1"), [
    "2024-05-31T10:00",
  ]);
});

Deno.test("klines ends with the open candle when the end is in the future", async () => {
  const query = `${HOURLY}&startTime=${MIDNIGHT - HOUR}&endTime=${MIDNIGHT + 100 * DAY}`;
  assertEquals(await askTimes(simulate().simulator, query), [
    "2024-05-31T23:00",
    "2024-06-01T00:00",
  ]);
});

Deno.test("klines gives no row of a window in the future", async () => {
  const query = `${HOURLY}&startTime=${MIDNIGHT + DAY}&endTime=${MIDNIGHT + 2 * DAY}`;
  assertEquals(await askTimes(simulate().simulator, query), []);
});

Deno.test("klines takes bounds in seconds for times long past", async () => {
  const { simulator } = simulate();
  const start = MIDNIGHT / 1_000;
  assertEquals(await askTimes(simulator, `${HOURLY}&startTime=${start}&limit=1`), [
    "2017-08-17T04:00",
  ]);
  assertEquals(await askTimes(simulator, `${HOURLY}&startTime=${start}&endTime=${start}`), []);
});

Deno.test("klines takes bounds in microseconds", async () => {
  const { simulator } = simulate();
  const at = MIDNIGHT * 1_000;
  assertEquals(await askTimes(simulator, `${HOURLY}&startTime=${at}&endTime=${at}`), [
    "2024-06-01T00:00",
  ]);
  assertEquals(await askTimes(simulator, `${HOURLY}&startTime=${at + 1}&endTime=${at + 2}`), []);
});

Deno.test("klines gives 500 rows unless asked, and 1000 at most", async () => {
  const { simulator } = simulate();
  assertEquals((await askRows(simulator, HOURLY)).length, 500);
  assertEquals((await askRows(simulator, `${HOURLY}&limit=1000`)).length, 1_000);
  assertEquals((await askRows(simulator, `${HOURLY}&limit=1001`)).length, 1_000);
  assertEquals((await askRows(simulator, `${HOURLY}&limit=1`)).length, 1);
});

Deno.test("klines tells times in microseconds when the header asks for them", async () => {
  const { simulator } = simulate();
  const response = await ask(
    simulator,
    `/api/v3/klines?${HOURLY}&startTime=${MIDNIGHT}`,
    { headers: { "X-MBX-TIME-UNIT": "MICROSECOND" } },
  );
  const [row] = await response.json();
  assertEquals([row[0], row[6]], [1_717_200_000_000_000, 1_717_203_599_999_999]);
  const [plain] = await askRows(simulator, `${HOURLY}&startTime=${MIDNIGHT}`);
  assertEquals([plain?.[0], plain?.[6]], [1_717_200_000_000, 1_717_203_599_999]);
});

Deno.test("klines serves every interval, months and weeks included", async () => {
  const { simulator } = simulate();
  for (const interval of INTERVALS) {
    const rows = await askRows(simulator, `symbol=ETHUSDT&interval=${interval}&limit=4`);
    assertEquals(rows.length, 4, interval);
    for (const [index, row] of rows.slice(1).entries()) {
      assertEquals(row[0], (rows[index]?.[6] ?? NaN) + 1, interval);
    }
    assert((rows[3]?.[6] ?? 0) >= NOW, interval);
  }
  assertEquals(await askTimes(simulator, "symbol=ETHUSDT&interval=1M&limit=3"), [
    "2024-04-01T00:00",
    "2024-05-01T00:00",
    "2024-06-01T00:00",
  ]);
});

Deno.test("klines moves days, not hours, by timeZone, and leaves bounds in UTC", async () => {
  const { simulator } = simulate();
  const daily = `symbol=BTCUSDT&interval=1d&startTime=${MIDNIGHT - DAY}&timeZone=`;
  assertEquals(await askTimes(simulator, `${daily}8`), ["2024-05-31T16:00"]);
  assertEquals(await askTimes(simulator, `${daily}-5:30`), ["2024-05-31T05:30"]);
  assertEquals(await askTimes(simulator, `${HOURLY}&limit=1&timeZone=8`), ["2024-06-01T00:00"]);
});

Deno.test("klines gives the same candle whichever window asks for it", async () => {
  const { simulator } = simulate();
  const all = await askRows(simulator, `symbol=WANBTC&interval=1m&limit=1000`);
  for (const index of [0, 1, 499, 998]) {
    const open = all[index]?.[0] ?? NaN;
    const query = `symbol=WANBTC&interval=1m&startTime=${open}&limit=1`;
    assertEquals(await askRows(simulator, query), all.slice(index, index + 1));
    const before = `symbol=WANBTC&interval=1m&endTime=${open}&limit=1`;
    assertEquals(await askRows(simulator, before), all.slice(index, index + 1));
  }
  const again = await askRows(simulate().simulator, `symbol=WANBTC&interval=1m&limit=1000`);
  assertEquals(again, all);
});

Deno.test("klines gives other candles for another seed, symbol or interval", async () => {
  const closes = await Promise.all([
    askRows(simulate().simulator, `${HOURLY}&limit=20`),
    askRows(simulate({ seed: 2 }).simulator, `${HOURLY}&limit=20`),
    askRows(simulate().simulator, "symbol=ETHUSDT&interval=1h&limit=20"),
    askRows(simulate().simulator, "symbol=BTCUSDT&interval=2h&limit=20"),
  ].map(async (rows) => (await rows).map((row) => row[5]).join()));
  assertEquals(new Set(closes).size, 4);
});

Deno.test("klines gives candles that hold together", async () => {
  const { simulator } = simulate();
  for (const symbol of ["BTCUSDT", "ETHBTC", "PEPEUSDT", "1000SATSUSDT", "WANBTC"]) {
    for (const interval of ["1s", "1m", "4h", "1d"]) {
      const rows = await askRows(simulator, `symbol=${symbol}&interval=${interval}&limit=300`);
      for (const row of rows) {
        const [open, high, low, close, volume] = row.slice(1, 6).map(units);
        const [value, taker, takerValue] = [row[7], row[9], row[10]].map(units);
        assert(open && high && low && close && volume !== undefined && value !== undefined);
        assert(taker !== undefined && takerValue !== undefined);
        assert(low <= open && low <= close && high >= open && high >= close, row.join());
        assert(taker <= volume && takerValue <= value, row.join());
        assertEquals(row[8] === 0, volume === 0n, row.join());
        // Both products have 16 decimals.
        assert(value * 100_000_000n >= volume * low || row[6] >= NOW, row.join());
        assert(value * 100_000_000n <= volume * high || row[6] >= NOW, row.join());
      }
    }
  }
});

Deno.test("klines opens a candle close to where the one before closed", async () => {
  const rows = await askRows(simulate().simulator, "symbol=BTCUSDT&interval=1m&limit=500");
  for (const [index, row] of rows.slice(1).entries()) {
    const gap = units(row[1]) - units(rows[index]?.[4]);
    assert(gap >= -1_000_000n && gap <= 1_000_000n, `${gap}`);
  }
});

Deno.test("klines varies its digits", async () => {
  const rows = await askRows(simulate().simulator, "symbol=BTCUSDT&interval=1m&limit=1000");
  assert(new Set(rows.map((row) => row[5])).size > 990);
  assert(new Set(rows.map((row) => row[7].slice(-8))).size > 900);
  const lost = rows.filter((row) => Number(row[7]).toFixed(8) !== row[7]).length;
  const daily = await askRows(simulate().simulator, "symbol=BTCUSDT&interval=1d&limit=1000");
  const lostDaily = daily.filter((row) => Number(row[7]).toFixed(8) !== row[7]).length;
  // Large values have more digits than a float holds.
  assert(lostDaily > lost);
});

Deno.test("klines gives tradeless candles on quiet symbols, at the price before them", async () => {
  const rows = await askRows(simulate().simulator, "symbol=WANBTC&interval=1m&limit=1000");
  const quiet = rows.filter((row) => row[8] === 0);
  assert(quiet.length > 500 && quiet.length < 1_000, `${quiet.length}`);
  for (const [index, row] of rows.slice(1).entries()) {
    if (row[8] !== 0) continue;
    const last = rows[index]?.[4] ?? "";
    assertEquals(row.slice(1, 6), [last, last, last, last, "0.00000000"]);
    assertEquals(row.slice(7), ["0.00000000", 0, "0.00000000", "0.00000000", "0"]);
  }
});

Deno.test("klines gives the share of tradeless candles that the scenario asks for", async () => {
  const rows = await askRows(
    simulate({ tradeless: 0.5 }).simulator,
    "symbol=BTCUSDT&interval=1m&limit=1000",
  );
  const quiet = rows.filter((row) => row[8] === 0).length;
  assert(quiet > 400 && quiet < 560, `${quiet}`);
});

Deno.test("klines gives at least one candle with trades in any 32", async () => {
  const { simulator } = simulate({ tradeless: 1 });
  const rows = await askRows(simulator, "symbol=BTCUSDT&interval=1m&limit=1000");
  const traded = rows.flatMap((row, index) => row[8] > 0 ? [index] : []);
  assertEquals(traded.length, 32);
  assert(traded.slice(1).every((index, at) => index - (traded[at] ?? NaN) === 32));
});

Deno.test("klines lets the open candle grow until it is the closed one", async () => {
  const { simulator, clock } = simulate();
  const query = `symbol=BTCUSDT&interval=1m&startTime=${MIDNIGHT}&limit=1`;
  let [before] = await askRows(simulator, query);
  assert(before && before[6] === MIDNIGHT + MINUTE - 1);
  for (let second = 31; second <= 62; second++) {
    await clock.advance(1_000);
    const [row] = await askRows(simulator, query);
    assert(row && row[0] === before[0] && row[1] === before[1] && row[6] === before[6]);
    assert(units(row[2]) >= units(before[2]) && units(row[3]) <= units(before[3]));
    assert(units(row[5]) >= units(before[5]) && units(row[7]) >= units(before[7]));
    assert(row[8] >= before[8]);
    if (second <= 60) assert(row[8] > before[8]);
    else assertEquals(row, before);
    before = row;
  }
  assertEquals([before], simulator.candles("BTCUSDT", "1m", MIDNIGHT, MIDNIGHT + MINUTE));
});

Deno.test("klines begins an open candle without trades at the price before it", async () => {
  const { simulator, clock } = simulate();
  await clock.advance(MINUTE / 2);
  const rows = await askRows(simulator, "symbol=SOLUSDT&interval=1m&limit=2");
  const last = rows[0]?.[4];
  assertEquals(rows[1]?.slice(0, 6), [MIDNIGHT + MINUTE, last, last, last, last, "0.00000000"]);
  assertEquals(rows[1]?.[8], 0);
});

Deno.test("klines of a delisted symbol end, and its history stays", async () => {
  const { simulator } = simulate();
  assertEquals(await askTimes(simulator, "symbol=SRMUSDT&interval=1h&limit=2"), [
    "2022-11-28T01:00",
    "2022-11-28T02:00",
  ]);
  assertEquals((await askRows(simulator, "symbol=SRMUSDT&interval=1h&startTime=0")).length, 500);
});

Deno.test("klines takes symbols in any script, percent-encoded", async () => {
  const name = encodeURIComponent("币安人生USDT");
  assertEquals(await askTimes(simulate().simulator, `symbol=${name}&interval=1d&limit=1`), [
    isoMinute(MIDNIGHT),
  ]);
});

function units(decimal: string | number | undefined): bigint {
  return BigInt(String(decimal).replace(".", ""));
}
