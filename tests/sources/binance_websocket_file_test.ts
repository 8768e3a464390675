/** A live pipeline into a file: whatever happens, the file is that of a run without troubles. */

import { assert, assertEquals } from "@std/assert";
import { memoryCheckpoints } from "../../engine/checkpoint.ts";
import { VirtualClock } from "../../engine/clock.ts";
import type { Clock } from "../../engine/context.ts";
import { runPipeline } from "../../engine/run.ts";
import { createSimulator, type Scenario } from "../../simulator/mod.ts";
import { file } from "../../sinks/file/mod.ts";
import { binanceWebsocket } from "../../sources/binance_websocket.ts";
import { kline } from "../../transforms/kline.ts";
import { rsi } from "../../transforms/rsi.ts";
import { fakeContext, seededRandom } from "../contracts/context.ts";
import type { Pipeline } from "../../engine/pipeline.ts";
import { pipelineOf, step } from "../engine/_fakes.ts";

const MINUTE = 60_000;
const NOW = Date.UTC(2024, 4, 17, 9, 30, 20);
const LENGTH_MS = 40 * MINUTE;

const averages = rsi.options.safeParse({});
assert(averages.success);
const shapes = [rsi.shape(kline.shape({ kind: "raw", format: "candle" }, {}), averages.data)];

function liveOf(options: unknown): Pipeline {
  return pipelineOf({
    sources: [step(binanceWebsocket, options)],
    transforms: [step(kline), step(rsi)],
    sinks: [step(file, { path: "live.lp" })],
    shapes,
    epoch: { records: 7, ms: 30_000 },
  });
}

const SIX_SERIES = liveOf({
  symbols: ["BTCUSDT", "ETHUSDT", "WANBTC"],
  interval: ["1m", "5m"],
  from: NOW - 90 * MINUTE,
  streams_per_connection: 4,
});

interface Running {
  /** When the process is killed, in milliseconds after the start. */
  readonly killsMs?: readonly number[];
  /** When all ends. */
  readonly lengthMs?: number;
  /** What runs; six series where it is left out. */
  readonly pipeline?: Pipeline;
  /** How far the clock of this machine is ahead, at a moment. */
  aheadMs?(nowMs: number): number;
  /** How long this machine has been suspended, at a moment. */
  suspendedMs?(nowMs: number): number;
}

/** Runs the pipeline and gives what the file holds then. */
async function fileOf(scenario: Scenario, running: Running = {}): Promise<string> {
  const { killsMs = [], lengthMs = LENGTH_MS, pipeline = SIX_SERIES } = running;
  const clock = new VirtualClock(NOW, { eager: true });
  const simulator = createSimulator({ streams: { snapshot_ms: 20_000 }, ...scenario }, { clock });
  const files = new Map<string, string>();
  const checkpoints = memoryCheckpoints();
  const machine: Clock = {
    now: () => clock.now() + (running.aheadMs?.(clock.now()) ?? 0),
    steady: () => clock.steady() - (running.suspendedMs?.(clock.now()) ?? 0),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  for (const endMs of [...killsMs, lengthMs]) {
    const context = fakeContext({
      clock: machine,
      files,
      fetch: (url, init) => simulator.handle(new Request(url, init)),
      webSocket: (url) => simulator.connect(url),
    });
    const ending = new AbortController();
    const timer = clock.sleep(NOW + endMs - clock.now()).then(() => ending.abort());
    const how = endMs === lengthMs ? { stop: ending.signal } : { abort: ending.signal };
    await runPipeline(pipeline, { world: { ...context, clock: machine }, checkpoints, ...how })
      .catch((error) => {
        if (error !== ending.signal.reason) throw error;
      });
    await timer;
  }
  simulator.close();
  return files.get("live.lp") ?? [...files.values()].join("");
}

const undisturbed = await fileOf({});

Deno.test("A live pipeline without troubles leaves the history and each candle in a file, in order", () => {
  const lines = undisturbed.trimEnd().split("\n");
  // Candles of a minute from 08:01 to 10:09, those of five from 08:05 to 10:05, of three symbols.
  assertEquals(lines.length, 3 * 129 + 3 * 25);
  assert(lines.at(-1)?.includes("rsi_14="));
});

const at = (minute: number) => NOW + minute * MINUTE;

const TROUBLES: readonly [name: string, scenario: Scenario][] = [
  ["the exchange being away for ten minutes", { outages: [{ from: at(5), to: at(15) }] }],
  ["a cut of all connections", { stream_faults: [{ kind: "cut", at: at(7.65), times: 9 }] }],
  ["a connection that dies unnoticed", {
    stream_faults: [{ kind: "half_open", at: at(9), times: 1 }],
  }],
  ["half an hour without data", { stream_faults: [{ kind: "mute", from: at(5), to: at(35) }] }],
  ["closes that are absent", { stream_faults: [{ kind: "omit", after: 5, times: 9 }] }],
  ["closes that are late", { stream_faults: [{ kind: "late", delay_ms: 40_000, times: 20 }] }],
  ["closes that come twice", {
    stream_faults: [{ kind: "repeat", gap_ms: 9_000, times: "always" }],
  }],
  ["a ban in the middle of the history", {
    faults: [{ kind: "status", status: 418, retry_after_s: 300, after: 3 }],
  }],
];

for (const [name, scenario] of TROUBLES) {
  Deno.test(`A live pipeline leaves the same file, byte for byte, in spite of ${name}`, async () => {
    assertEquals(await fileOf(scenario), undisturbed);
  });
}

Deno.test("A live pipeline leaves the same file, byte for byte, when it is killed fifty times", async () => {
  const random = seededRandom(3);
  const killsMs = Array.from({ length: 50 }, () => Math.floor(random() * (LENGTH_MS - MINUTE)))
    .sort((a, b) => a - b);
  assertEquals(await fileOf({}, { killsMs }), undisturbed);
});

const HOUR_MS = 60 * MINUTE;

for (
  const [how, aheadMs] of [
    ["set back by an hour", (nowMs: number) => nowMs < at(10.4) ? 0 : -HOUR_MS],
    ["set ahead by an hour", (nowMs: number) => nowMs < at(10.4) ? 0 : HOUR_MS],
    ["set right after an hour ahead", (nowMs: number) => nowMs < at(10.4) ? HOUR_MS : 0],
  ] as const
) {
  Deno.test(`A live pipeline leaves the same file, byte for byte, when the machine's clock is ${how}`, async () => {
    assertEquals(await fileOf({}, { aheadMs }), undisturbed);
  });
}

Deno.test("A live pipeline leaves the same file, byte for byte, after its machine was suspended for two hours", async () => {
  const suspendedMs = (nowMs: number) => nowMs < at(10.4) ? 0 : 2 * HOUR_MS;
  assertEquals(await fileOf({}, { suspendedMs }), undisturbed);
});

Deno.test("A live pipeline outlives an outage of three days, and leaves the same file", async () => {
  const lengthMs = 73 * HOUR_MS;
  const pipeline = liveOf({ symbols: ["BTCUSDT"], interval: "15m", from: NOW - 9 * HOUR_MS });
  const streams = { snapshot_ms: "never" } as const;
  const outages = [{ from: at(20), to: at(20) + 72 * HOUR_MS }];
  const whole = await fileOf({ streams }, { lengthMs, pipeline });
  // From 00:31 on the first day to 10:30 on the fourth.
  assertEquals(whole.trimEnd().split("\n").length, 4 * 24 * 3 + 4 * 10 - 1);
  assertEquals(await fileOf({ streams, outages }, { lengthMs, pipeline }), whole);
});
