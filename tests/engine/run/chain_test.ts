import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import { type Refusal, startTransform } from "../../../engine/run/chain.ts";
import type { Json } from "../../../engine/context.ts";
import { FatalError, OptionsError, RecordError, RetryableError } from "../../../engine/errors.ts";
import { emptyStep, type StepLedger } from "../../../engine/run/ledger.ts";
import { defineTransform, type StepContext, type TransformPlugin } from "../../../engine/plugin.ts";
import { step, total } from "../_fakes.ts";

type Saved = Readonly<Record<string, Json>>;

/** Starts a transform; keeps what it counts and what it refuses. */
function start(plugin: TransformPlugin, options: unknown = {}, saved: Saved = {}) {
  const ledger: StepLedger = emptyStep();
  const refused: Refusal[] = [];
  const checked = step(plugin, options);
  const running = startTransform(checked, ledger, saved, (refusal) => void refused.push(refusal));
  return { checked, running, ledger, refused };
}

/** A transform of one function. It remembers numbers where told to. */
function transform(
  run: (record: number, context: StepContext<unknown, number, number>) => unknown,
  state?: { readonly version: number; initial(): number },
): TransformPlugin {
  return defineTransform({
    id: "test",
    summary: "Tests",
    options: z.strictObject({}),
    shape: (input) => input,
    ...(state ? { state } : {}),
    // As a plugin without types may do it.
    step: (record: number, context: StepContext<unknown, number, number>) =>
      run(record, context) as number,
  });
}

const COUNT = { version: 1, initial: () => 0 };

Deno.test("startTransform() gives what the step gives, in order, and keeps a state for each key", () => {
  const { running, ledger } = start(total);
  const given = running.run([{ key: "a", n: 1 }, { key: "b", n: 2 }, { key: "a", n: 3 }]);
  assertEquals(given, [
    { key: "a", n: 1, sum: 1 },
    { key: "b", n: 2, sum: 2 },
    { key: "a", n: 3, sum: 4 },
  ]);
  assertEquals(running.states(), { a: { sum: 4 }, b: { sum: 2 } });
  assertEquals(ledger, { in: 3, replayed: 0, out: 3, extra: 0, filtered: 0, rejected: 0 });
});

Deno.test("startTransform() goes on from saved states, and starts new keys afresh", () => {
  const { running } = start(total, {}, { a: { sum: 40 }, quiet: { sum: 7 } });
  assertEquals(running.run([{ key: "a", n: 2 }, { key: "b", n: 5 }]), [
    { key: "a", n: 2, sum: 42 },
    { key: "b", n: 5, sum: 5 },
  ]);
  assertEquals(running.states(), { a: { sum: 42 }, quiet: { sum: 7 }, b: { sum: 5 } });
});

Deno.test("startTransform() gives the same whatever the size of its batches", () => {
  const records = Array.from({ length: 12 }, (_, n) => ({ key: n % 3 ? "a" : "b", n }));
  const options = { unlucky: 5, quiet: 7, loud: 8 };
  const whole = start(total, options);
  const expected = whole.running.run(records);
  for (let size = 1; size < 12; size++) {
    const parts = start(total, options);
    const given: unknown[] = [];
    for (let at = 0; at < records.length; at += size) {
      given.push(...parts.running.run(records.slice(at, at + size)));
    }
    assertEquals(given, [...expected]);
    assertEquals(parts.running.states(), whole.running.states());
    assertEquals(parts.ledger, whole.ledger);
  }
  assertEquals(whole.ledger, { in: 12, replayed: 0, out: 11, extra: 1, filtered: 1, rejected: 1 });
});

Deno.test("startTransform() gives the same when it is stopped and resumed after any record", () => {
  const records = Array.from({ length: 9 }, (_, n) => ({ key: n % 3 ? "a" : "b", n }));
  const expected = start(total).running.run(records);
  for (let at = 0; at <= records.length; at++) {
    const before = start(total);
    const given = [...before.running.run(records.slice(0, at))];
    const saved: Saved = JSON.parse(JSON.stringify(before.running.states()));
    given.push(...start(total, {}, saved).running.run(records.slice(at)));
    assertEquals(given, [...expected], `stopped after ${at}`);
  }
});

Deno.test("startTransform() keeps keys of any name apart", () => {
  const keys = ["", "__proto__", "constructor", "1", "a b", "€\n"];
  const { running } = start(total);
  running.run(keys.map((key, n) => ({ key, n: n + 1 })));
  const saved: Saved = JSON.parse(JSON.stringify(running.states()));
  const resumed = start(total, {}, saved);
  assertEquals(
    resumed.running.run(keys.map((key) => ({ key, n: 0 }))),
    keys.map((key, n) => ({ key, n: 0, sum: n + 1 })),
  );
});

Deno.test("startTransform() gives a new list each time: the one before stays as it is", () => {
  const { running } = start(transform((n, { emit }) => emit(n)));
  const first = running.run([1, 2]);
  const second = running.run([3]);
  assertEquals([first, second], [[1, 2], [3]]);
});

Deno.test("startTransform() makes nothing of nothing", () => {
  const { running, ledger } = start(total);
  assertEquals(running.run([]), []);
  assertEquals(running.states(), {});
  assertEquals(ledger, emptyStep());
});

Deno.test("startTransform() counts what was left out and what was added", () => {
  const { running, ledger } = start(transform((n, { emit }) => {
    for (let copy = 0; copy < n; copy++) emit(10 * n + copy);
  }));
  assertEquals(running.run([0, 1, 3, 0]), [10, 30, 31, 32]);
  assertEquals(ledger, { in: 4, replayed: 0, out: 4, extra: 2, filtered: 2, rejected: 0 });
});

Deno.test("startTransform() takes back what a refused record gave, and leaves its state alone", () => {
  const { running, ledger, refused, checked } = start(transform((n, { state, emit }) => {
    emit(state + n);
    emit(-1);
    if (n === 13) throw new RecordError("Cannot add 13");
    return state + n;
  }, COUNT));
  assertEquals(running.run([1, 13, 2]), [1, -1, 3, -1]);
  assertEquals(running.states(), { "": 3 });
  assertEquals(ledger, { in: 3, replayed: 0, out: 4, extra: 2, filtered: 0, rejected: 1 });
  assertEquals(refused.length, 1);
  assertStrictEquals(refused[0]?.step, checked);
  assertEquals([refused[0]?.record, refused[0]?.error.message], [13, "Cannot add 13"]);
});

Deno.test("startTransform() keeps no state of a key of which every record was refused", () => {
  const { running } = start(total, { unlucky: 5 });
  running.run([{ key: "a", n: 5 }, { key: "b", n: 1 }]);
  assertEquals(running.states(), { b: { sum: 1 } });
});

Deno.test("startTransform() refuses a record whose key cannot be named", () => {
  const picky = defineTransform({
    ...total,
    key: (record: { key: string; n: number }) => {
      if (record.key === "") throw new RecordError("The record has no key");
      return record.key;
    },
  });
  const { running, ledger, refused } = start(picky);
  assertEquals(running.run([{ key: "", n: 1 }, { key: "a", n: 2 }]), [{ key: "a", n: 2, sum: 2 }]);
  assertEquals(refused.map(({ error }) => error.message), ["The record has no key"]);
  assertEquals(ledger, { in: 2, replayed: 0, out: 1, extra: 0, filtered: 0, rejected: 1 });
});

Deno.test("startTransform() refuses record after record without growing what it gives", () => {
  const { running, ledger, refused } = start(transform((n, { emit }) => {
    emit(n);
    throw new RecordError("no");
  }));
  assertEquals(running.run([1, 2, 3]), []);
  assertEquals([ledger.rejected, refused.length], [3, 3]);
});

Deno.test("startTransform() ends at once when a refusal must stop the run", () => {
  const ledger = emptyStep();
  const stop = new FatalError("Stop");
  const seen: number[] = [];
  const plugin = transform((n) => {
    seen.push(n);
    throw new RecordError("no");
  });
  const running = startTransform(step(plugin), ledger, {}, () => {
    throw stop;
  });
  assertStrictEquals(assertThrows(() => running.run([1, 2])), stop);
  assertEquals(seen, [1]);
});

Deno.test("startTransform() takes an error that was not planned for a fault of the plugin", () => {
  const cause = new TypeError("x is undefined");
  const { running, refused } = start(transform(() => {
    throw cause;
  }));
  const error = assertThrows(
    () => running.run([1]),
    FatalError,
    'Transform "test" failed: x is undefined',
  );
  assertStrictEquals(error.cause, cause);
  assertEquals(refused, []);
});

Deno.test("startTransform() passes on penstock's own errors as they are", () => {
  for (
    const error of [
      new FatalError("It ends"),
      new OptionsError("Wrong option"),
      new RetryableError("busy"),
    ]
  ) {
    const { running, refused } = start(transform(() => {
      throw error;
    }));
    assertStrictEquals(assertThrows(() => running.run([1])), error);
    assertEquals(refused, []);
  }
});

Deno.test("startTransform() keeps nothing between records for a transform that has no state", () => {
  const seen: unknown[] = [];
  const { running } = start(transform((n, { state }) => {
    seen.push(state);
    return n;
  }));
  running.run([1, 2]);
  running.run([3]);
  assertEquals(seen, [undefined, undefined, undefined]);
  assertEquals(running.states(), {});
});

Deno.test("startTransform() takes 0, an empty text, false and null for states", () => {
  for (const state of [0, "", false, null]) {
    const { running } = start(transform(() => state, COUNT));
    running.run([1]);
    assertEquals(running.states(), { "": state });
  }
});

Deno.test("startTransform() ends the run when a step forgets to return its state", () => {
  const { running } = start(transform((n, { emit }) => emit(n), COUNT));
  assertThrows(
    () => running.run([1]),
    FatalError,
    'Cannot run transform "test" as its step must return a state: it returned nothing',
  );
});

Deno.test("startTransform() ends the run when a step is asynchronous, with a state or without", async () => {
  for (const state of [COUNT, undefined]) {
    const { running, ledger } = start(transform(async (n, { emit }) => {
      await Promise.resolve();
      emit(n);
      throw new Error("nobody waits for this");
    }, state));
    assertThrows(
      () => running.run([1, 2]),
      FatalError,
      'Cannot run transform "test" as its step must be synchronous: it returned a promise',
    );
    assertEquals(ledger.filtered, 0);
  }
  // What such a step throws too late must not end the process.
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("startTransform() refuses a record that is given after its step has ended", () => {
  let late = () => {};
  const { running, ledger } = start(transform((record, { emit }) => {
    late = () => emit(record);
  }));
  running.run([1]);
  assertThrows(() => late(), FatalError, 'transform "test" as it must be given by `emit` while');
  assertEquals(ledger, { in: 1, replayed: 0, out: 0, extra: 0, filtered: 1, rejected: 0 });
});

Deno.test("startTransform() refuses a key that is not text", () => {
  const plugin = transform((_record, { state }) => state, COUNT);
  // As a plugin without types may do it.
  const numbered = defineTransform({ ...plugin, key: () => 5 as unknown as string });
  const { running } = start(numbered);
  assertThrows(() => running.run([1]), FatalError, "`key` must return text: it returned number");
});
