/**
 * A command that was run before is started while it is planned, and reaches no more for that. The
 * pipeline file is a named pipe: so a plan takes until the test writes what is in the file.
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { commandOf, confinedOf, end, hourly, temporaryFolder, TestExchange } from "./_penstock.ts";

/** Starts penstock apart from all that other tests start: what it keeps is not theirs. */
function start(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: commandOf(args, ["--location=http://ahead.test/"]),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** A pipeline file that is a pipe, and what is to be written into it. */
async function pipeIn(folder: string): Promise<string> {
  const path = join(folder, "pipeline.yaml");
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert(success);
  return path;
}

/** Writes into a pipe, once another process reads it; that of a penstock that has ended never does. */
async function fill(pipe: string, text: string): Promise<void> {
  const write = `printf %s "$1" > "$2"`;
  const { success } = await new Deno.Command("timeout", {
    args: ["60", "sh", "-c", write, "sh", text, pipe],
  }).output();
  assert(success, "nobody reads the pipeline file");
}

function history(rest: string): string {
  return JSON.stringify({
    name: "history",
    sources: [hourly(rest)],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "stdout" }],
  });
}

/** Plans and runs a dry run once, so that it is known what that reaches. */
async function runOnce(file: string, text: string): Promise<string> {
  const child = start(["dry-run", file]);
  await fill(file, text);
  const { code, stdout, stderr } = await end(child);
  assertEquals(code, 0, stderr);
  return stdout;
}

/** Whether a process is there. It is told to go on, which it does anyway. */
function isThere(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

const onLinux = { ignore: Deno.build.os !== "linux" };

Deno.test("a command that was run before is started while it is planned", onLinux, async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await pipeIn(temporary.path);
  const first = await runOnce(file, history(exchange.rest));
  const child = start(["dry-run", file]);
  await confinedOf(child);
  await fill(file, history(exchange.rest));
  const { code, stdout, stderr } = await end(child);
  assertEquals(code, 0, stderr);
  assertEquals(stdout, first);
});

Deno.test(
  "what was started ends when the plan says that it may reach something else",
  onLinux,
  async () => {
    await using before = new TestExchange();
    await using now = new TestExchange();
    await using temporary = await temporaryFolder();
    const file = await pipeIn(temporary.path);
    await runOnce(file, history(before.rest));
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    now.hold(answered.promise, asked.resolve);
    const child = start(["dry-run", file]);
    const ahead = await confinedOf(child);
    await fill(file, history(now.rest));
    await Promise.race([asked.promise, child.status]);
    assert(!isThere(ahead));
    assertNotEquals(await confinedOf(child), ahead);
    answered.resolve();
    const { code, stdout, stderr } = await end(child);
    assertEquals(code, 0, stderr);
    assertEquals(stdout.split("\n").length - 1, 24);
  },
);

Deno.test("what was started ends without a word when the file is wrong", onLinux, async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await pipeIn(temporary.path);
  await runOnce(file, history(exchange.rest));
  const child = start(["dry-run", file]);
  const ahead = await confinedOf(child);
  await fill(file, `{"sources": []}`);
  const { code, stdout, stderr } = await end(child);
  assertEquals([code, stdout], [78, ""]);
  assertStringIncludes(stderr, `Cannot use the pipeline without key "name"`);
  assert(!isThere(ahead));
});

Deno.test("what was started ends without a word with the one that plans", onLinux, async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await pipeIn(temporary.path);
  await runOnce(file, history(exchange.rest));
  const child = start(["dry-run", file]);
  await confinedOf(child);
  child.kill("SIGKILL");
  // It holds our pipe: that ends when it does.
  const { stdout, stderr } = await end(child);
  assertEquals([stdout, stderr], ["", ""]);
});

Deno.test("a simulated exchange listens where it did, if it can", onLinux, async () => {
  await using temporary = await temporaryFolder();
  const file = await pipeIn(temporary.path);
  const hosts: string[] = [];
  // What runs beside this test may have taken the port by now.
  for (let run = 0; run < 5 && (run < 2 || hosts.at(-1) !== hosts.at(-2)); run++) {
    const child = start(["dry-run", file, "--simulate", "--verbose"]);
    if (run > 0) await confinedOf(child);
    await fill(file, history("https://api.binance.com"));
    const { code, stdout, stderr } = await end(child);
    assertEquals(code, 0, stderr);
    assertEquals(stdout.split("\n").length - 1, 24);
    hosts.push(/net {4}(127\.0\.0\.1:\d+)/.exec(stderr)?.[1] ?? stderr);
  }
  assertEquals(hosts.at(-1), hosts.at(-2));
});
