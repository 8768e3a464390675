/**
 * Runs a live pipeline of 1,024 streams for an hour of simulated time, and prints the memory of this
 * process at the end of each minute, in bytes, as JSON.
 *
 * The simulated exchange is a part of this process; what it keeps of the past is bounded as well.
 */

import { memoryCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import { VirtualClock } from "../engine/clock.ts";
import { runPipeline } from "../engine/run/run.ts";
import { systemWorld } from "../engine/run/world.ts";
import { createSimulator } from "../simulator/mod.ts";
import { livePipeline, nowhere, watchAcknowledged } from "./_live_pipeline.ts";
import { START_MS, symbolOf } from "./_market.ts";

const SERIES = 1_024;
const MINUTES = 60;
const WARM_UP = 2;

const clock = new VirtualClock(START_MS + 20_000, { eager: true });
const symbols = Array.from({ length: SERIES }, (_, at) => ({
  ...{ symbol: symbolOf(at), base: `COIN${at}`, quote: "USDT", price: 10 + at },
}));
const simulator = createSimulator(
  { symbols, streams: { snapshot_ms: 15_000 } },
  { clock, keptCloses: 2_000 },
);
const stop = new AbortController();
let written = 0;
const sink = watchAcknowledged(nowhere(), (points) => void (written += points.length));
const pipeline = livePipeline({
  source: { symbols: symbols.map(({ symbol }) => symbol), interval: "1m", updates: "all" },
  sink,
});
const running = runPipeline(pipeline, {
  world: {
    ...systemWorld("."),
    clock,
    fetch: (url, init) => simulator.handle(new Request(url, init)),
    webSocket: (url) => simulator.connect(url),
  },
  checkpoints: memoryCheckpoints(),
  stop: stop.signal,
});
const bytes: number[] = [];
for (let minute = 0; minute < WARM_UP + MINUTES; minute++) {
  await clock.sleep(60_000);
  if (minute < WARM_UP) continue;
  // What is garbage is no matter of growth.
  Object(globalThis).gc();
  const { heapUsed, external } = Deno.memoryUsage();
  bytes.push(heapUsed + external);
}
stop.abort();
await running;
simulator.close();
const { rss } = Deno.memoryUsage();
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ bytes, written, rss })));
