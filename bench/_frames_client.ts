/**
 * A live run against frames that come as fast as it takes them, from `_frames.ts`.
 *
 * @module
 */

import { delay } from "@std/async";
import { fromFileUrl } from "@std/path";
import { memoryCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import type { Clock } from "../engine/context.ts";
import type { SinkPlugin } from "../engine/plugin.ts";
import { runPipeline } from "../engine/run/run.ts";
import { systemWorld } from "../engine/run/world.ts";
import { livePipeline, nowhere, watchAcknowledged } from "./_live_pipeline.ts";
import { exchangeInfo, START_MS, symbolOf } from "./_market.ts";

const SERVER = fromFileUrl(new URL("_frames.ts", import.meta.url));

/** Where candles go, and where relative paths start. */
export interface Target {
  /** The sink. */
  readonly sink: SinkPlugin;
  /** Its options. */
  readonly options?: unknown;
  /** The folder. */
  readonly folder: string;
}

/** Starts the server of frames: some minutes of closes of some series. */
export async function startFrames(series: number, minutes: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net=127.0.0.1", SERVER, `${series}`, `${minutes}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return {
    url: `ws://127.0.0.1:${Number(new TextDecoder().decode(value))}`,
    async [Symbol.asyncDispose]() {
      await child.stdout.cancel();
      await child.stdin.close();
      await child.status;
    },
  };
}

/**
 * Runs the pipeline until it has written all frames. Its time goes on with the frames, and its REST
 * has nothing to add.
 *
 * @returns Milliseconds from the first frame until the sink has acknowledged all of them.
 */
export async function runFrames(
  url: string,
  series: number,
  frames: number,
  { sink, options, folder }: Target = { sink: nowhere(), folder: "." },
): Promise<number> {
  const stop = new AbortController();
  let received = 0;
  let written = 0;
  let firstMs = NaN;
  let lastMs = NaN;
  const nowMs = () => START_MS + 1 + 60_000 * Math.ceil(received / series);
  const clock: Clock = {
    now: nowMs,
    // A clock that is set apart from it would look like one that was set by hand.
    steady: nowMs,
    sleep: (ms, signal) => ms < 100 ? delay(ms) : never(signal),
  };
  const counted = watchAcknowledged(sink, (points) => {
    written += points.length;
    lastMs = performance.now();
    if (written === frames) stop.abort();
  });
  const pipeline = livePipeline({
    source: {
      ...{ symbols: Array.from({ length: series }, (_, at) => symbolOf(at)), interval: "1m" },
      ...{ base_url: url, rest_url: "http://127.0.0.1", from: START_MS },
      streams_per_connection: 1_024,
    },
    ...{ sink: counted, sinkOptions: options, epoch: { records: 1e9, ms: 1e9 } },
  });
  await runPipeline({ ...pipeline, folder }, {
    world: {
      ...systemWorld(folder),
      clock,
      fetch: (address) => Promise.resolve(answerTo(String(address), series)),
      webSocket: (address) => {
        const socket = new WebSocket(address);
        socket.addEventListener("message", () => {
          if (received++ === 0) firstMs = performance.now();
        });
        return socket;
      },
    },
    checkpoints: memoryCheckpoints(),
    stop: stop.signal,
  });
  if (written !== frames) throw new Error(`Cannot measure: ${written} of ${frames} were written`);
  return lastMs - firstMs;
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function answerTo(address: string, series: number): Response {
  return Response.json(address.includes("exchangeInfo") ? exchangeInfo(series) : []);
}
