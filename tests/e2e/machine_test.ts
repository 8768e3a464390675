/** Disks that fill up, folders that cannot be written, two runs at once, nobody who listens. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { heedsModes } from "../engine/_folder.ts";
import {
  confinedOf,
  hourly,
  penstock,
  start,
  temporaryFolder,
  TestExchange,
  writePipeline,
} from "./_penstock.ts";
import { CAN_MOUNT, inNamespace, inShell, NO_MOUNTS, penstockCommand } from "./_small_disk.ts";

const CSV_FILE = fromFileUrl(new URL("../../pipelines/custom/csv_file.ts", import.meta.url));
const REFUSING = fromFileUrl(new URL("../crash/refusing.ts", import.meta.url));
const MINUTES = 2_000;

/** Prices of a symbol each minute, some of which are refused, in four epochs. */
async function writePrices(
  folder: string,
  paths: { readonly out?: string; readonly rejected?: string } = {},
): Promise<string> {
  const lines = ["time,symbol,close"];
  for (let minute = 0; minute < MINUTES; minute++) {
    lines.push(`${Date.UTC(2024, 0, 1) + minute * 60_000},A,${100 + minute % 97}.5`);
  }
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "prices.csv"), `${lines.join("\n")}\n`);
  const { out = "out.lp", rejected = "rejected.jsonl" } = paths;
  const file = await writePipeline(folder, {
    name: "prices",
    sources: [{
      use: CSV_FILE,
      with: {
        path: "prices.csv",
        measurement: "price",
        tags: ["symbol"],
        fields: { close: "float" },
      },
    }],
    transforms: [{ use: REFUSING, on_error: "dead_letter" }, { use: "rsi" }],
    sinks: [{ use: "file", with: { path: out } }],
    dead_letter: { use: "file", with: { path: rejected } },
    epoch: { records: 500 },
  });
  // It has code of its own, which may reach what it asks for once that is accepted.
  const { code, stderr } = await penstock("accept", file);
  assertEquals(code, 0, stderr);
  return file;
}

let known: Promise<Record<string, string>> | undefined;

/** What an undisturbed run leaves. */
function undisturbed(): Promise<Record<string, string>> {
  return known ??= (async () => {
    await using temporary = await temporaryFolder();
    const { code, stderr } = await penstock("run", await writePrices(temporary.path));
    assertEquals(code, 0, stderr);
    return await outputIn(temporary.path);
  })();
}

async function outputIn(folder: string): Promise<Record<string, string>> {
  return {
    out: await Deno.readTextFile(join(folder, "out.lp")),
    rejected: await Deno.readTextFile(join(folder, "rejected.jsonl")),
  };
}

interface FullDisk {
  readonly what: string;
  readonly size: string;
  readonly paths: { readonly out?: string; readonly rejected?: string };
  readonly args: readonly string[];
  readonly says: readonly string[];
}

const FULL_DISKS: readonly FullDisk[] = [
  {
    what: "the output",
    size: "64k",
    paths: { out: "small/out.lp" },
    args: [],
    says: [
      'Cannot write "SMALL/out.lp": No space left on device',
      "Free some space on the disk, then run it again: nothing is lost",
    ],
  },
  {
    what: "the dead letters",
    size: "16k",
    paths: { rejected: "small/rejected.jsonl" },
    args: [],
    says: [
      'Cannot write "SMALL/rejected.jsonl": No space left on device',
      "Free some space on the disk, then run it again: nothing is lost",
    ],
  },
  {
    // Two pages: the third file of a save has no room.
    what: "the checkpoint",
    size: "8k",
    paths: {},
    args: ["--state", "SMALL/state"],
    says: [
      'Cannot save the checkpoint in "SMALL/state/prices": No space left on device',
      "The last checkpoint is whole: make room or mend the folder, then run it again",
    ],
  },
];

for (const { what, size, paths, args, says } of FULL_DISKS) {
  Deno.test({
    name: `a disk that is full for ${what} ends the run, which goes on once there is room ${
      CAN_MOUNT ? "" : NO_MOUNTS
    }`.trim(),
    ignore: !CAN_MOUNT,
    async fn() {
      await using temporary = await temporaryFolder();
      const folder = join(temporary.path, "full");
      const small = join(folder, "small");
      const file = await writePrices(folder, paths);
      await Deno.mkdir(small);
      const run = penstockCommand("run", file, ...args.map((arg) => arg.replace("SMALL", small)));
      const { code, stdout, stderr } = await inNamespace(`
        mount -t tmpfs -o size=${size} tmpfs "${small}"
        ${run} && exit 9 || echo "first $?"
        mount -o remount,size=8m "${small}"
        ${run}
        echo "second $?"
        cp -r "${small}/." "${folder}"
      `);
      assertEquals(stdout, "first 1\nsecond 0\n", stderr);
      assertEquals(code, 0);
      for (const text of says) assertStringIncludes(stderr, text.replace("SMALL", small));
      assertStringIncludes(stderr, "Going on from the last checkpoint");
      assertEquals(await outputIn(folder), await undisturbed());
    },
  });
}

Deno.test({
  name: "a file that may not grow any more ends the run, which goes on once it may",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using temporary = await temporaryFolder();
    const folder = join(temporary.path, "limited");
    const file = await writePrices(folder);
    const { stdout, stderr } = await inShell(`
      trap '' XFSZ
      (ulimit -f 64; ${penstockCommand("run", file)} && exit 9 || echo "first $?")
    `);
    assertEquals(stdout, "first 1\n", stderr);
    assertStringIncludes(stderr, `Cannot write "${join(folder, "out.lp")}": File too large`);
    assertStringIncludes(stderr, "Raise the limit of file sizes, see `ulimit -f`");
    const second = await penstock("run", file);
    assertEquals(second.code, 0, second.stderr);
    assertEquals(await outputIn(folder), await undisturbed());
  },
});

Deno.test({
  name: `a file system that is read only ends the run before anything is read ${
    CAN_MOUNT ? "" : NO_MOUNTS
  }`.trim(),
  ignore: !CAN_MOUNT,
  async fn() {
    await using temporary = await temporaryFolder();
    const file = await writePrices(temporary.path);
    const run = penstockCommand("run", file, "--state", join(temporary.path, "elsewhere"));
    await Deno.mkdir(join(temporary.path, "elsewhere"));
    const { code, stdout, stderr } = await inNamespace(`
      mount --bind "${temporary.path}" "${temporary.path}"
      mount -t tmpfs tmpfs "${temporary.path}/elsewhere"
      mount -o remount,ro,bind "${temporary.path}"
      ${penstockCommand("run", file)} && exit 9 || echo "state $?"
      ${run} && exit 9 || echo "output $?"
    `);
    assertEquals(code, 0, stderr);
    assertEquals(stdout, "state 1\noutput 1\n");
    assertStringIncludes(
      stderr,
      `Cannot keep checkpoints in "${join(temporary.path, ".penstock/prices")}": Read-only file`,
    );
    assertStringIncludes(stderr, "Make the folder writable, or name another one with --state");
    assertStringIncludes(
      stderr,
      `Cannot write "${join(temporary.path, "rejected.jsonl")}": Read-o`,
    );
    assertStringIncludes(stderr, "mount it to be written, or set another path");
  },
});

Deno.test({
  name: "a folder that may not be written ends the run (needs a user other than root)",
  ignore: !heedsModes(),
  async fn() {
    await using temporary = await temporaryFolder();
    const folder = join(temporary.path, "closed");
    const file = await writePrices(folder);
    await Deno.chmod(folder, 0o555);
    const { code, stderr } = await penstock("run", file);
    await Deno.chmod(folder, 0o755);
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      `Cannot keep checkpoints in "${join(folder, ".penstock/prices")}"`,
    );
    assertStringIncludes(stderr, "Make the folder writable, or name another one with --state");
  },
});

Deno.test("a second run of a pipeline refuses, and the lock does not outlive a run that is killed", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const pipeline = (base_url: string) => ({
    name: "twice",
    sources: [hourly(base_url)],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "file", with: { path: "out.lp" } }],
  });
  // Nobody listens on the discard port: the run waits there.
  const file = await writePipeline(temporary.path, pipeline("http://127.0.0.1:9"));
  const first = start(["run", file], { stdout: "null" });
  let said = "";
  for await (const text of first.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said.includes("cannot be reached")) break;
  }
  const second = await penstock("run", file);
  assertEquals(second.code, 1);
  assertStringIncludes(
    second.stderr,
    `Cannot run the pipeline twice at once: another run uses "${
      join(temporary.path, ".penstock/twice")
    }"`,
  );
  assertStringIncludes(second.stderr, "Wait for the other run to end, or stop it");
  // The process that runs the pipeline holds the lock; the one that started it ends with it.
  Deno.kill(await confinedOf(first), "SIGKILL");
  await first.status;
  await writePipeline(temporary.path, pipeline(exchange.rest));
  const third = await penstock("run", file);
  assertEquals(third.code, 0, third.stderr);
  assertEquals((await Deno.readTextFile(join(temporary.path, "out.lp"))).split("\n").length, 25);
});

const DAMAGES: readonly [string, (bytes: Uint8Array) => Uint8Array<ArrayBuffer>][] = [
  ["cut short", (bytes) => bytes.slice(0, bytes.length / 2)],
  ["one bit of it flips", (bytes) => bytes.with(200, (bytes[200] ?? 0) ^ 4)],
];

for (const [name, damage] of DAMAGES) {
  Deno.test(`a checkpoint that is damaged (${name}) is noticed; the run goes on from the one before it`, async () => {
    await using temporary = await temporaryFolder();
    const folder = join(temporary.path, "damaged");
    const file = await writePrices(folder);
    await penstock("run", file);
    const checkpoint = join(folder, ".penstock/prices/checkpoint");
    await Deno.writeFile(checkpoint, damage(await Deno.readFile(checkpoint)));
    const { code, stderr } = await penstock("run", file);
    assertEquals(code, 0, stderr);
    assertStringIncludes(
      stderr,
      `The checkpoint "${checkpoint}" is damaged: its checksum does not`,
    );
    assertStringIncludes(stderr, "going on from the one before it");
    assertEquals(await outputIn(folder), await undisturbed());
  });
}

for (
  const [how, redirect] of [["full", "2>/dev/full"], ["closed", "2>&-"]] as const
) {
  Deno.test({
    name: `a run goes on although standard error is ${how}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using temporary = await temporaryFolder();
      const file = await writePrices(temporary.path);
      const { code } = await inShell(`${penstockCommand("run", file, "--verbose")} ${redirect}`);
      assertEquals(code, 0);
      assertEquals(await outputIn(temporary.path), await undisturbed());
    },
  });
}

Deno.test("a run goes on although whoever read its log has gone", async () => {
  await using temporary = await temporaryFolder();
  const folder = join(temporary.path, "unheard");
  const child = start(["run", await writePrices(folder), "--verbose"], { stdout: "null" });
  await child.stderr.cancel();
  assertEquals((await child.status).code, 0);
  assertEquals(await outputIn(folder), await undisturbed());
});

Deno.test({
  name: "a run that fails says so by its exit code when standard error is full",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using temporary = await temporaryFolder();
    const file = await writePrices(temporary.path, { out: "prices.csv" });
    const { code } = await inShell(`${penstockCommand("run", file)} 2>/dev/full`);
    assertEquals(code, 1);
  },
});
