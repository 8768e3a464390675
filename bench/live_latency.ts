/**
 * How long a close takes from its frame to the sink's word that it is written.
 *
 * The burst is 1,024 frames that come as fast as they can, and goes into a file. For the rest, a
 * simulated exchange in another process closes candles of a second of 100 series, which go into a
 * sink that acknowledges at once.
 *
 * @module
 */

import { delay } from "@std/async";
import { fromFileUrl, join } from "@std/path";
import { memoryCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import { Monitor } from "../engine/monitor/monitor.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { SinkPlugin } from "../engine/plugin.ts";
import { runPipeline } from "../engine/run/run.ts";
import { systemWorld } from "../engine/run/world.ts";
import { file } from "../sinks/file/mod.ts";
import { runFrames, startFrames } from "./_frames_client.ts";
import { livePipeline, nowhere, watchAcknowledged } from "./_live_pipeline.ts";
import { symbolOf } from "./_market.ts";
import { type BenchRow, median, renderTable } from "./table.ts";

const SIMULATOR = fromFileUrl(new URL("../simulator/main.ts", import.meta.url));
const BURST_SERIES = 1_024;
const BURSTS = 7;
const SERIES = 100;
/** Seconds that are measured, once all series are live. */
const SECONDS = 10;
const PATIENCE_S = 60;

/** The burst's time, and the 99th percentile of a calm load. */
export async function liveLatency(): Promise<BenchRow[]> {
  const burstsMs = await bursts();
  const all = (await latencies()).sort((a, b) => a - b);
  return [
    {
      name: `a burst of ${BURST_SERIES} closes, written to a file and acknowledged`,
      ...{ value: median(burstsMs), unit: "ms", bound: { below: 1_000 } },
      note: `the median of ${burstsMs.length}; the worst took ${
        Math.max(...burstsMs).toFixed(0)
      } ms`,
    },
    {
      name: "frame to acknowledged, 99th percentile",
      ...{ value: all[Math.floor(0.99 * all.length)] ?? NaN, unit: "ms", bound: { below: 50 } },
      note: `${SERIES} closes a second, ${all.length} of them; median ${median(all).toFixed(1)} ms`,
    },
  ];
}

/** From the first frame of a burst that comes as fast as it can, until all of it is in the file. */
async function bursts(): Promise<number[]> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  try {
    await using server = await startFrames(BURST_SERIES, 1);
    const times: number[] = [];
    for (let burst = 0; burst < BURSTS; burst++) {
      const target = { sink: file, options: { path: `${burst}.lp` }, folder };
      times.push(await runFrames(server.url, BURST_SERIES, BURST_SERIES, target));
    }
    return times;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs for some seconds, and gives the time from frame to acknowledgement of each close. */
async function latencies(): Promise<number[]> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  try {
    await using exchange = await startExchange(folder);
    const received = new Map<string, number>();
    const takenMs: number[] = [];
    const stop = new AbortController();
    const monitor = new Monitor();
    const sink = watchAcknowledged(nowhere(), (points) => {
      const nowMs = performance.now();
      for (const { timeMs, tags } of points) {
        const frameMs = received.get(`${timeMs} ${tags.symbol}`);
        if (frameMs !== undefined) takenMs.push(nowMs - frameMs);
      }
    });
    const running = runPipeline(pipelineOf(exchange, sink), {
      world: { ...systemWorld("."), webSocket: (url) => watched(url, received) },
      checkpoints: memoryCheckpoints(),
      stop: stop.signal,
      monitor,
    });
    // Live, and over with what was missed at the start.
    for (let s = 0, perSecond = 0; perSecond < SERIES && s < PATIENCE_S; s++) {
      takenMs.length = 0;
      await delay(1_000);
      perSecond = monitor.unready().length > 0 ? 0 : takenMs.length;
    }
    await delay(2_000);
    takenMs.length = 0;
    await delay(1_000 * SECONDS);
    stop.abort();
    await running;
    if (takenMs.length < SERIES * (SECONDS - 2)) {
      throw new Error(`Cannot measure: ${takenMs.length}`);
    }
    return takenMs;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function startExchange(folder: string) {
  const symbols = Array.from({ length: SERIES }, (_, at) => ({
    ...{ symbol: symbolOf(at), base: `COIN${at}`, quote: "USDT", price: 10 + at },
  }));
  const path = join(folder, "scenario.json");
  await Deno.writeTextFile(
    path,
    JSON.stringify({ symbols, streams: { snapshot_ms: "never" } }),
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
  { rest, stream }: { readonly rest: string; readonly stream: string },
  sink: SinkPlugin,
): Pipeline {
  const symbols = Array.from({ length: SERIES }, (_, at) => symbolOf(at));
  const source = { symbols, interval: "1s", base_url: stream, rest_url: rest };
  return livePipeline({ source, sink });
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

if (import.meta.main) {
  const table = renderTable(await liveLatency());
  await Deno.stdout.write(new TextEncoder().encode(`${table}\n`));
}
