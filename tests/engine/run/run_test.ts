import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import { type CheckpointStore, memoryCheckpoints } from "../../../engine/checkpoint/checkpoint.ts";
import { FatalError, RecordError, RetryableError } from "../../../engine/errors.ts";
import type { Log } from "../../../engine/context.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import { defineSink, defineSource, defineTransform } from "../../../engine/plugin.ts";
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

const TEN = [
  '{"key":"a","n":1,"sum":1}',
  '{"key":"b","n":2,"sum":2}',
  '{"key":"a","n":3,"sum":4}',
  '{"key":"b","n":4,"sum":6}',
  '{"key":"a","n":5,"sum":9}',
  '{"key":"b","n":6,"sum":12}',
  '{"key":"a","n":7,"sum":16}',
  '{"key":"b","n":8,"sum":20}',
  '{"key":"a","n":9,"sum":25}',
  '{"key":"b","n":10,"sum":30}',
];

function tenTo(disk: Disk): Pipeline {
  return pipelineOf({
    sources: [step(numbers, { to: 10 })],
    transforms: [step(total)],
    sinks: [step(diskSink(disk))],
  });
}

Deno.test("runPipeline() delivers every record in order and balances its ledger", async () => {
  const disk = new Disk();
  const report = await runPipeline(tenTo(disk), {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(disk.lines, TEN);
  assertEquals(report.outcome, "done");
  assertEquals(report.records, 10);
  assertEquals(report.ledger, {
    sources: { numbers: { in: 0, replayed: 0, out: 10, extra: 0, filtered: 0, rejected: 0 } },
    transforms: { total: { in: 10, replayed: 0, out: 10, extra: 0, filtered: 0, rejected: 0 } },
    sinks: { disk: { in: 10, replayed: 0, out: 10, extra: 0, filtered: 0, rejected: 0 } },
    deadLetter: { in: 0, replayed: 0, out: 0, extra: 0, filtered: 0, rejected: 0 },
    dropped: 0,
  });
});

Deno.test("runPipeline() gives every sink every record", async () => {
  const one = new Disk();
  const two = new Disk();
  const pipeline = { ...tenTo(one), sinks: [step(diskSink(one)), step(diskSink(two, "other"))] };
  await runPipeline(pipeline, { world: fakeWorld(), checkpoints: memoryCheckpoints() });
  assertEquals([one.lines, two.lines], [TEN, TEN]);
});

Deno.test("runPipeline() merges sources and keeps the order of each", async () => {
  const disk = new Disk();
  const pipeline = pipelineOf({
    sources: [
      step(numbers, { to: 50, size: 2 }),
      step(numbers, { to: 50, size: 7 }, { id: "more" }),
    ],
    sinks: [step(diskSink(disk))],
  });
  const report = await runPipeline(pipeline, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(disk.lines.length, 100);
  assertEquals(report.ledger.sources.numbers?.out, 50);
  assertEquals(report.ledger.sources.more?.out, 50);
  const ns = disk.lines.map((line) => JSON.parse(line).n as number);
  for (let n = 1; n <= 50; n++) assertEquals(ns.filter((other) => other === n).length, 2);
});

Deno.test("runPipeline() goes on from the checkpoint, state included, wherever it was killed", async (t) => {
  // Each place is where the process dies: nothing after it happens, what is on the disk stays.
  const places = ["deliver", "flush", "before save", "after save"] as const;
  for (const place of places) {
    for (let nth = 1; nth <= 4; nth++) {
      await t.step(`${place} ${nth}`, async () => {
        const disk = new Disk();
        const kept = memoryCheckpoints();
        let reached = 0;
        const dieAt = (here: typeof places[number]) => {
          if (here === place && ++reached === nth) throw new FatalError("killed");
        };
        disk.onDeliver = () => Promise.resolve().then(() => dieAt("deliver"));
        disk.onFlush = () => Promise.resolve().then(() => dieAt("flush"));
        const dying: CheckpointStore = {
          ...kept,
          async save(checkpoint) {
            dieAt("before save");
            await kept.save(checkpoint);
            dieAt("after save");
          },
        };
        const world = fakeWorld();
        await runPipeline(tenTo(disk), { world, checkpoints: dying })
          .catch((error) => assertEquals(error.message, "killed"));
        const report = await runPipeline(tenTo(disk), { world, checkpoints: kept });
        assertEquals(disk.lines, TEN);
        assertEquals(report.ledger.sinks.disk, {
          in: 10,
          replayed: 0,
          out: 10,
          extra: 0,
          filtered: 0,
          rejected: 0,
        });
      });
    }
  }
});

Deno.test("runPipeline() stops at a refused record and says what to do", async () => {
  const disk = new Disk();
  const pipeline = { ...tenTo(disk), transforms: [step(total, { unlucky: 5 })] };
  const error = await assertRejects(
    () => runPipeline(pipeline, { world: fakeWorld(), checkpoints: memoryCheckpoints() }),
    FatalError,
    'Step "total" refused a record: Cannot add 5',
  );
  assertStringIncludes(error.hint ?? "", "on_error: dead_letter");
});

Deno.test("runPipeline() drops a refused record when told to, state and output untouched by it", async () => {
  const disk = new Disk();
  const pipeline = {
    ...tenTo(disk),
    transforms: [step(total, { unlucky: 5 }, { onError: "drop" })],
  };
  const { ledger } = await runPipeline(pipeline, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(disk.lines.slice(3, 6), [
    '{"key":"b","n":4,"sum":6}',
    '{"key":"b","n":6,"sum":12}',
    '{"key":"a","n":7,"sum":11}',
  ]);
  assertEquals(ledger.transforms.total, {
    in: 10,
    replayed: 0,
    out: 9,
    extra: 0,
    filtered: 0,
    rejected: 1,
  });
  assertEquals(ledger.dropped, 1);
});

Deno.test("runPipeline() keeps refused records in the dead-letter sink, across a resume", async () => {
  const disk = new Disk();
  const dead = new Disk();
  const checkpoints = memoryCheckpoints();
  const pipeline = {
    ...tenTo(disk),
    transforms: [step(total, { unlucky: 5 }, { onError: "dead_letter" as const })],
    deadLetter: step(diskSink(dead, "dead")),
  };
  disk.onDeliver = () =>
    disk.deliveries === 3 ? Promise.reject(new FatalError("killed")) : Promise.resolve();
  const world = fakeWorld();
  await runPipeline(pipeline, { world, checkpoints }).catch(() => {});
  const { ledger } = await runPipeline(pipeline, { world, checkpoints });
  assertEquals(dead.lines, [
    '{"pipeline":"test","step":"total","number":5,"reason":"Cannot add 5","record":{"key":"a","n":5}}',
  ]);
  assertEquals(ledger.deadLetter, {
    in: 1,
    replayed: 0,
    out: 1,
    extra: 0,
    filtered: 0,
    rejected: 0,
  });
  assertEquals(disk.lines.length, 9);
});

Deno.test("runPipeline() drops what the dead-letter sink refuses where it is told to", async () => {
  const dead = new Disk();
  dead.onDeliver = () => Promise.resolve([{ index: 0, reason: "too long" }]);
  const pipeline = (onError: "stop" | "drop") => ({
    ...tenTo(new Disk()),
    transforms: [step(total, { unlucky: 5 }, { onError: "dead_letter" as const })],
    deadLetter: step(diskSink(dead, "dead"), {}, { onError }),
  });
  const parts = () => ({ world: fakeWorld(), checkpoints: memoryCheckpoints() });
  const { ledger } = await runPipeline(pipeline("drop"), parts());
  assertEquals(ledger.deadLetter, {
    in: 1,
    replayed: 0,
    out: 0,
    extra: 0,
    filtered: 0,
    rejected: 1,
  });
  assertEquals([ledger.dropped, dead.lines], [1, []]);
  const error = await runPipeline(pipeline("stop"), parts()).catch((error) => error);
  assertEquals(error.message, 'Step "dead" refused a record: Sink "dead" was told: too long');
  assertEquals(error.hint, "Set `on_error: drop` on that step to go on without such records");
});

Deno.test("runPipeline() counts what a transform leaves out and what it adds", async () => {
  const disk = new Disk();
  const pipeline = { ...tenTo(disk), transforms: [step(total, { quiet: 2, loud: 3 })] };
  const { ledger } = await runPipeline(pipeline, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(ledger.transforms.total, {
    in: 10,
    replayed: 0,
    out: 10,
    extra: 1,
    filtered: 1,
    rejected: 0,
  });
});

Deno.test("runPipeline() counts records that the target refuses", async () => {
  const disk = new Disk();
  disk.onDeliver = (lines) => {
    const index = lines.findIndex((line) => line.includes('"n":7'));
    return Promise.resolve(index < 0 ? [] : [{ index, reason: "too lucky" }]);
  };
  const pipeline = { ...tenTo(disk), sinks: [step(diskSink(disk), {}, { onError: "drop" })] };
  const { ledger } = await runPipeline(pipeline, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(ledger.sinks.disk, {
    in: 10,
    replayed: 0,
    out: 9,
    extra: 0,
    filtered: 0,
    rejected: 1,
  });
  assertEquals(disk.lines.length, 9);
});

Deno.test("runPipeline() tries a delivery again and waits as long as the target asks", async () => {
  const disk = new Disk();
  let failures = 0;
  disk.onDeliver = () =>
    ++failures <= 3
      ? Promise.reject(new RetryableError("busy", { retryAfterMs: 20_000 }))
      : Promise.resolve();
  const world = fakeWorld();
  const startMs = world.clock.now();
  await runPipeline(tenTo(disk), { world, checkpoints: memoryCheckpoints() });
  assertEquals(disk.lines, TEN);
  assert(world.clock.now() - startMs >= 60_000);
});

Deno.test("runPipeline() gives up after as many attempts as it was allowed", async () => {
  const disk = new Disk();
  disk.onDeliver = () => Promise.reject(new RetryableError("busy"));
  await assertRejects(
    () =>
      runPipeline(tenTo(disk), {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
        retryLimits: { maxAttempts: 3 },
      }),
    FatalError,
    'Cannot deliver 3 records to sink "disk" in 3 attempts',
  );
  assertEquals(disk.deliveries, 3);
});

Deno.test("runPipeline() does not begin anew with attempts that a source has used up", async () => {
  let attempts = 0;
  const unreachable = defineSource({
    ...numbers,
    // deno-lint-ignore require-yield -- it fails first
    async *read(_options: unknown, _from, context) {
      await context.retry("look up", () => {
        attempts++;
        return Promise.reject(new RetryableError("busy"));
      });
    },
  });
  await assertRejects(
    () =>
      runPipeline({ ...tenTo(new Disk()), sources: [step(unreachable, { to: 10 })] }, {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
        retryLimits: { maxAttempts: 3 },
      }),
    FatalError,
    "Cannot look up in 3 attempts",
  );
  assertEquals(attempts, 3);
});

Deno.test("runPipeline() refuses what a source gives in place of a batch, by its name", async () => {
  for (const batch of [undefined, [1], { records: 5, position: {} }, { records: [1] }]) {
    const odd = defineSource({
      ...numbers,
      async *read() {
        // As a plugin without types may do it.
        yield batch as unknown as { records: Item[]; position: { next: number } };
      },
    });
    const disk = new Disk();
    await assertRejects(
      () =>
        runPipeline({ ...tenTo(disk), sources: [step(odd, { to: 10 })] }, {
          world: fakeWorld(),
          checkpoints: memoryCheckpoints(),
        }),
      FatalError,
      'Cannot read source "numbers" as a batch must have',
    );
    assertEquals(disk.lines, []);
  }
});

Deno.test("runPipeline() reads on from the position when a source asks for another attempt", async () => {
  let failures = 0;
  const shaky = defineSource({
    ...numbers,
    async *read(options: { to: number; size: number }, from, context) {
      for await (const batch of numbers.read(options, from, context)) {
        if (batch.position.next === 7 && failures++ < 2) throw new RetryableError("cut off");
        yield batch;
      }
    },
  });
  const disk = new Disk();
  const said: string[] = [];
  const log: Log = { debug: () => {}, info: () => {}, warn: (message) => void said.push(message) };
  await runPipeline({ ...tenTo(disk), sources: [step(shaky, { to: 10 })] }, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
    log: () => log,
  });
  assertEquals(disk.lines, TEN);
  assertEquals(said, ["Cannot read on: cut off", "Cannot read on: cut off"]);
});

Deno.test("runPipeline() names the source of an error nobody planned for", async () => {
  const broken = defineSource({
    ...numbers,
    // deno-lint-ignore require-yield -- it fails before it gives anything
    async *read() {
      throw new TypeError("x is undefined");
    },
  });
  await assertRejects(
    () =>
      runPipeline({ ...tenTo(new Disk()), sources: [step(broken, { to: 1 })] }, {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
      }),
    FatalError,
    'Source "numbers" failed: x is undefined',
  );
});

Deno.test("runPipeline() names the transform of an error nobody planned for", async () => {
  const broken = defineTransform({
    id: "broken",
    summary: "Fails",
    options: z.strictObject({}),
    shape: (input) => input,
    step(_record: Item): void {
      throw new TypeError("x is undefined");
    },
  });
  await assertRejects(
    () =>
      runPipeline({ ...tenTo(new Disk()), transforms: [step(broken)] }, {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
      }),
    FatalError,
    'Transform "broken" failed: x is undefined',
  );
});

Deno.test("runPipeline() stops cleanly: what was read is delivered and saved, the rest comes later", async () => {
  const disk = new Disk();
  const stop = new AbortController();
  disk.onDeliver = () => {
    if (disk.deliveries === 2) stop.abort();
    return Promise.resolve();
  };
  const checkpoints = memoryCheckpoints();
  const world = fakeWorld();
  const first = await runPipeline(tenTo(disk), { world, checkpoints, stop: stop.signal });
  assertEquals(first.outcome, "stopped");
  assert(disk.lines.length < 10 && disk.lines.length === first.records);
  const second = await runPipeline(tenTo(disk), { world, checkpoints });
  assertEquals(second.outcome, "done");
  assertEquals(first.records + second.records, 10);
  assertEquals(disk.lines, TEN);
});

Deno.test("runPipeline() ends a source that waits when it is stopped", async () => {
  const quiet = defineSource({
    ...numbers,
    async *read(options: { to: number; size: number }, from, context) {
      yield* numbers.read(options, from, context);
      await context.sleep(1e12);
    },
  });
  const disk = new Disk();
  const stop = new AbortController();
  const world = fakeWorld();
  void world.clock.sleep(60_000).then(() => stop.abort());
  const report = await runPipeline({ ...tenTo(disk), sources: [step(quiet, { to: 10 })] }, {
    world,
    checkpoints: memoryCheckpoints(),
    stop: stop.signal,
  });
  assertEquals(report.outcome, "stopped");
  assertEquals(disk.lines, TEN);
});

Deno.test("runPipeline() saves by time when no more records come", async () => {
  const checkpoints = memoryCheckpoints();
  const stop = new AbortController();
  const world = fakeWorld();
  const quiet = defineSource({
    ...numbers,
    async *read(options: { to: number; size: number }, from, context) {
      yield* numbers.read(options, from, context);
      await context.sleep(6_000);
      assertEquals((await checkpoints.load())?.positions.numbers, { next: 4 });
      stop.abort();
    },
  });
  await runPipeline({ ...tenTo(new Disk()), sources: [step(quiet, { to: 3 })] }, {
    world,
    checkpoints,
    stop: stop.signal,
  });
});

Deno.test("runPipeline() ends at once when it is aborted, even if a sink hangs", async () => {
  const disk = new Disk();
  const abort = new AbortController();
  disk.onDeliver = () => {
    abort.abort(new DOMException("Ended by the second signal", "AbortError"));
    return new Promise(() => {});
  };
  await assertRejects(
    () =>
      runPipeline(tenTo(disk), {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
        abort: abort.signal,
      }),
    DOMException,
    "second signal",
  );
});

Deno.test("runPipeline() ends at once when it is aborted, wherever a sink hangs", async (t) => {
  for (const where of ["open", "flush", "close"] as const) {
    await t.step(`in ${where}`, async () => {
      const abort = new AbortController();
      const hang = () => {
        abort.abort(new DOMException("Ended by the second signal", "AbortError"));
        return new Promise<never>(() => {});
      };
      const whole = {
        deliver: () => Promise.resolve(),
        flush: () => Promise.resolve(null),
        close: () => Promise.resolve(),
      };
      const sink = defineSink({
        ...diskSink(new Disk()),
        open: () => where === "open" ? hang() : Promise.resolve({ ...whole, [where]: hang }),
      });
      const outcome = await runPipeline({ ...tenTo(new Disk()), sinks: [step(sink)] }, {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
        abort: abort.signal,
      }).then(({ outcome }) => outcome, String);
      const isDone = where === "close";
      assertEquals(outcome, isDone ? "done" : "AbortError: Ended by the second signal");
    });
  }
});

Deno.test("runPipeline() stops reading while a sink is slower than its source", async () => {
  let read = 0;
  let mostAhead = 0;
  const disk = new Disk();
  const big = "x".repeat(100_000);
  const fast = defineSource({
    ...numbers,
    async *read() {
      for (let n = 1; n <= 2_000; n++) {
        read++;
        mostAhead = Math.max(mostAhead, read - disk.lines.length);
        yield { records: [{ key: "a", n, big }], position: { next: n } };
      }
    },
  });
  const world = fakeWorld();
  disk.onDeliver = () => world.clock.sleep(10);
  await runPipeline(
    pipelineOf({
      sources: [step(fast, { to: 1 })],
      sinks: [step(diskSink(disk))],
      epoch: { records: 10_000, ms: 1e9 },
    }),
    { world, checkpoints: memoryCheckpoints() },
  );
  assertEquals(disk.lines.length, 2_000);
  // A chunk of this sink has four records: one is on its way, and one is gathered.
  assertEquals(mostAhead, 8);
});

Deno.test("runPipeline() refuses the checkpoint of a pipeline with other steps", async () => {
  const checkpoints = memoryCheckpoints();
  const world = fakeWorld();
  await runPipeline(tenTo(new Disk()), { world, checkpoints });
  const changed: [Pipeline, string][] = [
    [{ ...tenTo(new Disk()), name: "other" }, 'must be of pipeline "other": it is of "test"'],
    [{ ...tenTo(new Disk()), transforms: [] }, 'transform "total" is gone'],
    [
      { ...tenTo(new Disk()), transforms: [step(total, { quiet: 2 })] },
      'transform "total" was total version 1 with {} and is total version 1 with {"quiet":2}',
    ],
    [
      { ...tenTo(new Disk()), sinks: [step(diskSink(new Disk(), "other"))] },
      'sink "other" is new; sink "disk" is gone',
    ],
  ];
  for (const [pipeline, message] of changed) {
    await assertRejects(() => runPipeline(pipeline, { world, checkpoints }), FatalError, message);
  }
});

Deno.test("runPipeline() refuses a record that a sink cannot encode, and delivers the others", async () => {
  const disk = new Disk();
  const picky = diskSink(disk);
  const sink = {
    ...step(picky, {}, { onError: "drop" }),
    plugin: Object.assign(() => ({ use: picky }), {
      ...picky,
      encode: (records: readonly unknown[], encoding: Parameters<typeof picky.encode>[1]) => {
        const good = records.filter((record, index) => {
          const bad = (record as Item).n === 4;
          if (bad) encoding.reject(index, new RecordError("Cannot encode 4"));
          return !bad;
        });
        return picky.encode(good, encoding);
      },
    }),
  };
  const { ledger } = await runPipeline({ ...tenTo(disk), sinks: [sink] }, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(disk.lines, TEN.toSpliced(3, 1));
  assertEquals(ledger.sinks.disk, {
    in: 10,
    replayed: 0,
    out: 9,
    extra: 0,
    filtered: 0,
    rejected: 1,
  });
});

Deno.test("runPipeline() reports what a step counted, whatever the step is called", async () => {
  const counting = defineSource({
    ...numbers,
    async *read(options: { to: number; size: number }, from, context) {
      context.metrics.count("requests");
      context.metrics.count("requests", 2, { kind: "second" });
      context.metrics.gauge("weight_used", 40);
      yield* numbers.read(options, from, context);
    },
  });
  const source = step(counting, { to: 3 }, { id: "constructor" });
  const { counters } = await runPipeline({ ...tenTo(new Disk()), sources: [source] }, {
    world: fakeWorld(),
    checkpoints: memoryCheckpoints(),
  });
  assertEquals(counters.constructor, { requests: 3 } as never);
});

Deno.test("runPipeline() names the sink that cannot be opened for a reason nobody planned for", async () => {
  const sink = diskSink(new Disk());
  const broken = Object.assign(() => ({ use: sink }), sink, {
    open: () => Promise.reject(new TypeError("x is undefined")),
  });
  await assertRejects(
    () =>
      runPipeline({ ...tenTo(new Disk()), sinks: [{ ...step(sink), plugin: broken }] }, {
        world: fakeWorld(),
        checkpoints: memoryCheckpoints(),
      }),
    FatalError,
    'Sink "disk" failed: x is undefined',
  );
});

Deno.test("runPipeline() saves by time although the machine's clock steps back by an hour", async () => {
  const checkpoints = memoryCheckpoints();
  const stop = new AbortController();
  const world = fakeWorld();
  let shiftMs = 0;
  const clock = {
    now: () => world.clock.now() + shiftMs,
    steady: () => world.clock.steady(),
    sleep: (ms: number, signal?: AbortSignal) => world.clock.sleep(ms, signal),
  };
  const quiet = defineSource({
    ...numbers,
    async *read(options: { to: number; size: number }, from, context) {
      yield* numbers.read(options, from, context);
      shiftMs = -3_600_000;
      await context.sleep(6_000);
      assertEquals((await checkpoints.load())?.positions.numbers, { next: 4 });
      stop.abort();
    },
  });
  await runPipeline({ ...tenTo(new Disk()), sources: [step(quiet, { to: 3 })] }, {
    world: { ...world, clock },
    checkpoints,
    stop: stop.signal,
  });
});
