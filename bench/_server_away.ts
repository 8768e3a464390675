/**
 * Live candles of 1,024 streams into a server that is away for an hour, on a virtual clock. Prints how
 * much memory that took before and at its peak, and whether anything is missing, as JSON.
 *
 * The exchange is the simulated one, in this very process; the server counts what it is sent.
 */

import { memoryCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import { VirtualClock } from "../engine/clock.ts";
import { runPipeline } from "../engine/run/run.ts";
import { createSimulator } from "../simulator/mod.ts";
import { influxdb } from "../sinks/influxdb/mod.ts";
import { binanceWebsocket } from "../sources/binance_websocket.ts";
import { fakeContext } from "../tests/contracts/context.ts";
import { pipelineOf, step } from "../tests/engine/_fakes.ts";
import { kline } from "../transforms/kline.ts";
import { rsi } from "../transforms/rsi.ts";

const STREAMS = 1_024;
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2024, 4, 17, 9, 0, 20);
/** The server is there at first, away for an hour, and there again, in minutes. */
const [AWAY, BACK, END] = [10, 70, 85];

const clock = new VirtualClock(START_MS, { eager: true });
const minuteOf = (ms: number) => Math.floor((ms - START_MS) / MINUTE_MS);
const symbols = Array.from({ length: STREAMS }, (_, at) => ({
  ...{ symbol: `COIN${at}USDT`, base: `COIN${at}`, quote: "USDT" },
  trades_per_minute: 30,
}));
const simulator = createSimulator({ symbols, streams: { snapshot_ms: 60_000 } }, { clock });

/** What the server has of each series: a mark for each minute. */
const stored = new Map<string, Uint8Array>();

function answer(url: string | URL, init: RequestInit | undefined): Promise<Response> {
  const minute = minuteOf(clock.now());
  if (minute >= AWAY && minute < BACK) return Promise.reject(new TypeError("connection refused"));
  if (new URL(url).pathname === "/query") {
    const series = [{ name: "databases", columns: ["name"], values: [["market"]] }];
    return Promise.resolve(Response.json({ results: [{ series }] }));
  }
  const body = init?.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "";
  for (const line of body.split("\n")) {
    const [, symbol = "", time] = /symbol=(\w+).* (\d+)$/.exec(line) ?? [];
    if (time === undefined) continue;
    const marks = stored.get(symbol) ?? new Uint8Array(END + 2);
    marks[minuteOf(Number(time)) + 1] = 1;
    stored.set(symbol, marks);
  }
  return Promise.resolve(new Response(null, { status: 204 }));
}

const context = fakeContext({
  clock,
  fetch: (url, init) =>
    new URL(url).hostname === "influx.test"
      ? answer(url, init)
      : simulator.handle(new Request(url, init)),
  webSocket: (url) => simulator.connect(url),
});
// Messages are kept by the fake context; nobody reads them here.
const { said: _said, ...world } = context;
const average = rsi.options.safeParse({});
if (!average.success) throw new Error("Cannot use the options of rsi");
const pipeline = pipelineOf({
  sources: [step(binanceWebsocket, {
    symbols: symbols.map(({ symbol }) => symbol),
    interval: "1m",
  })],
  transforms: [step(kline), step(rsi)],
  sinks: [step(influxdb, { url: "http://influx.test:8086", database: "market", gzip: false })],
  shapes: [rsi.shape(kline.shape({ kind: "raw", format: "candle" }, {}), average.data)],
  epoch: { records: 50_000, ms: 5_000 },
});

const ending = new AbortController();
const heapMb: number[] = [];
const watching = watch();
await runPipeline(pipeline, {
  world: { ...world, clock },
  checkpoints: memoryCheckpoints(),
  stop: ending.signal,
});
await watching;
simulator.close();

/** Notes each minute how much is held, then ends the run. */
async function watch(): Promise<void> {
  for (let minute = 0; minute < END; minute++) {
    await clock.sleep(MINUTE_MS);
    heapMb.push((Deno.memoryUsage().heapUsed + Deno.memoryUsage().external) / 1_048_576);
  }
  ending.abort();
}

// The candle that was open at the start is the first one; the last minute may not have closed.
const missing = symbols.reduce((sum, { symbol }) => {
  const marks = stored.get(symbol) ?? new Uint8Array(END + 2);
  return sum + marks.subarray(0, END - 1).filter((mark) => mark === 0).length;
}, 0);
const status = Deno.readTextFileSync("/proc/self/status");
const peakMb = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
await Deno.stdout.write(
  new TextEncoder().encode(JSON.stringify({
    ...{ missing, series: stored.size, peakMb },
    before: Math.max(...heapMb.slice(AWAY - 5, AWAY)),
    away: Math.max(...heapMb.slice(AWAY, BACK)),
    heapMb: heapMb.map(Math.round),
  })),
);
