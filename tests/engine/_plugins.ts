/**
 * Small plugins that the tests of the loader wire up.
 *
 * @module
 */

import { z } from "zod";
import { OptionsError } from "../../engine/errors.ts";
import { secret, time } from "../../engine/options.ts";
import { defineSink, defineSource, defineTransform } from "../../engine/plugin.ts";
import type { PointShape } from "../../engine/point.ts";
import { createRegistry } from "../../engine/registry.ts";

/** Points that `points` gives. */
export const PRICE: PointShape = {
  kind: "point",
  measurement: "price",
  tags: ["symbol"],
  fields: { close: "float", count: "integer" },
};

/** A source of raw ticks with an option of each kind. */
export const ticks = defineSource({
  id: "ticks",
  summary: "Reads ticks",
  options: z.strictObject({
    symbols: z.array(z.string().regex(/^[A-Z]+$/, "must be upper case")).min(1).max(3)
      .describe("Symbols to read"),
    interval: z.enum(["1m", "5m", "1h"]).describe("Length of a candle"),
    from: time().optional().describe("First time"),
    base_url: z.url().default("https://api.example.com").describe("Where the exchange listens"),
    token: secret().optional().describe("Key of the account"),
  }),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "tick" }),
  async *read() {},
  simulated: ({ rest }) => ({ base_url: rest }),
});

/** A source of points. */
export const points = defineSource({
  id: "points",
  summary: "Gives points",
  options: z.strictObject({
    measurement: z.string().default("price").describe("Measurement of the points"),
    type: z.enum(["float", "integer"]).default("float").describe("Type of the field `close`"),
  }),
  replay: "none",
  shape: ({ measurement, type }): PointShape => ({
    ...PRICE,
    measurement,
    fields: { close: type, count: "integer" },
  }),
  async *read() {},
});

/** A transform of ticks to points. */
export const toPoint = defineTransform({
  id: "to_point",
  summary: "Makes points of ticks",
  options: z.strictObject({}),
  shape(input): PointShape {
    if (input.kind === "raw" && input.format === "tick") return PRICE;
    throw new OptionsError('Cannot use transform "to_point" as it must be given ticks');
  },
  step: (_record: unknown, { state }) => state,
});

/** A transform that needs points. */
export const average = defineTransform({
  id: "average",
  summary: "Adds the average of a field",
  options: z.strictObject({
    period: z.int().min(2).max(1_000).default(14).describe("Points in the average"),
    weight: z.number().gt(0).default(1).describe("Weight of the newest"),
    smooth: z.boolean().default(false).describe("Whether to smooth"),
    fields: z.union([z.string(), z.array(z.string())]).default("close").describe("What to average"),
  }),
  shape(input): PointShape {
    if (input.kind === "raw") {
      throw new OptionsError('Cannot use transform "average" as it must be given points', {
        hint: "Make points first",
      });
    }
    return { ...input, fields: { ...input.fields, average: "float" } };
  },
  state: { version: 1, initial: () => 0 },
  step: (_record: unknown, { state }) => state,
});

/** A sink with a secret. */
export const store = defineSink({
  id: "store",
  summary: "Keeps points",
  options: z.strictObject({
    url: z.string().startsWith("http").describe("Address of the server"),
    token: secret().describe("Its token"),
    version: z.union([z.literal(1), z.literal(2)]).default(2).describe("Version of the server"),
    tags: z.record(z.string().regex(/^[a-z]+$/), z.string()).default({}).describe("More tags"),
    login: z.strictObject({
      user: z.string().describe("Name"),
      pin: secret().describe("Number"),
    }).optional().describe("Who writes"),
  }),
  delivery: "idempotent",
  accept(shape) {
    if (shape.kind === "raw" && shape.format !== "dead_letter") {
      throw new OptionsError('Cannot use sink "store" as it must be given points');
    }
  },
  encode: () => new Uint8Array(),
  open: () => Promise.reject(new Error("not opened in these tests")),
});

/** A sink that takes points only, no refused records. */
export const printer = defineSink({
  id: "printer",
  summary: "Prints points",
  options: z.strictObject({
    format: z.enum(["line_protocol", "json", "table"]).default("json").describe("How it prints"),
  }),
  delivery: "append",
  accept(shape) {
    if (shape.kind === "raw") {
      throw new OptionsError('Cannot use sink "printer" as it must be given points');
    }
  },
  encode: () => new Uint8Array(),
  open: () => Promise.reject(new Error("not opened in these tests")),
});

/** All of them. */
export const registry = createRegistry({
  sources: { ticks: () => Promise.resolve(ticks), points: () => Promise.resolve(points) },
  transforms: { to_point: () => Promise.resolve(toPoint), average: () => Promise.resolve(average) },
  sinks: { store: () => Promise.resolve(store), printer: () => Promise.resolve(printer) },
});
