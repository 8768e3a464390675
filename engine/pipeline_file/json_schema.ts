/**
 * The JSON Schema of a pipeline file, for editors: it proposes plugins and options, shows what they
 * are for, and underlines what is wrong while it is written.
 *
 * @module
 */

import { isList, type JsonSchema, jsonSchemaOf } from "./options_schema.ts";
import { deadLetterSchema, pipelineSchema, stepSchema } from "./pipeline_schema.ts";
import type { Schema } from "../options.ts";
import type { Plugin } from "../plugin.ts";
import type { PluginKind } from "../registry.ts";

/** Text with a variable in it stands for any value: its type is seen when it is filled in. */
const FILLED_IN: JsonSchema = { type: "string", pattern: "\\$\\{(env|file):" };
const CUSTOM_PLUGIN: JsonSchema = {
  type: "string",
  pattern: "^(\\.{0,2}/|jsr:|npm:|https:|file:|\\$\\{)",
  description: "Path or specifier of a custom plugin",
};

/**
 * Makes the JSON Schema of pipeline files, draft 7, which editors know best.
 *
 * @param plugins The plugins there are.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pipelineJsonSchema([]).required, ["name", "sources", "sinks"]);
 * ```
 */
export function pipelineJsonSchema(plugins: readonly Plugin[]): JsonSchema {
  const frame = orFilledIn(jsonSchemaOf(pipelineSchema));
  const { sources, transforms, sinks, dead_letter, ...others } = frame.properties ?? {};
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A penstock pipeline",
    ...frame,
    properties: {
      ...others,
      sources: { ...sources, items: stepJsonSchema("source", stepSchema, plugins) },
      transforms: { ...transforms, items: stepJsonSchema("transform", stepSchema, plugins) },
      sinks: { ...sinks, items: stepJsonSchema("sink", stepSchema, plugins) },
      dead_letter: { ...dead_letter, ...stepJsonSchema("sink", deadLetterSchema, plugins) },
    },
  };
}

/** A step: which plugins there are, and for each of them what `with` may hold. */
function stepJsonSchema(
  kind: PluginKind,
  form: Schema<unknown>,
  all: readonly Plugin[],
): JsonSchema {
  const { use, ...others } = jsonSchemaOf(form).properties ?? {};
  const plugins = all.filter((plugin) => plugin.kind === kind);
  return {
    type: "object",
    properties: {
      use: {
        description: use?.description,
        anyOf: [
          ...plugins.map(({ id, summary }) => ({ const: id, description: summary })),
          CUSTOM_PLUGIN,
        ],
      },
      ...orFilledIn({ properties: others }).properties,
    },
    required: ["use"],
    additionalProperties: false,
    allOf: plugins.map(({ id, options }) => {
      const schema = orFilledIn(jsonSchemaOf(options));
      return {
        if: { properties: { use: { const: id } }, required: ["use"] },
        then: {
          properties: { with: schema },
          ...(schema.required && schema.required.length > 0 && { required: ["with"] }),
        },
      };
    }),
  };
}

/** Lets a variable stand for every value that text could not stand for otherwise. */
function orFilledIn(schema: JsonSchema): JsonSchema {
  const { title, description, default: fallback, examples, ...check } = schema;
  if (isContainer(schema)) return withParts(schema);
  const isFreeText = check.type === undefined || check.type === "string" &&
      !["enum", "const", "pattern", "maxLength", "format"].some((key) => key in check) ||
    check.format === "password";
  if (isFreeText && !check.anyOf && !check.oneOf) return schema;
  const alternatives = (check.anyOf ?? check.oneOf)?.map(withParts) ?? [check];
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    ...(examples !== undefined && { examples }),
    anyOf: [...alternatives, FILLED_IN],
  };
}

function isContainer({ type, properties, items }: JsonSchema): boolean {
  return type === "object" || type === "array" || properties !== undefined || items !== undefined;
}

function withParts(schema: JsonSchema): JsonSchema {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, part]) => [key, orFilledIn(part)]),
      ),
    }),
    ...(items && { items: isList(items) ? items.map(orFilledIn) : orFilledIn(items) }),
    ...(typeof additionalProperties === "object" &&
      { additionalProperties: orFilledIn(additionalProperties) }),
  };
}
