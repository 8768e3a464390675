/**
 * `penstock check --probe`: tries the endpoints of a pipeline.
 *
 * @module
 */

import { describeError, PenstockError } from "../engine/errors.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { type Probed, probePipeline } from "../engine/run/probe.ts";
import { createContext, systemWorld } from "../engine/run/world.ts";
import { logOf } from "./log.ts";
import type { Terminal } from "./terminal.ts";

const EXIT_FAILED = 1;

/**
 * Tries whether the sources and sinks of a pipeline could be used, and writes nothing to them.
 *
 * @returns The exit code.
 */
export async function probe(pipeline: Pipeline, terminal: Terminal): Promise<number> {
  const world = systemWorld(pipeline.folder);
  const results = await probePipeline(pipeline, ({ id }) =>
    createContext(world, {
      signal: new AbortController().signal,
      log: logOf(pipeline.name, id),
      metrics: { count: () => {}, gauge: () => {} },
    }));
  const lines = results.length > 0 ? results.flatMap(describe) : ["no step can be tried"];
  const text = lines.map((line) => `  probe      ${line}\n`).join("");
  await terminal.print(new TextEncoder().encode(text));
  return results.every(({ outcome }) => "found" in outcome) ? 0 : EXIT_FAILED;
}

function describe({ step, outcome }: Probed): string[] {
  if ("found" in outcome) return [`${step.id}: ${outcome.found}`];
  const { error } = outcome;
  const hint = error instanceof PenstockError ? error.hint : undefined;
  return [
    `${step.id}: failed: ${describeError(error)}`,
    ...hint === undefined ? [] : [`  hint: ${hint}`],
  ];
}
