/**
 * Options as JSON Schema: what editors, `describe` and the messages about wrong options are made
 * of. It comes from the plugins' zod schemas and from nothing else.
 *
 * @module
 */

import { z } from "zod";
import type { Path } from "./diagnostics.ts";

/** The part of JSON Schema, draft 7, that zod schemas turn into. */
export interface JsonSchema {
  /** The version of JSON Schema, at the top. */
  readonly $schema?: string;
  /** Its name. */
  readonly title?: string;
  /** What it is for. */
  readonly description?: string | undefined;
  /** One type or several. */
  readonly type?: string | readonly string[];
  /** The value where none is given. */
  readonly default?: unknown;
  /** Values that may be given. */
  readonly examples?: readonly unknown[];
  /** The only value. */
  readonly const?: unknown;
  /** The only values. */
  readonly enum?: readonly unknown[];
  /** A kind of text; `password` for a secret. */
  readonly format?: string;
  /** A regular expression that text must match. */
  readonly pattern?: string;
  /** Least length of a text. */
  readonly minLength?: number;
  /** Greatest length of a text. */
  readonly maxLength?: number;
  /** Least number. */
  readonly minimum?: number;
  /** Greatest number. */
  readonly maximum?: number;
  /** A number that must be exceeded. */
  readonly exclusiveMinimum?: number;
  /** A number that must not be reached. */
  readonly exclusiveMaximum?: number;
  /** What a number must be a multiple of. */
  readonly multipleOf?: number;
  /** Least number of items. */
  readonly minItems?: number;
  /** Greatest number of items. */
  readonly maxItems?: number;
  /** What items of a list are: all the same, or each its own. */
  readonly items?: JsonSchema | readonly JsonSchema[];
  /** Items beyond those. */
  readonly additionalItems?: JsonSchema | boolean;
  /** The keys of a mapping. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Other keys of a mapping. */
  readonly additionalProperties?: JsonSchema | boolean;
  /** What keys must be. */
  readonly propertyNames?: JsonSchema;
  /** Keys that must be there. */
  readonly required?: readonly string[];
  /** One of these must fit. */
  readonly anyOf?: readonly JsonSchema[];
  /** Exactly one of these must fit. */
  readonly oneOf?: readonly JsonSchema[];
  /** All of these must fit. */
  readonly allOf?: readonly JsonSchema[];
  /** Where this fits, `then` must fit. */
  readonly if?: JsonSchema;
  /** See `if`. */
  readonly then?: JsonSchema;
}

/**
 * The JSON Schema of what a pipeline file may write for a value.
 *
 * @param schema A zod schema. Any other kind gives a schema that says nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 *
 * assertEquals(jsonSchemaOf(z.int().min(2).default(14)), {
 *   type: "integer", minimum: 2, maximum: 9_007_199_254_740_991, default: 14,
 * });
 * ```
 */
export function jsonSchemaOf(schema: unknown): JsonSchema {
  if (!(schema instanceof z.ZodType)) return {};
  const known = cache.get(schema);
  if (known) return known;
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
  });
  // Of a schema that transforms zod leaves them out; they are of what goes in.
  const { examples } = schema.meta() ?? {};
  const made: JsonSchema = Array.isArray(examples)
    ? { ...rest as JsonSchema, examples }
    : rest as JsonSchema;
  cache.set(schema, made);
  return made;
}

/** Schemas never change, and every message about an option asks for that of its plugin. */
const cache = new WeakMap<object, JsonSchema>();

/**
 * The schema of a part of a value.
 *
 * @param schema The schema of the whole value.
 * @param path The way to the part.
 * @returns The schema; undefined where there is none. Of alternatives, the first that has such a part.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const schema = { properties: { symbols: { items: { type: "string" } } } };
 * assertEquals(schemaAt(schema, ["symbols", 3]), { type: "string" });
 * assertEquals(schemaAt(schema, ["interval"]), undefined);
 * ```
 */
export function schemaAt(schema: JsonSchema, path: Path): JsonSchema | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  for (const one of [schema, ...alternativesOf(schema)]) {
    const part = typeof key === "number" ? itemOf(one, key) : propertyOf(one, key);
    const found = part && schemaAt(part, rest);
    if (found) return found;
  }
  return undefined;
}

/**
 * The keys that a part of a value may have.
 *
 * @param schema The schema of the whole value.
 * @param path The way to the part.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(keysAt({ anyOf: [{ properties: { a: {} } }, { properties: { b: {} } }] }, []), ["a", "b"]);
 * ```
 */
export function keysAt(schema: JsonSchema, path: Path): string[] {
  const part = schemaAt(schema, path);
  if (!part) return [];
  const keys = [part, ...alternativesOf(part)].flatMap((one) => Object.keys(one.properties ?? {}));
  return [...new Set(keys)];
}

/** Whether a part of a value is a secret, by any of its alternatives. */
export function isSecretAt(schema: JsonSchema, path: Path): boolean {
  const part = schemaAt(schema, path);
  return part !== undefined &&
    [part, ...alternativesOf(part)].some(({ format }) => format === "password");
}

/** Whether any part of a value is a secret. */
export function hasSecret(schema: JsonSchema): boolean {
  return schema.format === "password" || partsOf(schema).some(hasSecret);
}

function alternativesOf({ anyOf = [], oneOf = [], allOf = [] }: JsonSchema): JsonSchema[] {
  return [...anyOf, ...oneOf, ...allOf].flatMap((one) => [one, ...alternativesOf(one)]);
}

function itemOf({ items, additionalItems }: JsonSchema, index: number): JsonSchema | undefined {
  if (items !== undefined && !isList(items)) return items;
  const item = items?.[index] ?? additionalItems;
  return typeof item === "object" ? item : undefined;
}

function propertyOf(schema: JsonSchema, key: string): JsonSchema | undefined {
  const { properties = {}, additionalProperties } = schema;
  if (Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

function partsOf(schema: JsonSchema): JsonSchema[] {
  const { items = [], additionalProperties, properties = {} } = schema;
  const others = typeof additionalProperties === "object" ? [additionalProperties] : [];
  return [...Object.values(properties), items, others, alternativesOf(schema)].flat();
}

/** Whether a value is a list. `Array.isArray` does not know of readonly ones. */
export function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
