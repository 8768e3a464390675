import { assertEquals } from "@std/assert";
import { z } from "zod";
import { FatalError } from "../../../engine/errors.ts";
import { defineSink, defineSource } from "../../../engine/plugin.ts";
import type { RecordShape } from "../../../engine/point.ts";
import { probePipeline } from "../../../engine/run/probe.ts";
import { fakeContext } from "../../contracts/context.ts";
import { pipelineOf, step } from "../_fakes.ts";

const source = defineSource({
  id: "source",
  summary: "Gives nothing",
  options: z.strictObject({}),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "item" }),
  async *read() {},
  probe: () => Promise.resolve("it answers"),
});

const asked: (readonly RecordShape[])[] = [];
const sink = defineSink({
  id: "sink",
  summary: "Takes nothing",
  options: z.strictObject({}),
  delivery: "append",
  accept: () => {},
  encode: () => new Uint8Array(),
  open: () => Promise.reject(new Error("A probe opens nothing")),
  probe: (_options, shapes) => {
    asked.push(shapes);
    return Promise.reject(new FatalError("It is shut"));
  },
});
const { probe: _, ...mute } = sink;

Deno.test("probePipeline() tries what can be tried, in order, and goes on past what fails", async () => {
  asked.length = 0;
  const results = await probePipeline(
    pipelineOf({
      sources: [step(source)],
      sinks: [step(sink), step(defineSink({ ...mute, id: "mute" }))],
      deadLetter: step(sink, {}, { id: "dead_letter" }),
    }),
    () => fakeContext(),
  );
  assertEquals(
    results.map(({ step, outcome }) => [
      step.id,
      "found" in outcome ? outcome.found : String(outcome.error),
    ]),
    [
      ["source", "it answers"],
      ["sink", "FatalError: It is shut"],
      ["dead_letter", "FatalError: It is shut"],
    ],
  );
  assertEquals(asked, [
    [{ kind: "raw", format: "item" }],
    [{ kind: "raw", format: "dead_letter" }],
  ]);
});

Deno.test("probePipeline() gives nothing where nothing can be tried", async () => {
  const { probe: _, ...silent } = source;
  const pipeline = pipelineOf({
    sources: [step(defineSource({ ...silent, id: "silent" }))],
    sinks: [step(defineSink({ ...mute, id: "mute" }))],
  });
  assertEquals(await probePipeline(pipeline, () => fakeContext()), []);
});
