import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { auditPipeline } from "../../../engine/audit/audit.ts";
import { OptionsError } from "../../../engine/errors.ts";
import { defineTransform } from "../../../engine/plugin.ts";
import { pipelineOf } from "../_fakes.ts";
import { at, AuditWorld, level, slots, T0, TAGS } from "./_world.ts";

Deno.test("auditPipeline() finds nothing in a store that holds all", async () => {
  const world = new AuditWorld().fill();
  const report = await world.audit();
  assertEquals(report, {
    pipeline: "test",
    series: [{
      source: "exchange",
      sink: "store",
      tags: TAGS,
      fromMs: T0,
      toMs: at(400),
      expected: 400,
      stored: 400,
      gaps: [],
      holes: [],
      breaks: [],
      suspicious: [],
    }],
    left: [],
    stores: [],
    isWhole: true,
  });
  assertEquals(world.exchange.asked, []);
});

Deno.test("auditPipeline() names each gap: at the start, of one slot, of many, at the end", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(0, 2);
  world.store.lose(17, 18);
  world.store.lose(100, 250);
  world.store.lose(399, 400);
  const { series: [found], isWhole } = await world.audit();
  assertEquals(found?.gaps, [slots(0, 2), slots(17, 18), slots(100, 250), slots(399, 400)]);
  assertEquals(found?.stored, 246);
  assertEquals(found?.breaks, []);
  assert(!isWhole);
});

Deno.test("auditPipeline() calls an empty store one gap", async () => {
  const { series: [found] } = await new AuditWorld().audit();
  assertEquals(found?.gaps, [slots(0, 400)]);
});

Deno.test("auditPipeline() knows holes, also where more is missing beside them", async () => {
  const world = new AuditWorld().fill();
  world.holes.add("exchange", TAGS, [slots(20, 30), slots(50, 60)]);
  world.store.lose(15, 35);
  world.store.lose(50, 60);
  const { series: [found] } = await world.audit();
  assertEquals(found?.gaps, [slots(15, 20), slots(30, 35)]);
  assertEquals(found?.holes, [slots(20, 30), slots(50, 60)]);
  assertEquals(found?.expected, 380);
});

Deno.test("auditPipeline() looks at the time it is given, and no further than the series goes", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(10, 20);
  world.store.lose(200, 210);
  const { series: [found] } = await world.audit({ fromMs: at(150), toMs: at(205) });
  assertEquals(found?.gaps, [slots(200, 205)]);
  assertEquals(found?.expected, 55);
  const { series: [all] } = await world.audit({ fromMs: 0, toMs: at(10_000) });
  assertEquals(all?.expected, 400);
});

Deno.test("auditPipeline() begins at the first stored point of a series without a beginning", async () => {
  const world = new AuditWorld().fill();
  world.fromMs = undefined;
  world.store.lose(0, 100);
  const { series: [found], isWhole } = await world.audit();
  assertEquals(found?.fromMs, at(100));
  assertEquals(found?.expected, 300);
  assert(isWhole);
});

Deno.test("auditPipeline() finds where computed fields do not follow from what is before", async () => {
  const world = new AuditWorld().fill();
  world.store.put({ ...world.exchange.point(50), fields: { level: 1 } });
  for (let slot = 80; slot < 90; slot++) {
    world.store.points.set(at(slot), world.exchange.point(slot));
  }
  const { series: [found], isWhole } = await world.audit();
  assertEquals(found?.breaks, [
    {
      what: "with other level than the points before give",
      fromMs: at(50),
      lastMs: at(51),
      points: 2,
    },
    { what: "without level", fromMs: at(80), lastMs: at(89), points: 10 },
  ]);
  assert(!isWhole);
});

Deno.test("auditPipeline() takes the values behind a gap as they are, and looks at those behind", async () => {
  const world = new AuditWorld().fill((slot) => slot >= 100 && slot < 110);
  const { series: [found] } = await world.audit();
  assertEquals(found?.gaps, [slots(100, 110)]);
  assertEquals(found?.breaks, []);
});

Deno.test("auditPipeline() does not mind rounding that the store is known for", async () => {
  const world = new AuditWorld().fill();
  for (const point of world.store.all()) {
    const { level = 0 } = point.fields;
    if (level !== 0) world.store.put({ ...point, fields: { level: Number(level) * (1 + 1e-13) } });
  }
  world.store.tolerance = 1e-12;
  // The whole numbers of this transform hide less than real ones would: the last digit may jump.
  const { series: [found] } = await world.audit();
  assertEquals(found?.breaks.filter(({ what }) => what.startsWith("without")), []);
});

Deno.test("auditPipeline() counts a point that is not whole as missing, and says what it doubts", async () => {
  const world = new AuditWorld().fill();
  world.store.points.set(at(30), { ...world.exchange.point(30), fields: { level: 1 } });
  const { series: [found] } = await world.audit();
  assertEquals(found?.gaps, [slots(30, 31)]);
  assertEquals(found?.suspicious, [
    { what: "without a value", fromMs: at(30), lastMs: at(30), points: 1 },
  ]);
});

Deno.test("auditPipeline() tells of values that rest only where they rest for long", async () => {
  const world = new AuditWorld();
  world.exchange.value = (slot) => (slot >= 20 && slot < 25) || slot === 60 ? 0 : 100;
  const { series: [found], isWhole } = await world.fill().audit();
  assertEquals(found?.suspicious, [
    { what: "at rest", fromMs: at(20), lastMs: at(24), points: 5 },
  ]);
  assert(isWhole);
});

Deno.test("auditPipeline() tells of points off the grid and of values of another type", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(70, 71);
  world.store.put({ ...world.exchange.point(70), timeMs: at(70) + 14_789 });
  world.store.put({ ...world.exchange.point(80), fields: { value: "many" } });
  const { series: [found] } = await world.audit();
  assertEquals(found?.gaps, []);
  assertEquals(found?.suspicious.map(({ what, fromMs }) => [what, fromMs]), [
    ["off the grid", at(70) + 14_789],
    ['"value" that is no float', at(80)],
  ]);
});

Deno.test("auditPipeline() says of a series without an interval only what can be known", async () => {
  const world = new AuditWorld();
  world.exchange.tags = { name: "a", interval: "often" };
  world.store.put(world.exchange.point(3));
  const { series: [found], isWhole } = await world.audit();
  assertEquals([found?.expected, found?.stored, found?.gaps], [undefined, 1, []]);
  assert(isWhole);
});

Deno.test("auditPipeline() stops when it is told to", async () => {
  const world = new AuditWorld().fill();
  const signal = AbortSignal.abort(new DOMException("Stopped", "AbortError"));
  await assertRejects(
    () => auditPipeline(world.pipeline(), { ...world.options(), signal }),
    DOMException,
    "Stopped",
  );
});

Deno.test("auditPipeline() says what it needs: a history, a store, and the tags of the series", async () => {
  const world = new AuditWorld();
  const pipeline = world.pipeline();
  const [source] = pipeline.sources;
  const [sink] = pipeline.sinks;
  if (!source || !sink) throw new Error("No steps");
  const { history: _, ...mute } = source.plugin;
  const { store: __, ...blind } = sink.plugin;
  const without = { ...pipeline, sources: [{ ...source, plugin: mute as typeof source.plugin }] };
  await assertRejects(
    () => auditPipeline(without, world.options()),
    OptionsError,
    "no source can say what there must be",
  );
  const unread = pipelineOf({
    ...pipeline,
    sinks: [{ ...sink, plugin: blind as typeof sink.plugin }],
  });
  await assertRejects(
    () => auditPipeline(unread, world.options()),
    OptionsError,
    "no sink can be read back",
  );
  world.exchange.tags = { name: "a" };
  await assertRejects(
    () => auditPipeline(world.pipeline(), world.options()),
    OptionsError,
    "must be stored with their tags name: they are stored with name, interval",
  );
});

Deno.test("auditPipeline() names the steps it leaves out", async () => {
  const world = new AuditWorld().fill();
  const pipeline = world.pipeline();
  const [source] = pipeline.sources;
  const [sink] = pipeline.sinks;
  if (!source || !sink) throw new Error("No steps");
  const { history: _, ...mute } = source.plugin;
  const { store: __, ...blind } = sink.plugin;
  const report = await auditPipeline({
    ...pipeline,
    sources: [source, { ...source, plugin: mute as typeof source.plugin, id: "feed" }],
    sinks: [sink, { ...sink, plugin: blind as typeof sink.plugin, id: "screen" }],
  }, world.options());
  assertEquals(report.left, [
    { step: "feed", why: "it cannot say what there must be" },
    { step: "screen", why: "it cannot be read back" },
  ]);
});

Deno.test("auditPipeline() tells of fields that the store has as other types than declared", async () => {
  const world = new AuditWorld().fill();
  const pipeline = world.pipeline();
  const [sink] = pipeline.sinks;
  if (!sink?.plugin.store) throw new Error("No store");
  const types = () =>
    Promise.resolve({ value: ["float", "integer"], level: ["float"], other: ["string"] } as const);
  const store = { ...sink.plugin.store, types };
  const mixed = Object.assign(() => ({ use: "store" }), sink.plugin, { store });
  const report = await auditPipeline(
    { ...pipeline, sinks: [{ ...sink, plugin: mixed as typeof sink.plugin }] },
    world.options(),
  );
  assertEquals(report.stores, [{
    sink: "store",
    what: '"value" of "level" is declared float, and stored as float and integer',
  }]);
  assert(report.isWhole);
});

Deno.test("auditPipeline() finds gaps also where computed fields cannot be looked at, and says so", async () => {
  const world = new AuditWorld().fill();
  world.store.lose(5, 6);
  world.transforms = [defineTransform({
    ...level,
    step: (point, context) =>
      level.step({ ...point, fields: { value: Number(point.fields.value) + 1 } }, context),
  })];
  const { series: [bent] } = await world.audit();
  assertEquals(bent?.gaps, [slots(5, 6)]);
  assertStringIncludes(bent?.suspicious[0]?.what ?? "", '"value" is changed by "level"');
  world.transforms = [defineTransform({
    ...level,
    shape: () => ({
      kind: "point",
      measurement: "other",
      tags: Object.keys(TAGS),
      fields: { value: "float" },
    }),
  })];
  const { series: [renamed], left } = await world.audit();
  assertEquals(renamed?.gaps, [slots(5, 6)]);
  assertEquals(left.map(({ step }) => step), ["level"]);
});
