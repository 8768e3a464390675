/**
 * Loads a pipeline file with all of penstock's plugins at hand.
 *
 * @module
 */

import { loadPipeline } from "../engine/pipeline_file/load.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { SimulatorUrls } from "../engine/plugin.ts";
import { readTextFile } from "../engine/pipeline_file/read_text.ts";
import { createRegistry, type Registry } from "../engine/registry.ts";
import { SINKS } from "../sinks/mod.ts";
import { SOURCES } from "../sources/mod.ts";
import { TRANSFORMS } from "../transforms/mod.ts";

/** The plugins that come with penstock. */
export const registry: Registry = createRegistry({
  sources: SOURCES,
  transforms: TRANSFORMS,
  sinks: SINKS,
});

/**
 * Loads and checks a pipeline file.
 *
 * @param file Its path.
 * @param simulator Where sources that have a simulator are pointed to.
 * @throws {PipelineFileError} With everything that is wrong with it.
 */
export function openPipeline(file: string, simulator?: SimulatorUrls): Promise<Pipeline> {
  return loadPipeline(file, {
    registry,
    readText: readTextFile,
    env: (name) => Deno.env.get(name),
    ...(simulator ? { simulator } : {}),
  });
}
