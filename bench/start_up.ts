/**
 * How long a dry run takes to its first line of output, as a user starts it.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { type BenchRow, median } from "./table.ts";

const ROUNDS = 7;
const ROOT = fromFileUrl(new URL("..", import.meta.url));
const DRY_RUN = ["task", "--quiet", "dry-run", "pipelines/quickstart.yaml", "--simulate"];

/** From the start of the process to the first byte, packages cached, simulated exchange included. */
export async function startUp(): Promise<BenchRow[]> {
  const seconds: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const dryRun = await timeToFirstByte(DRY_RUN);
    const deno = await timeToFirstByte(["eval", "console.log(1)"]);
    // The first round fills the caches.
    if (round === 0) continue;
    seconds.push(dryRun);
    bare.push(deno);
  }
  return [{
    name: "start-up of dry-run",
    value: median(seconds),
    unit: "s",
    bound: { below: 0.5 },
    note: `to the first line of output; ${
      (median(seconds) / median(bare)).toFixed(1)
    } × that of an empty Deno program`,
  }];
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
