/**
 * `deno task fuzz`: runs all targets side by side for as long as asked, and prints what it found.
 *
 * Every block of cases has a seed of its own; all of them follow from the one that is printed at the
 * start. A target that fails is left out from then on; one that does not end is ended.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { seededRandom } from "../contracts/context.ts";
import { runBlock } from "./block.ts";
import { describeFailure, type FuzzFailure, type FuzzTarget } from "./target.ts";
import { TARGETS } from "./targets.ts";

const USAGE = `deno task fuzz [--minutes N] [--seed N] [--target NAME] [--path PATH]
  --minutes N    how long (default: 1)
  --seed N       begins with this seed (default: a new one)
  --target NAME  one target alone
  --path PATH    one case alone, as a failure names it, with --target and --seed
`;

/** How long a block of cases should take, and how long it may take before it counts as hanging. */
const BLOCK_MS = 500;
const HANG_MS = 120_000;
const SEEDS = 2 ** 31;

interface Count {
  cases: number;
  ms: number;
  failure: FuzzFailure | undefined;
}

/** What a run of the long form was asked for. */
interface Wish {
  readonly minutes: number;
  readonly seed: number;
  readonly target: string | undefined;
  readonly path: string | undefined;
}

async function main(args: readonly string[]): Promise<number> {
  const wish = parseWish(args);
  const targets = TARGETS.filter(({ name }) => wish && (wish.target ?? name) === name);
  if (!wish || targets.length === 0) {
    say(`${USAGE}targets: ${TARGETS.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  if (wish.path !== undefined && targets[0]) return await replay(targets[0], wish);
  say(`seed ${wish.seed}: ${targets.length} targets for ${wish.minutes} min\n`);
  const counts = await runAll(targets, wish);
  say(tableOf(counts));
  return [...counts.values()].some(({ failure }) => failure) ? 1 : 0;
}

function parseWish(args: readonly string[]): Wish | undefined {
  const flags = parseArgs([...args], { string: ["minutes", "seed", "target", "path"] });
  const minutes = Number(flags.minutes ?? 1);
  const seed = Number(flags.seed ?? Math.floor(Math.random() * SEEDS));
  const known = ["_", "minutes", "seed", "target", "path"];
  const isKnown = Object.keys(flags).every((key) => known.includes(key)) && flags._.length === 0;
  if (!isKnown || !(minutes > 0) || !Number.isInteger(seed)) return undefined;
  return { minutes, seed, target: flags.target, path: flags.path };
}

async function replay(target: FuzzTarget, { seed, path }: Wish): Promise<number> {
  const { failure } = await target.run({ seed, cases: 1, path });
  say(failure ? `${describeFailure(failure)}\n` : `${target.name} keeps its promise there\n`);
  return failure ? 1 : 0;
}

async function runAll(
  targets: readonly FuzzTarget[],
  { minutes, seed }: Wish,
): Promise<Map<string, Count>> {
  const random = seededRandom(seed);
  const counts = new Map(targets.map(({ name }) => [name, newCount()]));
  const endMs = performance.now() + 60_000 * minutes;
  let worker = startWorker();
  for (let left = targets; left.length > 0 && performance.now() < endMs;) {
    for (const target of left) {
      const count = counts.get(target.name) ?? newCount();
      const block = {
        target: target.name,
        seed: Math.floor(random() * SEEDS),
        cases: casesFor(target, count),
      };
      const startMs = performance.now();
      const outcome = await runBlock(worker, block, HANG_MS);
      count.cases += outcome.cases;
      count.ms += performance.now() - startMs;
      count.failure = outcome.failure;
      if (!outcome.failure) continue;
      say(`${describeFailure(outcome.failure)}\n`);
      worker.terminate();
      worker = startWorker();
    }
    left = left.filter(({ name }) => !counts.get(name)?.failure);
  }
  worker.terminate();
  return counts;
}

function newCount(): Count {
  return { cases: 0, ms: 0, failure: undefined };
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url).href, { type: "module" });
}

/** As many as fit into a block, going by those before. */
function casesFor({ cases }: FuzzTarget, count: Count): number {
  if (count.ms === 0) return Math.min(100, cases);
  return Math.max(1, Math.ceil(count.cases * BLOCK_MS / count.ms));
}

function tableOf(counts: ReadonlyMap<string, Count>): string {
  const format = new Intl.NumberFormat("en-US");
  let sum = 0;
  const lines = Array.from(counts, ([name, { cases, ms, failure }]) => {
    sum += cases;
    const perSecond = format.format(Math.round(1_000 * cases / Math.max(1, ms)));
    return `${name.padEnd(20)} ${format.format(cases).padStart(12)} cases ${
      perSecond.padStart(9)
    }/s  ${failure ? "FAILED" : "ok"}\n`;
  });
  return `${lines.join("")}${"in total".padEnd(20)} ${format.format(sum).padStart(12)} cases\n`;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
