/**
 * Kills penstock at every place, and compares: `deno task crash --kills 1000`.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { type Bug, BUGS } from "./bugs.ts";
import { renderMatrix, runMatrix } from "./matrix.ts";

const USAGE = `usage: deno task crash [--kills N] [--seed N] [--bug "${
  Object.keys(BUGS).join('" | "')
}"]\n`;

async function main(args: readonly string[]): Promise<number> {
  const { kills, seed, bug, _: rest } = parseArgs([...args], {
    string: ["kills", "seed", "bug"],
    default: { kills: "1000", seed: "1" },
  });
  const isBug = (name: string | undefined): name is Bug | undefined =>
    name === undefined || name in BUGS;
  if (!/^\d+$/.test(kills) || !/^\d+$/.test(seed) || !isBug(bug) || rest.length > 0) {
    await write(Deno.stderr, USAGE);
    return 2;
  }
  let told = 0;
  const report = await runMatrix({
    kills: Number(kills),
    seed: Number(seed),
    bug,
    tell(done) {
      if (done < told + 50) return;
      told = done;
      void write(Deno.stderr, `${done} of ${kills} kills\n`);
    },
  });
  await write(Deno.stdout, renderMatrix(report));
  return report.faults.length === 0 ? 0 : 1;
}

async function write(to: typeof Deno.stdout, text: string): Promise<void> {
  await to.write(new TextEncoder().encode(text));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
