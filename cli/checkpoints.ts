/**
 * Where the checkpoints of a pipeline are.
 *
 * @module
 */

import { join } from "@std/path";
import type { Pipeline } from "../engine/pipeline.ts";
import type { RunFlags } from "./run.ts";

/** What the place of checkpoints hangs on. */
export type PipelinePlace = Pick<Pipeline, "name" | "folder">;

/**
 * The folder of a pipeline's checkpoints.
 *
 * @param pipeline The pipeline.
 * @param state The folder that `--state` names; `.penstock` beside the pipeline file by default.
 */
export function checkpointFolder(
  pipeline: PipelinePlace,
  state: string | undefined,
): string {
  return join(state ?? join(pipeline.folder, ".penstock"), pipeline.name);
}

/**
 * Whether a run keeps checkpoints. Simulated records must never be continued by real ones, so they
 * leave none unless told where.
 */
export function keepsCheckpoints(
  { dry, simulated, state }: Pick<RunFlags, "dry" | "simulated" | "state">,
): boolean {
  return !dry && (!simulated || state !== undefined);
}
