/**
 * Loads pipeline files that exist in the test only.
 *
 * @module
 */

import { type Diagnostic, PipelineFileError } from "../../../engine/pipeline_file/diagnostics.ts";
import { loadPipeline } from "../../../engine/pipeline_file/load.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import type { SimulatorUrls } from "../../../engine/plugin.ts";
import { registry } from "../_plugins.ts";

/** What a test's world holds beside the pipeline file. */
export interface Surroundings {
  /** Name of the pipeline file. */
  readonly file?: string;
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Texts by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Modules by URL. */
  readonly modules?: Readonly<Record<string, unknown>>;
  /** Where a simulator listens. */
  readonly simulator?: SimulatorUrls;
}

/** Loads the text of a pipeline file, `btc.yaml` where it has no other name. */
export function load(text: string, surroundings: Surroundings = {}): Promise<Pipeline> {
  const { file = "btc.yaml", env = {}, files = {}, modules = {}, simulator } = surroundings;
  return loadPipeline(file, {
    registry,
    simulator,
    env: (name) => env[name],
    readText: (path) => {
      const found = path === file ? text : files[path];
      if (found !== undefined) return Promise.resolve(found);
      return Promise.reject(new Deno.errors.NotFound("No such file or directory (os error 2)"));
    },
    importModule: (url) =>
      url in modules
        ? Promise.resolve(modules[url])
        : Promise.reject(new TypeError(`Module not found "${url}".`)),
  });
}

/** All that is wrong with a pipeline file. */
export async function diagnose(
  text: string,
  surroundings: Surroundings = {},
): Promise<readonly Diagnostic[]> {
  try {
    await load(text, surroundings);
    return [];
  } catch (error) {
    if (error instanceof PipelineFileError) return error.diagnostics;
    throw error;
  }
}

/** All that is wrong with a pipeline file, each as `line:column message` and, after it, the hint. */
export async function mistakes(text: string, surroundings: Surroundings = {}): Promise<string[]> {
  const diagnostics = await diagnose(text, surroundings);
  return diagnostics.map(({ line, column, message, hint }) =>
    `${line}:${column} ${message}${hint === undefined ? "" : ` [${hint}]`}`
  );
}
