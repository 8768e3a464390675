/**
 * The contract suite of transforms.
 *
 * @module
 */

import { delay } from "@std/async";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { OptionsError, RecordError } from "../../engine/errors.ts";
import type { TransformPlugin } from "../../engine/plugin.ts";
import type { Point } from "../../engine/point.ts";
import { type Check, pluginChecks, registerChecks } from "./plugin.ts";
import {
  assertSame,
  copyOf,
  failWith,
  findJsonFault,
  frozenCopy,
  noteWorldUse,
  spread,
} from "./pure.ts";
import { findShapeFault } from "./shape.ts";
import { Runner, type Stepper, type TransformCase } from "./stepping.ts";

export type { TransformCase } from "./stepping.ts";

/** How many stopping points are tried, spread evenly, when there are more. */
const MOST_STOPS = 100;
const BATCH_SIZES = [1, 2, 3, 7];

/**
 * Tests that a transform keeps its contract.
 *
 * @param plugin The transform.
 * @param given Options, records, and what must come of them.
 *
 * @example
 * ```ts ignore
 * testTransform(double, {
 *   options: {},
 *   shape: { kind: "raw", format: "number" },
 *   records: [1, 2],
 *   expected: [2, 4],
 * });
 * ```
 */
export function testTransform<Options, Input, State, In, Out>(
  plugin: TransformPlugin<Options, Input, State, In, Out>,
  given: TransformCase<Input, In, Out>,
): void {
  registerChecks(plugin, given.name, transformChecks(plugin, given));
}

/**
 * The points of a transform's contract, one by one.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { defineTransform } from "../../engine/plugin.ts";
 *
 * const double = defineTransform({
 *   id: "double",
 *   summary: "Doubles numbers",
 *   options: z.strictObject({}),
 *   shape: (input) => input,
 *   step: (record: number, { emit }) => emit(2 * record),
 * });
 * const checks = transformChecks(double, {
 *   options: {},
 *   shape: { kind: "raw", format: "number" },
 *   records: [1, 2],
 *   expected: [2, 4],
 * });
 * for (const { check } of checks) await check();
 * ```
 */
export function transformChecks<Options, Input, State, In, Out>(
  plugin: TransformPlugin<Options, Input, State, In, Out>,
  given: TransformCase<Input, In, Out>,
): Check[] {
  const runner = new Runner(plugin, given);
  const checks: Check[] = [
    ...pluginChecks(plugin, given),
    { name: "gives the expected records", check: () => checkExpected(runner) },
    { name: "gives records of the shape it declares", check: () => checkShape(runner) },
    { name: "gives the same when it is run again", check: () => checkAgain(runner) },
    { name: "gives the same in batches of any size", check: () => checkBatches(runner) },
    { name: "gives the same wherever it stops and resumes", check: () => checkResume(runner) },
    { name: "changes neither records nor state in place", check: () => checkFrozen(runner) },
    { name: "uses no clock, no chance and no network", check: () => checkPure(runner) },
    { name: "is done when its step returns", check: () => checkSynchronous(runner) },
  ];
  if (plugin.state) {
    checks.push({ name: "keeps its state as plain JSON", check: () => checkState(runner) });
  }
  if (plugin.state && plugin.key) {
    checks.push({ name: "works on each key as if it were alone", check: () => checkKeys(runner) });
  }
  if (plugin.doubts) {
    checks.push({
      name: "doubts stored points by what they are, and nothing else",
      check: () => checkDoubts(runner),
    });
  }
  if (given.badShapes) {
    checks.push({
      name: "refuses what it cannot work with, before anything runs",
      check: () => checkBadShapes(runner),
    });
  }
  if (given.rejects) {
    checks.push({
      name: "refuses bad records with RecordError, and forgets them",
      check: () => checkRejects(runner),
    });
  }
  return checks;
}

function checkExpected(runner: Runner): void {
  const emitted = runner.run(runner.start(), runner.records());
  assertSame(
    emitted,
    [...runner.given.expected],
    `${runner.name} must give the expected records`,
  );
}

function checkShape(runner: Runner): void {
  const { plugin, given, name } = runner;
  const options = runner.options();
  const shape = plugin.shape(frozenCopy(given.shape), options);
  assertEquals(
    plugin.shape(frozenCopy(given.shape), options),
    shape,
    `${name} must declare the same shape for the same input`,
  );
  for (const [index, record] of runner.run(runner.start(), runner.records()).entries()) {
    const fault = findShapeFault(record, shape);
    if (fault) {
      failWith(`${name} must give what its shape declares: emitted record ${index}: ${fault}`);
    }
  }
}

function checkAgain(runner: Runner): void {
  for (let run = 0; run < 2; run++) {
    assertSame(
      runner.run(runner.start(), runner.records()),
      [...runner.given.expected],
      `${runner.name} must give the same when it is run again: whatever it remembers must be in its state`,
    );
  }
}

function checkBatches(runner: Runner): void {
  for (const size of BATCH_SIZES) {
    const records = runner.records();
    const emitted: unknown[] = [];
    let states = new Map<string, unknown>();
    for (let at = 0; at < records.length; at += size) {
      const stepper = runner.start({ states });
      emitted.push(...runner.run(stepper, records.slice(at, at + size), at));
      states = stepper.saved();
    }
    assertSame(
      emitted,
      [...runner.given.expected],
      `${runner.name} must give the same in batches of ${size}, with its state saved between them`,
    );
  }
}

function checkResume(runner: Runner): void {
  for (const stop of spread(runner.given.records.length, MOST_STOPS)) {
    const records = runner.records();
    const before = runner.start();
    const emitted = runner.run(before, records.slice(0, stop));
    const states = before.saved();
    // Another run in between: what is remembered outside the state is no longer what it was.
    runner.run(runner.start(), runner.records());
    emitted.push(...runner.run(runner.start({ states }), records.slice(stop), stop));
    assertSame(
      emitted,
      [...runner.given.expected],
      `${runner.name} must give the same when it stops after ${stop} records and resumes from its saved state`,
    );
  }
}

function checkFrozen(runner: Runner): void {
  const records = frozenCopy(runner.records());
  const stepper = runner.start({ frozen: true });
  for (const [index, record] of records.entries()) {
    try {
      stepper.step(record);
    } catch (error) {
      failWith(
        `${runner.name} must change neither a record nor its state in place, as others hold them too: record ${index}`,
        error,
      );
    }
  }
}

function checkPure(runner: Runner): void {
  const used = new Set<string>();
  const stepper = runner.start();
  const records = runner.records();
  noteWorldUse(() => runner.run(stepper, records), used);
  assertEquals(
    [...used],
    [],
    `${runner.name} must work on the record and its state alone: a step that looks at the world gives something else when it is run again`,
  );
}

/** Doubts are told together where they are in the same words, and counted in a row. */
function checkDoubts(runner: Runner): void {
  const { plugin, name } = runner;
  const options = runner.options();
  const used = new Set<string>();
  const points = frozenCopy([...runner.given.expected]) as unknown as readonly Point[];
  const doubtsOf = (point: Point) => noteWorldUse(() => plugin.doubts?.(point, options), used);
  for (const [index, point] of points.entries()) {
    const doubts = doubtsOf(point) ?? [];
    assertEquals(
      doubtsOf(point),
      doubts,
      `${name} must doubt the same about the same point: it does not for point ${index}`,
    );
    for (const { what, least = 1 } of doubts) {
      assert(what !== "", `${name} must say what it doubts about point ${index}`);
      assert(
        Number.isSafeInteger(least) && least > 0,
        `${name} must doubt points from a whole number on: from ${least} for point ${index}`,
      );
    }
  }
  assertEquals([...used], [], `${name} must doubt points without a look at the world`);
}

async function checkSynchronous(runner: Runner): Promise<void> {
  const stepper = runner.start();
  for (const [index, record] of runner.records().entries()) {
    runner.run(stepper, [record], index);
    const { returned } = stepper;
    assert(
      !(returned instanceof Promise),
      `${runner.name} must be synchronous: its step returned a promise for record ${index}`,
    );
  }
  await delay(0);
  assertEquals(
    stepper.late,
    0,
    `${runner.name} must not emit after its step has returned: nobody takes it then`,
  );
}

function checkState(runner: Runner): void {
  const { plugin, name } = runner;
  const version = plugin.state?.version ?? 0;
  assert(
    Number.isSafeInteger(version) && version > 0,
    `The state version of ${name} must be a whole number above 0: it is ${version}`,
  );
  const options = runner.options();
  assertEquals(
    plugin.state?.initial(options),
    plugin.state?.initial(options),
    `${name} must start every key from the same state`,
  );
  const stepper = runner.start();
  for (const [index, record] of runner.records().entries()) {
    runner.run(stepper, [record], index);
    for (const state of stepper.states.values()) {
      const fault = findJsonFault(state, "state");
      if (fault) {
        failWith(`${name} must keep plain JSON as its state: after record ${index} ${fault}`);
      }
    }
  }
}

function checkKeys(runner: Runner): void {
  const { plugin, name } = runner;
  const options = runner.options();
  const keyOf = (record: unknown) => plugin.key?.(record, options) ?? "";
  const keys = new Set(runner.records().map(keyOf));
  assert(
    keys.size > 1,
    `The test case of ${name} must have records of two keys at least: it has ${keys.size}`,
  );
  for (const key of keys) {
    const together = runner.start();
    const fromAll = runner.records().flatMap((record, index) => {
      const emitted = runner.run(together, [record], index);
      return keyOf(record) === key ? emitted : [];
    });
    const own = runner.records().filter((record) => keyOf(record) === key);
    assertSame(
      fromAll,
      runner.run(runner.start(), own),
      `${name} must give for key "${key}" what it gives when there are no other keys`,
    );
  }
}

function checkBadShapes(runner: Runner): void {
  for (const shape of runner.given.badShapes ?? []) {
    assertThrows(
      () => runner.plugin.shape(shape, runner.options()),
      OptionsError,
      "",
      `${runner.name} must refuse to work with ${JSON.stringify(shape)}`,
    );
  }
}

function checkRejects(runner: Runner): void {
  for (const [number, bad] of (runner.given.rejects ?? []).entries()) {
    for (const place of spread(runner.given.records.length, MOST_STOPS)) {
      const records = runner.records();
      const stepper = runner.start();
      const emitted = runner.run(stepper, records.slice(0, place));
      const isLast = place === records.length;
      if (!isRefused(runner, stepper, number, copyOf(bad))) {
        assert(!isLast, `${runner.name} must refuse bad record ${number} with a RecordError`);
        continue;
      }
      emitted.push(...runner.run(stepper, records.slice(place), place));
      assertSame(
        emitted,
        [...runner.given.expected],
        `${runner.name} must go on as if bad record ${number} had not come after record ${place}`,
      );
    }
  }
}

/** Whether a record is refused, as it must be: by a RecordError, with the state left as it was. */
function isRefused(runner: Runner, stepper: Stepper, number: number, bad: unknown): boolean {
  const before = copyOf(stepper.states);
  try {
    stepper.step(bad);
    return false;
  } catch (error) {
    if (!(error instanceof RecordError)) {
      failWith(`${runner.name} must refuse bad record ${number} with a RecordError`, error);
    }
  }
  for (const [key, state] of before) {
    assertEquals(
      stepper.states.get(key),
      state,
      `${runner.name} must leave its state as it was when it refuses bad record ${number}`,
    );
  }
  return true;
}
