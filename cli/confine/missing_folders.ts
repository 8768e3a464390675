/**
 * Folders that must be made before what is in them can be written.
 *
 * @module
 */

import { dirname } from "@std/path";
import { type Reach, unite } from "../../engine/permissions.ts";

/**
 * Lets a folder be made that is not there: a file cannot be written without its folder, and a folder
 * that is not there holds nothing to be harmed.
 */
export async function withMissingFolders(reach: Reach): Promise<Reach> {
  const missing = await Promise.all(reach.write.map(missingFolderOf));
  const write = missing.flatMap((folder) => folder === undefined ? [] : [folder]);
  return unite([reach, { write }]);
}

async function missingFolderOf(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const isThere = await Deno.stat(folder).then(() => true, () => false);
  return isThere || folder === path ? undefined : folder;
}
