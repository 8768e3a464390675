/**
 * The contract suite of sources.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { SourcePlugin } from "../../engine/plugin.ts";
import {
  checkAbortBetween,
  checkAbortWaiting,
  checkEarlyStop,
  checkFails,
  checkFaults,
} from "./interrupting.ts";
import { type Check, checkReach, optionsOf, pluginChecks, registerChecks } from "./plugin.ts";
import { failWith, findJsonFault, inText, spread } from "./pure.ts";
import { Reader, type SourceCase } from "./reading.ts";
import { findShapeFault } from "./shape.ts";
import { watch } from "./watch.ts";

export type { FailingWorld, SourceCase } from "./reading.ts";

/** How many stopping points are tried, spread evenly, when there are more. */
const MOST_STOPS = 40;

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
    {
      name: "says where it stands and what it costs, the same each time",
      check: () => checkSaying(reader),
    },
    { name: "loses nothing in silence when the world fails", check: () => checkFaults(reader) },
  ];
  // Of records that are still to change, a second reading shows others.
  if (!["none", "final"].includes(reader.replay)) {
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
    each: (batch) => void copies.push(inText(batch)),
  });
  for (const [index, batch] of batches.entries()) {
    assertEquals(
      inText(batch),
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
    reader.same(
      await reader.readOn(before),
      reader.given.records,
      `${reader.name} must give exactly the rest when it resumes after batch ${stop} from ${
        JSON.stringify(before.at(-1)?.position ?? {})
      }`,
    );
  }
}

/** Both are optional, and pure: they are asked without a context. */
async function checkSaying(reader: Reader): Promise<void> {
  const { plugin, name } = reader;
  const options = reader.options();
  const nowMs = Date.UTC(2024, 0, 1);
  const cost = plugin.cost?.(options, nowMs);
  assertEquals(plugin.cost?.(options, nowMs), cost, `The cost of ${name} must not change`);
  const { uses, ...counts } = cost ?? {};
  for (const [what, count] of Object.entries({ ...counts, ...uses })) {
    assert(
      Number.isFinite(count) && count >= 0,
      `The cost of ${name} must be made of numbers from 0 on: ${what} is ${count}`,
    );
  }
  for (const { position } of (await reader.read()).batches) {
    const places = plugin.describePosition?.(options, position, nowMs) ?? [];
    assertEquals(
      plugin.describePosition?.(options, position, nowMs) ?? [],
      places,
      `What ${name} says of a position must not change`,
    );
    assertEquals(
      new Set(places.map(({ series }) => series)).size,
      places.length,
      `${name} must say of each series once where it stands`,
    );
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
