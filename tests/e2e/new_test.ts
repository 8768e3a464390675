/** `penstock new` as a user meets it: what it makes works at once. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { end, start, temporaryFolder } from "./_penstock.ts";

const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** Runs penstock in a folder. */
function penstockIn(folder: string, ...args: string[]) {
  return end(start(args, { cwd: folder }));
}

Deno.test("new pipeline makes a file that runs at once, and overwrites none", async () => {
  await using temporary = await temporaryFolder();
  const { path: folder } = temporary;
  const made = await penstockIn(folder, "new", "pipeline", "my-candles");
  assertEquals([made.code, made.stdout], [0, ""], made.stderr);
  assertStringIncludes(made.stderr, "made my-candles.yaml\n");
  const dry = await penstockIn(folder, "dry-run", "my-candles.yaml", "--simulate", "--limit", "3");
  assertEquals([dry.code, dry.stdout.split("\n").length - 1], [0, 3], dry.stderr);
  const again = await penstockIn(folder, "new", "pipeline", "my-candles");
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, "it is there already");
});

for (const kind of ["source", "transform", "sink"]) {
  Deno.test(`new plugin makes a ${kind} that passes its contract suite, and can be described`, async () => {
    await using temporary = await temporaryFolder();
    const { path: folder } = temporary;
    const made = await penstockIn(folder, "new", "plugin", "rain_gauge", "--kind", kind);
    assertEquals(made.code, 0, made.stderr);
    assertStringIncludes(made.stderr, "made rain_gauge.ts\nmade rain_gauge_test.ts\n");
    const text = await Deno.readTextFile(join(folder, "rain_gauge.ts"));
    assertStringIncludes(text, 'id: "rain_gauge"');
    assertEquals(text.includes("my_"), false);
    const tested = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--quiet", "--config", CONFIG, "rain_gauge_test.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(tested.stdout) + new TextDecoder().decode(tested.stderr);
    assertEquals(tested.code, 0, said);
    assertMatch(said, /ok \| 1\d passed/);
    const described = await penstockIn(folder, "describe", "./rain_gauge.ts");
    assertStringIncludes(described.stdout, `${kind} rain_gauge: `, described.stderr);
  });
}

Deno.test("new says what a name must be, and what it makes", async () => {
  await using temporary = await temporaryFolder();
  const { path: folder } = temporary;
  const cases: [string[], string][] = [
    [["plugin", "Rain Gauge"], "as its name must be snake_case"],
    [["pipeline", "9"], "as its name must begin with a letter"],
    [["plugn", "rain"], 'Did you mean "plugin"?'],
    [["plugin", "rain", "--kind", "sinc"], 'Did you mean "sink"?'],
    [["plugin"], "it must have one pipeline|plugin and one NAME: it has 1"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await penstockIn(folder, "new", ...args);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  }
});
