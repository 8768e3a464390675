/**
 * Loads a pipeline file with all of penstock's plugins at hand.
 *
 * @module
 */

import { type Inputs, machineInputs } from "./inputs.ts";
import { type LoadOptions, loadPipeline } from "../engine/pipeline_file/load.ts";
import type { Pipeline } from "../engine/pipeline.ts";
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
 * @param inputs What it is loaded with.
 * @throws {PipelineFileError} With everything that is wrong with it.
 */
export async function openPipeline(
  file: string,
  inputs: Inputs = machineInputs(),
): Promise<Pipeline> {
  const pipeline = await loadPipeline(file, loadingWith(inputs));
  inputs.hide?.(pipeline.secrets ?? []);
  return pipeline;
}

/** How a pipeline is loaded with these inputs. */
export function loadingWith(
  { readText, yaml, env, command, dry, simulator }: Inputs,
): LoadOptions {
  const commands = command ? { command } : {};
  return { readText, yaml, env, ...commands, dry, registry, simulator: simulator?.urls };
}
