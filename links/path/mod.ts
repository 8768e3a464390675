/** `@std/path` by way of npm: the parts penstock uses, each from its own file, as all take long to load. @module */

// @ts-types="./types.d.ts"
export { basename } from "deno-std/path/basename.js";
// @ts-types="./types.d.ts"
export { dirname } from "deno-std/path/dirname.js";
// @ts-types="./types.d.ts"
export { extname } from "deno-std/path/extname.js";
// @ts-types="./types.d.ts"
export { fromFileUrl } from "deno-std/path/from_file_url.js";
// @ts-types="./types.d.ts"
export { isAbsolute } from "deno-std/path/is_absolute.js";
// @ts-types="./types.d.ts"
export { join } from "deno-std/path/join.js";
// @ts-types="./types.d.ts"
export { relative } from "deno-std/path/relative.js";
// @ts-types="./types.d.ts"
export { resolve } from "deno-std/path/resolve.js";
// @ts-types="./types.d.ts"
export { toFileUrl } from "deno-std/path/to_file_url.js";
