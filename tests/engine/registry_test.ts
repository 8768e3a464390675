import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FatalError } from "../../engine/errors.ts";
import { hintForName, listed, nearestName } from "../../engine/nearest.ts";
import { createRegistry } from "../../engine/registry.ts";
import { average, points, printer, registry, store, ticks, toPoint } from "./_plugins.ts";

const NONE = { sources: {}, transforms: {}, sinks: {} };

Deno.test("createRegistry() finds plugins by kind and id, and lists them in order", async () => {
  assertEquals(await registry.find("source", "ticks"), ticks);
  assertEquals(await registry.find("sink", "ticks"), undefined);
  assertEquals(await registry.find("sink", "constructor"), undefined);
  assertEquals(await registry.list("sink"), [store, printer]);
  assertEquals(await registry.list(), [ticks, points, toPoint, average, store, printer]);
});

Deno.test("createRegistry() loads a plugin when it is asked for, and not before", async () => {
  let loaded = 0;
  const load = () => Promise.resolve(points).finally(() => loaded++);
  const lazy = createRegistry({ ...NONE, sources: { points: load } });
  lazy.hint("source", "point");
  await lazy.find("source", "ticks");
  assertEquals(loaded, 0);
  await lazy.find("source", "points");
  assertEquals(loaded, 1);
});

Deno.test("createRegistry() takes one id for plugins of two kinds", async () => {
  const sink = Object.assign((options: unknown) => printer(Object(options)), printer, {
    id: "points",
  });
  const two = createRegistry({
    ...NONE,
    sources: { points: () => Promise.resolve(points) },
    sinks: { points: () => Promise.resolve(sink) },
  });
  assertEquals(await two.list(), [points, sink]);
});

Deno.test("createRegistry() refuses an id that is not snake_case", () => {
  for (const id of ["", "Points", "my-points", "1st", "a b"]) {
    assertThrows(
      () => createRegistry({ ...NONE, sources: { [id]: () => Promise.resolve(points) } }),
      FatalError,
      `Cannot use ${JSON.stringify(id)} as the id of a source as it must be snake_case`,
    );
  }
});

Deno.test("a registry refuses a plugin that is another than its list says", async () => {
  const wrong = createRegistry({ ...NONE, sources: { tick: () => Promise.resolve(ticks) } });
  await assertRejects(
    () => wrong.find("source", "tick"),
    FatalError,
    'Cannot load source "tick" as its file must have it: it has source "ticks"',
  );
});

Deno.test("hint() of a registry names the nearest plugin, the other kind, or all", () => {
  assertEquals(registry.hint("source", "tick"), 'Did you mean "ticks"?');
  assertEquals(registry.hint("source", "TICKS"), 'Did you mean "ticks"?');
  assertEquals(registry.hint("source", "store"), "There is a sink of this name, but no source");
  assertEquals(registry.hint("source", "qwertyuiop"), 'The sources are "ticks" and "points"');
  assertEquals(createRegistry(NONE).hint("source", "x"), undefined);
});

Deno.test("nearestName() knows letters that are missing, doubled, wrong or swapped", () => {
  const names = ["interval", "symbols", "base_url", "from", "to"];
  for (const typo of ["interal", "intervall", "intervel", "intevral", "INTERVAL", "inter"]) {
    assertEquals(nearestName(typo, names), "interval");
  }
  assertEquals(nearestName("form", names), "from");
});

Deno.test("nearestName() proposes nothing for what is like nothing", () => {
  const names = ["interval", "symbols", "to"];
  for (const given of ["", "x", "colour", "\n", "i".repeat(1_000), "interval of the candles"]) {
    assertEquals(nearestName(given, names), undefined);
  }
  assertEquals(nearestName("x", []), undefined);
});

Deno.test("hintForName() and listed() read as a sentence, whatever the number of names", () => {
  assertEquals(hintForName("x", [], "Its keys"), undefined);
  assertEquals(hintForName("x", ["aaa"], "Its keys"), 'There is only "aaa"');
  assertEquals(
    hintForName("x", ["aaa", "bbb", "ccc"], "Its keys"),
    'Its keys are "aaa", "bbb" and "ccc"',
  );
  assertEquals([listed([], "or"), listed(["a"], "or"), listed(["a", "b"], "or")], [
    "",
    "a",
    "a or b",
  ]);
});
