/** A pipeline that has one of everything. */

import { resolve } from "@std/path";
import type { Pipeline } from "../../../engine/pipeline.ts";
import { defineSink, defineSource } from "../../../engine/plugin.ts";
import { Disk, diskSink, numbers, pipelineOf, step, total } from "../_fakes.ts";

const feed = defineSource({
  ...numbers,
  id: "feed",
  permissions: () => ({ net: ["feed.example:443"] }),
  cost: ({ to }, nowMs) => ({
    ...{ series: 2, records: 1_000 * to, requests: to + nowMs, bytes: 170_000 * to, ms: 61_000 },
    uses: { weight: 56 },
  }),
});
const live = defineSource({ ...numbers, id: "live", replay: "final", endless: true });
const file = defineSink({
  ...diskSink(new Disk()),
  id: "file",
  permissions: () => ({ read: ["out.lp"], write: ["out.lp"] }),
});

export function pipelineOfAll(): Pipeline {
  return pipelineOf({
    name: "all",
    folder: resolve("/data"),
    sources: [step(feed, { to: 3 }), step(live, { to: 1 })],
    transforms: [
      step(total, {}, { id: "first", onError: "dead_letter" }),
      step(total, {}, { id: "second" }),
    ],
    sinks: [step(file), step(diskSink(new Disk(), "screen"), {}, { onError: "drop" })],
    deadLetter: step(file, {}, { id: "dead_letter" }),
    deadLetterLimit: { refused: 10, records: 1_000 },
  });
}
