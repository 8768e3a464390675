import { assertEquals } from "@std/assert";
import { memoryCheckpoints } from "../../../engine/checkpoint/checkpoint.ts";
import type { SeriesStatus } from "../../../engine/context.ts";
import { Monitor } from "../../../engine/monitor/monitor.ts";
import { defineSource } from "../../../engine/plugin.ts";
import { runPipeline } from "../../../engine/run/run.ts";
import { Disk, diskSink, fakeWorld, numbers, pipelineOf, step } from "../_fakes.ts";

const BTC: SeriesStatus = {
  ...{ labels: { symbol: "BTCUSDT", interval: "1m" }, isLive: true, lagMs: 0, lastMs: 60_000 },
};

Deno.test("Monitor says why a run is not ready: before it, at each stage of it, and after it", async () => {
  const monitor = new Monitor();
  const seen: string[][] = [];
  const look = () => void seen.push(monitor.unready());
  const disk = new Disk();
  const world = fakeWorld();
  let btc = { ...BTC, isLive: false, lagMs: 90_500 };
  const endless = defineSource({
    ...numbers,
    async *read(_options, _from, context) {
      look();
      context.live(() => [btc, BTC]);
      yield { records: [], position: {} };
      look();
      btc = BTC;
      look();
      disk.onDeliver = () => world.clock.sleep(45_000);
      yield { records: [{ key: "a", n: 1 }], position: {} };
      await context.sleep(31_000);
      look();
      await context.sleep(15_000);
      look();
    },
  });
  look();
  await runPipeline(
    pipelineOf({
      ...{ sources: [step(endless, { to: 1 })], sinks: [step(diskSink(disk))] },
      epoch: { records: 1_000, ms: 100_000 },
    }),
    { world, checkpoints: memoryCheckpoints(), monitor },
  );
  look();
  assertEquals(seen, [
    ["the run has not begun, or has ended"],
    ['source "numbers" has given nothing yet'],
    ['source "numbers": 1 of 2 series are not live; BTCUSDT 1m is 90 s behind'],
    [],
    ['sink "disk" has acknowledged nothing for 31 s'],
    [],
    ["the run has not begun, or has ended"],
  ]);
});
