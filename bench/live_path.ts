/**
 * The path of live candles: from websocket frames to bytes of line protocol, with RSI.
 *
 * Compared with a bare websocket that receives the same frames and calls `JSON.parse`. All frames
 * are closes, each of which takes the whole path: source, engine, `kline`, `rsi`, encoding.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { startTransform } from "../engine/run/chain.ts";
import { emptyStep } from "../engine/run/ledger.ts";
import type { RawCandle } from "../engine/point.ts";
import { encodeLineProtocol } from "../sinks/_line_protocol.ts";
import { MessageReader } from "../sources/_binance/stream_message.ts";
import { runFrames, startFrames } from "./_frames_client.ts";
import { livePipeline, nowhere } from "./_live_pipeline.ts";
import { symbolOf } from "./_market.ts";
import { type BenchRow, median, renderTable } from "./table.ts";

/** Frames of one measurement, about. */
const FRAMES = 40_000;
const ROUNDS = 3;
/** Candles that come together while frames come as fast as they can. */
const BATCH = 500;

/** Ratios to bare receiving and parsing: of the path alone, and of a whole run. */
export async function livePath(): Promise<BenchRow[]> {
  // As many streams as share a connection by default, and as the exchange allows on one.
  return [...await ratiosFor(200, { atLeast: 0.5 }), ...await ratiosFor(1_024)];
}

async function ratiosFor(series: number, bound?: BenchRow["bound"]): Promise<BenchRow[]> {
  const minutes = Math.ceil(FRAMES / series);
  await using server = await startFrames(series, minutes);
  const frames = series * minutes;
  const works = [
    () => receive(server.url, frames, JSON.parse),
    () => receive(server.url, frames, pathOf(series)),
    () => runFrames(server.url, series, frames),
  ];
  const times: number[][] = works.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, work] of works.entries()) {
      const ms = await timeOf(work);
      // The first round is warm-up.
      if (round > 0) times[at]?.push(ms);
    }
  }
  const [bareMs = NaN, pathMs = NaN, runMs = NaN] = times.map(median);
  const cost = (ms: number) => `${(1e3 * ms / frames).toFixed(1)} µs`;
  const of = `${series} series against receive + JSON.parse`;
  return [
    {
      name: `live path of ${of}`,
      ...{ value: bareMs / pathMs, unit: "×", ...(bound ? { bound } : {}) },
      note: `${cost(pathMs)} a frame, bare ${cost(bareMs)}`,
    },
    {
      name: `whole live run of ${of}`,
      ...{ value: bareMs / runMs, unit: "×" },
      note: `${cost(runMs)} a frame, each of them a close`,
    },
  ];
}

/** Decodes frames and takes each candle through `kline`, `rsi` and the encoding. */
function pathOf(series: number): (data: string) => void {
  const bySymbol = new Map(Array.from({ length: series }, (_, at) => {
    const base = `COIN${at}`;
    const one = { exchange: "binance", symbol: symbolOf(at), base, quote: "USDT", interval: "1m" };
    return [one.symbol, one];
  }));
  const source = { symbols: ["BTCUSDT"], interval: "1m" };
  const { transforms, shapes } = livePipeline({ source, sink: nowhere() });
  const running = transforms.map((step) =>
    startTransform(step, emptyStep(), {}, ({ error }) => {
      throw error;
    })
  );
  const encoding = {
    shapes,
    reject(_: number, error: Error) {
      throw error;
    },
  };
  const messages = new MessageReader();
  let spare: ArrayBuffer | undefined;
  let batch: RawCandle[] = [];
  return (data) => {
    const message = messages.read(data);
    const one = message.kind === "candle" ? bySymbol.get(message.symbol) : undefined;
    if (message.kind !== "candle" || !one) throw new Error("Cannot read a frame");
    batch.push({ series: one, candle: message.row, closed: message.closed });
    if (batch.length < BATCH) return;
    let records: readonly unknown[] = batch;
    batch = [];
    for (const transform of running) records = transform.run(records);
    // As of a chunk that was delivered.
    spare = encodeLineProtocol(records, { ...encoding, spare }).buffer;
  };
}

/** A client that does something with the text of each frame. */
function receive(url: string, frames: number, take: (data: string) => unknown): Promise<void> {
  const done = Promise.withResolvers<void>();
  const socket = new WebSocket(url);
  let count = 0;
  socket.onmessage = ({ data }) => {
    take(data);
    if (++count === frames) socket.close();
  };
  socket.onclose = () => done.resolve();
  return done.promise;
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
