import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type CheckpointStore, memoryCheckpoints } from "../../../engine/checkpoint/checkpoint.ts";
import type { Log } from "../../../engine/context.ts";
import { FatalError, RetryableError } from "../../../engine/errors.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import { defineSink, defineSource } from "../../../engine/plugin.ts";
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

/** Gives the numbers 1 to 3, then waits until it is told to stop. */
const ticking = defineSource({
  ...numbers,
  id: "ticking",
  endless: true,
  async *read(options: { to: number; size: number }, from, context) {
    if (from.next === undefined) yield* numbers.read(options, from, context);
    await context.sleep(1e12);
  },
});

function liveTo(disk: Disk): Pipeline {
  return pipelineOf({
    sources: [step(ticking, { to: 3 })],
    transforms: [step(total)],
    sinks: [step(diskSink(disk))],
    epoch: { records: 100, ms: 1e9 },
  });
}

/** Runs a pipeline that is stopped a second after it has begun; gives what came of it and when. */
async function stopped(pipeline: Pipeline, checkpoints: CheckpointStore, drainMs?: number) {
  const world = fakeWorld();
  const stop = new AbortController();
  const startMs = world.clock.now();
  const over = new AbortController();
  world.clock.sleep(1_000, over.signal)
    .then(() => stop.abort(new DOMException("Stop", "AbortError")), () => {});
  const said: string[] = [];
  const log: Log = { debug: () => {}, info: () => {}, warn: (message) => void said.push(message) };
  const ending = await runPipeline(pipeline, {
    ...{ world, checkpoints, stop: stop.signal, log: () => log },
    ...(drainMs === undefined ? {} : { drainMs }),
  }).then(({ outcome }) => outcome, (error) => error);
  over.abort();
  return { ending, said, afterMs: world.clock.now() - startMs };
}

function hang(): Promise<never> {
  return new Promise(() => {});
}

Deno.test("a run that is told to stop does not wait for ever for a delivery that hangs", async () => {
  const disk = new Disk();
  disk.onDeliver = hang;
  const { ending, afterMs } = await stopped(liveTo(disk), memoryCheckpoints());
  assert(ending instanceof FatalError);
  assertEquals(
    ending.message,
    'Cannot end cleanly within 30 s: sink "disk" has not acknowledged 3 records',
  );
  assertStringIncludes(ending.hint ?? "", "the next run does again what follows");
  assertEquals(afterMs, 31_000);
});

Deno.test("a run that is told to stop waits as long as it is told to", async () => {
  const disk = new Disk();
  disk.onDeliver = hang;
  const { ending, afterMs } = await stopped(liveTo(disk), memoryCheckpoints(), 4_000);
  assertStringIncludes(String(ending), "Cannot end cleanly within 4 s");
  assertEquals(afterMs, 5_000);
});

Deno.test("a run that is told to stop waits for what is slow, if it comes in time", async () => {
  const disk = new Disk();
  const checkpoints = memoryCheckpoints();
  const world = fakeWorld();
  const stop = new AbortController();
  disk.onDeliver = () => {
    stop.abort();
    return world.clock.sleep(29_000);
  };
  const report = await runPipeline(liveTo(disk), { world, checkpoints, stop: stop.signal });
  assertEquals([report.outcome, disk.lines.length], ["stopped", 3]);
  assertEquals((await checkpoints.load())?.positions.ticking, { next: 4 });
});

Deno.test("a run that is told to stop names the sink whose flush hangs, and a checkpoint that does", async () => {
  const flushing = new Disk();
  flushing.onFlush = () => flushing.flushes > 1 ? hang() : Promise.resolve();
  const first = await stopped(liveTo(flushing), memoryCheckpoints());
  assertStringIncludes(String(first.ending), 'sink "disk" has not made what it was sent durable');
  const kept = memoryCheckpoints();
  let saves = 0;
  const saving: CheckpointStore = {
    ...kept,
    save: (checkpoint) => ++saves > 1 ? hang() : kept.save(checkpoint),
  };
  const second = await stopped(liveTo(new Disk()), saving);
  assertStringIncludes(String(second.ending), "the checkpoint is not saved");
});

Deno.test("what a stop could not deliver is delivered by the next run, once", async () => {
  const disk = new Disk();
  const checkpoints = memoryCheckpoints();
  disk.onDeliver = hang;
  await stopped(liveTo(disk), checkpoints);
  disk.onDeliver = () => Promise.resolve();
  const { ending } = await stopped(liveTo(disk), checkpoints);
  assertEquals(ending, "stopped");
  assertEquals(disk.lines.map((line) => JSON.parse(line).n), [1, 2, 3]);
});

Deno.test("a run that is told to stop while a sink cannot be opened stops at once, cleanly", async () => {
  const away = defineSink({
    ...diskSink(new Disk()),
    open: () => Promise.reject(new RetryableError("The store is away")),
  });
  const { ending, afterMs } = await stopped(
    { ...liveTo(new Disk()), sinks: [step(away)] },
    memoryCheckpoints(),
  );
  assertEquals([ending, afterMs], ["stopped", 1_000]);
});

Deno.test("a run that has failed does not wait for ever for another sink that hangs", async () => {
  const hanging = new Disk();
  hanging.onDeliver = hang;
  const failing = new Disk();
  failing.onDeliver = () => Promise.reject(new FatalError("The disk is gone"));
  const world = fakeWorld();
  const startMs = world.clock.now();
  await assertRejects(
    () =>
      runPipeline({
        ...liveTo(failing),
        sinks: [step(diskSink(hanging, "hanging")), step(diskSink(failing))],
        epoch: { records: 1, ms: 1e9 },
      }, { world, checkpoints: memoryCheckpoints() }),
    FatalError,
    "The disk is gone",
  );
  assertEquals(world.clock.now() - startMs, 30_000);
});

Deno.test("a run that is done does not wait for ever for a sink that does not close", async () => {
  const sink = defineSink({
    ...diskSink(new Disk()),
    open: () =>
      Promise.resolve({
        deliver: () => Promise.resolve(),
        flush: () => Promise.resolve(null),
        close: hang,
      }),
  });
  const { ending, said } = await stopped(
    { ...liveTo(new Disk()), sources: [step(numbers, { to: 3 })], sinks: [step(sink)] },
    memoryCheckpoints(),
  );
  assertEquals(ending, "done");
  assertEquals(said.length, 1);
  assertStringIncludes(said[0] ?? "", "Cannot close the sinks");
});

Deno.test("a source that must not end fails the run when it ends, once what it gave is saved", async () => {
  const disk = new Disk();
  const checkpoints = memoryCheckpoints();
  const ending = defineSource({ ...numbers, endless: true });
  const error = await assertRejects(
    () =>
      runPipeline({ ...liveTo(disk), sources: [step(ending, { to: 3 })] }, {
        world: fakeWorld(),
        checkpoints,
      }),
    FatalError,
    'Cannot go on as source "numbers" must not end by itself: it has ended',
  );
  assertStringIncludes(error.hint ?? "", "goes on from the last checkpoint");
  assertEquals(disk.lines.length, 3);
  assertEquals((await checkpoints.load())?.positions.numbers, { next: 4 });
});

Deno.test("a source that must not end takes the others along when it ends", async () => {
  const disk = new Disk();
  const sources = [
    step(defineSource({ ...numbers, endless: true }), { to: 3 }),
    step(ticking, { to: 3 }),
  ];
  const { ending, afterMs } = await stopped({ ...liveTo(disk), sources }, memoryCheckpoints());
  assertStringIncludes(String(ending), 'source "numbers" must not end by itself');
  assertEquals([afterMs, disk.lines.length], [0, 6]);
});

Deno.test("a source that must not end may end when it is told to", async () => {
  const leaving = defineSource({
    ...numbers,
    endless: true,
    async *read(_options: unknown, _from, context) {
      yield { records: [{ key: "a", n: 1 }] as Item[], position: { next: 2 } };
      await context.sleep(1e12).catch(() => {});
    },
  });
  const { ending } = await stopped(
    { ...liveTo(new Disk()), sources: [step(leaving, { to: 1 })] },
    memoryCheckpoints(),
  );
  assertEquals(ending, "stopped");
});
