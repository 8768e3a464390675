/**
 * Where the checkpoints of a pipeline are.
 *
 * @module
 */

import { join } from "@std/path";
import type { Pipeline } from "../engine/pipeline.ts";

/**
 * The folder of a pipeline's checkpoints.
 *
 * @param pipeline The pipeline.
 * @param state The folder that `--state` names; `.penstock` beside the pipeline file by default.
 */
export function checkpointFolder(
  pipeline: Pick<Pipeline, "name" | "folder">,
  state: string | undefined,
): string {
  return join(state ?? join(pipeline.folder, ".penstock"), pipeline.name);
}
