/**
 * Interrupting a source: consumers that stop, signals that abort, worlds that fail.
 *
 * @module
 */

import { assert, assertInstanceOf } from "@std/assert";
import { describeError, PenstockError } from "../../engine/errors.ts";
import type { SourceBatch } from "../../engine/plugin.ts";
import { optionsOf } from "./plugin.ts";
import { failWith, soon, spread } from "./pure.ts";
import type { FailingWorld, Reader } from "./reading.ts";
import { type Fault, watch } from "./watch.ts";

/** How many stopping points are tried, spread evenly, when there are more. */
const MOST_STOPS = 40;
/** How many points of failure are tried. */
const MOST_FAULTS = 12;

/** Stops as a consumer does that has had enough. */
export async function checkEarlyStop(reader: Reader): Promise<void> {
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

/** Aborts between two batches. */
export async function checkAbortBetween(reader: Reader): Promise<void> {
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

/** Aborts while a request or a wait does not end. */
export async function checkAbortWaiting(reader: Reader): Promise<void> {
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

/** Lets each thing that can fail do so once. */
export async function checkFaults(reader: Reader): Promise<void> {
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

/**
 * After a fault there are two honest ends: all records, or an error that says what comes next. The
 * engine reads on from the position before the error, so that has to be right as well.
 */
async function checkFaultIsMet(reader: Reader, fault: Fault, name: string): Promise<void> {
  const world = reader.watch(fault);
  const batches: SourceBatch<unknown>[] = [];
  let isThrown = false;
  try {
    await reader.read({ world, each: (batch) => void batches.push(batch) });
  } catch (error) {
    isThrown = true;
    if (!(error instanceof PenstockError)) {
      failWith(
        `${reader.name} must throw an error of penstock's classes when "${name}" fails: wrap it, with \`cause\``,
        error,
      );
    }
  }
  reader.nothingOpen(world, `when "${name}" fails`);
  if (isThrown && ["none", "final"].includes(reader.replay)) return;
  reader.same(
    isThrown ? await reader.readOn(batches) : batches.flatMap(({ records }) => records),
    reader.given.records,
    `${reader.name} must give all records, or throw and give the rest when it is read on, when "${name}" fails`,
  );
}

/** Reads in a world in which it must fail. */
export async function checkFails(reader: Reader, expected: FailingWorld<unknown>): Promise<void> {
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

async function errorOf(batches: AsyncIterable<unknown>): Promise<unknown> {
  const iterator = batches[Symbol.asyncIterator]();
  try {
    while (!(await iterator.next()).done);
  } catch (error) {
    return error;
  }
  return undefined;
}
