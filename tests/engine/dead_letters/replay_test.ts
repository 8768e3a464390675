/** Dead letters that are put through again, in a run of the engine. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type CheckpointStore, memoryCheckpoints } from "../../../engine/checkpoint/checkpoint.ts";
import { FatalError, RecordError } from "../../../engine/errors.ts";
import { findImbalances } from "../../../engine/run/ledger.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import { defineTransform } from "../../../engine/plugin.ts";
import type { LetterFile } from "../../../engine/dead_letters/replay.ts";
import { runPipeline } from "../../../engine/run/run.ts";
import {
  Disk,
  diskSink,
  fakeWorld,
  type Item,
  numbers,
  pipelineOf,
  step,
  total,
} from "../_fakes.ts";

/** Refuses some numbers; once it is mended, others or none. It remembers nothing. */
function refusing(refused: readonly number[]) {
  return defineTransform({
    id: "picky",
    summary: "Refuses some numbers",
    options: total.options,
    shape: (input) => input,
    step(record: Item, { emit }) {
      if (refused.includes(record.n)) throw new RecordError(`Cannot take ${record.n}`);
      emit(record);
    },
  });
}

/** A pipeline that refuses some numbers, adds up the others, and keeps what it refused. */
class World {
  readonly disk = new Disk();
  readonly dead = new Disk();
  readonly checkpoints = memoryCheckpoints();
  readonly world = fakeWorld();

  pipeline(refused: readonly number[], parts: Partial<Pipeline> = {}): Pipeline {
    return pipelineOf({
      sources: [step(numbers, { to: 10 })],
      transforms: [step(refusing(refused), {}, { onError: "dead_letter" }), step(total)],
      sinks: [step(diskSink(this.disk), {}, { onError: "dead_letter" })],
      deadLetter: step(diskSink(this.dead, "dead")),
      ...parts,
    });
  }

  run(pipeline: Pipeline) {
    return runPipeline(pipeline, { world: this.world, checkpoints: this.checkpoints });
  }

  replay(pipeline: Pipeline, checkpoints: CheckpointStore = this.checkpoints) {
    return runPipeline(pipeline, {
      world: this.world,
      checkpoints,
      letters: () => Promise.resolve([this.letters()]),
    });
  }

  /** What the dead-letter sink has kept, as a file. */
  letters(): LetterFile {
    const { dead } = this;
    return {
      name: "rejected.jsonl",
      async *lines() {
        for (let line = 0; line < dead.lines.length; line++) yield dead.lines[line] ?? "";
      },
    };
  }
}

Deno.test("a replay puts letters through their step and what follows, with the states there are", async () => {
  const one = new World();
  await one.run(one.pipeline([3, 8]));
  assertEquals(one.dead.lines, [
    '{"pipeline":"test","step":"picky","number":3,"reason":"Cannot take 3","record":{"key":"a","n":3}}',
    '{"pipeline":"test","step":"picky","number":8,"reason":"Cannot take 8","record":{"key":"b","n":8}}',
  ]);
  assertEquals(one.disk.lines.slice(6), [
    '{"key":"a","n":9,"sum":22}',
    '{"key":"b","n":10,"sum":22}',
  ]);
  const { ledger, records, deadLetters } = await one.replay(one.pipeline([]));
  assertEquals(one.disk.lines.slice(8), [
    '{"key":"a","n":3,"sum":25}',
    '{"key":"b","n":8,"sum":30}',
  ]);
  assertEquals([records, deadLetters], [2, {}]);
  assertEquals(ledger.transforms.picky, {
    in: 12,
    replayed: 2,
    out: 10,
    extra: 0,
    filtered: 0,
    rejected: 2,
  });
  assertEquals(findImbalances(ledger), []);
});

Deno.test("a second replay does nothing, and the pipeline goes on where it was", async () => {
  const one = new World();
  await one.run(one.pipeline([3, 8]));
  await one.replay(one.pipeline([]));
  const before = [...one.disk.lines];
  assertEquals((await one.replay(one.pipeline([]))).records, 0);
  const more = one.pipeline([], { sources: [step(numbers, { to: 12 })] });
  assertEquals((await one.run(more)).records, 0);
  assertEquals(one.disk.lines, before);
});

Deno.test("a letter of a sink goes to that sink alone", async () => {
  const one = new World();
  const other = new Disk();
  const sinks = [
    step(diskSink(one.disk), {}, { onError: "dead_letter" as const }),
    step(diskSink(other, "other")),
  ];
  one.disk.onDeliver = (lines) => {
    const index = lines.findIndex((line) => line.includes('"n":7'));
    return Promise.resolve(index < 0 ? [] : [{ index, reason: "too lucky" }]);
  };
  await one.run(one.pipeline([], { sinks }));
  assertEquals(one.dead.lines, [
    '{"pipeline":"test","step":"disk","number":7,"reason":"Sink \\"disk\\" was told: too lucky",' +
    '"record":{"key":"a","n":7,"sum":16}}',
  ]);
  one.disk.onDeliver = () => Promise.resolve();
  const { ledger } = await one.replay(one.pipeline([], { sinks }));
  assertEquals(one.disk.lines.at(-1), '{"key":"a","n":7,"sum":16}');
  assertEquals([one.disk.lines.length, other.lines.length], [10, 10]);
  assertEquals(ledger.transforms.total?.in, 10);
});

Deno.test("a letter that is refused once more is kept once more, and left for the next replay", async () => {
  const one = new World();
  await one.run(one.pipeline([3, 8]));
  const { records, deadLetters } = await one.replay(one.pipeline([8]));
  assertEquals([records, deadLetters], [2, { picky: 1 }]);
  assertEquals(one.dead.lines.length, 3);
  assertStringIncludes(one.dead.lines[2] ?? "", '"number":12,"reason":"Cannot take 8"');
  const last = await one.replay(one.pipeline([]));
  assertEquals([last.records, last.deadLetters], [1, {}]);
  assertEquals(one.disk.lines.length, 10);
});

/** A world with letters of a transform and of a sink, in turn. */
async function mixedLetters(): Promise<World> {
  const one = new World();
  one.disk.onDeliver = (lines) =>
    Promise.resolve(
      lines.flatMap((line, index) => /"n":[258],/.test(line) ? [{ index, reason: "unlucky" }] : []),
    );
  await one.run(one.pipeline([1, 4, 7], { epoch: { records: 3, ms: 5_000 } }));
  assertEquals(one.dead.lines.map((line) => JSON.parse(line).step), [
    ...["picky", "disk", "picky", "disk", "picky", "disk"],
  ]);
  one.disk.onDeliver = () => Promise.resolve();
  return one;
}

Deno.test("a replay that is killed goes on from its checkpoint: each letter is put through once", async (t) => {
  const mended = (one: World) => one.pipeline([4], { epoch: { records: 1, ms: 5_000 } });
  const whole = await mixedLetters();
  const { epochs } = await whole.replay(mended(whole));
  assertEquals(epochs, 6);
  const places = ["deliver", "flush", "before save", "after save"] as const;
  for (const place of places) {
    for (let nth = 1; nth <= 5; nth++) {
      await t.step(`${place} ${nth}`, async () => {
        const one = await mixedLetters();
        let reached = 0;
        const dieAt = (here: typeof places[number]) => {
          if (here === place && ++reached === nth) throw new FatalError("killed");
        };
        one.disk.onDeliver = () => Promise.resolve().then(() => dieAt("deliver"));
        one.disk.onFlush = () => Promise.resolve().then(() => dieAt("flush"));
        const dying: CheckpointStore = {
          ...one.checkpoints,
          async save(checkpoint) {
            dieAt("before save");
            await one.checkpoints.save(checkpoint);
            dieAt("after save");
          },
        };
        await assertRejects(() => one.replay(mended(one), dying), FatalError, "killed");
        const { ledger } = await one.replay(mended(one));
        assertEquals(one.disk.lines, whole.disk.lines);
        assertEquals(one.dead.lines[6], whole.dead.lines[6]);
        assertEquals(findImbalances(ledger), []);
      });
    }
  }
});

Deno.test("a replay says what is wrong with a line, and puts nothing through", async () => {
  const cases: [line: string, message: string][] = [
    ["{", "it must be JSON: it is not"],
    [
      '{"pipeline":"btc","step":"total","number":1,"reason":"a","record":1}',
      'it must be of pipeline "test": it is of "btc"',
    ],
    [
      '{"pipeline":"test","step":"totl","number":1,"reason":"a","record":1}',
      'the step that refused it must be one of the pipeline: "totl" is none',
    ],
  ];
  for (const [line, message] of cases) {
    const one = new World();
    await one.run(one.pipeline([3]));
    one.dead.lines.push(line);
    const pipeline = one.pipeline([]);
    // The file is not the sink's own here, which would cut the line off.
    const lines = [...one.dead.lines];
    const letters = () =>
      Promise.resolve([{
        name: "rejected.jsonl",
        async *lines() {
          yield* lines;
        },
      }]);
    const { world, checkpoints } = one;
    const error = await assertRejects(
      () => runPipeline(pipeline, { world, checkpoints, letters }),
      FatalError,
      `Cannot replay line 2 of "rejected.jsonl" as ${message}`,
    );
    assert(!error.message.includes("record"));
    const again = await one.run(pipeline);
    assertEquals([again.records, one.disk.lines.length], [0, 9]);
  }
});

Deno.test("a replay needs a pipeline that has run", async () => {
  const one = new World();
  const error = await assertRejects(() => one.replay(one.pipeline([])), FatalError);
  assertStringIncludes(error.message, 'pipeline "test" as it must have run before');
});

Deno.test("a run fails once a step has refused more than it may, wherever it was stopped before", async () => {
  for (const size of [1, 3, 10]) {
    const one = new World();
    const parts = {
      sources: [step(numbers, { to: 10, size })],
      deadLetterLimit: { refused: 2, records: 5 },
      epoch: { records: 2, ms: 5_000 },
    };
    const error = await assertRejects(
      () => one.run(one.pipeline([1, 4, 6, 8], parts)),
      FatalError,
      'step "picky" may refuse at most 2 of 5 records in a row: it refused more, the last as ' +
        "follows: Cannot take 8",
    );
    assertStringIncludes(error.hint ?? "", "`max` of `dead_letter`");
    // It fails at the same record when it is run again, as what counted is part of the checkpoint.
    await assertRejects(() => one.run(one.pipeline([1, 4, 6, 8], parts)), FatalError, "take 8");
    const { ledger } = await one.run(
      one.pipeline([1, 4, 6, 8], { ...parts, deadLetterLimit: undefined }),
    );
    assertEquals(ledger.deadLetter.out, 4);
  }
});

Deno.test("a run that a refused record has ended goes on with `dead_letter`, as its hint says", async () => {
  const one = new World();
  const stopping = one.pipeline([], {
    transforms: [step(refusing([5])), step(total)],
    deadLetter: undefined,
  });
  const error = await assertRejects(() => one.run(stopping), FatalError, "Cannot take 5");
  assertStringIncludes(error.hint ?? "", "`on_error: dead_letter`");
  await one.run(one.pipeline([5]));
  assertEquals([one.disk.lines.length, one.dead.lines.length], [9, 1]);
  // And without it again, once nothing is refused any more.
  assertEquals((await one.run(one.pipeline([], { deadLetter: undefined }))).records, 0);
});
