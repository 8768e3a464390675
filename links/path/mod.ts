/**
 * `@std/path` by way of npm: the parts penstock uses.
 *
 * What the system is and where we are is asked of Deno, here. The package would ask `process`, for
 * which Deno boots all that it has of Node: that takes longer than an empty program.
 *
 * @module
 */

// @ts-types="./types.d.ts"
import * as posix from "deno-std/path/posix/mod.js";
// @ts-types="./types.d.ts"
import * as windows from "deno-std/path/windows/mod.js";

const path = Deno.build.os === "windows" ? windows : posix;

export const {
  basename,
  dirname,
  extname,
  fromFileUrl,
  isAbsolute,
  join,
  relative,
  toFileUrl,
} = path;

export function resolve(...pathSegments: string[]): string {
  return pathSegments.some(isAbsolute)
    ? path.resolve(...pathSegments)
    : path.resolve(Deno.cwd(), ...pathSegments);
}
