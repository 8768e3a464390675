/**
 * Plugins and their options as text, made of the plugins' zod schemas and of nothing else.
 *
 * @module
 */

import { dump } from "js-yaml";
import { listed } from "../nearest.ts";
import { isList, type JsonSchema, jsonSchemaOf } from "../pipeline_file/options_schema.ts";
import type { Plugin } from "../plugin.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;

/** What the facts of plugins mean. */
export const FACTS = {
  exact: "can be read again from any position",
  final: "final records can be read again, those that were still to change cannot",
  bounded: "can be read again, for a while",
  none: "cannot be read again",
  idempotent: "records that are sent again replace themselves",
  transactional:
    "records that follow the last checkpoint are taken back before they are sent again",
  append: "records that are sent again are there twice",
};

/**
 * Lists plugins, one on a line.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(listPlugins([]), "");
 * ```
 */
export function listPlugins(plugins: readonly Plugin[]): string {
  const width = Math.max(0, ...plugins.map(({ id }) => id.length));
  const longestKind = "transform".length;
  return plugins.map(({ kind, id, summary }) =>
    `${kind.padEnd(longestKind)}  ${id.padEnd(width)}  ${summary}\n`
  ).join("");
}

/**
 * Says all about a plugin: what it does, what it promises, its options, and an example.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 * import { defineTransform } from "../plugin.ts";
 *
 * const average = defineTransform({
 *   id: "average",
 *   summary: "Adds the average",
 *   options: z.strictObject({ period: z.int().min(2).default(14).describe("Points in it") }),
 *   shape: (input) => input,
 *   step: (record, { emit }) => emit(record),
 * });
 * assertEquals(describePlugin(average), `transform average: Adds the average
 *   state: none
 *
 * options:
 *   period  whole number, at least 2; default 14
 *           Points in it
 *
 * example:
 *   - use: average
 *     with:
 *       period: 14
 * `);
 * ```
 */
export function describePlugin(plugin: Plugin): string {
  const rows = rowsOf(jsonSchemaOf(plugin.options), "");
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const indent = " ".repeat(width + 4);
  const options = rows.flatMap(({ name, type, description }) => [
    `  ${name.padEnd(width)}  ${type}`,
    ...(description === undefined ? [] : [indent + description]),
  ]);
  const example = dump([exampleStep(plugin)]).trimEnd().split("\n").map((line) => `  ${line}`);
  return [
    `${plugin.kind} ${plugin.id}: ${plugin.summary}`,
    `  ${factOf(plugin)}`,
    "",
    ...(options.length > 0 ? ["options:", ...options] : ["options: none"]),
    "",
    "example:",
    ...example,
    "",
  ].join("\n");
}

/**
 * A step with the example that the options as a whole have. Where they have none, with the options a
 * plugin cannot do without, or the first of those it can; each with an example value, its default, or
 * a value of its type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 * import { defineTransform } from "../plugin.ts";
 *
 * const scale = defineTransform({
 *   id: "scale",
 *   summary: "Scales a field",
 *   options: z.strictObject({ field: z.string().meta({ examples: ["close"] }), by: z.number() }),
 *   shape: (input) => input,
 *   step: (record, { emit }) => emit(record),
 * });
 * assertEquals(exampleStep(scale), { use: "scale", with: { field: "close", by: 1 } });
 * ```
 */
export function exampleStep({ id, options }: Plugin): { use: string; with?: unknown } {
  const { properties = {}, required = [], examples: [whole] = [] } = jsonSchemaOf(options);
  if (whole !== undefined) return { use: id, with: whole };
  const first = Object.keys(properties).find((key) => properties[key]?.default !== undefined);
  const names = required.length > 0 || first === undefined ? required : [first];
  if (names.length === 0) return { use: id };
  const values = names.map((name) => [name, sampleOf(properties[name] ?? {}, id, name)]);
  return { use: id, with: Object.fromEntries(values) };
}

function factOf(plugin: Plugin): string {
  if (plugin.kind === "source") {
    const end = plugin.endless ? "; goes on until it is told to stop" : "";
    const { replay } = plugin;
    if (typeof replay === "function") return `replay: depends on its options${end}`;
    return `replay: ${replay} (${FACTS[replay]})${end}`;
  }
  if (plugin.kind === "sink") {
    const { delivery } = plugin;
    if (typeof delivery === "function") return "delivery: depends on its options";
    return `delivery: ${delivery} (${FACTS[delivery]})`;
  }
  return plugin.state ? "state: kept for each key, and saved with each checkpoint" : "state: none";
}

/** One option, or one inside another. */
interface Row {
  readonly name: string;
  readonly type: string;
  readonly description: string | undefined;
}

function rowsOf({ properties = {}, required = [] }: JsonSchema, prefix: string): Row[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    const need = required.includes(key)
      ? "; required"
      : schema.default === undefined
      ? ""
      : `; default ${JSON.stringify(schema.default)}`;
    const items = schema.items && !isList(schema.items) ? schema.items : {};
    return [
      { name, type: typeOf(schema) + need, description: schema.description },
      ...rowsOf(schema, `${name}.`),
      ...rowsOf(items, `${name}[].`),
    ];
  });
}

function typeOf(schema: JsonSchema): string {
  const { anyOf, oneOf, type, enum: values } = schema;
  const alternatives = anyOf ?? oneOf;
  if (alternatives) return listed([...new Set(alternatives.map(typeOf))], "or");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (values) return listed(values.map((value) => JSON.stringify(value)), "or");
  if (type === undefined) return "any value";
  const types = typeof type === "string" ? [type] : type;
  const limits = limitsOf(schema);
  return listed(types.map((one) => nameOfType(one, schema)), "or") + (limits && `, ${limits}`);
}

function nameOfType(type: string, { format, items, additionalProperties }: JsonSchema): string {
  if (type === "integer") return "whole number";
  if (type === "boolean") return "true or false";
  if (type === "object") {
    return typeof additionalProperties === "object"
      ? `mapping of ${typeOf(additionalProperties)}`
      : "mapping";
  }
  if (type === "array") return items && !isList(items) ? `list of ${typeOf(items)}` : "list";
  if (type !== "string") return type === "null" ? "nothing" : type;
  return format === "password" ? "secret text" : format === "uri" ? "URL" : "text";
}

function limitsOf(schema: JsonSchema): string {
  const { minimum = -LARGEST, maximum = LARGEST, exclusiveMinimum, exclusiveMaximum } = schema;
  const { minItems = 0, maxItems, minLength = 0, maxLength, multipleOf } = schema;
  return [
    exclusiveMinimum !== undefined && `more than ${exclusiveMinimum}`,
    minimum > -LARGEST && `at least ${minimum}`,
    exclusiveMaximum !== undefined && `less than ${exclusiveMaximum}`,
    maximum < LARGEST && `at most ${maximum}`,
    multipleOf !== undefined && `a multiple of ${multipleOf}`,
    minItems > 0 && `at least ${counted(minItems, "item")}`,
    maxItems !== undefined && `at most ${counted(maxItems, "item")}`,
    minLength > 1 && `at least ${counted(minLength, "character")}`,
    maxLength !== undefined && `at most ${counted(maxLength, "character")}`,
  ].filter((limit) => limit !== false).join(", ");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** A value that fits. Its name makes that of a secret: `${env:STORE_TOKEN}`. */
function sampleOf(schema: JsonSchema, plugin: string, name: string): unknown {
  const [example] = schema.examples ?? schema.enum ?? [];
  const given = example ?? schema.default ?? schema.const;
  if (given !== undefined) return given;
  const [alternative] = schema.anyOf ?? schema.oneOf ?? [];
  if (alternative) return sampleOf(alternative, plugin, name);
  const { items, properties = {}, required = [] } = schema;
  switch ([schema.type].flat()[0]) {
    case "integer":
    case "number":
      return sampleNumber(schema);
    case "boolean":
      return true;
    case "array":
      return items && !isList(items) ? [sampleOf(items, plugin, name)] : [];
    case "object":
      return Object.fromEntries(
        required.map((key) => [key, sampleOf(properties[key] ?? {}, plugin, key)]),
      );
  }
  if (schema.format === "password") return `\${env:${`${plugin}_${name}`.toUpperCase()}}`;
  return schema.format === "uri" ? "https://example.com" : `<${name}>`;
}

function sampleNumber(schema: JsonSchema): number {
  const least = schema.minimum ?? (schema.exclusiveMinimum ?? 0) + 1;
  const most = schema.maximum ?? schema.exclusiveMaximum ?? LARGEST;
  if (least < most || least === schema.maximum) return Math.max(least, Math.min(1, most));
  return ((schema.exclusiveMinimum ?? schema.minimum ?? 0) + most) / 2;
}
