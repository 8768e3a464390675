/** `penstock explain` on the pipelines that come along, against what the crash matrix proves. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { registry } from "../../cli/open.ts";
import { guaranteesOf } from "../../engine/explain/guarantee.ts";
import { loadPipeline } from "../../engine/pipeline_file/load.ts";
import type { CheckedStep } from "../../engine/pipeline.ts";
import { deliveryOf, type SinkPlugin } from "../../engine/plugin.ts";
import { SINKS } from "../crash/pairs.ts";
import { penstock } from "./_penstock.ts";

const FOLDER = fromFileUrl(new URL("../../pipelines/", import.meta.url));
const NAMES = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name)
  .filter((name) => /\.(?:yaml|ts)$/.test(name)).sort();

/** Whether a sink may hold something twice after a crash. That it may not is for the matrix to prove. */
function mayDouble({ plugin, options }: CheckedStep<SinkPlugin>): boolean {
  const rows = SINKS.filter(({ name }) => name.split(",")[0] === plugin.id);
  assert(rows.length > 0, `The crash matrix has no sink "${plugin.id}"`);
  return deliveryOf(plugin, options) === "append" || rows.some(({ appends }) => appends === true);
}

for (const name of NAMES) {
  Deno.test(`explain promises of ${name} what the crash matrix bears out`, async () => {
    const pipeline = await loadPipeline(`${FOLDER}${name}`, {
      registry,
      readText: (path) => Deno.readTextFile(path),
      // Only secrets have no default.
      env: (variable) => /TOKEN|PASSWORD/.test(variable) ? `x-${variable}` : undefined,
    });
    for (const [index, { promise }] of guaranteesOf(pipeline).entries()) {
      const sink = pipeline.sinks[index];
      assert(sink !== undefined);
      assertEquals(promise.startsWith("exactly once"), !mayDouble(sink));
    }
  });
}

Deno.test("explain writes text, Mermaid or JSON, and asks no one", async () => {
  const file = `${FOLDER}many_intervals.yaml`;
  const text = await penstock("explain", file);
  assertEquals([text.code, text.stderr], [0, ""]);
  assertStringIncludes(text.stdout, "replay: final");
  assertStringIncludes(text.stdout, "net: api.binance.com:443, stream.binance.com:9443");
  const drawn = await penstock("explain", file, "--format", "mermaid");
  assert(drawn.stdout.startsWith("flowchart LR\n"));
  const json = JSON.parse((await penstock("explain", file, "--format", "json")).stdout);
  assertEquals(json.backfills[0].cost.series, 12);
  const wrong = await penstock("explain", file, "--format", "jsn");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, 'Did you mean "json"?');
});
