import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { OptionsError } from "../../engine/errors.ts";
import type { Scenario } from "../../simulator/mod.ts";
import { ask, askRows, askTimes, HOUR, simulate } from "./_ask.ts";
import { listen } from "./_listen.ts";

const ROW = (time: number, close: number, end = '"0"') =>
  `[${time},"1.10","3.30000000","0.90","2.20","5.5",${close},"7.70000001",3,"2","4.4",${end}]`;

/** A scenario with one recorded series: BTCUSDT, 4h. */
async function recorded(text: string): Promise<Scenario> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, text);
  return { files: [{ symbol: "BTCUSDT", interval: "4h", path }] };
}

function removeFiles(scenario: Scenario): void {
  for (const { path } of scenario.files ?? []) Deno.removeSync(path);
}

Deno.test("a recorded series is served instead of a made-up one, digit for digit", async () => {
  const from = Date.UTC(2024, 0, 1);
  const scenario = await recorded(`[${ROW(from, from + 4 * HOUR - 1, '"123.4"')}]`);
  const { simulator } = simulate(scenario);
  removeFiles(scenario);
  const response = await ask(simulator, "/api/v3/klines?symbol=BTCUSDT&interval=4h");
  assertEquals(await response.text(), `[${ROW(from, from + 4 * HOUR - 1, '"123.4"')}]`);
  assertEquals((await askRows(simulator, "symbol=BTCUSDT&interval=1h&limit=5")).length, 5);
  assertEquals((await askRows(simulator, "symbol=ETHUSDT&interval=4h&limit=5")).length, 5);
});

Deno.test("a recorded CSV is read in microseconds, with a header, in any order", async () => {
  const line = (ms: number) =>
    `${ms}000,1.1,3.3,0.9,2.2,5.5,${ms + 4 * HOUR - 1}999,7.70000001,3,2,4.4,0`;
  const [first, second] = [Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 1, 4)];
  const scenario = await recorded(
    `open_time,open,high,low,close,volume,close_time,quote_volume,count,taker,quote,ignore\n` +
      `${line(second)}\r\n${line(first)}\n${line(second)}\n`,
  );
  const { simulator } = simulate(scenario);
  removeFiles(scenario);
  const text = (ms: number) =>
    `[${ms},"1.1","3.3","0.9","2.2","5.5",${ms + 4 * HOUR - 1},"7.70000001",3,"2","4.4","0"]`;
  const response = await ask(simulator, "/api/v3/klines?symbol=BTCUSDT&interval=4h");
  assertEquals(await response.text(), `[${text(first)},${text(second)}]`);
});

Deno.test("windows and the clock choose among recorded rows", async () => {
  const rows = [0, 4, 8, 24].map((hour) => Date.UTC(2024, 4, 31, hour))
    .map((time) => ROW(time, time + 4 * HOUR - 1));
  const scenario = await recorded(`[${rows.join()}]`);
  const { simulator, clock } = simulate({ ...scenario, lag: { absent_ms: 60_000 } });
  removeFiles(scenario);
  const times = (query: string) => askTimes(simulator, `symbol=BTCUSDT&interval=4h&${query}`);
  assertEquals(await times("limit=2"), ["2024-05-31T04:00", "2024-05-31T08:00"]);
  await clock.advance(30_000);
  assertEquals(await times("limit=2"), ["2024-05-31T08:00", "2024-06-01T00:00"]);
  assertEquals(await times("startTime=0&limit=2"), ["2024-05-31T00:00", "2024-05-31T04:00"]);
  const at = Date.UTC(2024, 4, 31, 4);
  assertEquals(await times(`startTime=${at}&endTime=${at}`), ["2024-05-31T04:00"]);
  assertEquals(await times(`startTime=${at + 1}&endTime=${at + HOUR}`), []);
  assertEquals(await times(`endTime=${at - 1}`), ["2024-05-31T00:00"]);
  assertEquals(simulator.candles("BTCUSDT", "4h", 0, clock.now()).length, 3);
});

Deno.test("a stream tells recorded candles as their rows, digit for digit", async () => {
  const from = Date.UTC(2024, 5, 1);
  const scenario = await recorded(`[${ROW(from, from + 4 * HOUR - 1)}]`);
  const { simulator, clock } = simulate({ ...scenario, streams: { snapshot_ms: HOUR } });
  removeFiles(scenario);
  const heard = listen(simulator, "/ws/btcusdt@kline_4h");
  await clock.advance(5 * HOUR);
  const { o, h, l, c, v, n, q, V, Q } = heard.closes()[0]?.k ?? {};
  assertEquals([o, h, l, c, v, n, q, V, Q], [
    "1.10",
    "3.30000000",
    "0.90",
    "2.20",
    "5.5",
    3,
    "7.70000001",
    "2",
    "4.4",
  ]);
  assertEquals(heard.klines().map(({ k }) => k.x), [false, true]);
  simulator.close();
});

Deno.test("a file that holds no rows is refused with its name, place and what must hold", async () => {
  const refused = async (text: string) => {
    const scenario = await recorded(text);
    const { path = "" } = scenario.files?.[0] ?? {};
    const error = assertThrows(() => simulate(scenario), OptionsError);
    removeFiles(scenario);
    return error.message.replace(path, "FILE");
  };
  assertEquals(
    await refused("[[1,2]]"),
    'Cannot use row 1 of "FILE": it must have 12 cells, whole times among them',
  );
  assertEquals(
    await refused(`[${ROW(1, 2)},${ROW(3.5, 4)}]`),
    'Cannot use row 2 of "FILE": it must have 12 cells, whole times among them',
  );
  assertEquals(await refused("[1]"), 'Cannot read "FILE": it must be an array of rows');
  assertEquals(await refused("[["), 'Cannot read recorded candles from "FILE"');
});

Deno.test("a file that is not there is refused with its name", () => {
  const files = [{ symbol: "BTCUSDT", interval: "4h" as const, path: "no/such.json" }];
  assertThrows(() => simulate({ files }), OptionsError, 'from "no/such.json"');
});

const SHARED = new URL("../../../shared/data/", import.meta.url);
const hasShared = await Deno.stat(SHARED).then(() => true, () => false);

Deno.test({
  name: "the recorded quarter of 2018 is served with its hole (needs ../shared)",
  ignore: !hasShared,
  fn: async () => {
    const url = new URL("rest-BTCUSDT-4h-2018-q1.json", SHARED);
    const { simulator } = simulate({
      files: [{ symbol: "BTCUSDT", interval: "4h", path: fromFileUrl(url) }],
    });
    const from = Date.UTC(2018, 0, 1);
    const rows = await askRows(
      simulator,
      `symbol=BTCUSDT&interval=4h&startTime=${from}&limit=1000`,
    );
    assertEquals(rows, JSON.parse(await Deno.readTextFile(url)));
    assertEquals(rows.length, 533);
    const jumps = rows.slice(1)
      .map((row, index) => [row[0], (row[0] - (rows[index]?.[0] ?? NaN)) / (4 * HOUR) - 1])
      .filter(([, missing]) => missing !== 0);
    assertEquals(jumps, [[Date.UTC(2018, 1, 9, 8), 7]]);
    const cut = rows.filter((row) => row[6] - row[0] !== 4 * HOUR - 1).map((row) => row[6]);
    assertEquals(cut, [1_515_034_814_838, 1_518_049_694_788]);
  },
});

Deno.test({
  name: "an archive's months in ms and in µs are served alike (needs ../shared)",
  ignore: !hasShared,
  fn: async () => {
    for (const [month, first] of [["2024-12", "2024-12-01"], ["2025-01", "2025-01-01"]] as const) {
      const path = fromFileUrl(new URL(`BTCUSDT-1h-${month}.csv`, SHARED));
      const files = [{ symbol: "BTCUSDT", interval: "1h" as const, path }];
      const { simulator } = simulate({ now: "2026-01-01", files });
      const rows = await askRows(simulator, "symbol=BTCUSDT&interval=1h&startTime=0&limit=1000");
      assertEquals(rows.length, 744);
      assertEquals([rows[0]?.[0], rows[0]?.[6]], [
        Date.parse(first),
        Date.parse(first) + HOUR - 1,
      ]);
    }
  },
});
