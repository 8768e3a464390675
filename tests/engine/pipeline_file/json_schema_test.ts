import { assertEquals } from "@std/assert";
import { z } from "zod";
import { pipelineJsonSchema } from "../../../engine/pipeline_file/json_schema.ts";
import { defineSink, defineSource } from "../../../engine/plugin.ts";
import { jsonSchemaOf, keysAt, schemaAt } from "../../../engine/pipeline_file/options_schema.ts";
import { points, printer, store, ticks } from "../_plugins.ts";

const FILLED_IN = { type: "string", pattern: "\\$\\{(env|file):" };

/** What a schema says of steps that use a plugin. */
function optionsOf(steps: unknown, id: string): unknown {
  for (const { if: condition, then } of Object(Object(steps).items ?? steps).allOf) {
    if (condition.properties.use.const === id) return then;
  }
}

Deno.test("pipelineJsonSchema() names every plugin with its summary, under the list it belongs to", () => {
  const { properties = {} } = pipelineJsonSchema(
    [ticks, points, printer],
  );
  const useOf = (steps: unknown) => Object(Object(steps).items ?? steps).properties.use.anyOf;
  const custom = {
    type: "string",
    pattern: "^(\\.{0,2}/|jsr:|npm:|https:|file:|\\$\\{)",
    description: "Path or specifier of a custom plugin",
  };
  assertEquals(useOf(properties.sources), [
    { const: "ticks", description: "Reads ticks" },
    { const: "points", description: "Gives points" },
    custom,
  ]);
  assertEquals(useOf(properties.transforms), [custom]);
  assertEquals(useOf(properties.sinks), [
    { const: "printer", description: "Prints points" },
    custom,
  ]);
  assertEquals(useOf(properties.dead_letter), useOf(properties.sinks));
});

Deno.test("pipelineJsonSchema() checks `with` by the plugin, and lets a variable stand for a number", () => {
  const source = defineSource({
    id: "count",
    summary: "Counts",
    options: z.strictObject({
      to: z.int().min(1).max(9).describe("Last number"),
      label: z.string().default("n").describe("Name"),
      unit: z.enum(["a", "b"]).optional(),
      parts: z.array(z.boolean()).optional(),
    }),
    replay: "exact",
    shape: () => ({ kind: "raw", format: "number" }),
    async *read() {},
  });
  const { properties = {} } = pipelineJsonSchema(
    [source],
  );
  assertEquals(optionsOf(properties.sources, "count"), {
    properties: {
      with: {
        type: "object",
        properties: {
          to: {
            description: "Last number",
            anyOf: [{ type: "integer", minimum: 1, maximum: 9 }, FILLED_IN],
          },
          label: { type: "string", description: "Name", default: "n" },
          unit: { anyOf: [{ type: "string", enum: ["a", "b"] }, FILLED_IN] },
          parts: { type: "array", items: { anyOf: [{ type: "boolean" }, FILLED_IN] } },
        },
        required: ["to"],
        additionalProperties: false,
      },
    },
    required: ["with"],
  });
});

Deno.test("pipelineJsonSchema() holds no default of a secret, and needs no `with` where nothing is needed", () => {
  const sink = defineSink({
    id: "free",
    summary: "Needs nothing",
    options: z.strictObject({ format: z.string().optional().describe("Form") }),
    delivery: "append",
    accept: () => {},
    encode: () => new Uint8Array(),
    open: () => Promise.reject(new Error("not opened in these tests")),
  });
  const { properties = {} } = pipelineJsonSchema(
    [store, sink],
  );
  assertEquals(optionsOf(properties.sinks, "free"), {
    properties: {
      with: {
        type: "object",
        properties: { format: { type: "string", description: "Form" } },
        additionalProperties: false,
      },
    },
  });
  assertEquals(Object(optionsOf(properties.sinks, "store")).properties.with.properties.token, {
    type: "string",
    minLength: 1,
    format: "password",
    description: "Its token",
  });
});

Deno.test("pipelineJsonSchema() describes the frame, and allows nothing beside it", () => {
  const schema = pipelineJsonSchema([]);
  assertEquals(Object.keys(schema.properties ?? {}).sort(), [
    "dead_letter",
    "epoch",
    "name",
    "sinks",
    "sources",
    "transforms",
  ]);
  assertEquals([schema.$schema, schema.type, schema.additionalProperties], [
    "http://json-schema.org/draft-07/schema#",
    "object",
    false,
  ]);
  assertEquals(schema.properties?.epoch?.properties?.ms, {
    description: "Milliseconds since the last checkpoint",
    default: 5_000,
    anyOf: [{ type: "integer", minimum: 1, maximum: 9_007_199_254_740_991 }, FILLED_IN],
  });
});

Deno.test("schemaAt() and keysAt() look through lists, free keys and alternatives", () => {
  const schema = jsonSchemaOf(z.strictObject({
    list: z.array(z.union([z.string(), z.strictObject({ a: z.int(), b: z.string() })])),
    pair: z.tuple([z.string(), z.int()]),
    free: z.record(z.string(), z.strictObject({ c: z.boolean() })),
  }));
  assertEquals(keysAt(schema, []), ["list", "pair", "free"]);
  assertEquals(keysAt(schema, ["list", 5]), ["a", "b"]);
  assertEquals(schemaAt(schema, ["list", 0, "b"]), { type: "string" });
  assertEquals(schemaAt(schema, ["pair", 0]), { type: "string" });
  assertEquals(schemaAt(schema, ["pair", 2]), undefined);
  assertEquals(schemaAt(schema, ["free", "x", "c"]), { type: "boolean" });
  assertEquals(schemaAt(schema, ["constructor"]), undefined);
  assertEquals(keysAt(schema, ["nowhere"]), []);
});

Deno.test("jsonSchemaOf() says nothing of what is no zod schema", () => {
  assertEquals(jsonSchemaOf({ safeParse: () => ({ success: true, data: 1 }) }), {});
});
