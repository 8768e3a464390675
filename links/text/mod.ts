/** `@std/text` by way of npm: the parts penstock uses. @module */

// @ts-types="./types.d.ts"
export { closestString } from "deno-std/text/closest_string.js";
// @ts-types="./types.d.ts"
export { levenshteinDistance } from "deno-std/text/levenshtein_distance.js";
