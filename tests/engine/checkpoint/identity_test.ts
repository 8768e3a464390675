import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import { FatalError } from "../../../engine/errors.ts";
import {
  identifySteps,
  letterToken,
  refuseOtherPipeline,
} from "../../../engine/checkpoint/identity.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";
import { secret } from "../../../engine/options.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import { defineSource, defineTransform } from "../../../engine/plugin.ts";
import { Disk, diskSink, numbers, pipelineOf, step, total } from "../_fakes.ts";

const plain = defineTransform({
  id: "plain",
  summary: "Remembers nothing",
  options: z.strictObject({ digits: z.int().default(2) }),
  shape: (input) => input,
  step: (record: unknown, { emit }) => emit(record),
});

function parts(): Pipeline {
  return pipelineOf({
    sources: [step(numbers, { to: 10 }), step(numbers, { to: 20 }, { id: "more" })],
    transforms: [step(total, { quiet: 3 }), step(plain), step(total, {}, { id: "again" })],
    sinks: [step(diskSink(new Disk())), step(diskSink(new Disk(), "other"))],
    deadLetter: step(diskSink(new Disk(), "dead")),
  });
}

function savedOf(pipeline: Pipeline): Checkpoint {
  const checkpoint: Checkpoint = {
    pipeline: pipeline.name,
    epoch: 1,
    steps: identifySteps(pipeline),
    positions: Object.fromEntries(pipeline.sources.map(({ id }) => [id, { next: 4 }])),
    states: { total: { a: { sum: 4 } }, plain: {}, again: { b: { sum: 2 } } },
    tokens: Object.fromEntries(pipeline.sinks.map(({ id }) => [id, 3])),
    deadLetterToken: null,
    refusals: {},
    counters: {},
    replayed: {},
    ledger: { sources: {}, transforms: {}, sinks: {}, deadLetter: emptyStep(), dropped: 0 },
  };
  return JSON.parse(JSON.stringify(checkpoint));
}

const CHANGED = "Cannot go on from the checkpoint as its steps must be those of the pipeline: ";

Deno.test("identifySteps() names every step, and what the memory of a transform depends on", () => {
  assertEquals(identifySteps(parts()), [
    { step: 'source "numbers"', plugin: "numbers" },
    { step: 'source "more"', plugin: "numbers" },
    { step: 'transform "total"', plugin: 'total version 1 with {"quiet":3}' },
    { step: 'transform "plain"', plugin: "plain" },
    { step: 'transform "again"', plugin: "total version 1 with {}" },
    { step: 'sink "disk"', plugin: "disk" },
    { step: 'sink "other"', plugin: "other" },
    { step: 'dead letter "dead"', plugin: "dead" },
  ]);
});

Deno.test("identifySteps() knows options by their values, not by how a file writes them", () => {
  const written = { loud: 3, quiet: 1 };
  const turned = { quiet: 1, loud: 3, unlucky: undefined };
  const [one, two] = [written, turned].map((options) =>
    identifySteps({ ...parts(), transforms: [step(total, options)] })
      .find((identity) => identity.step === 'transform "total"')?.plugin
  );
  assertEquals(one, 'total version 1 with {"quiet":1,"loud":3}');
  assertEquals(two, one);
});

Deno.test("identifySteps() holds no secret", () => {
  const keyed = defineTransform({
    id: "keyed",
    summary: "Asks somebody",
    options: z.strictObject({ token: secret() }),
    shape: (input) => input,
    state: { version: 1, initial: () => 0 },
    step: (_record: unknown, { state }) => state,
  });
  const identities = identifySteps({
    ...parts(),
    transforms: [step(keyed, { token: "hunter2" })],
  });
  assertEquals(identities[2]?.plugin, 'keyed version 1 with {"token":"***"}');
  assertEquals(JSON.stringify(identities).includes("hunter2"), false);
});

Deno.test("refuseOtherPipeline() takes the checkpoint of the very same pipeline", () => {
  refuseOtherPipeline(parts(), savedOf(parts()));
});

Deno.test("refuseOtherPipeline() lets options change where nothing depends on them", () => {
  const pipeline: Pipeline = {
    ...parts(),
    sources: [step(numbers, { to: 99, size: 7 }), step(numbers, { to: 20 }, { id: "more" })],
    transforms: [
      step(total, { quiet: 3 }, { onError: "drop" }),
      step(plain, { digits: 8 }),
      step(total, {}, { id: "again" }),
    ],
    epoch: { records: 1, ms: 1 },
    folder: "/elsewhere",
  };
  refuseOtherPipeline(pipeline, savedOf(parts()));
});

Deno.test("refuseOtherPipeline() lets sources and sinks change places", () => {
  const { sources, sinks } = parts();
  refuseOtherPipeline(
    { ...parts(), sources: sources.toReversed(), sinks: sinks.toReversed() },
    savedOf(parts()),
  );
});

Deno.test("refuseOtherPipeline() refuses the checkpoint of a pipeline of another name", () => {
  const error = assertThrows(
    () => refuseOtherPipeline({ ...parts(), name: "eth" }, savedOf(parts())),
    FatalError,
    'Cannot go on from the checkpoint as it must be of pipeline "eth": it is of "test"',
  );
  assertEquals(
    error.hint,
    "Give each pipeline a folder of its own with --state, or set `name` back",
  );
});

Deno.test("refuseOtherPipeline() refuses each change that would bend what is kept", async (t) => {
  const { sources, transforms, sinks } = parts();
  const [first, second, third] = transforms;
  if (!first || !second || !third) throw new Error("There are three transforms");
  const newer = defineTransform({
    ...total,
    state: { version: 2, initial: () => ({ sum: 0 }) },
  });
  const cases: [string, Partial<Pipeline>, string][] = [
    ["a source is gone", { sources: sources.slice(0, 1) }, 'source "more" is gone'],
    [
      "a source is new",
      { sources: [...sources, step(numbers, { to: 1 }, { id: "third" })] },
      'source "third" is new',
    ],
    [
      "a transform has other options",
      { transforms: [step(total, { quiet: 4 }), second, third] },
      'transform "total" was total version 1 with {"quiet":3} and is total version 1 with {"quiet":4}',
    ],
    [
      "a transform has a state of another version",
      { transforms: [step(newer, { quiet: 3 }), second, third] },
      'transform "total" was total version 1 with {"quiet":3} and is total version 2 with {"quiet":3}',
    ],
    [
      "a source of that name is another plugin",
      {
        sources: [
          step(defineSource({ ...numbers, id: "other_numbers" }), { to: 1 }, { id: "numbers" }),
          ...sources.slice(1),
        ],
      },
      'source "numbers" was numbers and is other_numbers',
    ],
    [
      "transforms changed places",
      { transforms: [second, first, third] },
      'the order was transform "total", transform "plain", transform "again" and is transform "plain", transform "total", transform "again"',
    ],
    [
      "a step changed its name",
      { sinks: [step(diskSink(new Disk()), {}, { id: "store" }), ...sinks.slice(1)] },
      'sink "store" is new; sink "disk" is gone',
    ],
  ];
  for (const [name, change, changes] of cases) {
    await t.step(name, () => {
      const error = assertThrows(
        () => refuseOtherPipeline({ ...parts(), ...change }, savedOf(parts())),
        FatalError,
      );
      assertEquals(error.message, CHANGED + changes);
    });
  }
});

Deno.test("refuseOtherPipeline() names all changes at once", () => {
  const changed = { ...parts(), transforms: [], deadLetter: undefined };
  const error = assertThrows(
    () => refuseOtherPipeline(changed, savedOf(parts())),
    FatalError,
  );
  assertEquals(
    error.message,
    CHANGED +
      'transform "total" is gone; transform "plain" is gone; transform "again" is gone',
  );
});

Deno.test("refuseOtherPipeline() says which command lets a step forget, or the whole pipeline", () => {
  const [first, second, third] = parts().transforms;
  if (!first || !second || !third) throw new Error("There are three transforms");
  const hintOf = (change: Partial<Pipeline>) =>
    assertThrows(() => refuseOtherPipeline({ ...parts(), ...change }, savedOf(parts())), FatalError)
      .hint;
  assertEquals(
    hintOf({ transforms: [step(total, { quiet: 4 }), second, third] }),
    "Undo the change, or let it forget with `penstock state reset FILE --step total`",
  );
  assertEquals(
    hintOf({ transforms: [step(total), second, step(total, { loud: 1 }, { id: "again" })] }),
    "Undo the change, or let it forget with `penstock state reset FILE --step total` and " +
      "`penstock state reset FILE --step again`",
  );
  const all = "Undo the change, or start from the beginning with `penstock state reset FILE`";
  assertEquals(hintOf({ transforms: [second, first, third] }), all);
  assertEquals(hintOf({ transforms: [step(total, { quiet: 4 }), second] }), all);
});

Deno.test("refuseOtherPipeline() lets a step be another one once it has forgotten", () => {
  const { positions, states, tokens, ...rest } = savedOf(parts());
  const forgotten: Checkpoint = {
    ...rest,
    positions: { more: positions.more ?? {} },
    states: { again: states.again ?? {} },
    tokens: { other: tokens.other ?? null },
  };
  refuseOtherPipeline({
    ...parts(),
    sources: [
      step(defineSource({ ...numbers, id: "other_numbers" }), { to: 1 }, { id: "numbers" }),
      ...parts().sources.slice(1),
    ],
    transforms: [step(total, { quiet: 4 }), ...parts().transforms.slice(1)],
    sinks: [step(diskSink(new Disk(), "elsewhere"), {}, { id: "disk" }), ...parts().sinks.slice(1)],
  }, forgotten);
});

Deno.test("where refused records go may be added, changed and taken out; its token is for itself alone", () => {
  const token = { bytes: 7 };
  const saved = { ...savedOf(parts()), deadLetterToken: token };
  const none = { ...parts(), deadLetter: undefined };
  const other = { ...parts(), deadLetter: step(diskSink(new Disk(), "elsewhere")) };
  for (const pipeline of [parts(), none, other]) refuseOtherPipeline(pipeline, saved);
  assertEquals(letterToken(parts(), saved), token);
  assertEquals(letterToken(other, saved), undefined);
  assertEquals(letterToken(none, saved), undefined);
  refuseOtherPipeline(parts(), savedOf(none));
  assertEquals(letterToken(parts(), savedOf(none)), undefined);
});
