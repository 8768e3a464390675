/**
 * Values as text.
 *
 * @module
 */

/**
 * Any value as text, as messages show it: `String()` for values that come from elsewhere.
 *
 * A mapping that JSON gives may have a `toString` that is no function, and then `String()` throws;
 * a list would spill what it holds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(textOf(1.5), "1.5");
 * assertEquals(textOf(JSON.parse('{"toString":1}')), "an object");
 * ```
 */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  const prototype = typeof value === "object" && value !== null && Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype ? "an object" : String(value);
}

/**
 * Foreign text as a message may quote it: on one line, without control characters, not too long.
 *
 * @param most The most characters to keep.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(oneLine("Too much;\r\nwait", 200), "Too much; wait");
 * ```
 */
export function oneLine(text: string, most: number): string {
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  return text.slice(0, most).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
}
