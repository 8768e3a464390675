/**
 * Where the checkpoints of a pipeline are.
 *
 * @module
 */

import { join } from "@std/path";
import type { Pipeline } from "../engine/pipeline.ts";

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

/** What it hangs on whether a run keeps checkpoints. */
export interface Keeping {
  /** Whether this is a dry run. */
  readonly dry: boolean;
  /** Whether it runs against a simulated exchange. */
  readonly simulated: boolean;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
}

/**
 * Whether a run keeps checkpoints. Simulated records must never be continued by real ones, so they
 * leave none unless told where.
 */
export function keepsCheckpoints({ dry, simulated, state }: Keeping): boolean {
  return !dry && (!simulated || state !== undefined);
}
