/**
 * Where a run keeps its checkpoints.
 *
 * @module
 */

import { join } from "@std/path";
import type { Pipeline } from "../engine/pipeline.ts";
import type { RunFlags } from "./run.ts";

/**
 * The folder of a run's checkpoints. Simulated records must never be continued by real ones, so they
 * leave no checkpoint unless told where.
 */
export function checkpointFolder(
  pipeline: Pick<Pipeline, "name" | "folder">,
  flags: Pick<RunFlags, "dry" | "state" | "simulated">,
): string | undefined {
  if (flags.dry) return undefined;
  if (flags.state !== undefined) return join(flags.state, pipeline.name);
  if (flags.simulated) return undefined;
  return join(pipeline.folder, ".penstock", pipeline.name);
}
