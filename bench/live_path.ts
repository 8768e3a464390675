/**
 * The path of live candles: from websocket frames to bytes of line protocol, with RSI.
 *
 * Compared with a bare websocket that receives the same frames and calls `JSON.parse`. All frames
 * are closes, each of which takes the whole path: source, engine, `kline`, `rsi`, encoding.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { delay } from "@std/async";
import { fromFileUrl } from "@std/path";
import { memoryCheckpoints } from "../engine/checkpoint.ts";
import type { Clock } from "../engine/context.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { defineSink } from "../engine/plugin.ts";
import { runPipeline } from "../engine/run.ts";
import { systemWorld } from "../engine/world.ts";
import { encodeLineProtocol } from "../sinks/_line_protocol.ts";
import { binanceWebsocket } from "../sources/binance_websocket.ts";
import { kline } from "../transforms/kline.ts";
import { rsi } from "../transforms/rsi.ts";
import { exchangeInfo, START_MS, symbolOf } from "./_market.ts";
import { type BenchRow, median, renderTable } from "./table.ts";

const SERVER = fromFileUrl(new URL("_frames.ts", import.meta.url));
/** Frames of one measurement, about. */
const FRAMES = 40_000;
const ROUNDS = 3;

/** The live path's ratio to bare receiving and parsing, for few series and for many. */
export async function livePath(): Promise<BenchRow[]> {
  return [await ratioFor(20), await ratioFor(1_024)];
}

async function ratioFor(series: number): Promise<BenchRow> {
  const minutes = Math.ceil(FRAMES / series);
  await using server = await startServer(series, minutes);
  const frames = series * minutes;
  const bareMs: number[] = [];
  const pathMs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const bare = await timeOf(() => receive(server.url, frames));
    const path = await timeOf(() => run(server.url, series, frames));
    // The first round is warm-up.
    if (round === 0) continue;
    bareMs.push(bare);
    pathMs.push(path);
  }
  const rate = (ms: number) => `${Math.round(frames / ms)}`;
  return {
    name: `live path of ${series} series against receive + JSON.parse`,
    value: median(bareMs) / median(pathMs),
    unit: "×",
    bound: { atLeast: 0.5 },
    note: `${rate(median(pathMs))} frames a millisecond, ${rate(median(bareMs))} bare`,
  };
}

async function startServer(series: number, minutes: number) {
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

/** A bare client. */
function receive(url: string, frames: number): Promise<void> {
  const done = Promise.withResolvers<void>();
  const socket = new WebSocket(url);
  let count = 0;
  socket.onmessage = ({ data }) => {
    JSON.parse(data);
    if (++count === frames) socket.close();
  };
  socket.onclose = () => done.resolve();
  return done.promise;
}

/** The pipeline: its time goes on with the frames, and its REST has nothing to add. */
async function run(url: string, series: number, frames: number): Promise<void> {
  const stop = new AbortController();
  let received = 0;
  let written = 0;
  const clock: Clock = {
    now: () => START_MS + 1 + 60_000 * Math.ceil(received / series),
    sleep: (ms, signal) => ms < 100 ? delay(ms) : never(signal),
  };
  const pipeline = pipelineOf(url, series, (count) => {
    written += count;
    if (written === frames) stop.abort();
  });
  await runPipeline(pipeline, {
    world: {
      ...systemWorld("."),
      clock,
      fetch: (address) => Promise.resolve(answerTo(String(address), series)),
      webSocket: (address) => {
        const socket = new WebSocket(address);
        socket.addEventListener("message", () => received++);
        return socket;
      },
    },
    checkpoints: memoryCheckpoints(),
    stop: stop.signal,
  });
  if (written !== frames) throw new Error(`Cannot measure: ${written} of ${frames} were written`);
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

function pipelineOf(url: string, series: number, written: (count: number) => void): Pipeline {
  const sink = defineSink({
    id: "counted",
    summary: "Takes line protocol",
    options: kline.options,
    delivery: "idempotent",
    accept: () => {},
    encode: encodeLineProtocol,
    open: () =>
      Promise.resolve({
        deliver: ({ records }) => Promise.resolve(written(records.length)),
        flush: () => Promise.resolve(null),
        close: () => Promise.resolve(),
      }),
  });
  const step = { onError: "stop" } as const;
  const averages = optionsOf(rsi, {});
  return {
    name: "live",
    folder: ".",
    sources: [{
      ...{ ...step, plugin: binanceWebsocket, id: "live" },
      options: optionsOf(binanceWebsocket, {
        ...{ symbols: Array.from({ length: series }, (_, at) => symbolOf(at)), interval: "1m" },
        ...{ base_url: url, rest_url: "http://127.0.0.1", from: START_MS },
        streams_per_connection: 1_024,
      }),
    }],
    transforms: [
      { ...step, plugin: kline, id: "kline", options: {} },
      { ...step, plugin: rsi, id: "rsi", options: averages },
    ],
    sinks: [{ ...step, plugin: sink, id: "counted", options: {} }],
    deadLetter: undefined,
    shapes: [rsi.shape(kline.shape({ kind: "raw", format: "candle" }, {}), averages)],
    epoch: { records: 1e9, ms: 1e9 },
  };
}

function optionsOf<Options>(
  plugin: { readonly options: { safeParse(value: unknown): { success: boolean; data?: Options } } },
  value: unknown,
): Options {
  const { data } = plugin.options.safeParse(value);
  if (data === undefined) throw new Error("Cannot use the options");
  return data;
}

/** Milliseconds of this process' CPU: what others do on the machine, the server included, is left out. */
async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const before = cpuUsage();
  await work();
  const { user, system } = cpuUsage(before);
  return (user + system) / 1_000;
}

if (import.meta.main) {
  const table = renderTable(await livePath());
  await Deno.stdout.write(new TextEncoder().encode(`${table}\n`));
}
