import { assertEquals } from "@std/assert";
import { z } from "zod";
import { check } from "../../../engine/pipeline_file/check.ts";
import { interpolate } from "../../../engine/pipeline_file/interpolate.ts";
import { jsonSchemaOf } from "../../../engine/pipeline_file/options_schema.ts";

/** Checks options as those of a transform are; gives the value, or messages with their hints. */
async function tryOptions(
  schema: z.ZodType,
  value: unknown,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const filled = await interpolate(value, {
    env: (name) => env[name],
    readText: () => Promise.reject(new Error("no files")),
  });
  const checked = check(schema, {
    owner: 'transform "t"',
    noun: "option",
    path: [],
    value: filled.value,
    schema: () => jsonSchemaOf(schema),
    filled,
  });
  if (checked.ok) return checked.data;
  return checked.mistakes.map(({ message, hint }) =>
    message.replace(/^Cannot use /, "") + (hint === undefined ? "" : ` [${hint}]`)
  );
}

const MODE = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("size"), bytes: z.int() }),
  z.strictObject({ type: z.literal("day"), hour: z.int().optional() }),
]);

Deno.test("check() names the alternatives of a discriminated union", async () => {
  const schema = z.strictObject({ mode: MODE });
  assertEquals(await tryOptions(schema, { mode: { type: "dayy" } }), [
    'option "mode.type" of transform "t" as it must be "size" or "day": it is "dayy" [Did you mean "day"?]',
  ]);
  assertEquals(await tryOptions(schema, { mode: {} }), [
    'transform "t" without option "mode.type"',
  ]);
  assertEquals(await tryOptions(schema, { mode: { type: "size", byts: 1 } }), [
    'transform "t" without option "mode.bytes"',
    'option "mode.byts" of transform "t": it does not exist [Did you mean "bytes"?]',
  ]);
});

Deno.test("check() tells what is wrong by the alternative whose type fits", async () => {
  const schema = z.strictObject({
    size: z.union([z.int().min(1), z.strictObject({ bytes: z.int() }), z.literal("none")]),
  });
  assertEquals(await tryOptions(schema, { size: 0 }), [
    'option "size" of transform "t" as it must be at least 1: it is 0',
  ]);
  assertEquals(await tryOptions(schema, { size: { bytes: "x" } }), [
    'option "size.bytes" of transform "t" as it must be a whole number: it is "x"',
  ]);
  assertEquals(await tryOptions(schema, { size: "nome" }), [
    'option "size" of transform "t" as it must be a number, a mapping or "none": it is "nome" [Did you mean "none"?]',
  ]);
  assertEquals(await tryOptions(schema, {}), ['transform "t" without option "size"']);
});

Deno.test("check() flattens alternatives within alternatives", async () => {
  const schema = z.strictObject({
    a: z.union([z.union([z.string(), z.number()]), z.array(z.string())]),
  });
  assertEquals(await tryOptions(schema, { a: true }), [
    'option "a" of transform "t" as it must be text, a number or a list: it is true [Put it in brackets: `[…]`]',
  ]);
});

Deno.test("check() says every limit in words", async () => {
  const schema = z.strictObject({
    one: z.string().length(1),
    few: z.string().min(2),
    short: z.string().max(1),
    list: z.array(z.string()).min(2),
    pair: z.tuple([z.string(), z.string()]),
    below: z.number().lt(5),
    fives: z.number().multipleOf(5),
    big: z.int(),
    end: z.string().endsWith(".csv"),
    mail: z.email(),
    raw: z.string().regex(/^a/),
    nothing: z.null(),
  });
  const wrong = {
    one: "ab",
    few: "a",
    short: "ab",
    list: ["a"],
    pair: "a",
    below: 5,
    fives: 7,
    big: 1e300,
    end: "a.txt",
    mail: "a",
    raw: "b",
    nothing: 1,
  };
  assertEquals(await tryOptions(schema, wrong), [
    'option "one" of transform "t" as it must have exactly 1 character: it is "ab"',
    'option "few" of transform "t" as it must have at least 2 characters: it is "a"',
    'option "short" of transform "t" as it must have at most 1 character: it is "ab"',
    'option "list" of transform "t" as it must have at least 2 items: it has 1',
    'option "pair" of transform "t" as it must be a list: it is "a"',
    'option "below" of transform "t" as it must be less than 5: it is 5',
    'option "fives" of transform "t" as it must be a multiple of 5: it is 7',
    'option "big" of transform "t" as it must be at most 9007199254740991: it is 1e+300',
    'option "end" of transform "t" as it must end with ".csv": it is "a.txt"',
    'option "mail" of transform "t" as it must be of format "email": it is "a"',
    'option "raw" of transform "t" as it must match /^a/: it is "b"',
    'option "nothing" of transform "t" as it must be empty: it is 1',
  ]);
});

Deno.test("check() gives a plugin's own words, and hides in them what was filled in", async () => {
  const schema = z.strictObject({
    from: z.string().refine((text) => text === "", { error: "must be before `to`" }),
    to: z.string().superRefine((text, context) => {
      context.addIssue({ code: "custom", message: `We do not\n like "${text}"` });
    }),
  });
  assertEquals(await tryOptions(schema, { from: "x", to: "${env:TO}" }, { TO: "hunter2" }), [
    'option "from" of transform "t" as it must be before `to`: it is "x"',
    'option "to" of transform "t": We do not like "${env:TO}"',
  ]);
});

Deno.test("check() tells what holds for all options together under the plugin's name", async () => {
  const schema = z.strictObject({ a: z.number(), b: z.number() })
    .refine(({ a, b }) => a < b, { error: "must have `a` below `b`" });
  assertEquals(await tryOptions(schema, { a: 2, b: 1 }), [
    'transform "t" as it must have `a` below `b`',
  ]);
  const nested = z.strictObject({ range: schema });
  assertEquals(await tryOptions(nested, { range: { a: 2, b: 1 } }), [
    'option "range" of transform "t" as it must have `a` below `b`',
  ]);
});

Deno.test("check() does not tell what only follows from a variable that is missing", async () => {
  const schema = z.strictObject({
    a: z.number(),
    b: z.union([z.literal("x"), z.literal("y")]),
    c: z.strictObject({ d: z.string() }).refine(({ d }) => d === "", { error: "must be right" }),
  });
  const value = { a: "${env:NONE}", b: "${env:NONE}", c: { d: "${env:NONE}" }, e: "${env:NONE}" };
  assertEquals(await tryOptions(schema, value), [
    'option "e" of transform "t": it does not exist [Its options are "a", "b" and "c"]',
  ]);
});

Deno.test("check() turns filled-in text into numbers and booleans, deep inside and in alternatives", async () => {
  const schema = z.strictObject({
    list: z.array(z.number()),
    either: z.union([z.boolean(), z.int()]),
    version: z.literal([1, 2, 3]),
    either_text: z.union([z.number(), z.string()]),
  });
  const value = {
    list: [1, "${env:TWO}"],
    either: "${env:TWO}",
    version: "${env:TWO}",
    either_text: "${env:TWO}",
  };
  assertEquals(await tryOptions(schema, value, { TWO: "2" }), {
    list: [1, 2],
    either: 2,
    version: 2,
    either_text: "2",
  });
});

Deno.test("check() turns no text into a number that is not one in decimal", async () => {
  const schema = z.strictObject({ a: z.number() });
  for (const text of ["", " ", "0x10", "1_000", "1,5", "Infinity", "NaN", "1e", "--1", "1 2"]) {
    assertEquals(await tryOptions(schema, { a: "${env:A}" }, { A: text }), [
      'option "a" of transform "t" as it must be a number: "${env:A}" gives something else',
    ]);
  }
  for (const [text, number] of [["-1", -1], ["+1.5e-3", 0.0015], [".5", 0.5], ["7.", 7]] as const) {
    assertEquals(await tryOptions(schema, { a: "${env:A}" }, { A: text }), { a: number });
  }
});

Deno.test("check() survives a schema that throws", async () => {
  const schema = z.strictObject({ a: z.string().refine(() => Promise.resolve(true)) });
  const [message] = Object(await tryOptions(schema, { a: "x" }));
  assertEquals(String(message).startsWith('Cannot check transform "t": '), true);
});
