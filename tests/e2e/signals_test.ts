/** The first signal stops a run cleanly, the second ends it whatever hangs. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  end,
  hourly,
  penstock,
  start,
  temporaryFolder,
  TestExchange,
  writePipeline,
} from "./_penstock.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;
const ZOD = import.meta.resolve("zod");

/** A sink whose target takes a connection and never answers. */
const HANGING_SINK = `
import { z } from "${ZOD}";
import { defineSink } from "${MOD}";

export default defineSink({
  id: "hanging",
  summary: "Never answers",
  options: z.strictObject({}),
  delivery: "append",
  accept: () => {},
  encode: () => new Uint8Array(1),
  open: (_options, _opening, context) =>
    Promise.resolve({
      deliver() {
        context.log.info("Waiting for an answer");
        return new Promise(() => {});
      },
      flush: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    }),
});
`;

/** A pipeline of a day of candles into a sink that hangs. */
async function writeHanging(folder: string, rest: string): Promise<string> {
  await Deno.writeTextFile(join(folder, "hanging.ts"), HANGING_SINK);
  return await writePipeline(folder, {
    name: "hangs",
    sources: [hourly(rest)],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "./hanging.ts" }],
  });
}

Deno.test("a second signal ends a run at once although its sink hangs", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writeHanging(temporary.path, exchange.rest);
  const child = start(["run", file], { stdout: "null" });
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const before = said;
    said += text;
    const firstTime = (words: string) => said.includes(words) && !before.includes(words);
    if (firstTime("Waiting for an answer")) child.kill("SIGINT");
    if (firstTime("again to end at once")) child.kill("SIGINT");
  }
  const { code } = await child.status;
  assertEquals(code, 130, said);
  assertStringIncludes(said, "Ended at once: the next run goes on from the last checkpoint");
});

Deno.test("one signal ends a run whose sink hangs once its time is up, and says what was not delivered", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writeHanging(temporary.path, exchange.rest);
  const child = start(["run", file, "--drain", "0.5"], { stdout: "null" });
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const before = said;
    said += text;
    if (said.includes("Waiting") && !before.includes("Waiting")) child.kill("SIGTERM");
  }
  assertEquals((await child.status).code, 1, said);
  assertStringIncludes(
    said,
    'Cannot end cleanly within 0.5 s: sink "hanging" has not acknowledged 24 records',
  );
  assertStringIncludes(said, "the next run does again what follows the last checkpoint");
});

Deno.test("a time to stop that is none is wrong usage", async () => {
  for (const drain of ["soon", "-1", ""]) {
    const { code, stderr } = await penstock("run", "none.yaml", `--drain=${drain}`);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `Cannot use \`--drain ${drain}\` as it must be a number`);
  }
});

Deno.test("one signal is enough while a source waits for an exchange that is away", async () => {
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, {
    name: "away",
    // Nobody listens on the discard port.
    sources: [hourly("http://127.0.0.1:9")],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "stdout" }],
  });
  const child = start(["run", file]);
  const [watched, kept] = child.stderr.tee();
  for await (const text of watched.pipeThrough(new TextDecoderStream())) {
    if (text.includes("attempt=2")) child.kill("SIGTERM");
  }
  const said = await new Response(kept).text();
  await child.stdout.cancel();
  assertEquals((await child.status).code, 143, said);
  assertStringIncludes(said, "the ledger balances");
});

Deno.test("a signal ends a probe that waits for an answer", async () => {
  await using temporary = await temporaryFolder();
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const file = await writePipeline(temporary.path, {
    name: "silent",
    sources: [hourly(`http://127.0.0.1:${server.addr.port}`)],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "stdout" }],
  });
  const child = start(["check", file, "--probe"]);
  const ended = end(child).finally(() => server.close());
  using _connection = await server.accept();
  child.kill("SIGTERM");
  const { code, signal, stderr } = await ended;
  assertEquals([code, signal, stderr], [143, null, ""]);
});
