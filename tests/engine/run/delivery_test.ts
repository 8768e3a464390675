import {
  assert,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { z } from "zod";
import type { Refusal } from "../../../engine/run/chain.ts";
import { VirtualClock } from "../../../engine/clock.ts";
import type { Json } from "../../../engine/context.ts";
import { startDelivery } from "../../../engine/run/delivery.ts";
import { FatalError, RecordError, RetryableError } from "../../../engine/errors.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";
import { type Chunk, defineSink, type Encoding, type Rejection } from "../../../engine/plugin.ts";
import { retry } from "../../../engine/retry.ts";
import { seededRandom } from "../../contracts/context.ts";
import { step } from "../_fakes.ts";

interface Parts {
  limits?: { maxRecords?: number; maxBytes?: number };
  /** The bytes of one record; one for each by default. */
  sizeOf?(record: unknown): number;
  encode?(records: readonly unknown[], encoding: Encoding<unknown>): Uint8Array<ArrayBuffer>;
  deliver?(records: readonly unknown[]): Promise<readonly Rejection[] | void>;
  flush?(): Promise<Json>;
  refuse?(refusal: Refusal): void;
  maxAttempts?: number;
}

/** A delivery to a sink made for the test, and all that came of it. */
function start(parts: Parts = {}) {
  const { limits, sizeOf = () => 1 } = parts;
  const clock = new VirtualClock(0);
  const ledger = emptyStep();
  const chunks: (readonly unknown[])[] = [];
  const sizes: number[] = [];
  const refused: string[] = [];
  const failures: unknown[] = [];
  const actions: string[] = [];
  let underWay = 0;
  const plugin = defineSink({
    id: "store",
    summary: "Keeps records",
    options: z.strictObject({}),
    delivery: "idempotent",
    accept: () => {},
    ...(limits ? { limits: () => limits } : {}),
    encode: parts.encode ??
      ((records: readonly unknown[]) =>
        new Uint8Array(records.reduce<number>((sum, record) => sum + sizeOf(record), 0))),
    open: () => Promise.reject(new Error("It is open already")),
  });
  const delivery = startDelivery({
    step: step(plugin),
    shapes: [],
    ledger,
    writer: {
      async deliver(chunk: Chunk<unknown>) {
        assertEquals(++underWay, 1, "two deliveries at once");
        try {
          const rejected = await parts.deliver?.(chunk.records) ?? [];
          chunks.push(chunk.records);
          sizes.push(chunk.bytes.length);
          return rejected;
        } finally {
          underWay--;
        }
      },
      flush: () => parts.flush?.() ?? Promise.resolve(null),
      close: () => Promise.resolve(),
    },
    context: {
      now: () => clock.now(),
      retry: (action, attempt) => {
        actions.push(action);
        const sleep = (ms: number) => clock.sleep(ms);
        return retry(
          action,
          attempt,
          { sleep, random: () => 0, log: { warn() {}, info() {} } },
          parts.maxAttempts ? { maxAttempts: parts.maxAttempts } : {},
        );
      },
    },
    refuse: (refusal) => {
      refused.push(`${refusal.record}: ${refusal.error.message}`);
      parts.refuse?.(refusal);
    },
    fail: (error) => void failures.push(error),
  });
  return { delivery, clock, ledger, chunks, sizes, refused, failures, actions };
}

function count(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

/** Lets everything run that does not wait for time. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await Promise.resolve();
}

Deno.test("startDelivery() sends nothing where nothing was added", async () => {
  const { delivery, chunks, ledger } = start();
  delivery.nudge();
  await delivery.drain();
  await delivery.add([]);
  delivery.nudge();
  await delivery.drain();
  assertEquals(chunks, []);
  assertEquals(ledger, emptyStep());
});

Deno.test("startDelivery() gathers what is added until there is enough, told to, or drained", async () => {
  const { delivery, chunks } = start({ limits: { maxRecords: 4 } });
  await delivery.add([1]);
  await delivery.add([2, 3]);
  await settle();
  assertEquals(chunks, []);
  await delivery.add([4]);
  await settle();
  assertEquals(chunks, [[1, 2, 3, 4]]);
  await delivery.add([5]);
  delivery.nudge();
  await settle();
  assertEquals(chunks.slice(1), [[5]]);
  await delivery.add([6]);
  await delivery.drain();
  assertEquals(chunks.slice(2), [[6]]);
});

Deno.test("startDelivery() cuts what is added at once into chunks of the sink's size, in order", async () => {
  const { delivery, chunks, ledger } = start({ limits: { maxRecords: 4 } });
  await delivery.add(count(1, 10));
  await delivery.drain();
  assertEquals(chunks, [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]);
  assertEquals(ledger, { in: 10, replayed: 0, out: 10, extra: 0, filtered: 0, rejected: 0 });
  assertEquals(delivery.bytes, 10);
});

Deno.test("startDelivery() sends one record at a time to a sink that asks for less than one", async () => {
  const { delivery, chunks } = start({ limits: { maxRecords: 0 } });
  await delivery.add([1, 2]);
  await delivery.drain();
  assertEquals(chunks, [[1], [2]]);
});

Deno.test("startDelivery() has limits of its own for a sink that has none", async () => {
  const { delivery, chunks } = start();
  await delivery.add(count(1, 12_000));
  await delivery.drain();
  assertEquals(chunks.flat(), count(1, 12_000));
  for (const records of chunks) assertLessOrEqual(records.length, 1_000);
});

Deno.test("startDelivery() halves a chunk that has too many bytes until it fits", async () => {
  const { delivery, chunks, sizes } = start({ limits: { maxBytes: 10 }, sizeOf: Number });
  await delivery.add([1, 2, 3, 4, 5, 6]);
  await delivery.drain();
  assertEquals(chunks, [[1, 2, 3], [4, 5], [6]]);
  assertEquals(sizes, [6, 9, 6]);
});

Deno.test("startDelivery() sends a record that is too large by itself", async () => {
  const { delivery, chunks } = start({ limits: { maxBytes: 10 }, sizeOf: Number });
  await delivery.add([1, 99, 2]);
  await delivery.drain();
  assertEquals(chunks, [[1], [99], [2]]);
});

/** Encodes numbers; refuses odd ones. */
function encodeEven(
  records: readonly unknown[],
  { reject }: Encoding<unknown>,
): Uint8Array<ArrayBuffer> {
  let kept = 0;
  records.forEach((record, index) => {
    if (Number(record) % 2) reject(index, new RecordError(`Cannot encode ${record}`));
    else kept += Number(record);
  });
  return new Uint8Array(kept);
}

Deno.test("startDelivery() leaves out what cannot be encoded, and names each such record once", async () => {
  const { delivery, chunks, refused, ledger } = start({
    // Too many bytes at first: what is refused then must not be refused again in a half.
    limits: { maxBytes: 10 },
    encode: encodeEven,
  });
  await delivery.add([1, 2, 4, 3, 6, 5, 8]);
  await delivery.drain();
  assertEquals(chunks, [[2, 4], [6], [8]]);
  assertEquals(refused, ["1: Cannot encode 1", "3: Cannot encode 3", "5: Cannot encode 5"]);
  assertEquals(ledger, { in: 7, replayed: 0, out: 4, extra: 0, filtered: 0, rejected: 3 });
});

Deno.test("startDelivery() delivers no chunk of which nothing is left", async () => {
  const { delivery, chunks, ledger } = start({ encode: encodeEven });
  await delivery.add([1, 3]);
  await delivery.drain();
  assertEquals(chunks, []);
  assertEquals(ledger, { in: 2, replayed: 0, out: 0, extra: 0, filtered: 0, rejected: 2 });
  assertEquals(delivery.bytes, 0);
});

Deno.test("startDelivery() names what the target refuses, in the target's words, once each", async () => {
  const { delivery, refused, ledger } = start({
    deliver: () =>
      Promise.resolve([
        { index: 2, reason: "field type conflict" },
        { index: 0, reason: "too old" },
        { index: 2, reason: "field type conflict" },
      ]),
  });
  await delivery.add(["a", "b", "c"]);
  await delivery.drain();
  assertEquals(refused, [
    'c: Sink "store" was told: field type conflict',
    'a: Sink "store" was told: too old',
  ]);
  assertEquals(ledger, { in: 3, replayed: 0, out: 1, extra: 0, filtered: 0, rejected: 2 });
});

Deno.test("startDelivery() counts indexes among the records that were sent, not those that were added", async () => {
  const { delivery, refused } = start({
    encode: encodeEven,
    deliver: (records) => {
      assertEquals(records, [2, 4]);
      return Promise.resolve([{ index: 1, reason: "too old" }]);
    },
  });
  await delivery.add([1, 2, 3, 4]);
  await delivery.drain();
  assertEquals(refused.slice(2), ['4: Sink "store" was told: too old']);
});

Deno.test("startDelivery() ends when the target's refusals point at no record", async () => {
  for (const index of [3, -1, 0.5, NaN]) {
    const { delivery, failures } = start({
      deliver: () => Promise.resolve([{ index, reason: "too old" }]),
    });
    await delivery.add(["a", "b", "c"]);
    await assertRejects(
      () => delivery.drain(),
      FatalError,
      `Cannot go on with sink "store" as it may refuse only records it was given: it refused number ${index} of 3`,
    );
    assertEquals(failures.length, 1);
  }
});

Deno.test("startDelivery() ends when an encoding's refusals point at no record", async () => {
  const { delivery } = start({
    encode: (_records, { reject }) => {
      reject(1, new RecordError("no"));
      return new Uint8Array();
    },
  });
  await delivery.add(["a"]);
  await assertRejects(() => delivery.drain(), FatalError, "it refused number 1 of 1");
});

Deno.test("startDelivery() sends a chunk again until the target takes it, and counts it once", async () => {
  let attempts = 0;
  const tried: (readonly unknown[])[] = [];
  const { delivery, clock, chunks, ledger } = start({
    limits: { maxRecords: 2 },
    deliver: (records) => {
      tried.push(records);
      return ++attempts <= 3
        ? Promise.reject(new RetryableError("busy", { retryAfterMs: 1_000 }))
        : Promise.resolve();
    },
  });
  await delivery.add([1, 2, 3]);
  await delivery.drain();
  assertEquals(tried, [[1, 2], [1, 2], [1, 2], [1, 2], [3]]);
  assertEquals(chunks, [[1, 2], [3]]);
  assertEquals([ledger.out, delivery.bytes, clock.now()], [3, 3, 3_000]);
});

Deno.test("startDelivery() drains only when the target has acknowledged all", async () => {
  let acknowledged = false;
  const { delivery, clock } = start({
    deliver: async () => {
      await clock.sleep(5_000);
      acknowledged = true;
    },
  });
  await delivery.add([1]);
  await delivery.drain();
  assertEquals(acknowledged, true);
});

Deno.test("startDelivery() lets a busy sink gather: what comes meanwhile is one chunk", async () => {
  const { delivery, clock, chunks } = start({ deliver: () => clock.sleep(1_000) });
  for (const n of count(1, 20)) {
    await delivery.add([n]);
    delivery.nudge();
  }
  await delivery.drain();
  assertEquals(chunks, [[1], count(2, 20)]);
});

Deno.test("startDelivery() lets a run that is faster than its sink be one chunk ahead", async () => {
  const { delivery, clock, chunks } = start({
    limits: { maxRecords: 3 },
    deliver: () => clock.sleep(1_000),
  });
  let added = 0;
  let mostAhead = 0;
  for (; added < 60; added++) {
    mostAhead = Math.max(mostAhead, added - chunks.flat().length);
    await delivery.add([added]);
  }
  await delivery.drain();
  assertEquals(chunks.flat(), count(0, 59));
  // One chunk is being sent, and one more is gathered: once it is whole, the run waits.
  assertEquals(mostAhead, 5);
});

Deno.test("startDelivery() bounds the bytes of records that wait to be encoded, too", async () => {
  const { delivery, clock, chunks } = start({
    sizeOf: () => 100_000,
    deliver: () => clock.sleep(1_000),
  });
  let mostAhead = 0;
  for (let added = 0; added < 1_000; added++) {
    mostAhead = Math.max(mostAhead, added - chunks.flat().length);
    await delivery.add([added]);
    delivery.nudge();
  }
  await delivery.drain();
  assertEquals(chunks.flat(), count(0, 999));
  // 8 MiB of them make a chunk: one is being sent, and one more is gathered.
  assertLess(mostAhead, 200);
});

Deno.test("startDelivery() keeps every record, in order, whatever the sizes and waits are", async () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const upTo = (limit: number) => Math.floor(random() * limit);
    let failing = false;
    const { delivery, clock, chunks, sizes, ledger } = start({
      limits: { maxRecords: 7, maxBytes: 40 },
      sizeOf: (record) => Number(record) % 11,
      async deliver() {
        if (upTo(3) === 0) await clock.sleep(upTo(50));
        failing = !failing && upTo(4) === 0;
        if (failing) throw new RetryableError("busy");
      },
    });
    let next = 0;
    for (let round = 0; round < 80; round++) {
      const size = upTo(12);
      await delivery.add(count(next, next + size - 1));
      next += size;
      if (upTo(2)) delivery.nudge();
      if (upTo(5) === 0) await clock.sleep(upTo(20));
      if (upTo(20) === 0) {
        await delivery.drain();
        assertEquals(ledger.out, next);
      }
    }
    await delivery.drain();
    assertEquals(chunks.flat(), count(0, next - 1));
    assertEquals(ledger, { in: next, replayed: 0, out: next, extra: 0, filtered: 0, rejected: 0 });
    for (const [index, records] of chunks.entries()) {
      assert(records.length >= 1 && records.length <= 7);
      assert((sizes[index] ?? NaN) <= 40 || records.length === 1);
    }
  }
});

Deno.test("startDelivery() tells of a failure once, and throws it from then on", async () => {
  const error = new FatalError("wrong key");
  let deliveries = 0;
  const { delivery, failures, ledger } = start({
    limits: { maxRecords: 1 },
    deliver: () => {
      deliveries++;
      return Promise.reject(error);
    },
  });
  await assertRejects(() => delivery.add([1, 2, 3]), FatalError, "wrong key");
  await assertRejects(() => delivery.drain(), FatalError, "wrong key");
  await assertRejects(() => delivery.add([4]), FatalError, "wrong key");
  await assertRejects(() => delivery.drain(), FatalError, "wrong key");
  delivery.nudge();
  await settle();
  assertEquals([failures, deliveries], [[error], 1]);
  assertEquals([ledger.out, delivery.bytes], [0, 0]);
});

Deno.test("startDelivery() releases who waits for room when it fails", async () => {
  const { delivery, clock } = start({
    limits: { maxRecords: 1 },
    async deliver() {
      await clock.sleep(1_000);
      throw new FatalError("wrong key");
    },
  });
  await assertRejects(() => delivery.add([1, 2]), FatalError, "wrong key");
  assertEquals(clock.now(), 1_000);
});

Deno.test("startDelivery() gives up when it has tried as often as it may", async () => {
  const { delivery, failures } = start({
    maxAttempts: 2,
    deliver: () => Promise.reject(new RetryableError("busy")),
  });
  await delivery.add([1]);
  await assertRejects(() => delivery.drain(), FatalError, "2 attempts");
  assertEquals(failures.length, 1);
});

Deno.test("startDelivery() names the sink of an error nobody planned for", async (t) => {
  const broken = () => {
    throw new TypeError("x is undefined");
  };
  const message = 'Sink "store" failed: x is undefined';
  await t.step("in encode", async () => {
    const { delivery } = start({ encode: broken });
    await delivery.add([1]);
    assertThrows(() => delivery.nudge(), FatalError, message);
  });
  await t.step("in encode, with enough records", async () => {
    const { delivery } = start({ encode: broken, limits: { maxRecords: 1 } });
    await assertRejects(() => delivery.add([1]), FatalError, message);
  });
  await t.step("in deliver", async () => {
    const { delivery, failures } = start({ deliver: broken });
    await delivery.add([1]);
    const error = await assertRejects(() => delivery.drain(), FatalError, message);
    assertEquals(failures, [error]);
    assert(error.cause instanceof TypeError);
  });
  await t.step("in flush", async () => {
    const { delivery } = start({ flush: broken });
    await assertRejects(() => delivery.flush(), FatalError, message);
  });
});

Deno.test("startDelivery() does not take the end of the run for a fault of the sink", async () => {
  const stopped = new DOMException("Ended by the second signal", "AbortError");
  const { delivery, failures } = start({ deliver: () => Promise.reject(stopped) });
  await delivery.add([1]);
  await assertRejects(() => delivery.drain(), DOMException, "second signal");
  assertEquals(failures, [stopped]);
});

Deno.test("startDelivery() fails when a refusal must stop the run, wherever it comes from", async (t) => {
  const refuse = ({ error }: Refusal) => {
    throw new FatalError(`Step "store" refused a record: ${error.message}`);
  };
  await t.step("the encoding", async () => {
    const { delivery, chunks } = start({ refuse, encode: encodeEven });
    await delivery.add([2, 1]);
    await assertRejects(() => delivery.drain(), FatalError, "refused a record: Cannot encode 1");
    assertEquals(chunks, []);
  });
  await t.step("the target", async () => {
    const { delivery, failures } = start({
      refuse,
      deliver: () => Promise.resolve([{ index: 0, reason: "too old" }]),
    });
    await delivery.add([1]);
    await assertRejects(() => delivery.drain(), FatalError, "too old");
    assertEquals(failures.length, 1);
  });
});

Deno.test("startDelivery() flushes with the token of the sink, and tries that again, too", async () => {
  let flushes = 0;
  const { delivery } = start({
    flush: () =>
      ++flushes < 3
        ? Promise.reject(new RetryableError("busy"))
        : Promise.resolve({ size: 7, name: "a" }),
  });
  assertEquals(await delivery.flush(), { size: 7, name: "a" });
  assertEquals(flushes, 3);
});

Deno.test("startDelivery() says what it tries again, with sink and number of records", async () => {
  const { delivery, actions } = start();
  await delivery.add([1, 2]);
  await delivery.drain();
  await delivery.flush();
  assertEquals(actions, ['deliver 2 records to sink "store"', 'flush sink "store"']);
});

Deno.test("startDelivery() refuses what is neither bytes nor a token", async (t) => {
  // As plugins without types may do it.
  const text = "1" as unknown as Uint8Array<ArrayBuffer>;
  const shared = new Uint8Array(new SharedArrayBuffer(1)) as unknown as Uint8Array<ArrayBuffer>;
  const nothing = undefined as unknown as Json;
  await t.step("text in place of bytes", async () => {
    const { delivery } = start({ encode: () => text });
    await delivery.add([1]);
    await assertRejects(
      () => delivery.drain(),
      FatalError,
      "`encode` must return a Uint8Array: it returned string",
    );
  });
  await t.step("memory that other threads may write to", async () => {
    const { delivery } = start({ encode: () => shared });
    await delivery.add([1]);
    await assertRejects(() => delivery.drain(), FatalError, "it returned shared memory");
  });
  await t.step("no token", async () => {
    const { delivery } = start({ flush: () => Promise.resolve(nothing) });
    await assertRejects(() => delivery.flush(), FatalError, "it must return a token");
  });
});

Deno.test("startDelivery() sends what came in while the sink was busy as soon as it is not", async () => {
  const doors: (() => void)[] = [];
  const { delivery, chunks, clock } = start({
    deliver: () => new Promise((resolve) => doors.push(() => resolve())),
  });
  await delivery.add([1]);
  delivery.nudge();
  await settle();
  await delivery.add([2]);
  delivery.nudge();
  await delivery.add([3]);
  delivery.nudge();
  assertEquals(chunks, []);
  assertEquals(delivery.waitingSinceMs, 0);
  await clock.sleep(700);
  doors[0]?.();
  await settle();
  assertEquals(chunks, [[1]]);
  assertEquals(delivery.waitingSinceMs, 700);
  assertEquals(delivery.waitingBytes, 2);
  doors[1]?.();
  await settle();
  assertEquals(chunks, [[1], [2, 3]]);
  assertEquals([delivery.waitingSinceMs, delivery.waitingBytes], [undefined, 0]);
});

Deno.test("startDelivery() lets the memory of delivered chunks be used again, never of those that wait", async () => {
  const free = new Set<ArrayBuffer>();
  const waiting: ArrayBuffer[] = [];
  const reused: boolean[] = [];
  const sink = start({
    limits: { maxRecords: 2 },
    encode(records, { spare }) {
      reused.push(spare !== undefined);
      if (spare) assert(free.delete(spare), "memory of a chunk that was not delivered yet");
      const memory = spare ?? new ArrayBuffer(8);
      waiting.push(memory);
      return new Uint8Array(memory, 0, records.length);
    },
    deliver() {
      const memory = waiting.shift();
      if (memory) free.add(memory);
      return Promise.resolve();
    },
  });
  for (let round = 0; round < 3; round++) {
    await sink.delivery.add(Array.from({ length: 6 }, (_, at) => at));
    await sink.delivery.drain();
  }
  assertEquals(reused, [false, false, false, true, true, false, true, true, false]);
});

Deno.test("startDelivery() tells since when a sink has not made durable what it was given", async () => {
  const { delivery, clock } = start({ flush: () => clock.sleep(4_000).then(() => null) });
  await delivery.add([1]);
  await delivery.drain();
  assertEquals(delivery.waitingSinceMs, undefined);
  const flushed = delivery.flush();
  assertEquals(delivery.waitingSinceMs, 0);
  await flushed;
  assertEquals(delivery.waitingSinceMs, undefined);
});
