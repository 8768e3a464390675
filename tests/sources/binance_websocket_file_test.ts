/** A live pipeline into a file: whatever happens, the file is that of a run without troubles. */

import { assert, assertEquals } from "@std/assert";
import { memoryCheckpoints } from "../../engine/checkpoint/checkpoint.ts";
import { VirtualClock } from "../../engine/clock.ts";
import type { Clock } from "../../engine/context.ts";
import { runPipeline } from "../../engine/run/run.ts";
import { createSimulator, type Scenario, type Simulator } from "../../simulator/mod.ts";
import { file } from "../../sinks/file/mod.ts";
import { binanceWebsocket } from "../../sources/binance_websocket.ts";
import { kline } from "../../transforms/kline.ts";
import { rsi } from "../../transforms/rsi.ts";
import { fakeContext, seededRandom } from "../contracts/context.ts";
import type { Pipeline } from "../../engine/pipeline.ts";
import { pipelineOf, step } from "../engine/_fakes.ts";

const MINUTE = 60_000;
const NOW = Date.UTC(2024, 4, 17, 9, 30, 20);
const HOUR = 60 * MINUTE;

/** What runs, and for how long. */
interface Run {
  readonly pipeline: Pipeline;
  readonly lengthMs: number;
  /** When it is killed, in milliseconds after the start. */
  readonly killsMs?: readonly number[];
  /** When the exchange is replaced by another one behind the same address. */
  readonly movesMs?: number;
  /** How far the clock of this machine is ahead, at a moment. */
  aheadMs?(nowMs: number): number;
  /** How long this machine has been suspended, at a moment. */
  suspendedMs?(nowMs: number): number;
  /** Looks at the exchange at the end. */
  see?(exchange: Simulator): void;
}

const averages = rsi.options.safeParse({});
assert(averages.success);
const shape = rsi.shape(kline.shape({ kind: "raw", format: "candle" }, {}), averages.data);

function liveOf(options: unknown): Pipeline {
  return pipelineOf({
    sources: [step(binanceWebsocket, options)],
    transforms: [step(kline), step(rsi)],
    sinks: [step(file, { path: "live.lp" })],
    shapes: [shape],
    epoch: { records: 7, ms: 30_000 },
  });
}

function sixSeries(interval: readonly string[], fromMs: number): Pipeline {
  return liveOf({
    symbols: ["BTCUSDT", "ETHUSDT", "WANBTC"],
    interval,
    from: fromMs,
    streams_per_connection: 4,
  });
}

/** Minutes for forty minutes, and quarters of an hour for more than two days. */
const MINUTES: Run = {
  pipeline: sixSeries(["1m", "5m"], NOW - 90 * MINUTE),
  lengthMs: 40 * MINUTE,
};
const HOUR_AND_MORE: Run = { ...MINUTES, lengthMs: 80 * MINUTE };
const DAYS: Run = { pipeline: sixSeries(["15m", "1h"], NOW - 48 * HOUR), lengthMs: 52 * HOUR };

/** Runs a pipeline, killed at some moments, and gives what its file holds then. */
async function fileOf(scenario: Scenario, run: Run): Promise<string> {
  const { pipeline, lengthMs, killsMs = [], movesMs = Infinity } = run;
  const clock = new VirtualClock(NOW, { eager: true });
  const start = () =>
    createSimulator({ ...scenario, streams: { snapshot_ms: 20_000, ...scenario.streams } }, {
      clock,
    });
  let simulator = start();
  const moving = new AbortController();
  const moved = clock.sleep(movesMs, moving.signal).then(() => {
    const old = simulator;
    simulator = start();
    old.close();
  }, () => {});
  const files = new Map<string, string>();
  const checkpoints = memoryCheckpoints();
  const machine: Clock = {
    now: () => clock.now() + (run.aheadMs?.(clock.now()) ?? 0),
    steady: () => clock.steady() - (run.suspendedMs?.(clock.now()) ?? 0),
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
  moving.abort();
  await moved;
  run.see?.(simulator);
  simulator.close();
  return files.get("live.lp") ?? [...files.values()].join("");
}

const undisturbed = await fileOf({}, MINUTES);

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
    assertEquals(await fileOf(scenario, MINUTES) === undisturbed, true);
  });
}

Deno.test("A live pipeline leaves the same file, byte for byte, when the exchange moves behind one address", async () => {
  assertEquals(await fileOf({}, { ...MINUTES, movesMs: 12 * MINUTE }) === undisturbed, true);
});

Deno.test("A live pipeline leaves the same file, byte for byte, in spite of an hour of subscriptions that are acknowledged but give nothing", async () => {
  const mute: Scenario = { stream_faults: [{ kind: "mute", from: at(5), to: at(65) }] };
  const found = await fileOf(mute, HOUR_AND_MORE);
  assertEquals(found === await fileOf({}, HOUR_AND_MORE), true);
  assertEquals(found.trimEnd().split("\n").length, 3 * 169 + 3 * 33);
});

Deno.test("A live pipeline leaves the same file, byte for byte, whether connections end after 24 hours or never", async () => {
  const endless = await fileOf({ streams: { lifetime_s: 1e9 } }, DAYS);
  assertEquals(endless.trimEnd().split("\n").length, 3 * 399 + 3 * 99);
  assertEquals(await fileOf({}, DAYS) === endless, true);
  // Renewal comes to nothing, so that the exchange makes an end of each connection.
  const refused: Scenario = {
    stream_faults: [{ kind: "refuse", from: at(60), to: at(24.5 * 60), times: "always" }],
  };
  const agesH: number[] = [];
  const see = ({ connections }: Simulator) => {
    for (const { openedMs, endedMs = NaN } of connections) agesH.push((endedMs - openedMs) / HOUR);
  };
  assertEquals(await fileOf(refused, { ...DAYS, see }) === endless, true);
  assertEquals(agesH.filter((hours) => hours === 24).length, 2, `${agesH}`);
});

Deno.test("A live pipeline leaves the same file, byte for byte, when it is killed fifty times", async () => {
  const random = seededRandom(3);
  const { lengthMs } = MINUTES;
  const killsMs = Array.from({ length: 50 }, () => Math.floor(random() * (lengthMs - MINUTE)))
    .sort((a, b) => a - b);
  assertEquals(await fileOf({}, { ...MINUTES, killsMs }) === undisturbed, true);
});

for (
  const [how, aheadMs] of [
    ["set back by an hour", (nowMs: number) => nowMs < at(10.4) ? 0 : -HOUR],
    ["set ahead by an hour", (nowMs: number) => nowMs < at(10.4) ? 0 : HOUR],
    ["set right after an hour ahead", (nowMs: number) => nowMs < at(10.4) ? HOUR : 0],
  ] as const
) {
  Deno.test(`A live pipeline leaves the same file, byte for byte, when the machine's clock is ${how}`, async () => {
    assertEquals(await fileOf({}, { ...MINUTES, aheadMs }) === undisturbed, true);
  });
}

Deno.test("A live pipeline leaves the same file, byte for byte, after its machine was suspended for two hours", async () => {
  const suspendedMs = (nowMs: number) => nowMs < at(10.4) ? 0 : 2 * HOUR;
  assertEquals(await fileOf({}, { ...MINUTES, suspendedMs }) === undisturbed, true);
});

Deno.test("A live pipeline outlives an outage of three days, and leaves the same file", async () => {
  const lengthMs = 73 * HOUR;
  const pipeline = liveOf({ symbols: ["BTCUSDT"], interval: "15m", from: NOW - 9 * HOUR });
  const streams = { snapshot_ms: "never" } as const;
  const outages = [{ from: at(20), to: at(20) + 72 * HOUR }];
  const whole = await fileOf({ streams }, { lengthMs, pipeline });
  // From 00:31 on the first day to 10:30 on the fourth.
  assertEquals(whole.trimEnd().split("\n").length, 4 * 24 * 3 + 4 * 10 - 1);
  assertEquals(await fileOf({ streams, outages }, { lengthMs, pipeline }), whole);
});
