/**
 * What a command may reach: of what the steps of a pipeline declare, as much as it takes, and more
 * that it needs itself.
 *
 * @module
 */

import { dirname, resolve } from "@std/path";
import { NO_REACH, type Reach, unite } from "../../engine/permissions.ts";
import type { Confinement } from "./planning.ts";

/**
 * What a command may reach.
 *
 * @param name Name of the pipeline.
 * @param declared What its steps declare; those of a dry run alone, for one.
 */
export async function reachOfCommand(
  { file, steps, extra }: Confinement,
  name: string,
  declared: () => Reach,
): Promise<Reach> {
  const folder = dirname(resolve(file));
  const taken = steps === "none" ? NO_REACH : declared();
  const own = steps === "look" ? { ...taken, write: [] } : taken;
  return unite([await withMissingFolders(own), extra?.({ name, folder }) ?? {}]);
}

/**
 * Lets a folder be made that is not there: a file cannot be written without its folder, and a folder
 * that is not there holds nothing to be harmed.
 */
async function withMissingFolders(reach: Reach): Promise<Reach> {
  const missing = await Promise.all(reach.write.map(missingFolderOf));
  const write = missing.flatMap((folder) => folder === undefined ? [] : [folder]);
  return unite([reach, { write }]);
}

async function missingFolderOf(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const isThere = await Deno.stat(folder).then(() => true, () => false);
  return isThere || folder === path ? undefined : folder;
}
