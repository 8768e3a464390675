/**
 * Compresses what is sent. Loaded when something is: Deno boots much of its Node for it, which takes
 * longer than an empty program.
 *
 * @module
 */

import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";

const compress = promisify(gzip);

/** Compresses bytes, rather fast than well. */
export async function gzipFast(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await compress(bytes, { level: constants.Z_BEST_SPEED }));
}
