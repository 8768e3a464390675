import { assertEquals } from "@std/assert";
import { z } from "zod";
import { describePlugin, exampleStep, listPlugins } from "../../../engine/explain/plugins.ts";
import { defineTransform } from "../../../engine/plugin.ts";
import { average, points, printer, store, ticks, toPoint } from "../_plugins.ts";

Deno.test("describePlugin() says all about a source", () => {
  assertEquals(
    describePlugin(ticks),
    `source ticks: Reads ticks
  replay: exact (can be read again from any position)

options:
  symbols   list of text, at least 1 item, at most 3 items; required
            Symbols to read
  interval  "1m", "5m" or "1h"; required
            Length of a candle
  from      text or number
            First time
  base_url  URL; default "https://api.example.com"
            Where the exchange listens
  token     secret text
            Key of the account

example:
  - use: ticks
    with:
      symbols:
        - <symbols>
      interval: 1m
`,
  );
});

Deno.test("describePlugin() says all about a sink, options inside options included", () => {
  assertEquals(
    describePlugin(store),
    `sink store: Keeps points
  delivery: idempotent (records that are sent again replace themselves)

options:
  url         text; required
              Address of the server
  token       secret text; required
              Its token
  version     1 or 2; default 2
              Version of the server
  tags        mapping of text; default {}
              More tags
  login       mapping
              Who writes
  login.user  text; required
              Name
  login.pin   secret text; required
              Number

example:
  - use: store
    with:
      url: <url>
      token: \${env:STORE_TOKEN}
`,
  );
});

Deno.test("describePlugin() says that a transform has state, or that it has no options", () => {
  assertEquals(
    describePlugin(average).split("\n").slice(0, 6),
    [
      "transform average: Adds the average of a field",
      "  state: kept for each key, and saved with each checkpoint",
      "",
      "options:",
      "  period  whole number, at least 2, at most 1000; default 14",
      "          Points in the average",
    ],
  );
  assertEquals(
    describePlugin(toPoint),
    `transform to_point: Makes points of ticks
  state: none

options: none

example:
  - use: to_point
`,
  );
});

Deno.test("describePlugin() has words for every type and limit", () => {
  const odd = defineTransform({
    id: "odd",
    summary: "Has odd options",
    options: z.strictObject({
      share: z.number().gt(0).lt(1),
      step: z.number().multipleOf(5).max(50),
      code: z.string().min(2).max(4),
      ends: z.array(z.strictObject({ at: z.int() })).optional(),
      maybe: z.boolean().nullable().optional(),
      any: z.unknown().optional(),
      pair: z.tuple([z.string(), z.int()]).optional(),
      only: z.literal("x").optional(),
    }),
    shape: (input) => input,
    step: (_record: unknown, { state }) => state,
  });
  assertEquals(
    describePlugin(odd).split("\n").slice(3, -8),
    [
      "options:",
      "  share      number, more than 0, less than 1; required",
      "  step       number, at most 50, a multiple of 5; required",
      "  code       text, at least 2 characters, at most 4 characters; required",
      "  ends       list of mapping",
      "  ends[].at  whole number; required",
      "  maybe      true or false or nothing",
      "  any        any value",
      "  pair       list, at least 2 items, at most 2 items",
      '  only       "x"',
    ],
  );
});

Deno.test("exampleStep() gives options that the plugin takes", () => {
  const nested = defineTransform({
    id: "nested",
    summary: "Has options of each type",
    options: z.strictObject({
      text: z.string(),
      sample: z.string().regex(/^[A-Z]+$/).meta({ examples: ["BTC"] }),
      list: z.array(z.int().min(3)),
      flag: z.boolean(),
      above: z.number().gt(7),
      share: z.number().gt(0).lt(1),
      exact: z.int().min(5).max(5),
      either: z.union([z.url(), z.int()]),
      inside: z.strictObject({ needed: z.enum(["a", "b"]), not: z.string().optional() }),
    }),
    shape: (input) => input,
    step: (_record: unknown, { state }) => state,
  });
  const { use, with: options } = exampleStep(nested);
  assertEquals([use, options], ["nested", {
    text: "<text>",
    sample: "BTC",
    list: [3],
    flag: true,
    above: 8,
    share: 0.5,
    exact: 5,
    either: "https://example.com",
    inside: { needed: "a" },
  }]);
  assertEquals(nested.options.safeParse(options).success, true);
});

Deno.test("listPlugins() gives one line to each plugin", () => {
  assertEquals(
    listPlugins([ticks, points, toPoint, average, store, printer]),
    `source     ticks     Reads ticks
source     points    Gives points
transform  to_point  Makes points of ticks
transform  average   Adds the average of a field
sink       store     Keeps points
sink       printer   Prints points
`,
  );
});
