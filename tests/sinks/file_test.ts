import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { Json } from "../../engine/context.ts";
import { FatalError, OptionsError, type RecordError } from "../../engine/errors.ts";
import type { SinkWriter } from "../../engine/plugin.ts";
import type { Point, RecordShape } from "../../engine/point.ts";
import { systemWorld } from "../../engine/run/world.ts";
import { file, parseSize } from "../../sinks/file/mod.ts";
import { cutIntoParts, type Rotation } from "../../sinks/file/parts.ts";
import { fakeContext } from "../contracts/context.ts";
import { testSink } from "../contracts/sink.ts";
import { watch } from "../contracts/watch.ts";

const DAY_MS = 86_400_000;
/** 2024-02-28T00:00:00Z. */
const START_MS = 1_709_078_400_000;
const SHAPE: RecordShape = {
  kind: "point",
  measurement: "m",
  tags: ["s"],
  fields: { f: "float", note: "string" },
};
const RAW: RecordShape = { kind: "raw", format: "dead_letter" };
const TAGS = { s: "A" };
/** A text that makes the line of its point 250 bytes long. */
const FILLER = "x".repeat(250 - 'm,s=A f=100,note="" 1709078400000\n'.length);

/** Points six hours apart, every fifth of them 30 hours late, in lines of 250 bytes. */
const POINTS: readonly Point[] = Array.from({ length: 24 }, (_, i) => ({
  measurement: "m",
  tags: TAGS,
  fields: { f: String(100 + i), note: FILLER },
  timeMs: START_MS + i * DAY_MS / 4 - (i % 5 === 4 ? 30 * 3_600_000 : 0),
}));
const LINES = POINTS.map(({ fields, timeMs }) =>
  `m,s=A f=${fields.f},note="${FILLER}" ${timeMs}\n`
);

type Input = Parameters<typeof file>[0];

/** Files by path, and what to do with them through the sink. */
function folder(input: Input, files = new Map<string, string>()) {
  const options = optionsOf(input);
  const shapes = [SHAPE];
  const reject = (_: number, error: RecordError) => {
    throw error;
  };
  const context = fakeContext({ files });
  return {
    files,
    context,
    open: (token?: Json) => file.open(options, { token, shapes: [] }, context),
    deliver: (writer: SinkWriter<unknown>, records: readonly unknown[]) =>
      writer.deliver({ records, bytes: file.encode(records, { options, shapes, reject }) }),
    /** Files in the order of their names. */
    stored: () => [...files].sort(([a], [b]) => a < b ? -1 : 1),
  };
}

function optionsOf(input: Input) {
  const parsed = file.options.safeParse(input);
  if (!parsed.success) throw new Error(JSON.stringify(parsed.error.issues));
  return parsed.data;
}

/** What a run leaves that writes all points at once. */
async function undisturbed(input: Input): Promise<[string, string][]> {
  const { open, deliver, stored } = folder(input);
  const writer = await open();
  await deliver(writer, POINTS);
  await writer.flush();
  await writer.close();
  return stored();
}

const WAYS: Readonly<Record<string, Input>> = {
  "whole": { path: "out/m.lp" },
  "as json": { path: "out/m.jsonl" },
  "rotated by size": { path: "out/m.lp", rotate: { size: 1_000 } },
  "rotated by day": { path: "out/m.lp", rotate: { every: "day" } },
  "rotated by both": { path: "out/m.jsonl", rotate: { size: "1kB", every: "day" } },
};

for (const [name, options] of Object.entries(WAYS)) {
  testSink(file, {
    name,
    options,
    permissions: options.rotate
      ? { read: ["out"], write: ["out"] }
      : { read: [options.path], write: [options.path] },
    shapes: [SHAPE],
    badShapes: options.path === "out/m.jsonl" && !options.rotate ? [] : [RAW],
    records: POINTS,
    rejects: [{ ...POINTS[0], fields: { f: "5." } }, { ...POINTS[0], timeMs: 0.5 }],
    target: () => {
      const files = new Map<string, string>();
      return {
        context: (signal) => fakeContext({ signal, files }),
        stored: () =>
          [...files].filter(([, text]) => text !== "").sort(([a], [b]) => a < b ? -1 : 1)
            .map(([path, text]) => `== ${path}\n${text}`).join(""),
      };
    },
  });

  Deno.test(`file (${name}) leaves the same files however records are batched`, async () => {
    const expected = await undisturbed(options);
    for (let size = 1; size < POINTS.length; size++) {
      const { open, deliver, stored } = folder(options);
      const writer = await open();
      for (let at = 0; at < POINTS.length; at += size) {
        await deliver(writer, POINTS.slice(at, at + size));
      }
      await writer.flush();
      await writer.close();
      assertEquals(stored(), expected);
    }
  });

  Deno.test(`file (${name}) leaves the same files when it is killed after any record and goes on from any token`, async () => {
    const expected = await undisturbed(options);
    for (let saved = 0; saved <= POINTS.length; saved++) {
      for (const lost of [0, 1, 2, 5, 9, 24]) {
        const { open, deliver, stored } = folder(options);
        const killed = await open();
        await deliver(killed, POINTS.slice(0, saved));
        const token = await killed.flush();
        await deliver(killed, POINTS.slice(saved, saved + lost));
        const writer = await open(JSON.parse(JSON.stringify(token)));
        await deliver(writer, POINTS.slice(saved));
        await writer.flush();
        await writer.close();
        assertEquals(stored(), expected, `saved after ${saved}, killed ${lost} later`);
      }
    }
  });
}

Deno.test("file writes one file of whole lines", async () => {
  assertEquals(await undisturbed({ path: "out/m.lp" }), [["out/m.lp", LINES.join("")]]);
});

Deno.test("file rotates by size before the line that would not fit", async () => {
  const parts = await undisturbed({ path: "out/m.lp", rotate: { size: "1 kB" } });
  assertEquals(
    parts,
    [0, 4, 8, 12, 16, 20].map((at, i) => [
      `out/m.00000${i + 1}.lp`,
      LINES.slice(at, at + 4).join(""),
    ]),
  );
  const tighter = await undisturbed({ path: "m", rotate: { size: 1_249 } });
  assertEquals(tighter[1], ["m.000002", LINES.slice(4, 8).join("")]);
  const wider = await undisturbed({ path: "m", rotate: { size: 1_250 } });
  assertEquals(wider[1], ["m.000002", LINES.slice(5, 10).join("")]);
});

Deno.test("file gives a line that is larger than a part a part of its own", async () => {
  const { open, deliver, stored } = folder({ path: "m.lp", rotate: { size: 1_000 } });
  const writer = await open();
  const large = { ...POINTS[1], fields: { note: "y".repeat(2_000) } };
  await deliver(writer, [POINTS[0], large, POINTS[2]]);
  assertEquals(stored().map(([path, text]) => [path, text.length]), [
    ["m.000001.lp", 250],
    ["m.000002.lp", 'm,s=A note="" 1709100000000\n'.length + 2_000],
    ["m.000003.lp", 250],
  ]);
});

Deno.test("file rotates by the UTC day of the records, and late ones stay in the open file", async () => {
  const parts = await undisturbed({ path: "out/m.lp", rotate: { every: "day" } });
  assertEquals(parts, [
    ["out/m.2024-02-28.lp", LINES.slice(0, 5).join("")],
    ["out/m.2024-02-29.lp", LINES.slice(5, 8).join("")],
    ["out/m.2024-03-01.lp", LINES.slice(8, 12).join("")],
    ["out/m.2024-03-02.lp", LINES.slice(12, 16).join("")],
    ["out/m.2024-03-03.lp", LINES.slice(16, 20).join("")],
    ["out/m.2024-03-04.lp", LINES.slice(20, 24).join("")],
  ]);
});

Deno.test("file rotates by day and size, counting from 1 each day", async () => {
  const parts = await undisturbed({ path: "m.lp", rotate: { every: "day", size: 1_000 } });
  assertEquals(parts.slice(0, 4), [
    ["m.2024-02-28.000001.lp", LINES.slice(0, 4).join("")],
    ["m.2024-02-28.000002.lp", LINES.slice(4, 5).join("")],
    ["m.2024-02-29.000001.lp", LINES.slice(5, 8).join("")],
    ["m.2024-03-01.000001.lp", LINES.slice(8, 12).join("")],
  ]);
});

Deno.test("file begins a day at midnight UTC to the millisecond", async () => {
  const { open, deliver, stored } = folder({ path: "m.lp", rotate: { every: "day" } });
  const writer = await open();
  const at = (timeMs: number) => ({ ...POINTS[0], timeMs });
  await deliver(writer, [at(-1), at(START_MS - 1), at(START_MS), at(START_MS + DAY_MS - 1)]);
  assertEquals(stored().map(([path, text]) => [path, text.trimEnd().split("\n").length]), [
    ["m.1969-12-31.lp", 1],
    ["m.2024-02-27.lp", 1],
    ["m.2024-02-28.lp", 2],
  ]);
});

Deno.test("file makes no part before the first record", async () => {
  const { open, stored } = folder({ path: "m.lp", rotate: { size: "1MB" } });
  const writer = await open();
  assertEquals(await writer.flush(), { part: null, bytes: 0 });
  assertEquals(stored(), []);
});

Deno.test("file gives tokens that do not grow with the parts", async () => {
  const { open, deliver } = folder({ path: "m.lp", rotate: { size: 1_000, every: "day" } });
  const writer = await open();
  await deliver(writer, POINTS);
  assertEquals(await writer.flush(), { part: "2024-03-04.000001", bytes: 1_000 });
});

for (const [name, path] of [["whole", "out/m.lp"], ["in parts", "out/m.000003.lp"]] as const) {
  Deno.test(`file (${name}) starts with what is not there or empty, and refuses what is not`, async () => {
    const rotate = name === "whole" ? undefined : { size: 1_000 };
    const input: Input = { path: "out/m.lp", ...rotate && { rotate } };
    const writer = await folder(input, new Map([[path, ""]])).open();
    await writer.close();
    const { open, stored } = folder(input, new Map([[path, "ü\n"]]));
    const error = await assertRejects(
      () => open(),
      FatalError,
      `Cannot write to "${path}": it must be new or empty, as no checkpoint knows of it, found 3 bytes`,
    );
    assertEquals(error.hint, "Move it away, or set another `path`");
    assertEquals(stored(), [[path, "ü\n"]]);
  });
}

Deno.test("file refuses a file that is shorter than at the checkpoint, and leaves it alone", async () => {
  const token = { part: "", bytes: 500 };
  for (const text of ["", LINES[0] ?? ""]) {
    const { open, stored } = folder({ path: "m.lp" }, new Map([["m.lp", text]]));
    const error = await assertRejects(
      () => open(token),
      FatalError,
      `Cannot go on with "m.lp": it must hold at least 500 bytes, as at the last checkpoint, found ${text.length}`,
    );
    assertStringIncludes(error.hint ?? "", "Put it back as it was");
    assertEquals(stored(), [["m.lp", text]]);
  }
});

Deno.test("file leaves nothing open when it refuses to open", async () => {
  const cases: [string, Json | undefined][] = [
    ["data", undefined],
    ["short", { part: "", bytes: 500 }],
  ];
  for (const [text, token] of cases) {
    const world = watch(fakeContext({ files: new Map([["m.lp", text]]) }));
    await assertRejects(
      () => file.open(optionsOf({ path: "m.lp" }), { token, shapes: [] }, world.context),
      FatalError,
    );
    assertEquals(world.effects, [{ kind: "open", target: "m.lp" }]);
    assertEquals(world.open(), []);
  }
});

Deno.test("file refuses a token that does not fit how it rotates", async () => {
  const whole: Input = { path: "m.lp" };
  const bySize: Input = { path: "m.lp", rotate: { size: "1MB" } };
  const byDay: Input = { path: "m.lp", rotate: { every: "day" } };
  const cases: [Input, Json][] = [
    [whole, { part: null, bytes: 0 }],
    [whole, { part: "000001", bytes: 5 }],
    [bySize, { part: "", bytes: 5 }],
    [bySize, { part: "2024-01-01", bytes: 5 }],
    [bySize, { part: "../m", bytes: 5 }],
    [byDay, { part: "000001", bytes: 5 }],
    [byDay, { part: "2024-01-01.000001", bytes: 5 }],
    [whole, { part: "", bytes: -1 }],
    [whole, { part: "", bytes: 0.5 }],
    [whole, { bytes: 0 }],
    [whole, null],
  ];
  for (const [input, token] of cases) {
    const { open } = folder(input, new Map([["m.lp", "longer"]]));
    await assertRejects(
      () => open(token),
      FatalError,
      'Cannot go on with "m.lp": its place in the checkpoint must fit `rotate`, found',
    );
  }
});

Deno.test("file removes only what its own names made after the token", async () => {
  const others = [
    ...["out/m.000001.lp.bak", "out/m.1.lp", "out/m.lp", "out/n.000009.lp", "out/m.000009.txt"],
    ...["out/m.2024-01-01.lp", "out/m.0000009.lp", "m.000009.lp", "out/m.00000x.lp"],
  ];
  const files = new Map(others.map((path) => [path, "kept"]));
  for (const index of [1, 2, 3, 10]) {
    files.set(`out/m.${String(index).padStart(6, "0")}.lp`, LINES[0] ?? "");
  }
  const { open, context } = folder({ path: "out/m.lp", rotate: { size: 1_000 } }, files);
  const writer = await open({ part: "000002", bytes: 100 });
  await writer.close();
  assertEquals(
    [...files.keys()].sort(),
    [...others, "out/m.000001.lp", "out/m.000002.lp"].sort(),
  );
  assertEquals(files.get("out/m.000001.lp")?.length, 250);
  assertEquals(files.get("out/m.000002.lp")?.length, 100);
  assertEquals(context.said.map(({ message, details }) => [message, details]), [
    ["Removed a file made after the last checkpoint", { path: "out/m.000003.lp" }],
    ["Removed a file made after the last checkpoint", { path: "out/m.000010.lp" }],
    ["Cut off what was written after the last checkpoint", { path: "out/m.000002.lp", bytes: 150 }],
  ]);
});

Deno.test("file goes on although finished parts were moved away", async () => {
  const { files, open, deliver } = folder({ path: "m.lp", rotate: { size: 1_000 } });
  const first = await open();
  await deliver(first, POINTS.slice(0, 9));
  const token = await first.flush();
  files.delete("m.000001.lp");
  const second = await open(token);
  await deliver(second, POINTS.slice(9));
  assertEquals([...files.keys()].sort()[0], "m.000002.lp");
  assertEquals([...files.values()].join(""), LINES.slice(4).join(""));
});

Deno.test("file fails when something else writes to its file", async () => {
  const { files, open, deliver } = folder({ path: "m.lp" });
  const writer = await open();
  await deliver(writer, POINTS.slice(0, 1));
  files.set("m.lp", `${files.get("m.lp")}other\n`);
  const error = await assertRejects(
    () => writer.flush(),
    FatalError,
    'Cannot keep on writing to "m.lp": it must hold the 250 bytes that were written, found 256',
  );
  assertEquals(error.hint, "Something else writes to it: give each sink a file of its own");
});

Deno.test("file refuses to begin a part where a file is", async () => {
  const { files, open, deliver } = folder({ path: "m.lp", rotate: { size: 1_000 } });
  const writer = await open();
  files.set("m.000002.lp", "not ours");
  await assertRejects(
    async () => await deliver(writer, POINTS),
    FatalError,
    'Cannot write to "m.000002.lp": it must be new or empty',
  );
  assertEquals(files.get("m.000002.lp"), "not ours");
});

Deno.test("cutIntoParts() refuses a part whose name would not sort", () => {
  const chunk = { bytes: new TextEncoder().encode("a\n"), records: ["a"] };
  assertThrows(
    () => cutIntoParts(chunk, { part: "999999", bytes: 1_000 }, { size: 1_000 }),
    FatalError,
    "Cannot begin part 1000000 of the output: names end at 999999",
  );
});

Deno.test("cutIntoParts() leaves a line that is larger than a part in the empty part it goes on from", () => {
  const chunk = { bytes: new TextEncoder().encode(`${"a".repeat(2_000)}\n`), records: ["a"] };
  const pieces = cutIntoParts(chunk, { part: "000002", bytes: 0 }, { size: 1_000 });
  assertEquals(pieces.map(({ part, bytes }) => [part, bytes.length]), [["000002", 2_001]]);
});

Deno.test("cutIntoParts() gives no piece for no records", () => {
  const rotation: Rotation = { size: 1_000 };
  const nothing = { bytes: new Uint8Array(), records: [] };
  assertEquals(cutIntoParts(nothing, { part: undefined, bytes: 0 }, rotation), []);
  assertEquals(cutIntoParts(nothing, { part: "000001", bytes: 5_000 }, rotation), []);
});

Deno.test("file takes json for paths that end so, and line protocol for others", () => {
  const first = (input: Input) => {
    const options = optionsOf(input);
    const reject = () => {};
    const bytes = file.encode(POINTS.slice(0, 1), { options, shapes: [SHAPE], reject });
    return new TextDecoder().decode(bytes)[0];
  };
  for (const path of ["a.json", "a.jsonl", "b/a.ndjson", "a.x.jsonl"]) {
    assertEquals(first({ path }), "{");
  }
  for (const path of ["a.lp", "a", "a.jsonl.txt", "json"]) assertEquals(first({ path }), "m");
  assertEquals(first({ path: "a.jsonl", format: "line_protocol" }), "m");
  assertEquals(first({ path: "a.lp", format: "json" }), "{");
});

Deno.test("file keeps any record as a dead letter in json", async () => {
  const { open, deliver, stored } = folder({ path: "rejected.jsonl", rotate: { size: "1MB" } });
  file.accept(RAW, optionsOf({ path: "rejected.jsonl" }));
  const writer = await open();
  await deliver(writer, [
    { step: "rsi", reason: "Cannot", record: { ...POINTS[0], fields: { f: NaN, n: 5n } } },
    { step: "kline", reason: "Cannot", record: [1, "x"] },
  ]);
  assertEquals(stored(), [[
    "rejected.000001.jsonl",
    '{"step":"rsi","reason":"Cannot","record":{"measurement":"m","tags":{"s":"A"},"fields":{"f":"NaN","n":"5"},"timeMs":1709078400000}}\n' +
    '{"step":"kline","reason":"Cannot","record":[1,"x"]}\n',
  ]]);
});

Deno.test("file refuses records without a time where each day has its file", () => {
  const options = optionsOf({ path: "a.jsonl", rotate: { every: "day" } });
  const error = assertThrows(() => file.accept(RAW, options), OptionsError, "they must be points");
  assertEquals(error.hint, "Add a transform that makes points of them, or rotate by size");
  const refused: string[] = [];
  const records = [{ any: 1 }, { ...POINTS[0], measurement: "other", timeMs: NaN }, POINTS[0]];
  file.encode(records, {
    options,
    shapes: [SHAPE],
    reject: (index, { message }) => void refused.push(`${index} ${message}`),
  });
  assertEquals(refused.length, 2);
  assertStringIncludes(refused[0] ?? "", "0 Cannot write a record to the file of its day");
  assertStringIncludes(refused[1] ?? "", "its time must be whole milliseconds");
});

Deno.test("parseSize() reads sizes from 1 kB on, and nothing else", () => {
  const sizes: [string | number, number | undefined][] = [
    [1_000, 1_000],
    ["1000", 1_000],
    ["1000B", 1_000],
    ["1kB", 1_000],
    ["1KB", 1_000],
    ["1KiB", 1_024],
    ["100MB", 100_000_000],
    ["100 MB", 100_000_000],
    ["2GiB", 2_147_483_648],
    ["1GB", 1_000_000_000],
  ];
  for (const [text, bytes] of sizes) assertEquals(parseSize(text), bytes, String(text));
  const wrong = [
    ...[999, 0, -1_000, 1_000.5, NaN, 1e21, "", "MB", "1.5MB", "1mb", "1 M", "-1MB", "1MB/s"],
    ...["9007199254740993", "10000000GiB", "100", "1  MB"],
  ];
  for (const text of wrong) assertEquals(parseSize(text), undefined, String(text));
});

Deno.test("file refuses options that say nothing or the wrong thing", () => {
  const issuesOf = (input: unknown) => {
    const parsed = file.options.safeParse(input);
    return parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
  };
  assertEquals(issuesOf({ path: "a", rotate: {} }), ["must have `size`, `every` or both"]);
  assertEquals(issuesOf({ path: "a", rotate: { size: 100 } }), [
    "must be a size of 1 kB or more, such as `100MB`, `64MiB` or bytes",
  ]);
  for (
    const input of [
      {},
      { path: "" },
      { path: "a", format: "csv" },
      { path: "a", rotate: "day" },
      { path: "a", rotate: { every: "hour" } },
      { path: "a", rotate: { size: true } },
      { path: "a", rotate: { size: "1MB", keep: 5 } },
    ]
  ) assertEquals(issuesOf(input).length, 1, JSON.stringify(input));
});

async function onDisk(work: (folder: string) => Promise<void>): Promise<void> {
  const temporary = await Deno.makeTempDir({ prefix: "penstock_file_" });
  try {
    await work(temporary);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

function diskContext(folder: string) {
  return { ...fakeContext(), files: systemWorld(folder).files };
}

Deno.test("file on a disk is cut back to its token and goes on", async () => {
  await onDisk(async (temporary) => {
    const options = optionsOf({ path: "out/m.lp", rotate: { size: 1_000 } });
    const context = diskContext(temporary);
    const encode = (records: readonly unknown[]) => ({
      records,
      bytes: file.encode(records, { options, shapes: [SHAPE], reject: () => {} }),
    });
    const killed = await file.open(options, { token: undefined, shapes: [] }, context);
    await killed.deliver(encode(POINTS.slice(0, 7)));
    const token = await killed.flush();
    await killed.deliver(encode(POINTS.slice(7, 20)));
    await killed.close();
    const writer = await file.open(options, { token, shapes: [] }, context);
    await writer.deliver(encode(POINTS.slice(7)));
    await writer.flush();
    await writer.close();
    const names = await context.files.list("out");
    assertEquals(names, [1, 2, 3, 4, 5, 6].map((i) => `m.00000${i}.lp`));
    const texts = names.map((name) => Deno.readTextFileSync(`${temporary}/out/${name}`));
    assertEquals(texts.join(""), LINES.join(""));
  });
});

Deno.test("file fails with the path when its folder cannot be made", async () => {
  await onDisk(async (temporary) => {
    await Deno.writeTextFile(`${temporary}/taken`, "");
    const options = optionsOf({ path: "taken/m.lp" });
    const error = await assertRejects(
      () => file.open(options, { token: undefined, shapes: [] }, diskContext(temporary)),
      FatalError,
    );
    assertStringIncludes(error.message, 'Cannot write "');
    assertStringIncludes(error.message, "taken/m.lp");
  });
});

/** Devices are there on Linux only, and Deno opens them with all permissions only. */
function hasFullDisk(): boolean {
  try {
    Deno.openSync("/dev/full", { append: true }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "file fails with the path and what to do when the disk is full (needs /dev/full and -A)",
  ignore: !hasFullDisk(),
  fn: async () => {
    const options = optionsOf({ path: "/dev/full" });
    const writer = await file.open(options, { token: undefined, shapes: [] }, diskContext("/"));
    const bytes = file.encode(POINTS, { options, shapes: [SHAPE], reject: () => {} });
    const error = await assertRejects(
      async () => await writer.deliver({ records: POINTS, bytes }),
      FatalError,
      'Cannot write "/dev/full"',
    );
    await writer.close();
    assert(error.hint?.startsWith("Free some space on the disk"), error.hint);
  },
});
