/** A secret that is put through failures of every kind never shows, in no form, anywhere. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { end, hourly, start, temporaryFolder, TestExchange, writePipeline } from "./_penstock.ts";
import { catchSpy, type Caught, CountingServer, type Spy } from "./_spy.ts";

const CANARY = 'canary-9f3b/+%&"Z7q';
/**
 * What must not be found. The first part has nothing to be escaped, so that it is in the text as it
 * is in JSON and in addresses; then base64 by what stands before it, and hex.
 */
const TRACES = [
  "canary-9f3b",
  "Y2FuYXJ5LTlmM2",
  "NhbmFyeS05ZjNi",
  "jYW5hcnktOWYzY",
  "63616e6172792d39663362",
];
const PIPELINE_SECRET = { token: "${env:CANARY}" };

/** What a plugin that has the secret may print. */
const PRINTS = [
  `console.log(options);`,
  `console.log(options.token.reveal());`,
  `console.error({ deep: { down: [options.token.reveal()] } });`,
  `console.table([{ token: options.token.reveal() }]);`,
  `console.assert(false, options.token.reveal());`,
  `console.group(options.token.reveal());`,
  `Deno.stdout.writeSync(new TextEncoder().encode(options.token.reveal()));`,
  `await Deno.stderr.write(new TextEncoder().encode(options.token.reveal()));`,
  `await new Response(options.token.reveal()).body.pipeTo(Deno.stderr.writable);`,
  `process.stdout.write(options.token.reveal());`,
  `context.log.warn("It is " + options.token.reveal());`,
  `context.log.info("Told", { token: options.token.reveal() });`,
  `context.log.warn(JSON.stringify({ token: options.token.reveal() }));`,
  `context.log.warn(btoa("user:" + options.token.reveal()));`,
  `context.log.warn(new TextEncoder().encode("a" + options.token.reveal()).toBase64({ alphabet: "base64url" }));`,
  `context.log.warn(new TextEncoder().encode(options.token.reveal()).toHex());`,
  `let n = 0;
   await context.retry("ask", async () => {
     if (n++ < 1) throw new RetryableError(options.token.reveal());
   });`,
];

/** How it may fail. */
const FAILURES: readonly [name: string, code: string][] = [
  [
    "an address",
    `throw new FatalError("No answer from http://host/?t=" + encodeURIComponent(options.token.reveal()));`,
  ],
  ["an error", `throw new Error(options.token.reveal());`],
  [
    "a cause and a hint",
    `throw new FatalError("It failed", {
       cause: new Error(options.token.reveal()),
       hint: options.token.reveal(),
     });`,
  ],
  ["what is no error", `throw { token: options.token.reveal() };`],
  [
    "a rejection nobody handles",
    `Promise.reject(new Error(options.token.reveal())); await context.sleep(50);`,
  ],
  [
    "an error nobody catches",
    `setTimeout(() => { throw new Error(options.token.reveal()); }); await context.sleep(50);`,
  ],
  ["an error that is reported", `reportError(new Error(options.token.reveal()));`],
  ["a position", `yield { records: [1], position: { token: options.token.reveal() } };`],
];

for (const log of ["text", "json"]) {
  Deno.test(`a secret that a plugin prints in ${PRINTS.length} ways is nowhere, with --log ${log}`, async () => {
    const caught = await catchWithSecret({
      onRead: [...PRINTS, `context.log.info("It has printed all");`].join("\n"),
      command: ["run", "--log", log],
    });
    assertEquals([caught.code, caught.stdout], [0, ""], caught.stderr);
    assertStringIncludes(caught.stderr, "It has printed all");
    requireNoTrace(caught);
  });
}

for (const [name, code] of FAILURES) {
  Deno.test(`a secret in ${name} of a plugin is nowhere`, async () => {
    const caught = await catchWithSecret({ onRead: code });
    assertEquals(caught.code, 1, caught.stderr);
    requireNoTrace(caught);
  });
}

Deno.test("a position that holds a secret stops the run, with the name of the plugin", async () => {
  const { code, stderr } = await catchWithSecret({
    onRead: `yield { records: [1], position: { token: options.token.reveal() } };`,
  });
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'source "spy" must keep no secret');
});

Deno.test("what a plugin prints is said, with *** in place of the secret", async () => {
  const { stdout, stderr } = await catchWithSecret({
    onRead: `console.log("token", options.token.reveal(), options.token);`,
  });
  assertEquals(stdout, "");
  assertStringIncludes(stderr, "token *** ***\n");
});

/** What a server answers that repeats all it was told. */
const ANSWERS: readonly (readonly [name: string, answer: (told: string) => Response])[] = [
  ...[400, 401, 403, 404, 413, 422, 500, 503].map((status) =>
    [
      `status ${status}`,
      (told: string) => new Response(JSON.stringify({ error: `no: ${told}` }), { status }),
    ] as const
  ),
  ["a page of HTML", (told) =>
    new Response(`<html><title>${told}</title></html>`, {
      status: 502,
      headers: { "content-type": "text/html" },
    })],
  ["a header", (told) => new Response("", { status: 400, headers: { "x-influxdb-error": told } })],
  ["a redirect", (told) =>
    new Response("", {
      status: 307,
      headers: { location: `http://127.0.0.1:9/?t=${encodeURIComponent(told)}` },
    })],
  [
    "records that are refused",
    (told) =>
      new Response(JSON.stringify({ error: `partial write: ${told} dropped=1` }), { status: 400 }),
  ],
];

Deno.test("a secret that a server repeats is nowhere, not in dead letters either", async (t) => {
  await using exchange = new TestExchange();
  const password = { database: "b", username: "me", password: "${env:CANARY}" };
  const cases = [
    ...ANSWERS.map((answer) => [{ bucket: "b", org: "o", ...PIPELINE_SECRET }, answer] as const),
    ...ANSWERS.slice(0, 2).map((answer) => [password, answer] as const),
  ];
  for (const [login, [name, answer]] of cases) {
    await t.step(`${name} to ${Object.keys(login).at(-1)}`, async () => {
      let told = false;
      await using server = new CountingServer((request) => {
        const header = request.headers.get("authorization") ?? "";
        told ||= TRACES.some((trace) => (header + request.url).includes(trace));
        return answer(header);
      });
      requireNoTrace(await runToStore(exchange, server, login));
      assert(told, "The server must be told the secret");
    });
  }
});

Deno.test("a secret in a pipeline file that is wrong is nowhere", async (t) => {
  const wrong: readonly [string, string][] = [
    ["of another type", `sinks: [{ use: influxdb, with: { url: http://a, token: [${CANARY}] } }]`],
    ["misspelt", `sinks: [{ use: influxdb, with: { url: http://a, tokn: '${CANARY}' } }]`],
    ["in a line that is no YAML", `sinks:\n  token: "${CANARY.replaceAll('"', "")}\n`],
    [
      "in an address",
      `sinks: [{ use: influxdb, with: { url: "http://me:${"${env:CANARY}"}@a" } }]`,
    ],
    [
      "of a file that is not there",
      `sinks: [{ use: influxdb, with: { token: "${"${file:none}"}" } }]`,
    ],
    [
      "of a program that fails",
      `sinks: [{ use: influxdb, with: { url: http://a, bucket: b, token: "${"${command:false}"}" } }]`,
    ],
  ];
  for (const [name, sinks] of wrong) {
    await t.step(name, async () => {
      await using temporary = await temporaryFolder();
      const file = join(temporary.path, "pipeline.yaml");
      const source = "{ use: binance_rest, with: { symbols: [A], interval: 1h, from: 1 day ago } }";
      await Deno.writeTextFile(file, `name: a\nsources: [${source}]\n${sinks}\n`);
      const ended = await end(start(["check", file], { env: { NO_COLOR: "1", CANARY } }));
      assertEquals(ended.code, 78, ended.stderr);
      requireNoTrace({ ...ended, files: {} });
    });
  }
});

Deno.test("a secret comes from a variable, a file, or what a program prints", async () => {
  for (
    const [written, files] of [
      ["${env:CANARY}", {}],
      ["${file:token.txt}", { "token.txt": `${CANARY}\n` }],
      ["${command:cat token.txt}", { "token.txt": `${CANARY}\n` }],
    ] as const
  ) {
    const caught = await catchSpy({
      onRead:
        `context.log.info("It has " + options.token.reveal().length + " " + options.token.reveal());`,
      options: { token: written },
      env: { CANARY },
      files,
    });
    assertEquals(caught.code, 0, caught.stderr);
    assertStringIncludes(caught.stderr, "It has 19 ***");
    requireNoTrace(caught);
  }
});

Deno.test("a dry run needs no secret of its sinks, runs no program for it, and reaches no sink", async () => {
  await using exchange = new TestExchange();
  await using server = new CountingServer();
  await using temporary = await temporaryFolder();
  const sink = (token: string) => ({
    use: "influxdb",
    with: { url: `http://127.0.0.1:${server.port}`, org: "o", bucket: "b", token },
  });
  const file = await writePipeline(temporary.path, {
    ...history(exchange),
    sinks: [
      { ...sink("${env:NOT_SET}"), id: "one" },
      { ...sink("${command:touch ran}"), id: "two" },
      { ...sink("${file:not_there}"), id: "three" },
    ],
  });
  const { code, stdout, stderr } = await end(start(["dry-run", file, "--limit", "2"]));
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^kline,/);
  assertEquals(server.requests, 0);
  const names = await Array.fromAsync(Deno.readDir(temporary.path), ({ name }) => name);
  assertEquals(names, ["pipeline.json"]);
});

Deno.test("a sink in a dry run is shown its secret as [unset]", async () => {
  const { code, stderr } = await catchSpy({
    onRead: `context.log.info("It is " + options.token);`,
    options: PIPELINE_SECRET,
    env: { CANARY },
    files: { "sink.ts": printingSink() },
    pipeline: { sinks: [{ use: "./sink.ts", with: { token: "${env:NOT_SET}" } }] },
    command: ["dry-run"],
  });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "the sink has [unset]");
  assertStringIncludes(stderr, "It is ***");
});

function printingSink(): string {
  return `import { z } from "${import.meta.resolve("zod")}";
import { defineSink } from "${new URL("../../mod.ts", import.meta.url).href}";
import { secret } from "${new URL("../../engine/options.ts", import.meta.url).href}";

export default defineSink({
  id: "sink",
  summary: "Tells of its token",
  options: z.strictObject({ token: secret() }),
  delivery: "append",
  accept: (_shape, { token }) => console.log("the sink has " + token),
  encode: () => new Uint8Array(),
  open: () => Promise.reject(new Error("It must not be opened")),
});
`;
}

function catchWithSecret(spy: Spy): Promise<Caught> {
  return catchSpy({ options: PIPELINE_SECRET, env: { CANARY }, ...spy });
}

function history(exchange: TestExchange): Record<string, unknown> {
  return {
    name: "history",
    sources: [hourly(exchange.rest)],
    transforms: [{ use: "kline" }],
  };
}

/** Runs into a server. One that asks to be tried again is left once it has been told of twice. */
async function runToStore(
  exchange: TestExchange,
  server: CountingServer,
  login: object,
): Promise<Caught> {
  await using temporary = await temporaryFolder();
  const url = `http://127.0.0.1:${server.port}`;
  const file = await writePipeline(temporary.path, {
    ...history(exchange),
    sinks: [{ use: "influxdb", with: { url, ...login }, on_error: "dead_letter" }],
    dead_letter: { use: "file", with: { path: "dead.jsonl" } },
  });
  const env = { NO_COLOR: "1", CANARY };
  const child = start(["run", file, "--verbose", "--drain", "1"], { env });
  const [watched, kept] = child.stderr.tee();
  const stdout = new Response(child.stdout).text();
  const stderr = new Response(kept).text();
  for await (const text of watched.pipeThrough(new TextDecoderStream())) {
    if (text.includes("attempt=2")) child.kill("SIGTERM");
  }
  const { code, signal } = await child.status;
  const files: Record<string, string> = {};
  for (const name of ["dead.jsonl", ".penstock/history/checkpoint"]) {
    files[name] = await Deno.readTextFile(join(temporary.path, name)).catch(() => "");
  }
  return { code, signal, stdout: await stdout, stderr: await stderr, files };
}

function requireNoTrace({ stdout, stderr, files }: Caught): void {
  for (const [where, text] of Object.entries({ ...files, stdout, stderr })) {
    for (const trace of TRACES) {
      assert(!text.toLowerCase().includes(trace.toLowerCase()), `${where} has ${trace}: ${text}`);
    }
  }
}
