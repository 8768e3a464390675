import { assertEquals, assertStringIncludes } from "@std/assert";
import { describeReport, describeSeries, describeStatus } from "../../cli/report.ts";
import { emptyStep } from "../../engine/run/ledger.ts";
import type { RunReport } from "../../engine/run/run.ts";

Deno.test("describeStatus() gives rate, position and time left of finite work", () => {
  const status = {
    records: 30_000,
    timeMs: Date.UTC(2024, 4, 6, 7, 8),
    progress: 0.25,
    epochs: 1,
  };
  assertEquals(
    describeStatus(status, 10_000),
    "30,000 records · 3,000/s · at 2024-05-06T07:08:00Z · 25 % · 30.0 s left",
  );
});

Deno.test("describeStatus() leaves out what is not known", () => {
  const status = { records: 0, timeMs: undefined, progress: undefined, epochs: 0 };
  assertEquals(describeStatus(status, 0), "0 records · 0/s");
});

/** Series of that many symbols, of which the first ones lag behind. */
function seriesOf(count: number, ...lagsMs: number[]) {
  return Array.from({ length: count }, (_, at) => ({
    labels: { symbol: `COIN${at}USDT`, interval: "1m" },
    isLive: at >= lagsMs.length,
    lagMs: lagsMs[at] ?? 0,
    lastMs: Date.UTC(2024, 4, 6, 7, 8),
  }));
}

Deno.test("describeSeries() names the series where they are few, and counts them where they are many", () => {
  assertEquals(
    describeSeries(seriesOf(2)),
    "COIN0USDT 1m, COIN1USDT 1m live · last close 2024-05-06T07:08:00Z · up to date",
  );
  assertEquals(
    describeSeries(seriesOf(1_024)),
    "1,024 series live · last close 2024-05-06T07:08:00Z · up to date",
  );
});

Deno.test("describeSeries() says which series is behind the most, and by how much", () => {
  assertEquals(
    describeSeries(seriesOf(6, 12_900, 190_000)),
    "4 of 6 series live · last close 2024-05-06T07:08:00Z · COIN1USDT 1m and 1 more behind by 3 min 10 s",
  );
  assertEquals(
    describeSeries(seriesOf(1, 0).map((one) => ({ ...one, lastMs: undefined }))),
    "none of 1 series live · COIN0USDT 1m connecting",
  );
});

const REPORT: RunReport = {
  outcome: "done",
  ledger: {
    sources: { feed: { ...emptyStep(), out: 1_000 } },
    transforms: { kline: { in: 1_000, replayed: 0, out: 999, extra: 0, filtered: 0, rejected: 1 } },
    sinks: { file: { ...emptyStep(), in: 999, out: 999 } },
    deadLetter: { ...emptyStep(), in: 1, out: 1 },
    dropped: 0,
  },
  records: 1_000,
  deadLetters: { kline: 1 },
  bytes: { file: 123_456 },
  counters: { feed: { holes: 1, missing_candles: 7 }, kline: {} },
  elapsedMs: 1_234,
  epochs: 2,
};

Deno.test("describeReport() accounts for every record and says what was refused", () => {
  assertEquals(
    describeReport(REPORT),
    `done after 1.2 s: 1,000 records in this run, 2 checkpoints
  source       feed   out 1,000
  transform    kline  in 1,000   out 999           filtered 0  rejected 1
  sink         file   in 999     acknowledged 999  filtered 0  rejected 0  123 kB in this run
  dead letter         in 1       acknowledged 1    filtered 0  rejected 0
  the ledger balances: every record is accounted for
  feed: holes 1, missing_candles 7
  WARNING: 1 dead letter (in this run: kline 1)
`,
  );
});

Deno.test("describeReport() tells records of earlier runs from those of this one", () => {
  const lines = describeReport({ ...REPORT, records: 400 }).split("\n");
  assertEquals(lines[0], "done after 1.2 s: 400 records in this run, 2 checkpoints");
  assertEquals(lines[1], "  with the 600 of earlier runs:");
});

Deno.test("describeReport() counts the letters that wait and the records that were dropped", () => {
  const { ledger } = REPORT;
  const kline = { in: 1_003, replayed: 3, out: 999, extra: 0, filtered: 0, rejected: 4 };
  const waiting = {
    ...REPORT,
    deadLetters: {},
    ledger: {
      ...ledger,
      transforms: { kline },
      deadLetter: { ...emptyStep(), in: 5, out: 5 },
      dropped: 2,
    },
  };
  const text = describeReport(waiting);
  assertStringIncludes(text, "in 1,003   replayed 3        out 999     filtered 0  rejected 4");
  assertStringIncludes(text, "  WARNING: 2 dead letters (none in this run)\n");
  assertStringIncludes(text, "  WARNING: 2 refused records dropped, as `on_error` says\n");
});
