/** Dead letters as a user meets them: kept, told of, put through again. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { hourly, penstock, temporaryFolder, TestExchange, writePipeline } from "./_penstock.ts";

/** A transform that refuses the candles of some hours. */
function picky(refused: string): string {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  return `import { defineTransform, RecordError } from "${mod}";
import { z } from "${import.meta.resolve("zod")}";

export default defineTransform({
  id: "picky",
  summary: "Refuses some hours",
  options: z.strictObject({}),
  shape: (input) => input,
  step(candle, { emit }) {
    const hour = new Date(candle.candle[0]).getUTCHours();
    if (${refused}) throw new RecordError(\`Cannot take hour \${hour}\`);
    emit(candle);
  },
});
`;
}

function pipeline(rest: string, max?: string): unknown {
  return {
    name: "picky",
    sources: [hourly(rest, "2024-03-03")],
    transforms: [{ use: "./picky.ts", on_error: "dead_letter" }, { use: "kline" }],
    sinks: [{ use: "file", with: { path: "out.lp" } }],
    dead_letter: { use: "file", with: { path: "rejected.jsonl" }, ...max ? { max } : {} },
  };
}

async function linesOf(folder: string, name: string): Promise<string[]> {
  return (await Deno.readTextFile(join(folder, name))).trimEnd().split("\n");
}

Deno.test("dead letters are told of at the end, and a replay after a fix gives the very points they lack", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const { path: folder } = temporary;
  const plugin = join(folder, "picky.ts");
  const file = await writePipeline(folder, pipeline(exchange.rest));
  await Deno.writeTextFile(plugin, picky("false"));
  const whole = await penstock("dry-run", file);
  assertEquals(whole.code, 0, whole.stderr);

  await Deno.writeTextFile(plugin, picky("hour % 12 === 3"));
  const run = await penstock("run", file);
  assertEquals(run.code, 0, run.stderr);
  assertStringIncludes(
    run.stderr,
    `WARNING: 4 dead letters (in this run: picky 4); once mended, \`penstock replay ${file}\` puts them through`,
  );
  const [letter = ""] = await linesOf(folder, "rejected.jsonl");
  assertStringIncludes(letter, '{"pipeline":"picky","step":"picky","number":4,');
  assertStringIncludes(letter, '"reason":"Cannot take hour 3"');
  assertStringIncludes(letter, '{"$decimal":"');

  const early = await penstock("replay", file);
  assertStringIncludes(
    early.stderr,
    "put 4 dead letters through again, of which 4 were refused once more",
  );

  await Deno.writeTextFile(plugin, picky("false"));
  const replay = await penstock("replay", file);
  assertEquals(replay.code, 0, replay.stderr);
  assertStringIncludes(
    replay.stderr,
    "put 4 dead letters through again, of which none was refused once more",
  );
  const lines = await linesOf(folder, "out.lp");
  assertEquals(lines.toSorted(), whole.stdout.trimEnd().split("\n").toSorted());

  const again = await penstock("replay", file);
  assertStringIncludes(again.stderr, "No dead letters wait to be put through again");
  assertEquals(await linesOf(folder, "out.lp"), lines);
  const last = await penstock("run", file);
  assert(!last.stderr.includes("WARNING"), last.stderr);
});

Deno.test("too many dead letters end the run, with the limit and what to do", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, pipeline(exchange.rest, "2 in 30"));
  await Deno.writeTextFile(join(temporary.path, "picky.ts"), picky("hour % 12 === 3"));
  const { code, stderr } = await penstock("run", file);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    'Cannot go on as step "picky" may refuse at most 2 of 30 records in a row: it refused more, ' +
      "the last as follows: Cannot take hour 3",
  );
  assertStringIncludes(stderr, "hint: Mend what it refuses, or set `max` of `dead_letter` higher");
});

Deno.test("replay says what it needs: letters that can be read again, of a pipeline that has run", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  await Deno.writeTextFile(join(temporary.path, "picky.ts"), picky("false"));
  const file = await writePipeline(temporary.path, {
    ...Object(pipeline(exchange.rest)),
    dead_letter: { use: "stdout", with: { format: "json" } },
  });
  const printed = await penstock("replay", file);
  assertEquals(printed.code, 78);
  assertStringIncludes(printed.stderr, 'as sink "stdout" must keep them in files that can be read');
  assertStringIncludes(printed.stderr, "--file");
  const fresh = await writePipeline(temporary.path, pipeline(exchange.rest));
  const never = await penstock("replay", fresh);
  assertEquals(never.code, 1);
  assertStringIncludes(never.stderr, 'pipeline "picky" as it must have run before');
});
