/**
 * How long a dry run takes to its first line of output, as a user starts it, and how much of that is
 * for confining it.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { V8_FLAGS } from "../cli/confine/flags.ts";
import { systemClock } from "../engine/clock.ts";
import { createSimulator, serveSimulator } from "../simulator/mod.ts";
import { type BenchRow, median } from "./table.ts";

const ROUNDS = 9;
const ROOT = fromFileUrl(new URL("..", import.meta.url));
const HERE = fromFileUrl(new URL("./_here.ts", import.meta.url));
const DRY_RUN = ["task", "--quiet", "dry-run", "pipelines/quickstart.yaml", "--simulate"];
const CUSTOM = join(ROOT, "pipelines/custom_plugins.yaml");

/** From the start of the process to the first byte, packages cached, simulated exchange included. */
export async function startUp(): Promise<BenchRow[]> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  const server = serveSimulator(createSimulator({}, { clock: systemClock }));
  try {
    const file = join(folder, "pipeline.json");
    await Deno.writeTextFile(file, JSON.stringify(historyOf(server.rest)));
    const here = ["run", "--quiet", V8_FLAGS, "--allow-all", HERE, "dry-run"];
    const planned = ["run", "--quiet", V8_FLAGS, "-P=planner", "cli.ts", "dry-run"];
    const [dryRun, empty, plain, confined, first, plainCustom, confinedCustom] = await measure([
      () => DRY_RUN,
      () => ["eval", "console.log(1)"],
      () => [...here, file],
      () => [...planned, file],
      // A command that was never run before: its process is started when it is planned.
      (round) => [...planned, file, "--limit", `${1_000 + round}`],
      () => [...here, CUSTOM],
      () => [...planned, CUSTOM],
    ]);
    return [
      {
        name: "start-up of dry-run",
        value: dryRun,
        unit: "s",
        bound: { below: 0.5 },
        note: `to the first line of output; ${
          (dryRun / empty).toFixed(1)
        } × that of an empty Deno program`,
      },
      {
        name: "start-up added by confinement",
        value: confined - plain,
        unit: "s",
        bound: { below: 0.15 },
        note:
          `${((confined - plain) / empty).toFixed(1)} × an empty Deno program; with plugins of ` +
          `one's own ${(confinedCustom - plainCustom).toFixed(2)} s`,
      },
      {
        name: "start-up added, first time",
        value: first - plain,
        unit: "s",
        note: "for a command that was not run before, or may reach something else than it did",
      },
    ];
  } finally {
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function historyOf(rest: string): unknown {
  return {
    name: "start_up",
    sources: [{
      use: "binance_rest",
      with: { symbols: ["BTCUSDT"], interval: "1h", from: "1 day ago", base_url: rest },
    }],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "stdout" }],
  };
}

type Commands = readonly ((round: number) => readonly string[])[];

/** The median of each command, measured in turns so that they share the noise of the machine. */
async function measure<const C extends Commands>(
  commands: C,
): Promise<{ [K in keyof C]: number }> {
  const seconds = commands.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [at, command] of commands.entries()) {
      const taken = await timeToFirstByte(command(round));
      // The first round fills the caches.
      if (round > 0) seconds[at]?.push(taken);
    }
  }
  return seconds.map(median) as { [K in keyof C]: number };
}

async function timeToFirstByte(args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  const seconds = (performance.now() - startMs) / 1_000;
  while (!(await reader.read()).done);
  await child.status;
  if (done) throw new Error(`Cannot measure \`deno ${args.join(" ")}\`: it printed nothing`);
  return seconds;
}
