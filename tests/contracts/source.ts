/**
 * The contract suite of sources.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describeError, PenstockError } from "../../engine/errors.ts";
import type { Position, SourcePlugin } from "../../engine/plugin.ts";
import { type Check, checkReach, optionsOf, pluginChecks, registerChecks } from "./plugin.ts";
import { failWith, findJsonFault, frozenCopy, soon, spread, throughJson } from "./pure.ts";
import { type FailingWorld, Reader, type SourceCase } from "./reading.ts";
import { findShapeFault } from "./shape.ts";
import { type Fault, watch } from "./watch.ts";

export type { FailingWorld, SourceCase } from "./reading.ts";

/** How many stopping points are tried, spread evenly, when there are more. */
const MOST_STOPS = 40;
/** How many points of failure are tried. */
const MOST_FAULTS = 12;

/**
 * Tests that a source keeps its contract.
 *
 * @param plugin The source.
 * @param given Options, a world to read, and what must come of it.
 *
 * @example
 * ```ts ignore
 * testSource(csvFile, {
 *   options: { path: "a.csv" },
 *   context: (signal) => fakeContext({ signal, files: new Map([["a.csv", "n\n1\n"]]) }),
 *   records: [{ n: "1" }],
 * });
 * ```
 */
export function testSource<Options, Input, Out>(
  plugin: SourcePlugin<Options, Input, Out>,
  given: SourceCase<Input, Out>,
): void {
  registerChecks(plugin, given.name, sourceChecks(plugin, given));
}

/**
 * The points of a source's contract, one by one.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { defineSource } from "../../engine/plugin.ts";
 * import { fakeContext } from "./context.ts";
 *
 * const letters = defineSource({
 *   id: "letters",
 *   summary: "Gives letters",
 *   options: z.strictObject({}),
 *   replay: "none",
 *   shape: () => ({ kind: "raw", format: "letter" }),
 *   async *read(_options, _from, context) {
 *     context.signal.throwIfAborted();
 *     yield { records: ["a", "b"], position: {} };
 *   },
 * });
 * const checks = sourceChecks(letters, {
 *   options: {},
 *   context: (signal) => fakeContext({ signal }),
 *   records: ["a", "b"],
 * });
 * for (const { check } of checks) await check();
 * ```
 */
export function sourceChecks<Options, Input, Out>(
  plugin: SourcePlugin<Options, Input, Out>,
  given: SourceCase<Input, Out>,
): Check[] {
  const reader = new Reader(plugin, given);
  const checks: Check[] = [
    ...pluginChecks(plugin, given),
    { name: "gives the expected records", check: () => checkExpectedRecords(reader) },
    { name: "gives records of the shape it declares", check: () => checkDeclaredShape(reader) },
    { name: "gives positions that survive JSON", check: () => checkPlainPositions(reader) },
    { name: "leaves alone what it has given", check: () => checkGivenStays(reader) },
    { name: "touches nothing before the first pull", check: () => checkLazy(reader) },
    { name: "reaches only what its permissions name", check: () => checkPermitted(reader) },
    {
      name: "leaves nothing open, wherever its consumer stops",
      check: () => checkEarlyStop(reader),
    },
    {
      name: "ends at the next pull once the signal has aborted",
      check: () => checkAbortBetween(reader),
    },
    { name: "ends when the signal aborts while it waits", check: () => checkAbortWaiting(reader) },
    { name: "may be read twice at the same time", check: () => checkSideBySide(reader) },
    { name: "loses nothing in silence when the world fails", check: () => checkFaults(reader) },
  ];
  if (plugin.replay !== "none") {
    checks.push({
      name: "gives exactly the rest when it resumes after any batch",
      check: () => checkResume(reader),
    });
  }
  if (given.empty) {
    checks.push({
      name: "ends when there is nothing to read",
      check: () => checkNothingToRead(reader),
    });
  }
  for (const world of given.failing ?? []) {
    checks.push({ name: `says so when ${world.name}`, check: () => checkFails(reader, world) });
  }
  return checks;
}

async function checkExpectedRecords(reader: Reader): Promise<void> {
  const { records } = await reader.read();
  reader.same(records, reader.given.records, `${reader.name} must give the expected records`);
}

async function checkDeclaredShape(reader: Reader): Promise<void> {
  const options = reader.options();
  const shape = reader.plugin.shape(options);
  assertEquals(reader.plugin.shape(options), shape, `The shape of ${reader.name} must not change`);
  for (const [index, record] of (await reader.read()).records.entries()) {
    const fault = findShapeFault(record, shape);
    if (fault) {
      failWith(`${reader.name} must give what its shape declares: record ${index}: ${fault}`);
    }
  }
}

async function checkPlainPositions(reader: Reader): Promise<void> {
  let done = 0;
  for (const { position, progress } of (await reader.read()).batches) {
    const isObject = typeof position === "object" && position !== null &&
      !Array.isArray(position);
    assert(isObject, `${reader.name} must give a position that is an object`);
    const fault = findJsonFault(position, "position");
    if (fault) failWith(`${reader.name} must give positions of plain JSON: ${fault}`);
    if (progress === undefined) continue;
    assert(
      progress >= done && progress <= 1,
      `${reader.name} must give a progress from 0 to 1 that does not go back: after ${done} it gave ${progress}`,
    );
    done = progress;
  }
}

async function checkGivenStays(reader: Reader): Promise<void> {
  const copies: unknown[] = [];
  const { batches } = await reader.read({
    each: (batch) => void copies.push(structuredClone(batch)),
  });
  for (const [index, batch] of batches.entries()) {
    assertEquals<unknown>(
      batch,
      copies[index],
      `${reader.name} must not change a batch it has given: the engine still works on batch ${index}`,
    );
  }
}

async function checkLazy(reader: Reader): Promise<void> {
  const world = reader.watch();
  reader.plugin(reader.given.options);
  const batches = reader.iterate({}, world);
  await Promise.resolve();
  assertEquals(
    world.effects.map(({ kind, target }) => `${kind} ${target}`),
    [],
    `${reader.name} must do nothing before the first pull`,
  );
  await batches.return?.();
}

async function checkPermitted(reader: Reader): Promise<void> {
  const { world } = await reader.read();
  checkReach(reader.plugin, reader.options(), world.effects);
}

async function checkEarlyStop(reader: Reader): Promise<void> {
  const count = (await reader.read()).batches.length;
  for (const stop of spread(count, MOST_STOPS)) {
    const world = reader.watch();
    const batches = reader.iterate({}, world);
    for (let pulled = 0; pulled < stop; pulled++) await batches.next();
    await soon(
      Promise.resolve(batches.return?.()),
      `${reader.name} must end soon when its consumer stops after ${stop} batches`,
    );
    reader.nothingOpen(world, `when its consumer stops after ${stop} batches`);
  }
}

async function checkAbortBetween(reader: Reader): Promise<void> {
  const count = (await reader.read()).batches.length;
  for (const stop of spread(Math.max(0, count - 1), MOST_STOPS)) {
    const stopping = new AbortController();
    const world = reader.watch(undefined, stopping);
    const batches = reader.iterate({}, world);
    for (let pulled = 0; pulled < stop; pulled++) await batches.next();
    stopping.abort();
    const when = `when the signal has aborted after ${stop} batches`;
    const next = await reader.endOf(batches, stopping.signal, when);
    assert(
      next === "ended",
      `${reader.name} must give no further batch ${when}: call \`context.signal.throwIfAborted()\` before each`,
    );
  }
}

async function checkAbortWaiting(reader: Reader): Promise<void> {
  const { effects } = (await reader.read()).world;
  const waits = effects.flatMap(({ kind }, at) => kind === "fetch" || kind === "sleep" ? [at] : []);
  for (const at of spread(waits.length - 1, MOST_FAULTS).map((index) => waits[index] ?? 0)) {
    const stopping = new AbortController();
    const world = reader.watch({ at, how: "hang" }, stopping);
    const batches = reader.iterate({}, world);
    const when = `when the signal aborts during "${effects[at]?.kind}" ${effects[at]?.target}`;
    world.struck.then(() => stopping.abort());
    const hint = "hand `context.signal` to `fetch`, and wait with `context.sleep`";
    while (await reader.endOf(batches, stopping.signal, `${when}: ${hint}`) === "batch");
    reader.nothingOpen(world, `${when}`);
  }
}

async function checkSideBySide(reader: Reader): Promise<void> {
  const readings = [{}, {}].map(() => ({
    batches: reader.iterate({}, reader.watch()),
    records: [] as unknown[],
    done: false,
  }));
  while (readings.some(({ done }) => !done)) {
    for (const reading of readings) {
      if (reading.done) continue;
      const { done, value } = await reading.batches.next();
      if (!done) reading.records.push(...value.records);
      reading.done = (done ?? false) || reader.isEnough(reading.records.length);
    }
  }
  for (const { batches, records } of readings) {
    await batches.return?.();
    reader.same(
      records,
      reader.given.records,
      `Two readings of ${reader.name} must not disturb each other: keep nothing outside \`read\``,
    );
  }
}

async function checkResume(reader: Reader): Promise<void> {
  const { batches } = await reader.read();
  for (const stop of spread(batches.length, MOST_STOPS)) {
    const before = batches.slice(0, stop);
    const position: Position = Object.assign({}, ...before.map(({ position }) => position));
    const saved = frozenCopy(throughJson(position));
    const count = before.reduce((sum, { records }) => sum + records.length, 0);
    const rest = await reader.read({ from: saved, before: count });
    reader.same(
      [...before.flatMap(({ records }) => records), ...rest.records],
      reader.given.records,
      `${reader.name} must give exactly the rest when it resumes after batch ${stop} from ${
        JSON.stringify(saved)
      }`,
    );
  }
}

async function checkFaults(reader: Reader): Promise<void> {
  const { effects } = (await reader.read()).world;
  const fallible = effects.flatMap(({ kind }, at): Fault[] => {
    if (kind === "fetch") return [{ at, how: "fail" }, { at, how: "page" }];
    return kind === "line" || kind === "read" || kind === "open" ? [{ at, how: "fail" }] : [];
  });
  const tried = spread(fallible.length - 1, MOST_FAULTS * 2).map((index) => fallible[index]);
  for (const fault of tried) {
    if (fault) await checkFaultIsMet(reader, fault, `${effects[fault.at]?.kind} ${fault.at}`);
  }
}

async function checkNothingToRead(reader: Reader): Promise<void> {
  const { empty } = reader.given;
  const world = watch(empty ? empty.context(new AbortController().signal) : failWith("No world"));
  const options = optionsOf(reader.plugin, empty?.options ?? reader.given.options);
  const records: unknown[] = [];
  for await (const batch of reader.plugin.read(options, {}, world.context)) {
    records.push(...batch.records);
  }
  assertEquals(records, [], `${reader.name} must give no records when there is nothing to read`);
  reader.nothingOpen(world, `after nothing was read`);
}

async function checkFails(reader: Reader, expected: FailingWorld<unknown>): Promise<void> {
  const world = watch(expected.context(new AbortController().signal));
  const options = optionsOf(reader.plugin, expected.options ?? reader.given.options);
  const error = await errorOf(reader.plugin.read(options, {}, world.context));
  assertInstanceOf(
    error,
    expected.error,
    `${reader.name} must throw ${expected.error.name} when ${expected.name}: it threw ${error}`,
  );
  const text = describeError(error);
  assert(
    text.includes(expected.message ?? ""),
    `${reader.name} must say "${expected.message}" when ${expected.name}: it said "${text}"`,
  );
  reader.nothingOpen(world, `when ${expected.name}`);
}

/** After a fault there are two honest ends: all records, or an error that says what comes next. */
async function checkFaultIsMet(reader: Reader, fault: Fault, name: string): Promise<void> {
  const world = reader.watch(fault);
  const records: unknown[] = [];
  try {
    records.push(...(await reader.read({ world })).records);
  } catch (error) {
    if (!(error instanceof PenstockError)) {
      failWith(
        `${reader.name} must throw an error of penstock's classes when "${name}" fails: wrap it, with \`cause\``,
        error,
      );
    }
    return reader.nothingOpen(world, `when "${name}" fails`);
  }
  reader.nothingOpen(world, `after "${name}" failed`);
  reader.same(
    records,
    reader.given.records,
    `${reader.name} must give all records or throw when "${name}" fails`,
  );
}

async function errorOf(batches: AsyncIterable<unknown>): Promise<unknown> {
  const iterator = batches[Symbol.asyncIterator]();
  try {
    while (!(await iterator.next()).done);
  } catch (error) {
    return error;
  }
  return undefined;
}
