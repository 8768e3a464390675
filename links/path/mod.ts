/** `@std/path` by way of npm: the parts penstock uses. @module */

// @ts-types="./types.d.ts"
export {
  basename,
  dirname,
  extname,
  fromFileUrl,
  isAbsolute,
  join,
  relative,
  resolve,
  toFileUrl,
} from "deno-std/path/mod.js";
