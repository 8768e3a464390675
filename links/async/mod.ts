/** `@std/async` by way of npm: the parts penstock uses. @module */

// @ts-types="./types.d.ts"
export { abortable } from "deno-std/async/abortable.js";
// @ts-types="./types.d.ts"
export { deadline } from "deno-std/async/deadline.js";
// @ts-types="./types.d.ts"
export { delay } from "deno-std/async/delay.js";
// @ts-types="./types.d.ts"
export { MuxAsyncIterator } from "deno-std/async/mux_async_iterator.js";
// @ts-types="./types.d.ts"
export { pooledMap } from "deno-std/async/pool.js";
