/**
 * All benchmarks as one table: `deno task bench`. With names, those alone: `deno task bench live_path`.
 *
 * Each runs in a process of its own, started with the flags that a run of a pipeline has: what one
 * leaves to the compiler and on the heap must not weigh on the next. Ratios are measured within one
 * process, side by side, so that they hold on a noisy machine.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { ALLOCATOR, V8_FLAGS } from "../cli/confine/flags.ts";
import { type BenchRow, keepsBound, renderTable } from "./table.ts";

const BENCHES: Readonly<Record<string, () => Promise<() => BenchRow[] | Promise<BenchRow[]>>>> = {
  history_path: async () => (await import("./history_path.ts")).historyPath,
  engine: async () => (await import("./engine.ts")).engine,
  start_up: async () => (await import("./start_up.ts")).startUp,
  memory: async () => (await import("./memory.ts")).memory,
  influxdb: async () => (await import("./influxdb.ts")).influxdb,
  server_away: async () => (await import("./server_away.ts")).serverAway,
  live_path: async () => (await import("./live_path.ts")).livePath,
  live_latency: async () => (await import("./live_latency.ts")).liveLatency,
  live_memory: async () => (await import("./live_memory.ts")).liveMemory,
};
/** How often those run that hang on when code is compiled and memory collected: the median counts. */
const ROUNDS: Readonly<Record<string, number>> = { history_path: 5, live_path: 5, memory: 3 };
/** Runs one benchmark in this process and prints its rows as JSON. */
const HERE = "--here";

async function runHere(name: string): Promise<void> {
  const bench = await BENCHES[name]?.();
  if (!bench) {
    throw new Error(`There is no benchmark "${name}": ${Object.keys(BENCHES).join(", ")}`);
  }
  print(JSON.stringify(await bench()));
}

async function runInProcess(name: string): Promise<BenchRow[]> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", V8_FLAGS, "--allow-all", fromFileUrl(import.meta.url)],
      ...[HERE, name],
    ],
    env: ALLOCATOR,
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`The benchmark "${name}" ended with ${code}`);
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return JSON.parse(lines.at(-1) ?? "");
}

/** The median of each row over several processes. */
async function runRounds(name: string): Promise<BenchRow[]> {
  const rounds: BenchRow[][] = [];
  for (let round = 0; round < (ROUNDS[name] ?? 1); round++) rounds.push(await runInProcess(name));
  const [first = []] = rounds;
  return first.flatMap(({ name }) => {
    const rows = rounds.flatMap((all) => all.filter((row) => row.name === name))
      .toSorted((a, b) => a.value - b.value);
    return rows[Math.floor(rows.length / 2)] ?? [];
  });
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

const [first = "", second = ""] = Deno.args;
if (first === HERE) await runHere(second);
else {
  const rows: BenchRow[] = [];
  for (const name of Deno.args.length > 0 ? Deno.args : Object.keys(BENCHES)) {
    rows.push(...await runRounds(name));
  }
  print(renderTable(rows));
  Deno.exit(rows.every(keepsBound) ? 0 : 1);
}
