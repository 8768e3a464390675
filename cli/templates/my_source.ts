/**
 * Gives one point for each step of a span of time, with the number of the step.
 *
 * Make it yours: read what you have to read, and give it in batches, each with the position at which
 * to read on after it.
 *
 * @module
 */

import { z } from "zod";
import { defineSource, type Point, resolveTime } from "../../mod.ts";
import { time } from "../../engine/options.ts";

const BATCH_RECORDS = 500;

/** The `my_source` source. */
export default defineSource({
  id: "my_source",
  summary: "Gives one point for each step of a span of time",
  options: z.strictObject({
    from: time().describe("The first time"),
    to: time().describe("The end, exclusive"),
    step_ms: z.int().min(1).default(60_000).describe("Milliseconds between two points"),
  }),
  replay: "exact",
  shape: () => ({
    kind: "point",
    measurement: "my_source",
    tags: ["name"],
    fields: { number: "integer" },
  }),
  async *read({ from, to, step_ms }, position, { now, signal }) {
    // A span such as `2 hours ago` must not move while a run is stopped and resumed.
    const fromMs = Number(position.from ?? resolveTime(from, now()));
    const toMs = resolveTime(to, now());
    const tags = { name: "step" };
    let records: Point[] = [];
    let number = Number(position.number ?? 0);
    signal.throwIfAborted();
    while (fromMs + number * step_ms < toMs) {
      const timeMs = fromMs + number * step_ms;
      records.push({ measurement: "my_source", tags, fields: { number }, timeMs });
      number++;
      if (records.length < BATCH_RECORDS) continue;
      yield { records, position: { from: fromMs, number } };
      signal.throwIfAborted();
      records = [];
    }
    yield { records, position: { from: fromMs, number } };
  },
});
