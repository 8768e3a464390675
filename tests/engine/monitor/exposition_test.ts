import { assertEquals, assertStringIncludes } from "@std/assert";
import { memoryCheckpoints } from "../../../engine/checkpoint/checkpoint.ts";
import type { Clock } from "../../../engine/context.ts";
import { renderMetrics } from "../../../engine/monitor/exposition.ts";
import { Monitor } from "../../../engine/monitor/monitor.ts";
import { defineSource } from "../../../engine/plugin.ts";
import { runPipeline } from "../../../engine/run/run.ts";
import { Disk, diskSink, fakeWorld, numbers, pipelineOf, step } from "../_fakes.ts";

/** The metrics in the middle of a run, without their comments. */
async function metricsInside(): Promise<string[]> {
  const monitor = new Monitor();
  let text = "";
  const source = defineSource({
    ...numbers,
    async *read(_options, _from, context) {
      context.live(() => [{
        labels: { symbol: "币安人生USDT", interval: "1m" },
        ...{ isLive: false, lagMs: 1_500, lastMs: 1_700_000_000_000 },
      }]);
      context.metrics.count("reconnects", 2, { cause: 'a "quoted"\nword\\' });
      context.metrics.gauge("buffered_bytes", 7);
      yield { records: [{ key: "a", n: 1 }, { key: "b", n: 2 }], position: {} };
      await context.sleep(1_000);
      text = await renderMetrics(monitor, "btc");
    },
  });
  const { clock, ...world } = fakeWorld();
  const machine: Clock = {
    now: () => clock.now(),
    // A machine's steady clock begins when its process does.
    steady: () => clock.steady() - Date.UTC(2024, 0, 1),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
  await runPipeline(
    pipelineOf({ sources: [step(source, { to: 1 })], sinks: [step(diskSink(new Disk()))] }),
    { world: { ...world, clock: machine }, checkpoints: memoryCheckpoints(), monitor },
  );
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

Deno.test("renderMetrics() shows ledger, sinks, checkpoints, series and what plugins counted", async () => {
  const lines = await metricsInside();
  const has = (line: string) => assertEquals(lines.filter((one) => one === line), [line]);
  has('penstock_ready{pipeline="btc"} 0');
  has('penstock_records_total{kind="source",step="numbers",count="out",pipeline="btc"} 2');
  has('penstock_records_total{kind="sink",step="disk",count="out",pipeline="btc"} 2');
  has('penstock_acknowledged_bytes_total{step="disk",pipeline="btc"} 36');
  has('penstock_waiting_bytes{step="disk",pipeline="btc"} 0');
  has('penstock_unacknowledged_seconds{step="disk",pipeline="btc"} 0');
  has('penstock_checkpoints_total{pipeline="btc"} 1');
  has('penstock_last_checkpoint_timestamp_seconds{pipeline="btc"} 1704067200');
  const series = 'step="numbers",symbol="币安人生USDT",interval="1m",pipeline="btc"';
  has(`penstock_series_live{${series}} 0`);
  has(`penstock_series_lag_seconds{${series}} 1.5`);
  has(`penstock_series_last_close_timestamp_seconds{${series}} 1700000000`);
  has(
    'penstock_numbers_reconnects_total{step="numbers",cause="a \\"quoted\\"\\nword\\\\",pipeline="btc"} 2',
  );
  has('penstock_numbers_buffered_bytes{step="numbers",pipeline="btc"} 7');
});

Deno.test("renderMetrics() adds up nothing that two plugins count by one name", async () => {
  const monitor = new Monitor();
  const { measurements } = monitor;
  measurements.of({ id: "one", plugin: { id: "feed" } }).count("a_b");
  measurements.of({ id: "two", plugin: { id: "feed" } }).count("a_b", 5);
  const text = await renderMetrics(monitor, "btc");
  assertStringIncludes(text, 'penstock_feed_a_b_total{step="one",pipeline="btc"} 1');
  assertStringIncludes(text, 'penstock_feed_a_b_total{step="two",pipeline="btc"} 5');
  assertEquals(text.match(/# TYPE penstock_feed_a_b_total counter/g)?.length, 1);
});
