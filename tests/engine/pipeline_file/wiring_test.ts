import { assertEquals } from "@std/assert";
import { z } from "zod";
import { OptionsError } from "../../../engine/errors.ts";
import { defineTransform, type TransformPlugin } from "../../../engine/plugin.ts";
import type { PointShape } from "../../../engine/point.ts";
import { wire } from "../../../engine/pipeline_file/wiring.ts";
import { mistakes } from "./_loading.ts";
import { printer, ticks } from "../_plugins.ts";

function file(sources: string, transforms: string, sinks = "[{ use: printer }]"): string {
  return `name: a\nsources: ${sources}\ntransforms: ${transforms}\nsinks: ${sinks}\n`;
}

const TICKS = "{ use: ticks, with: { symbols: [A], interval: 1m } }";

Deno.test("loadPipeline() refuses a transform that cannot take what comes, and names what would fit", async () => {
  assertEquals(await mistakes(file(`[${TICKS}]`, "[{ use: average }]")), [
    '3:14 Cannot use transform "average" as it must be given points [Put "to_point" before it]',
  ]);
});

Deno.test("loadPipeline() refuses a transform that takes no points, with no proposal where none would help", async () => {
  assertEquals(await mistakes(file("[{ use: points }]", "[{ use: to_point }]")), [
    '3:14 Cannot use transform "to_point" as it must be given ticks',
  ]);
});

Deno.test("loadPipeline() refuses a sink that cannot take what comes, and names what would fit", async () => {
  assertEquals(await mistakes(file(`[${TICKS}]`, "[]")), [
    '4:9 Cannot use sink "printer" as it must be given points [Put "to_point" before it]',
  ]);
});

Deno.test("loadPipeline() follows every source through the transforms", async () => {
  assertEquals(await mistakes(file(`[{ use: points }, ${TICKS}]`, "[{ use: to_point }]")), [
    '3:14 Cannot use transform "to_point" as it must be given ticks',
  ]);
  assertEquals(await mistakes(file(`[${TICKS}, { use: points }]`, "[{ use: average }]")), [
    '3:14 Cannot use transform "average" as it must be given points [Put "to_point" before it]',
  ]);
});

Deno.test("loadPipeline() checks the steps before a wrong transform, and none after it", async () => {
  assertEquals(
    await mistakes(
      file(`[${TICKS}]`, "[{ use: average }, { use: averag }, { use: average, id: b }]"),
    ),
    [
      '3:14 Cannot use transform "average" as it must be given points [Put "to_point" before it]',
      '3:39 Cannot use transform "averag": it does not exist [Did you mean "average"?]',
    ],
  );
});

Deno.test("loadPipeline() refuses a dead-letter sink that takes points only", async () => {
  const text = `${file("[{ use: points }]", "[]")}dead_letter: { use: printer }\n`;
  assertEquals(await mistakes(text), [
    '5:14 Cannot use sink "printer" as it must be given points',
  ]);
});

Deno.test("loadPipeline() refuses a field that has two types in one measurement", async () => {
  const sources = "[{ use: points }, { use: points, id: other, with: { type: integer } }]";
  assertEquals(await mistakes(file(sources, "[]")), [
    '2:28 Cannot use source "other" as field "close" of measurement "price" must have one type: it is integer here, but float in source "points" [Put them into two pipelines, or give one another measurement]',
  ]);
});

Deno.test("loadPipeline() says of which plugin the check itself failed", async () => {
  const careless = defineTransform({
    id: "careless",
    summary: "Throws what it should not",
    options: z.strictObject({}),
    shape: () => {
      throw new TypeError("x is not a function");
    },
    step: (_record: unknown, { state }) => state,
  });
  const text = file("[{ use: points }]", "[{ use: ./careless.ts }]");
  const modules = { "file:///p/careless.ts": { careless } };
  assertEquals(await mistakes(text, { file: "/p/a.yaml", modules }), [
    '3:14 Cannot check transform "careless": x is not a function',
  ]);
});

Deno.test("wire() proposes only transforms that need no options and really fit", () => {
  const shaped = (id: string, options: z.ZodType, fits: boolean): TransformPlugin =>
    defineTransform({
      id,
      summary: "Fits or not",
      options,
      shape: (): PointShape => {
        if (!fits) throw new OptionsError("Cannot be");
        return { kind: "point", measurement: "m", tags: [], fields: {} };
      },
      step: (_record: unknown, { state }) => state,
    });
  const none = z.strictObject({});
  const candidates = [
    shaped("fits", none, true),
    shaped("needs_options", z.strictObject({ a: z.string() }), true),
    shaped("refuses", none, false),
    shaped("fits_too", none, true),
  ];
  const { mistakes } = wire({
    sources: [{
      path: ["sources", 0],
      step: { plugin: ticks, id: "t", options: {}, onError: "stop" },
    }],
    transforms: [],
    sinks: [{
      path: ["sinks", 0],
      step: { plugin: printer, id: "p", options: {}, onError: "stop" },
    }],
    deadLetter: undefined,
  }, candidates);
  assertEquals(mistakes.map(({ hint }) => hint), ['Put "fits" or "fits_too" before it']);
});
