import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { PipelineFileError, renderDiagnostics } from "../../../engine/pipeline_file/diagnostics.ts";
import { loadPipeline } from "../../../engine/pipeline_file/load.ts";
import { readTextFile } from "../../../engine/pipeline_file/read_text.ts";
import { diagnose, load, mistakes } from "./_loading.ts";
import { average, points, registry, ticks, toPoint } from "../_plugins.ts";

function file(use: string): string {
  return `name: a\nsources: [{ use: "${use}" }]\nsinks: [{ use: printer }]\n`;
}

/** Loads a real file with the runtime's own import. */
async function mistakesOnDisk(path: string): Promise<string> {
  try {
    await loadPipeline(path, { registry, env: () => undefined, readText: readTextFile });
    return "";
  } catch (error) {
    if (!(error instanceof PipelineFileError)) throw error;
    return renderDiagnostics(error.diagnostics).replaceAll(`${dirname(path)}/`, "");
  }
}

/** The same for a file that the test itself writes. */
async function mistakesOf(name: string, text: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return await mistakesOnDisk(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a custom plugin is the default export, or the only one of its kind", async () => {
  for (
    const exports of [
      { default: points, other: ticks },
      { points },
      { points, average, helper: () => 1, VERSION: 2 },
    ]
  ) {
    const { sources } = await load(file("./plugins/mine.ts"), {
      file: "/p/a.yaml",
      modules: { "file:///p/plugins/mine.ts": exports },
    });
    assertEquals([sources[0]?.plugin, sources[0]?.id], [points, "points"]);
  }
});

Deno.test("a custom plugin may come from JSR, npm, the network, or the folder above", async () => {
  const addresses: [string, string][] = [
    ["jsr:@me/points", "jsr:@me/points"],
    ["npm:points@1", "npm:points@1"],
    ["https://example.com/points.ts", "https://example.com/points.ts"],
    ["../points.ts", "file:///points.ts"],
    ["/q/points.ts", "file:///q/points.ts"],
  ];
  for (const [use, url] of addresses) {
    const modules = { [url]: { points } };
    const { sources } = await load(file(use), { file: "/p/a.yaml", modules });
    assertEquals(sources[0]?.plugin, points);
  }
});

Deno.test("a custom plugin that cannot be used is told at its step, with the reason", async () => {
  const badId = Object.assign((options: unknown) => points(Object(options)), points, {
    id: "My Points",
  });
  const cases: [unknown, string][] = [
    [{}, "it exports no plugin [Export what `defineSource` gives]"],
    [{ toPoint }, "it exports a transform, but no source"],
    [{ points, ticks }, 'it exports "points" and "ticks" [Make one of them the default export]'],
    [{ badId }, 'its id must be snake_case: it is "My Points"'],
  ];
  for (const [exports, reason] of cases) {
    const modules = { "file:///p/mine.ts": exports };
    assertEquals(await mistakes(file("./mine.ts"), { file: "/p/a.yaml", modules }), [
      `2:18 Cannot load source "./mine.ts": ${reason}`,
    ]);
  }
  assertEquals(await mistakes(file("./mine.ts"), { file: "/p/a.yaml" }), [
    '2:18 Cannot load source "./mine.ts": it is not there',
  ]);
});

Deno.test("a custom plugin's options are checked as those of any other", async () => {
  const text = file("./mine.ts").replace(" }]\nsinks", ", with: { tpye: float } }]\nsinks");
  const modules = { "file:///p/mine.ts": { points } };
  assertEquals(await mistakes(text, { file: "/p/a.yaml", modules }), [
    '2:39 Cannot use option "tpye" of source "points": it does not exist [Did you mean "type"?]',
  ]);
});

Deno.test("a custom plugin whose own code throws is told with its name", async () => {
  const broken = { ...points, safeParse: 1 };
  const plugin = Object.assign(() => ({ use: "x" }), broken, { options: {} });
  const modules = { "file:///p/mine.ts": { plugin } };
  assertEquals(await mistakes(file("./mine.ts"), { file: "/p/a.yaml", modules }), [
    '2:11 Cannot check source "points": schema.safeParse is not a function',
  ]);
});

Deno.test("definePipeline() has mistakes told where it was called, with the way to each", async () => {
  assertEquals(
    await mistakesOnDisk(
      fromFileUrl(new URL("../../testdata/pipelines/wrong_options.ts", import.meta.url)),
    ),
    `wrong_options.ts:6:16: Cannot use key "naem" of the pipeline: it does not exist (naem)
  6 | export default definePipeline({
    |                ^
  hint: Did you mean "name"?
wrong_options.ts:6:16: Cannot use option "intervall" of source "ticks": it does not exist (sources[0].with.intervall)
  6 | export default definePipeline({
    |                ^
  hint: Did you mean "interval"?
wrong_options.ts:6:16: Cannot use id "ticks" for source "ticks" as ids must be unique: source "ticks" at sources[0] has it (sources[1].id)
  6 | export default definePipeline({
    |                ^
  hint: Give one of them an "id" of its own
`,
  );
});

Deno.test("a module that does not parse is told at the place that does not", async () => {
  assertEquals(
    await mistakesOf("wrong.ts", "// A comment\nexport default { name: };\n"),
    `wrong.ts:2:24: Cannot load the pipeline: Expression expected
  2 | export default { name: };
    |                        ^
`,
  );
});

Deno.test("a module that throws is told at the line that throws", async () => {
  assertEquals(
    await mistakesOf("throws.ts", 'const name: string = "a";\n\nthrow new Error(`No ${name}`);\n'),
    `throws.ts:3:7: Cannot load the pipeline: No a
  3 | throw new Error(\`No \${name}\`);
    |       ^
`,
  );
});

Deno.test("a module must have a default export that is a mapping", async () => {
  const url = `file://${Deno.cwd()}/a.ts`;
  const hint = "[Write `export default definePipeline({ … })`]";
  assertEquals(await mistakes("x", { file: "a.ts", modules: { [url]: { pipeline: {} } } }), [
    `1:1 Cannot use the module as a pipeline as it must have a default export ${hint}`,
  ]);
  assertEquals(await mistakes("x", { file: "a.ts", modules: { [url]: { default: [] } } }), [
    `1:1 Cannot use the module as a pipeline as its default export must be a mapping ${hint}`,
  ]);
});

Deno.test("a module's steps may not hold a plugin of another kind, nor a value that holds itself", async () => {
  const url = `file://${Deno.cwd()}/a.ts`;
  const loop: Record<string, unknown> = {};
  loop.type = loop;
  const pipeline = {
    name: "a",
    sources: [{ use: toPoint }, { use: points, with: loop }],
    sinks: [{ use: "printer", with: new Date(0) }],
  };
  const modules = { [url]: { default: pipeline } };
  assertEquals(await mistakes("x", { file: "a.ts", modules }), [
    "1:1 Cannot use a value that holds itself (sources[1].with.type)",
    '1:1 Cannot use transform "to_point" as a source (sources[0].use)',
    '1:1 Cannot use key "with" of sink "printer" as it must be a mapping: it is an object (sinks[0].with)',
  ]);
});

Deno.test("a module's line is shown without its secrets", async () => {
  const url = `file://${Deno.cwd()}/a.ts`;
  const text = 'export default { token: "hunter2" };\n';
  const [first] = await diagnose(text, { file: "a.ts", modules: { [url]: { default: {} } } });
  assertEquals(first?.excerpt, { text: "export default { token: ***", caret: 0 });
});
