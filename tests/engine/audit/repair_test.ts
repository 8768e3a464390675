import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import { FatalError } from "../../../engine/errors.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";
import { defineTransform } from "../../../engine/plugin.ts";
import { at, AuditWorld, level, picky, slots, T0, TAGS } from "./_world.ts";

/** What an uninterrupted run leaves in the store. */
function whole(world: AuditWorld): unknown {
  const other = new AuditWorld();
  other.exchange.holes = world.exchange.holes;
  other.exchange.value = world.exchange.value;
  return other.fill().store.all();
}

const checkpointOf = (states: Checkpoint["states"]): Checkpoint => ({
  pipeline: "test",
  epoch: 7,
  steps: [],
  positions: {},
  states,
  tokens: {},
  deadLetterToken: null,
  refusals: {},
  counters: {},
  replayed: {},
  ledger: { sources: {}, transforms: {}, sinks: {}, deadLetter: emptyStep(), dropped: 0 },
});

Deno.test("repairPipeline() fetches just what is missing, and leaves what an uninterrupted run leaves", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(0, 1);
  world.store.lose(40, 50);
  world.store.lose(200, 350);
  world.store.lose(398, 400);
  const { report, checkpoint } = await world.repair();
  assertEquals(world.store.all(), whole(world));
  assert(report.isWhole);
  assertEquals(world.exchange.asked, [[0, 1], [40, 50], [200, 350], [398, 400]]);
  const [found] = report.series;
  assertEquals([found?.repair?.filled, found?.repair?.computed], [163, 0]);
  assertEquals(checkpoint, undefined);
});

Deno.test("repairPipeline() computes anew what lies behind a gap that the transforms never saw, as far as it matters", async () => {
  const world = new AuditWorld().fill((slot) => slot >= 100 && slot < 110);
  const { report } = await world.repair();
  assertEquals(world.store.all(), whole(world));
  const [found] = report.series;
  assertEquals(found?.repair?.filled, 10);
  const computed = found?.repair?.computed ?? 0;
  assert(computed > 0 && computed < 20, `It wrote ${computed} points anew`);
  // Nothing is written from the first point on that was right.
  assertEquals(Math.max(...world.store.writes), 109 + computed);
});

Deno.test("repairPipeline() mends gaps so near each other that one lies in the wake of another", async () => {
  const unseen = [100, 101, 104, 107, 108, 109, 118];
  const world = new AuditWorld().fill((slot) => unseen.includes(slot));
  const { report } = await world.repair();
  assert(report.isWhole);
  assertEquals(world.store.all(), whole(world));
});

Deno.test("repairPipeline() finds out once that the exchange has nothing, and never asks again", async () => {
  const world = new AuditWorld();
  world.exchange.holes = [60, 61, 62, 63, 200];
  world.fill();
  world.store.lose(199, 203);
  const first = await world.repair();
  assertEquals(first.report.series[0]?.repair?.holes, [slots(60, 64), slots(200, 201)]);
  assertEquals(first.report.series[0]?.holes, [slots(60, 64), slots(200, 201)]);
  assert(first.report.isWhole);
  assertEquals(world.store.all(), whole(world));
  world.exchange.asked.length = 0;
  const second = await world.repair();
  assert(second.report.isWhole);
  assertEquals(second.report.series[0]?.expected, 395);
  assertEquals(world.exchange.asked, []);
});

Deno.test("repairPipeline() does not take for a hole what an answer lacks once", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(50, 60);
  world.exchange.forgotten.add(53);
  const first = await world.repair();
  assertEquals(first.report.series[0]?.repair?.holes, []);
  assertEquals(first.report.series[0]?.gaps, [slots(53, 54)]);
  assert(!first.report.isWhole);
  const second = await world.repair();
  assert(second.report.isWhole);
  assertEquals(world.store.all(), whole(world));
});

Deno.test("repairPipeline() computes fields that are absent although they could be known", async () => {
  const world = new AuditWorld().fill();
  for (let slot = 0; slot < 400; slot++) {
    if (slot < 20 || slot > 300) world.store.points.set(at(slot), world.exchange.point(slot));
  }
  const { report } = await world.repair();
  assertEquals(report.series[0]?.repair?.computed, 18 + 99);
  assertEquals(world.store.all(), whole(world));
  assertEquals(world.exchange.asked, []);
});

Deno.test("repairPipeline() writes a blank over a field that must no longer be there, where there is one", async () => {
  const world = new AuditWorld().fill();
  world.store.put({ ...world.exchange.point(50), fields: { first: 7 } });
  const found = await world.audit();
  assertEquals(found.series[0]?.breaks.map(({ what }) => what), [
    "with other first than the points before give",
  ]);
  const { report } = await world.repair();
  assert(report.isWhole);
  assertEquals(world.store.writes, [50]);
  assertEquals(world.store.points.get(at(50))?.fields.first, 0);
});

Deno.test("repairPipeline() leaves a field that must not be there, where nothing stands for none", async () => {
  const { blanks: _, ...rest } = level;
  const world = new AuditWorld().fill();
  world.transforms = [defineTransform(rest)];
  world.store.put({ ...world.exchange.point(50), fields: { first: 7 } });
  const { report } = await world.repair();
  assert(report.isWhole);
  assertEquals(report.series[0]?.suspicious, [
    { what: "with first left over", fromMs: at(50), lastMs: at(50), points: 1 },
  ]);
  assertEquals(world.store.writes, []);
});

Deno.test("repairPipeline() mends what a repair that was killed left behind", async () => {
  for (let kept = 0; kept <= 30; kept += 3) {
    const world = new AuditWorld().fill((slot) => slot >= 100 && slot < 120);
    const before = new Map(world.store.points);
    await world.repair();
    // What was written before the kill stays, the rest is as it was.
    const written = new Set(world.store.writes.slice(0, kept));
    for (const slot of world.store.writes) {
      const old = before.get(at(slot));
      if (written.has(slot)) continue;
      if (old) world.store.points.set(at(slot), old);
      else world.store.points.delete(at(slot));
    }
    const { report } = await world.repair();
    assert(report.isWhole);
    assertEquals(world.store.all(), whole(world), `killed after ${kept} points`);
  }
});

Deno.test("repairPipeline() gives the checkpoint what transforms remember where a repair changes the end", async () => {
  const world = new AuditWorld().fill((slot) => slot === 398);
  world.checkpoint = checkpointOf({ level: { a: { level: 1, n: 9 }, b: { level: 2, n: 9 } } });
  const { checkpoint } = await world.repair();
  const last = world.store.points.get(at(399));
  assertEquals(checkpoint?.states, {
    level: { a: { level: Number(last?.fields.level), n: 9 }, b: { level: 2, n: 9 } },
  });
  assertEquals(checkpoint?.epoch, 7);
});

Deno.test("repairPipeline() gives no state to a series that the pipeline has not begun to read", async () => {
  const world = new AuditWorld().fill((slot) => slot === 398);
  world.checkpoint = checkpointOf({ level: {} });
  const { checkpoint } = await world.repair();
  assertEquals(checkpoint?.states, { level: {} });
});

Deno.test("repairPipeline() goes over all that is stored where no point has enough to go on from", async () => {
  const { restore: _, ...state } = level.state ?? { version: 1, initial: () => ({}) };
  const forgetful = defineTransform({ ...level, state: state as typeof level.state & object });
  const world = new AuditWorld().fill((slot) => slot === 200);
  world.transforms = [forgetful];
  const { report } = await world.repair();
  assert(report.isWhole);
  assertEquals(world.store.all(), whole(world));
  assertEquals(world.store.reads.filter(([fromMs]) => fromMs === T0).length > 1, true);
});

Deno.test("repairPipeline() tells what a transform refuses: it stays missing, and is no hole", async () => {
  const world = new AuditWorld();
  world.exchange.value = (slot) => slot === 50 ? 113 : 100;
  world.fill();
  world.store.lose(45, 55);
  world.transforms = [picky, level];
  const { report } = await world.repair();
  const [found] = report.series;
  assertEquals(found?.gaps, [slots(50, 51)]);
  assertEquals(found?.repair?.refused, ["Cannot take 113"]);
  assertEquals(found?.repair?.holes, []);
});

Deno.test("repairPipeline() writes no point a second time into a sink that would double it", async () => {
  const world = new AuditWorld().fill((slot) => slot >= 100 && slot < 110);
  world.store.lose(5, 6);
  world.delivery = "append";
  const { report } = await world.repair();
  assertEquals(world.store.writes, [5, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
  const [found] = report.series;
  assertEquals(found?.gaps, []);
  assertEquals(found?.breaks.map(({ fromMs, what }) => [fromMs, what]), [
    [at(110), "with other level than the points before give"],
  ]);
});

Deno.test("repairPipeline() leaves a sink alone that takes back what its token does not know", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(5, 6);
  world.delivery = "transactional";
  await assertRejects(() => world.repair(), FatalError, "must not depend on what a run wrote last");
  assertEquals(world.store.writes, []);
});

Deno.test("repairPipeline() refuses transforms that change what they are given", async () => {
  const bent = defineTransform({
    ...level,
    step(point, context) {
      return level.step({ ...point, fields: { value: Number(point.fields.value) + 1 } }, context);
    },
  });
  const world = new AuditWorld().fill();
  world.store.lose(5, 6);
  world.transforms = [bent];
  await assertRejects(() => world.repair(), FatalError, '"value" is changed by "level"');
  const renamed = defineTransform({
    ...level,
    shape: () => ({
      kind: "point",
      measurement: "other",
      tags: Object.keys(TAGS),
      fields: { value: "float" },
    }),
  });
  world.transforms = [renamed];
  await assertRejects(
    () => world.repair(),
    FatalError,
    'transform "level" and those behind it must add fields only',
  );
  assertEquals(world.store.writes, []);
});
