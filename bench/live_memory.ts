/**
 * Memory of a live run over an hour of simulated load at 1,024 streams.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { type BenchRow, median, renderTable } from "./table.ts";

const HOUR = fromFileUrl(new URL("_live_hour.ts", import.meta.url));

/** The last quarter of the hour against the second one. */
export async function liveMemory(): Promise<BenchRow[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--v8-flags=--expose-gc", HOUR],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  const { bytes, written, rss }: {
    readonly bytes: readonly number[];
    readonly written: number;
    readonly rss: number;
  } = JSON.parse(new TextDecoder().decode(stdout));
  const quarter = bytes.length / 4;
  const second = median(bytes.slice(quarter, 2 * quarter));
  const last = median(bytes.slice(3 * quarter));
  const mb = (value: number) => `${(value / 1_048_576).toFixed(1)} MB`;
  return [{
    name: "an hour at 1,024 streams, last quarter against second",
    ...{ value: last / second, unit: "×", bound: { atLeast: 0.95, below: 1.05 } },
    note: `${mb(second)}, then ${mb(last)} in use, the exchange included; ${written} points, ${
      mb(rss)
    } resident at the end`,
  }];
}

if (import.meta.main) {
  const table = renderTable(await liveMemory());
  await Deno.stdout.write(new TextEncoder().encode(`${table}\n`));
}
