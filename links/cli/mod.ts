/** `@std/cli` by way of npm: the parts penstock uses. @module */

// @ts-types="./types.d.ts"
export { parseArgs } from "deno-std/cli/parse_args.js";
