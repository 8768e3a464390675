/**
 * All benchmarks as one table: `deno task bench`.
 *
 * Ratios are measured within one run, side by side, so that they hold on a noisy machine.
 *
 * @module
 */

import { engine } from "./engine.ts";
import { historyPath } from "./history_path.ts";
import { influxdb } from "./influxdb.ts";
import { liveLatency } from "./live_latency.ts";
import { liveMemory } from "./live_memory.ts";
import { livePath } from "./live_path.ts";
import { memory } from "./memory.ts";
import { serverAway } from "./server_away.ts";
import { startUp } from "./start_up.ts";
import { type BenchRow, keepsBound, renderTable } from "./table.ts";

const BENCHES: readonly (() => BenchRow[] | Promise<BenchRow[]>)[] = [
  historyPath,
  engine,
  startUp,
  memory,
  influxdb,
  serverAway,
  livePath,
  liveLatency,
  liveMemory,
];

const rows: BenchRow[] = [];
for (const bench of BENCHES) rows.push(...await bench());
await Deno.stdout.write(new TextEncoder().encode(`${renderTable(rows)}\n`));
Deno.exit(rows.every(keepsBound) ? 0 : 1);
