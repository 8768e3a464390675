import { assertEquals, assertStringIncludes } from "@std/assert";
import { defineSource } from "../../../engine/plugin.ts";
import { describeState } from "../../../engine/checkpoint/describe.ts";
import { Disk, diskSink, numbers, pipelineOf, step } from "../_fakes.ts";
import { checkpointOf, OPEN_MS } from "../state/_checkpoint.ts";

const NOW_MS = OPEN_MS + 10.5 * 3_600_000;
const PEEK = {
  checkpoint: checkpointOf(),
  path: "/data/.penstock/btc/checkpoint",
  savedMs: NOW_MS - 61_000,
  bytes: 12_345,
  warning: undefined,
};
const PLAIN = pipelineOf({
  sources: [step(numbers, { to: 1 }, { id: "feed" })],
  sinks: [step(diskSink(new Disk()))],
});

Deno.test("describeState() says in words what is kept of a pipeline whose source does not", () => {
  assertEquals(
    describeState(PLAIN, PEEK, NOW_MS),
    `pipeline btc: checkpoint 1,234, saved 2024-01-01T10:28:59Z (1 min 1 s ago), 12 kB
  /data/.penstock/btc/checkpoint
source feed: gave 5,000 records, holes 1, missing_candles 12,000
  BTCUSDT@1h  from 2024-01-01T00:00:00Z (10 h 30 min ago), after 2024-01-01T09:00:00Z (1 h 30 min ago)
  BTCUSDT@1m  from 2024-01-01T00:00:00Z (10 h 30 min ago)
  ETHUSDT@1h  from 2024-01-01T00:00:00Z (10 h 30 min ago), after 2024-01-01T07:00:00Z (3 h 30 min ago)
transform candles: remembers nothing; in 5,001, out 4,999, rejected 2
transform rsi: remembers 2 keys; in 4,999, out 4,999, rejected 0
  kline?interval=1h&symbol=BTCUSDT  last.t 2024-01-01T00:00:00Z, last.n 15, last.gain 0.3
  kline?interval=1h&symbol=ETHUSDT  last none
sink file: 4,999 records acknowledged; goes on at part "", bytes 4321
dead letters: 2 kept, put through again: rejected.jsonl 1; goes on at part "", bytes 99
`,
  );
});

Deno.test("describeState() lets a source say where its series are", () => {
  const feed = defineSource({
    ...numbers,
    describePosition: () => [
      { series: "BTCUSDT 1h", lastMs: OPEN_MS + 9 * 3_600_000, behind: 0 },
      { series: "BTCUSDT 1m" },
      { series: "ETHUSDT 1h", lastMs: OPEN_MS + 7 * 3_600_000, behind: 1_002, unit: "candles" },
    ],
  });
  const pipeline = { ...PLAIN, sources: [step(feed, { to: 1 }, { id: "feed" })] };
  assertStringIncludes(
    describeState(pipeline, PEEK, NOW_MS),
    `
  BTCUSDT 1h  last 2024-01-01T09:00:00Z (1 h 30 min ago), up to date
  BTCUSDT 1m  nothing yet
  ETHUSDT 1h  last 2024-01-01T07:00:00Z (3 h 30 min ago), 1,002 candles behind
`,
  );
});

Deno.test("describeState() shows the first of many keys, and says of a damaged checkpoint that it is", () => {
  const keys = Array.from({ length: 45 }, (_, at) => [`key ${at}`, at] as const);
  const checkpoint = { ...checkpointOf(), states: { rsi: Object.fromEntries(keys) } };
  const shown = describeState(PLAIN, { ...PEEK, checkpoint, warning: "It is damaged" }, NOW_MS);
  assertStringIncludes(shown, "  key 29  29\n  … and 15 more: see state export\n");
  assertStringIncludes(shown, "  WARNING: It is damaged; this is the one before it\n");
});
