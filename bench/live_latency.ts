/**
 * How long a close takes from its frame to the sink's word that it is written.
 *
 * A simulated exchange in another process closes candles of a minute of 1,024 series at once for the
 * burst, which go into a file, and candles of a second of 100 series for the rest, which go into a
 * sink that does nothing.
 *
 * @module
 */

import { delay } from "@std/async";
import { fromFileUrl, join } from "@std/path";
import { memoryCheckpoints } from "../engine/checkpoint.ts";
import { Monitor } from "../engine/monitor.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { defineSink, type SinkPlugin, type SinkWriter } from "../engine/plugin.ts";
import type { Point } from "../engine/point.ts";
import { runPipeline } from "../engine/run.ts";
import { systemWorld } from "../engine/world.ts";
import { encodeLineProtocol } from "../sinks/_line_protocol.ts";
import { file } from "../sinks/file/mod.ts";
import { kline } from "../transforms/kline.ts";
import { livePipeline } from "./_live_pipeline.ts";
import { symbolOf } from "./_market.ts";
import { type BenchRow, renderTable } from "./table.ts";

const SIMULATOR = fromFileUrl(new URL("../simulator/main.ts", import.meta.url));
const BURST: Load = { series: 1_024, interval: "1m", turns: 2, intervalMs: 60_000 };
const CALM: Load = { series: 100, interval: "1s", turns: 10, intervalMs: 1_000 };
/** The exchange's clock at the start: shortly before the turn of a minute. */
const NOW = "2024-05-17T09:29:45Z";
const PATIENCE_S = 60;

/** What is measured: closes of all series at each turn of an interval. */
interface Load {
  readonly series: number;
  readonly interval: string;
  readonly intervalMs: number;
  /** Turns that are measured, once all series are live. */
  readonly turns: number;
}

/** What the closes of one turn took, in milliseconds. */
interface Turn {
  /** From the first frame until each candle was acknowledged. */
  readonly sinceFirst: number[];
  /** From each candle's own frame. */
  readonly sinceFrame: number[];
}

/** The burst's time, and the 99th percentile of a calm load. */
export async function liveLatency(): Promise<BenchRow[]> {
  const burst = await measure(BURST, file);
  const worst = Math.max(...burst.map(({ sinceFirst }) => Math.max(...sinceFirst)));
  const all = (await measure(CALM, fastSink())).flatMap(({ sinceFrame }) => sinceFrame)
    .sort((a, b) => a - b);
  return [
    {
      name: `a burst of ${BURST.series} closes, written and acknowledged`,
      ...{ value: worst, unit: "ms", bound: { below: 1_000 } },
      note: `the worst of ${burst.length} bursts`,
    },
    {
      name: "frame to acknowledged, 99th percentile",
      ...{ value: all[Math.floor(0.99 * all.length)] ?? NaN, unit: "ms", bound: { below: 50 } },
      note: `${CALM.series} closes a second, ${all.length} of them; median ${
        (all[all.length >> 1] ?? NaN).toFixed(1)
      } ms`,
    },
  ];
}

/** Runs for some turns, and gives those in which each series closed. */
async function measure(load: Load, sink: SinkPlugin): Promise<Turn[]> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  try {
    await using exchange = await startExchange(folder, load.series);
    const received = new Map<string, number>();
    const acknowledged = new Map<string, number>();
    const stop = new AbortController();
    const monitor = new Monitor();
    const running = runPipeline(pipelineOf(folder, load, exchange, timed(sink, acknowledged)), {
      world: { ...systemWorld(folder), webSocket: (url) => watched(url, received) },
      checkpoints: memoryCheckpoints(),
      stop: stop.signal,
      monitor,
    });
    for (let s = 0; monitor.unready().length > 0 && s < PATIENCE_S; s++) await delay(1_000);
    received.clear();
    await delay(load.intervalMs * load.turns + 3_000);
    stop.abort();
    await running;
    return turnsOf(load, received, acknowledged);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function turnsOf(
  { series, turns: wanted }: Load,
  received: ReadonlyMap<string, number>,
  acknowledged: ReadonlyMap<string, number>,
): Turn[] {
  const turns = new Map<string, Turn & { readonly firstMs: number }>();
  for (const [key, frameMs] of received) {
    const [openMs = ""] = key.split(" ");
    const ackMs = acknowledged.get(key);
    if (ackMs === undefined) continue;
    const turn = turns.get(openMs) ?? { firstMs: frameMs, sinceFirst: [], sinceFrame: [] };
    turns.set(openMs, turn);
    turn.sinceFirst.push(ackMs - turn.firstMs);
    turn.sinceFrame.push(ackMs - frameMs);
  }
  const whole = [...turns.values()].filter(({ sinceFrame }) => sinceFrame.length === series);
  if (whole.length < wanted) throw new Error(`Cannot measure: ${whole.length} whole turns`);
  return whole.slice(-wanted);
}

async function startExchange(folder: string, series: number) {
  const symbols = Array.from({ length: series }, (_, at) => ({
    ...{ symbol: symbolOf(at), base: `COIN${at}`, quote: "USDT", price: 10 + at },
  }));
  const path = join(folder, "scenario.json");
  await Deno.writeTextFile(
    path,
    JSON.stringify({ now: NOW, symbols, streams: { snapshot_ms: "never" } }),
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--allow-read", "--allow-env", "--allow-net=127.0.0.1", SIMULATOR],
      ...["--scenario", path],
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  const urls: { readonly rest: string; readonly stream: string } = JSON.parse(
    new TextDecoder().decode(value),
  );
  return {
    ...urls,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.stdout.cancel();
      await child.status;
    },
  };
}

function pipelineOf(
  folder: string,
  { series, interval }: Load,
  { rest, stream }: { readonly rest: string; readonly stream: string },
  sink: SinkPlugin,
): Pipeline {
  return {
    ...livePipeline({
      source: {
        ...{ symbols: Array.from({ length: series }, (_, at) => symbolOf(at)), interval },
        ...{ base_url: stream, rest_url: rest },
      },
      ...{ sink, sinkOptions: sink.id === "file" ? { path: "live.lp" } : {} },
    }),
    folder,
  };
}

/** A socket that notes when each close came in. */
function watched(url: string | URL, received: Map<string, number>): WebSocket {
  const socket = new WebSocket(url);
  socket.addEventListener("message", ({ data }) => {
    const [, openMs, symbol] = /"k":\{"t":(\d+).*?"s":"([^"]+)"/.exec(data) ?? [];
    const key = `${openMs} ${symbol}`;
    if (!received.has(key)) received.set(key, performance.now());
  });
  return socket;
}

/** A sink that notes when each candle was acknowledged. */
function timed(sink: SinkPlugin, acknowledged: Map<string, number>): SinkPlugin {
  const open: SinkPlugin["open"] = async (options, opening, context) => {
    const writer: SinkWriter<Point> = await sink.open(options, opening, context);
    return {
      flush: () => writer.flush(),
      close: () => writer.close(),
      async deliver(chunk) {
        const rejected = await writer.deliver(chunk);
        const nowMs = performance.now();
        for (const { timeMs, tags } of chunk.records) {
          acknowledged.set(`${timeMs} ${tags.symbol}`, nowMs);
        }
        return rejected;
      },
    };
  };
  return Object.assign((options: unknown) => sink(options), sink, { open });
}

function fastSink(): SinkPlugin {
  return defineSink({
    id: "nowhere",
    summary: "Takes line protocol",
    options: kline.options,
    delivery: "idempotent",
    accept: () => {},
    encode: encodeLineProtocol,
    open: () =>
      Promise.resolve({
        deliver: () => Promise.resolve(),
        flush: () => Promise.resolve(null),
        close: () => Promise.resolve(),
      }),
  });
}

if (import.meta.main) {
  const table = renderTable(await liveLatency());
  await Deno.stdout.write(new TextEncoder().encode(`${table}\n`));
}
