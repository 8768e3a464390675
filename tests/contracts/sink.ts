/**
 * The contract suite of sinks.
 *
 * @module
 */

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { OptionsError, RecordError } from "../../engine/errors.ts";
import type { DeliveryPromise, SinkPlugin } from "../../engine/plugin.ts";
import { Deliverer, type SinkCase } from "./delivering.ts";
import { checkAbort, checkFailures, checkKills } from "./killing.ts";
import { type Check, checkReach, pluginChecks, registerChecks } from "./plugin.ts";
import { copyOf, failWith, frozenCopy, noteWorldUse, spread } from "./pure.ts";

export type { SinkCase, SinkTarget } from "./delivering.ts";

/** How many places to cut at are tried, spread evenly, when there are more. */
const MOST_CUTS = 40;

/**
 * Tests that a sink keeps its contract.
 *
 * @param plugin The sink.
 * @param given Options, records, and a target to write them to.
 *
 * @example
 * ```ts ignore
 * testSink(file, {
 *   options: { path: "out.txt" },
 *   shapes: [{ kind: "raw", format: "line" }],
 *   records: ["a", "b", "c"],
 *   stored: "a\nb\nc\n",
 *   target: () => {
 *     const files = new Map<string, string>();
 *     return {
 *       context: (signal) => fakeContext({ signal, files }),
 *       stored: () => files.get("out.txt") ?? "",
 *     };
 *   },
 * });
 * ```
 */
export function testSink<Options, Input, In>(
  plugin: SinkPlugin<Options, Input, In>,
  given: SinkCase<Input, In>,
): void {
  registerChecks(plugin, given.name, sinkChecks(plugin, given));
}

/**
 * The points of a sink's contract, one by one.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 * import { defineSink } from "../../engine/plugin.ts";
 * import { type FakeContext, fakeContext } from "./context.ts";
 *
 * const printer = defineSink({
 *   id: "printer",
 *   summary: "Prints letters",
 *   options: z.strictObject({}),
 *   delivery: "append",
 *   accept: () => {},
 *   encode: (records: readonly string[]) => new TextEncoder().encode(records.join("\n") + "\n"),
 *   open: (_options, _opening, context) =>
 *     Promise.resolve({
 *       deliver: ({ bytes }) => context.print(bytes),
 *       flush: () => Promise.resolve(null),
 *       close: () => Promise.resolve(),
 *     }),
 * });
 * const checks = sinkChecks(printer, {
 *   options: {},
 *   shapes: [{ kind: "raw", format: "letter" }],
 *   records: ["a", "b", "c"],
 *   encoded: "a\nb\nc\n",
 *   target: () => {
 *     const contexts: FakeContext[] = [];
 *     return {
 *       context(signal) {
 *         const context = fakeContext({ signal });
 *         contexts.push(context);
 *         return context;
 *       },
 *       stored: () => contexts.map((context) => context.printed()).join(""),
 *     };
 *   },
 * });
 * for (const { check } of checks) await check();
 * ```
 */
export function sinkChecks<Options, Input, In>(
  plugin: SinkPlugin<Options, Input, In>,
  given: SinkCase<Input, In>,
): Check[] {
  const sink = new Deliverer(plugin, given);
  const promise = PROMISES[sink.delivery];
  const checks: Check[] = [
    ...pluginChecks(plugin, given),
    { name: "accepts the shapes it is for, and no others", check: () => checkShapes(sink) },
    { name: "encodes the same records to the same bytes", check: () => checkSameBytes(sink) },
    { name: "encodes alike into memory it may use again", check: () => checkSpare(sink) },
    { name: "changes no record that it encodes", check: () => checkFrozen(sink) },
    { name: "leaves bytes alone that it has given", check: () => checkBytesStay(sink) },
    { name: "stores everything, and leaves nothing open", check: () => checkStored(sink) },
    { name: "reaches only what its permissions name", check: () => checkPermitted(sink) },
    { name: "may be closed twice", check: () => checkCloseTwice(sink) },
    { name: `${promise} when it is killed or the power fails`, check: () => checkKills(sink) },
    { name: `${promise} when its target fails`, check: () => checkFailures(sink) },
    { name: "ends when the signal aborts while it waits", check: () => checkAbort(sink) },
  ];
  if (plugin.limits) {
    checks.push({
      name: "has limits that are whole numbers above 0",
      check: () => checkLimits(sink),
    });
  }
  if (given.wholeOnly === undefined) {
    checks.push({ name: "encodes in parts as it does at once", check: () => checkParts(sink) });
  }
  if (given.rejects) {
    checks.push({
      name: "refuses only the records it cannot encode",
      check: () => checkRejects(sink),
    });
  }
  return checks;
}

const PROMISES: Readonly<Record<DeliveryPromise, string>> = {
  idempotent: "stores everything once",
  transactional: "stores everything once",
  append: "loses nothing",
};

function checkShapes(sink: Deliverer): void {
  for (const shape of sink.given.shapes) sink.plugin.accept(shape, sink.options());
  for (const shape of sink.given.badShapes ?? []) {
    assertThrows(
      () => sink.plugin.accept(shape, sink.options()),
      OptionsError,
      "",
      `${sink.name} must refuse to write ${JSON.stringify(shape)}`,
    );
  }
}

function checkLimits(sink: Deliverer): void {
  const limits = sink.plugin.limits?.(sink.options()) ?? {};
  for (const [limit, value] of Object.entries(limits)) {
    assert(
      Number.isSafeInteger(value) && value > 0,
      `The limit ${limit} of ${sink.name} must be a whole number above 0: it is ${value}`,
    );
  }
}

function checkSameBytes(sink: Deliverer): void {
  const used = new Set<string>();
  const [first, second] = noteWorldUse(
    () => [sink.encode(sink.records()), sink.encode(sink.records())] as const,
    used,
  );
  const message = `${sink.name} must encode the same records to the same bytes`;
  assertInstanceOf(first, Uint8Array, `${sink.name} must encode to bytes`);
  assertEquals(textOf(second), textOf(first), message);
  assertEquals([...used], [], `${message}: it must not look at clock, chance or network`);
  const { encoded } = sink.given;
  if (encoded !== undefined) assertEquals(textOf(first), encoded, `${sink.name} must encode so`);
}

function checkSpare(sink: Deliverer): void {
  const text = textOf(sink.encode(sink.records()));
  for (const size of [0, 1, text.length, 10 * text.length + 1_000]) {
    const spare = new ArrayBuffer(size);
    new Uint8Array(spare).fill(0x23);
    assertEquals(
      textOf(sink.encode(sink.records(), spare)),
      text,
      `${sink.name} must encode the same records to the same bytes, whatever spare memory holds`,
    );
  }
}

function checkFrozen(sink: Deliverer): void {
  try {
    sink.encode(frozenCopy(sink.records()));
  } catch (error) {
    failWith(`${sink.name} must not change a record: other sinks get the same one`, error);
  }
}

function checkBytesStay(sink: Deliverer): void {
  const records = sink.records();
  const bytes = sink.encode(records);
  const text = textOf(bytes);
  sink.encode(records.toReversed());
  assertEquals(
    textOf(bytes),
    text,
    `${sink.name} must not write over bytes it has given: they wait while the next are encoded`,
  );
}

function checkParts(sink: Deliverer): void {
  const records = sink.records();
  const whole = textOf(sink.encode(records));
  for (const cut of spread(records.length, MOST_CUTS)) {
    const parts = [records.slice(0, cut), records.slice(cut)].filter(({ length }) => length > 0);
    assertEquals(
      parts.map((part) => textOf(sink.encode(part))).join(""),
      whole,
      `${sink.name} must encode in parts, cut after ${cut} records, as it does at once; if it cannot, the test case says why in \`wholeOnly\``,
    );
  }
}

function checkRejects(sink: Deliverer): void {
  const good = sink.records();
  const whole = textOf(sink.encode(good));
  for (const [number, bad] of (sink.given.rejects ?? []).entries()) {
    for (const place of spread(good.length, MOST_CUTS)) {
      const rejected: number[] = [];
      const records = good.toSpliced(place, 0, copyOf(bad));
      const message = `${sink.name} must refuse bad record ${number} and no other`;
      const bytes = sink.encodeSome(records, (index, error) => {
        rejected.push(index);
        assertInstanceOf(error, RecordError, `${message}, with a RecordError`);
      });
      assertEquals(rejected, [place], `${message}, once, by its index`);
      assertEquals(textOf(bytes), whole, `${message}: the rest is encoded as without it`);
    }
  }
}

async function checkStored(sink: Deliverer): Promise<void> {
  const target = sink.given.target();
  const { how, error, world } = await sink.run(target);
  if (how !== "done") failWith(`${sink.name} must deliver, flush and close`, error);
  assertEquals(world.open(), [], `${sink.name} must leave nothing open once it is closed`);
  const stored = await target.stored();
  assert(stored !== "", `${sink.name} must store the records: nothing is stored`);
  if (sink.given.stored !== undefined) {
    assertEquals(stored, sink.given.stored, `${sink.name} must store this`);
  }
}

async function checkPermitted(sink: Deliverer): Promise<void> {
  const { world } = await sink.run(sink.given.target());
  checkReach(sink.plugin, sink.options(), world.effects);
}

async function checkCloseTwice(sink: Deliverer): Promise<void> {
  const world = sink.watch(sink.given.target());
  const writer = await sink.open(world, undefined);
  await writer.close();
  try {
    await writer.close();
  } catch (error) {
    failWith(`${sink.name} must take it when it is closed twice`, error);
  }
  assertEquals(world.open(), [], `${sink.name} must leave nothing open once it is closed`);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
