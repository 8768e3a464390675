/**
 * Records as JSON, such that nothing of them is lost: what dead letters are kept in.
 *
 * Text, numbers, booleans, null, lists and mappings are written as JSON has them. What JSON has no
 * word for is a mapping of one key that begins with `$`: `{"$decimal": "0.10"}` for a decimal, with
 * its digits; `{"$bigint": "3"}`; `{"$bytes": "…"}` for bytes, in Base64; `{"$value": "NaN"}` for
 * `NaN`, `Infinity`, `-Infinity`, `-0` and `undefined`. A mapping that is such by itself is written
 * within `{"$mapping": …}`.
 *
 * @module
 */

import type { Json } from "../context.ts";
import { Decimal } from "../decimal.ts";
import { FatalError } from "../errors.ts";

const ODD_VALUES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
  ["undefined", undefined],
]);
/** Deeper than any record, and shallow enough for the stack. */
const DEEPEST = 100;

/**
 * Writes a record as JSON.
 *
 * @throws {FatalError} If it holds what is no plain data, such as a function, or holds itself.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Decimal } from "../decimal.ts";
 *
 * assertEquals(recordToJson([Decimal.of("0.10"), 3n, NaN]), [
 *   { $decimal: "0.10" },
 *   { $bigint: "3" },
 *   { $value: "NaN" },
 * ]);
 * ```
 */
export function recordToJson(record: unknown): Json {
  return write(record, 0);
}

/**
 * Reads what {@linkcode recordToJson} has written.
 *
 * @throws {FatalError} If it was written by something else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Decimal } from "../decimal.ts";
 *
 * const record = { close: Decimal.of("0.10"), trades: 3n, gap: undefined };
 * const read = recordFromJson(JSON.parse(JSON.stringify(recordToJson(record))));
 * assertEquals(Object.entries(Object(read)).map(String), ["close,0.10", "trades,3", "gap,"]);
 * ```
 */
export function recordFromJson(json: unknown): unknown {
  return read(json, 0);
}

function write(value: unknown, depth: number): Json {
  if (depth > DEEPEST) throw refusal("it must not hold itself, nor be nested so deeply");
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $value: nameOf(value) };
    case "undefined":
      return { $value: "undefined" };
    case "bigint":
      return { $bigint: String(value) };
    case "object":
      return value === null ? null : writeObject(value, depth);
    default:
      throw refusal(`it must be plain data: it holds a ${typeof value}`);
  }
}

function writeObject(value: object, depth: number): Json {
  if (Array.isArray(value)) return Array.from(value, (item) => write(item, depth + 1));
  if (value instanceof Decimal) return { $decimal: String(value) };
  if (value instanceof Uint8Array) return { $bytes: value.toBase64() };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw refusal(`it must be plain data: it holds a ${value.constructor?.name ?? "thing"}`);
  }
  const entries = Object.entries(value).map(([key, item]) => [key, write(item, depth + 1)]);
  const mapping: Json = Object.fromEntries(entries);
  return tagOf(value) === undefined ? mapping : { $mapping: mapping };
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The key of a mapping that could be taken for one of ours. */
function tagOf(value: object): string | undefined {
  const [key, ...more] = Object.keys(value);
  return key?.startsWith("$") && more.length === 0 ? key : undefined;
}

function read(json: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw notWritten("it is nested too deeply");
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => read(item, depth + 1));
  const tag = tagOf(json);
  if (tag === undefined) return readMapping(json, depth);
  return readTagged(tag, Reflect.get(json, tag), depth);
}

function readMapping(json: object, depth: number): object {
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [key, read(item, depth + 1)]),
  );
}

function readTagged(tag: string, value: unknown, depth: number): unknown {
  if (tag === "$mapping" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    return readMapping(value, depth);
  }
  if (typeof value === "string") {
    if (tag === "$decimal" && Decimal.isOne(value)) return Decimal.of(value);
    if (tag === "$bigint" && /^(?:0|-?[1-9]\d*)$/.test(value)) return BigInt(value);
    if (tag === "$value" && ODD_VALUES.has(value)) return ODD_VALUES.get(value);
    if (tag === "$bytes" && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0) {
      return Uint8Array.fromBase64(value);
    }
  }
  throw notWritten(`nothing is written as "${tag}" of such a value`);
}

function refusal(why: string): FatalError {
  return new FatalError(`Cannot keep a record as ${why}`, {
    hint: "This is a fault of the plugin that made the record: records are plain data",
  });
}

function notWritten(why: string): FatalError {
  return new FatalError(`Cannot read a record as penstock must have written it: ${why}`);
}
