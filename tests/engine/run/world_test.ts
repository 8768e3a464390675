import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { VirtualClock } from "../../../engine/clock.ts";
import type { Files, Log } from "../../../engine/context.ts";
import { FatalError, RetryableError } from "../../../engine/errors.ts";
import { createContext, systemFiles, systemWorld } from "../../../engine/run/world.ts";
import { fakeWorld } from "../_fakes.ts";
import { ENGINE, HAS_FULL_DISK, heedsModes, inFolder, runProgram } from "../_folder.ts";

/** Runs a test on real files in a folder of its own. */
function onFiles(test: (files: Files, folder: string) => Promise<void>): Promise<void> {
  return inFolder((folder) => test(systemFiles(folder), folder));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The lines that are read of a file with these bytes. */
async function linesOf(content: string | Uint8Array): Promise<string[]> {
  let lines: string[] = [];
  await onFiles(async (files, folder) => {
    const bytes = typeof content === "string" ? bytesOf(content) : content;
    await Deno.writeFile(`${folder}/lines.txt`, bytes);
    lines = await Array.fromAsync(files.readLines("lines.txt"));
  });
  return lines;
}

Deno.test("readLines() gives the lines without their ends, whatever the ends are", async () => {
  assertEquals(await linesOf("a\nb\nc\n"), ["a", "b", "c"]);
  assertEquals(await linesOf("a\r\nb\r\nc\r\n"), ["a", "b", "c"]);
  assertEquals(await linesOf("a\r\nb\nc"), ["a", "b", "c"]);
  assertEquals(await linesOf("a\r\nb\r"), ["a", "b"]);
});

Deno.test("readLines() gives the last line whether or not it ends", async () => {
  assertEquals(await linesOf("a\nb"), ["a", "b"]);
  assertEquals(await linesOf("a"), ["a"]);
});

Deno.test("readLines() gives empty lines, but none after the last end", async () => {
  assertEquals(await linesOf("\n"), [""]);
  assertEquals(await linesOf("\n\na\n\n"), ["", "", "a", ""]);
  assertEquals(await linesOf("\r\n\r\n"), ["", ""]);
});

Deno.test("readLines() gives nothing for an empty file", async () => {
  assertEquals(await linesOf(""), []);
});

Deno.test("readLines() cuts at line feeds only", async () => {
  assertEquals(await linesOf("a\rb\u2028c\u0085d\fe\n f \t\n"), ["a\rb\u2028c\u0085d\fe", " f \t"]);
});

Deno.test("readLines() leaves out the mark that some programs put before UTF-8", async () => {
  assertEquals(await linesOf("\ufeffa\n\ufeffb\n"), ["a", "\ufeffb"]);
});

Deno.test("readLines() puts lines and characters together across the pieces it reads", async () => {
  // Pieces are 64 KiB: whatever the offset, one of these falls on a border somewhere.
  for (
    const [before, line] of [[65_535, "é"], [65_534, "€"], [65_533, "😀"], [65_535, "\r"]] as const
  ) {
    const first = "x".repeat(before) + line;
    const lines = await linesOf(`${first}\nsecond\n`);
    assertEquals(lines, [line === "\r" ? "x".repeat(before) : first, "second"]);
  }
  const long = "0123456789".repeat(50_000);
  assertEquals(await linesOf(`a\n${long}\nb`), ["a", long, "b"]);
  const many = Array.from({ length: 40_000 }, (_, n) => `line ${n} €`);
  assertEquals(await linesOf(many.join("\n")), many);
});

Deno.test("readLines() refuses bytes that are no UTF-8, wherever they are", async () => {
  const spoilt: [string, Uint8Array][] = [
    ["in the middle", Uint8Array.of(97, 10, 0xff, 10)],
    ["cut off at the end", Uint8Array.of(97, 10, 0xe2, 0x82)],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 97, 0, 10, 0)],
    ["after many pieces", Uint8Array.of(...bytesOf("x".repeat(100_000)), 0xc3)],
  ];
  for (const [name, bytes] of spoilt) {
    await onFiles(async (files, folder) => {
      await Deno.writeFile(`${folder}/bad.csv`, bytes);
      const error = await assertRejects(
        () => Array.fromAsync(files.readLines("bad.csv")),
        FatalError,
        `Cannot read "${folder}/bad.csv" as it must be text in UTF-8: it is not`,
        name,
      );
      assert(error.hint?.includes("UTF-8"));
    });
  }
});

Deno.test({
  name: "readLines() reads no further than it is asked to, and closes the file",
  sanitizeResources: true,
  fn: () =>
    onFiles(async (files, folder) => {
      const bytes = bytesOf("a\nb\n".repeat(50_000));
      bytes.fill(0xff, -1);
      await Deno.writeFile(`${folder}/lines.txt`, bytes);
      for await (const line of files.readLines("lines.txt")) {
        assertEquals(line, "a");
        break;
      }
    }),
});

Deno.test("readLines() says what is wrong when there is no such file, or no file", () =>
  onFiles(async (files, folder) => {
    await Deno.mkdir(`${folder}/sub`);
    await Deno.writeTextFile(`${folder}/file`, "");
    for (
      const [path, reason] of [
        ["no.csv", "it is not there"],
        ["sub", "it is a folder"],
        ["file/below.csv", "a part of its path is not a folder"],
      ] as const
    ) {
      await assertRejects(
        () => Array.fromAsync(files.readLines(path)),
        FatalError,
        `Cannot read "${folder}/${path}": ${reason}`,
      );
    }
  }));

Deno.test("readText() gives the whole text, or says why not", () =>
  onFiles(async (files, folder) => {
    await Deno.writeTextFile(`${folder}/a.txt`, "one\r\ntwo €");
    assertEquals(await files.readText("a.txt"), "one\r\ntwo €");
    await assertRejects(
      () => files.readText("b.txt"),
      FatalError,
      `Cannot read "${folder}/b.txt": it is not there`,
    );
  }));

Deno.test("files are found from the folder of the pipeline, or by their whole path", () =>
  onFiles(async (files, folder) => {
    await Deno.mkdir(`${folder}/sub`);
    await Deno.writeTextFile(`${folder}/a.txt`, "here");
    assertEquals(await files.readText("./a.txt"), "here");
    assertEquals(await files.readText("sub/../a.txt"), "here");
    assertEquals(await files.readText(`${folder}/a.txt`), "here");
    assertEquals(await systemFiles(`${folder}/sub`).readText("../a.txt"), "here");
    assertEquals(await files.list("."), ["a.txt", "sub"]);
  }));

Deno.test("open() makes the file and its folders, and appends to what is there", () =>
  onFiles(async (files, folder) => {
    for (const text of ["one\n", "two\n"]) {
      const file = await files.open("deep/down/out.txt");
      await file.append(bytesOf(text));
      await file.sync();
      file.close();
    }
    assertEquals(await Deno.readTextFile(`${folder}/deep/down/out.txt`), "one\ntwo\n");
  }));

Deno.test("open() gives a file that knows its size and appends at the end also after it was cut", () =>
  onFiles(async (files, folder) => {
    await Deno.writeTextFile(`${folder}/out.txt`, "0123456789");
    const file = await files.open("out.txt");
    assertEquals(await file.size(), 10);
    await file.append(bytesOf("abc"));
    assertEquals(await file.size(), 13);
    await file.truncate(4);
    assertEquals(await file.size(), 4);
    await file.append(bytesOf("xy"));
    await file.append(new Uint8Array());
    assertEquals(await file.size(), 6);
    await file.truncate(0);
    await file.append(bytesOf("new"));
    file.close();
    assertEquals(await Deno.readTextFile(`${folder}/out.txt`), "new");
  }));

Deno.test("open() appends where the file really ends when two have it open", () =>
  onFiles(async (files, folder) => {
    const [one, two] = [await files.open("out.txt"), await files.open("out.txt")];
    await one.append(bytesOf("a"));
    await two.append(bytesOf("b"));
    await one.append(bytesOf("c"));
    one.close();
    two.close();
    assertEquals(await Deno.readTextFile(`${folder}/out.txt`), "abc");
  }));

Deno.test("open() appends large pieces whole", () =>
  onFiles(async (files, folder) => {
    const file = await files.open("out.bin");
    await file.append(new Uint8Array(5_000_000).fill(7));
    assertEquals(await file.size(), 5_000_000);
    file.close();
    assertEquals((await Deno.readFile(`${folder}/out.bin`)).every((byte) => byte === 7), true);
  }));

Deno.test("open() says what is wrong when it cannot", () =>
  onFiles(async (files, folder) => {
    await Deno.mkdir(`${folder}/sub`);
    await Deno.writeTextFile(`${folder}/file`, "");
    for (
      const [path, reason] of [
        ["sub", "it is a folder"],
        ["file/out.txt", "a part of its path is not a folder"],
        ["file/deep/out.txt", "a part of its path is not a folder"],
      ] as const
    ) {
      await assertRejects(
        () => files.open(path),
        FatalError,
        `Cannot write "${folder}/${path}": ${reason}`,
      );
    }
  }));

Deno.test({
  name: "append() says that the disk is full, and what to do (needs /dev/full)",
  ignore: !HAS_FULL_DISK,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.symlink("/dev/full", `${folder}/out.txt`);
      const { stdout } = await runProgram(
        folder,
        `import { systemFiles } from "${ENGINE}run/world.ts";
         const file = await systemFiles(${JSON.stringify(folder)}).open("out.txt");
         const error = await file.append(new Uint8Array(1)).catch((error) => error);
         console.log(\`\${error.name}: \${error.message}\\n\${error.hint}\`);`,
        // Only a process with all permissions may open it.
        ["--allow-all"],
      );
      assertEquals(
        stdout,
        `FatalError: Cannot write "${folder}/out.txt": No space left on device (os error 28)
Free some space on the disk, then run it again: nothing is lost
`,
      );
    }),
});

Deno.test({
  name: "files say that the system does not allow it (needs a user other than root)",
  ignore: !heedsModes(),
  fn: () =>
    onFiles(async (files, folder) => {
      await Deno.writeTextFile(`${folder}/secret`, "", { mode: 0o000 });
      const error = await assertRejects(
        () => files.readText("secret"),
        FatalError,
        `Cannot read "${folder}/secret": the system does not allow it`,
      );
      assertEquals(error.hint, "Check the owner and the mode of the file and its folder");
    }),
});

Deno.test("list() gives the names in a folder, sorted, and none when it is not there", () =>
  onFiles(async (files, folder) => {
    for (const name of ["b", "a10", "a2", ".hidden", "B"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "");
    }
    assertEquals(await files.list("."), [".hidden", "B", "a10", "a2", "b"]);
    assertEquals(await files.list("none"), []);
    await assertRejects(
      () => files.list("a2"),
      FatalError,
      `Cannot list "${folder}/a2": a part of its path is not a folder`,
    );
  }));

Deno.test("rename() gives a file another name and replaces what had it", () =>
  onFiles(async (files, folder) => {
    await Deno.writeTextFile(`${folder}/a`, "a");
    await Deno.writeTextFile(`${folder}/b`, "b");
    await files.rename("a", "b");
    assertEquals(await files.list("."), ["b"]);
    assertEquals(await files.readText("b"), "a");
    await assertRejects(
      () => files.rename("a", "c"),
      FatalError,
      `Cannot rename "${folder}/a" to "${folder}/c": it is not there`,
    );
  }));

Deno.test("remove() removes a file, or says why not", () =>
  onFiles(async (files, folder) => {
    await Deno.writeTextFile(`${folder}/a`, "");
    await files.remove("a");
    assertEquals(await files.list("."), []);
    await assertRejects(
      () => files.remove("a"),
      FatalError,
      `Cannot remove "${folder}/a": it is not there`,
    );
  }));

Deno.test("files keep the system's error as the cause where they do not say it in other words", () =>
  onFiles(async (files, folder) => {
    await Deno.mkdir(`${folder}/sub/full`, { recursive: true });
    const error = await assertRejects(() => files.remove("sub"), FatalError, "not empty");
    assert(error.cause instanceof Error);
    const other = await assertRejects(() => files.remove("none"), FatalError);
    assertEquals(other.cause, undefined);
  }));

Deno.test("files need no permission beyond the file itself, and say which one is missing", () =>
  inFolder(async (folder) => {
    const { stdout } = await runProgram(
      folder,
      `import { systemFiles } from "${ENGINE}run/world.ts";
       const files = systemFiles(${JSON.stringify(folder)});
       const file = await files.open("out.txt");
       await file.append(new TextEncoder().encode("x"));
       await file.sync();
       console.log(await file.size());
       file.close();
       await files.open("other.txt").catch((error) => console.log(error.message));
       await files.readText("program.ts").catch((error) => console.log(error.message));`,
      [`--allow-read=${folder}/out.txt`, `--allow-write=${folder}/out.txt`],
    );
    assertEquals(
      stdout,
      `1
Cannot write "${folder}/other.txt": its permissions must name it: they do not
Cannot read "${folder}/program.ts": its permissions must name it: they do not
`,
    );
    assertEquals(await Deno.readTextFile(`${folder}/out.txt`), "x");
  }));

Deno.test("print() writes all it is given, one after the other, also into a slow pipe", () =>
  inFolder(async (folder) => {
    const { stdout } = await runProgram(
      folder,
      `import { systemWorld } from "${ENGINE}run/world.ts";
       const { print } = systemWorld(".");
       await print(new Uint8Array(1_000_000).fill(97));
       await Promise.all([
         print(new Uint8Array(1_000_000).fill(98)),
         print(new Uint8Array(1_000_000).fill(99)),
       ]);`,
      [],
    );
    assertEquals(stdout.length, 3_000_000);
    assertEquals(stdout.replaceAll(/(.)\1*/g, "$1"), "abc");
  }));

Deno.test("fetch() follows no redirect, unless it is asked to", async () => {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return pathname === "/old"
      ? new Response(null, { status: 302, headers: { location: "/new" } })
      : new Response("here");
  });
  try {
    const url = `http://127.0.0.1:${server.addr.port}/old`;
    const world = systemWorld(".");
    const refused = await world.fetch(url);
    assertEquals([refused.status, refused.headers.get("location")], [302, "/new"]);
    await refused.body?.cancel();
    assertEquals(asked, ["/old"]);
    const followed = await world.fetch(new URL(url), { redirect: "follow" });
    assertEquals([followed.status, await followed.text()], [200, "here"]);
  } finally {
    await server.shutdown();
  }
});

Deno.test("webSocket() connects", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => socket.send("hello");
    return response;
  });
  try {
    const socket = systemWorld(".").webSocket(`ws://127.0.0.1:${server.addr.port}/`);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    socket.onmessage = ({ data }) => resolve(data);
    assertEquals(await promise, "hello");
    const closed = Promise.withResolvers<void>();
    socket.onclose = () => closed.resolve();
    socket.close();
    await closed.promise;
  } finally {
    await server.shutdown();
  }
});

Deno.test("systemWorld() draws numbers from 0 up to, not including, 1", () => {
  const { random } = systemWorld(".");
  const drawn = Array.from({ length: 100 }, () => random());
  assert(drawn.every((number) => number >= 0 && number < 1));
  assertEquals(new Set(drawn).size, 100);
});

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {} };

/** A context in a fake world. */
function contextIn(world = fakeWorld(), signal = new AbortController().signal) {
  return createContext(world, {
    signal,
    log: SILENT,
    metrics: { count: () => {}, gauge: () => {} },
    retryLimits: { maxAttempts: 3 },
  });
}

Deno.test("createContext() lets a step sleep until its run is stopped", async () => {
  const world = fakeWorld();
  const stop = new AbortController();
  const context = contextIn(world, stop.signal);
  const startMs = context.now();
  await context.sleep(1_000);
  assertEquals(context.now() - startMs, 1_000);
  const reason = new Error("stopped");
  void world.clock.sleep(10).then(() => stop.abort(reason));
  assertStrictEquals(await context.sleep(1e9).catch((error) => error), reason);
  assertEquals(context.now() - startMs, 1_010);
  assertStrictEquals(await context.sleep(1).catch((error) => error), reason);
});

Deno.test("createContext() lets a step cut its own sleep short without stopping the run", async () => {
  const world = fakeWorld();
  const context = contextIn(world);
  const own = new AbortController();
  const reason = new Error("woken");
  void world.clock.sleep(10).then(() => own.abort(reason));
  assertStrictEquals(await context.sleep(1e9, own.signal).catch((error) => error), reason);
  assertEquals(context.signal.aborted, false);
  await context.sleep(1);
});

Deno.test("createContext() lets a stopped run end a sleep that has a signal of its own", async () => {
  const world = fakeWorld();
  const stop = new AbortController();
  const context = contextIn(world, stop.signal);
  const reason = new Error("stopped");
  void world.clock.sleep(10).then(() => stop.abort(reason));
  const own = new AbortController();
  assertStrictEquals(await context.sleep(1e9, own.signal).catch((error) => error), reason);
});

Deno.test("createContext() retries as often as the run may, on the clock of the world", async () => {
  const world: ReturnType<typeof fakeWorld> = fakeWorld();
  const context = contextIn(world);
  const startMs = context.now();
  let attempts = 0;
  await assertRejects(
    () =>
      context.retry("connect", () => {
        attempts++;
        return Promise.reject(new RetryableError("busy", { retryAfterMs: 5_000 }));
      }),
    FatalError,
  );
  assertEquals(attempts, 3);
  const waitedMs = context.now() - startMs;
  assert(waitedMs >= 10_000 && waitedMs <= 11_500, `waited ${waitedMs} ms`);
});

Deno.test("createContext() ends a retry at once when the run is stopped", async () => {
  const world = fakeWorld({ clock: new VirtualClock(0) });
  const stop = new AbortController();
  const context = contextIn(world, stop.signal);
  const reason = new Error("stopped");
  const error = await context.retry("connect", () => {
    stop.abort(reason);
    return Promise.reject(new RetryableError("busy", { retryAfterMs: 1e9 }));
  }).catch((thrown) => thrown);
  assertStrictEquals(error, reason);
});
