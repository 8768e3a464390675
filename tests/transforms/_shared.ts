/**
 * Test data that lies beside the project, where it does: see `ignore` of the tests that need it.
 *
 * @module
 */

const SHARED = new URL("../../../shared/", import.meta.url);

/** Whether the folder is there. */
export const hasShared = exists(SHARED);

/** The text of one of its files. */
export function readShared(path: string): string {
  return Deno.readTextFileSync(new URL(path, SHARED));
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
