import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import {
  type CheckpointStore,
  fileCheckpoints,
  memoryCheckpoints,
  readCheckpoint,
} from "../../../engine/checkpoint/checkpoint.ts";
import { FatalError } from "../../../engine/errors.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";
import { ENGINE, HAS_FULL_DISK, inFolder, runProgram } from "../_folder.ts";

/** The checkpoint of an epoch, with what is hard to keep: odd names, digits, characters. */
function checkpoint(epoch: number): Checkpoint {
  return {
    pipeline: "btc",
    epoch,
    steps: [{ step: 'source "feed"', plugin: "feed" }],
    positions: { feed: { "BTCUSDT 1m": 1_704_067_200_000 + epoch, "": null } },
    states: {
      rsi: { 'a"b\n€\u2028😀': { avg_gain: 0.1 + 0.2, closes: ["0.00000001", "64000.50"] } },
      ["__proto__"]: { constructor: 5e-324 },
    },
    tokens: { file: { size: 1_234, name: "candles.lp" } },
    deadLetterToken: null,
    refusals: {},
    counters: {},
    replayed: {},
    ledger: {
      sources: { feed: { ...emptyStep(), out: 10 * epoch } },
      transforms: {},
      sinks: { file: { ...emptyStep(), in: 10 * epoch, out: 10 * epoch } },
      deadLetter: emptyStep(),
      dropped: 0,
    },
  };
}

/** Runs a test with a folder that is not there yet, gone afterwards. */
function inNewFolder(test: (folder: string) => Promise<void>): Promise<void> {
  return inFolder((parent) => test(`${parent}/state`));
}

/** Uses a store and closes it. */
async function withStore<T>(
  folder: string,
  use: (store: CheckpointStore, warnings: string[]) => Promise<T>,
): Promise<T> {
  const warnings: string[] = [];
  const store = await fileCheckpoints(folder, (message) => void warnings.push(message));
  try {
    return await use(store, warnings);
  } finally {
    store.close();
  }
}

function saveAll(folder: string, epochs: readonly number[]): Promise<void> {
  return withStore(folder, async (store) => {
    for (const epoch of epochs) await store.save(checkpoint(epoch));
  });
}

/** The epoch that would be gone on from, and what the user would be told. */
function loadEpoch(folder: string): Promise<{ epoch: number | undefined; warnings: string[] }> {
  return withStore(folder, async (store, warnings) => {
    const epoch = (await store.load())?.epoch;
    return { epoch, warnings };
  });
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("fileCheckpoints() gives nothing before the first save", () =>
  inNewFolder(async (folder) => {
    assertEquals(await loadEpoch(folder), { epoch: undefined, warnings: [] });
  }));

Deno.test("fileCheckpoints() gives back what was saved, to the last digit and character", () =>
  inNewFolder(async (folder) => {
    await withStore(folder, async (store) => {
      await store.save(checkpoint(1));
      assertEquals(await store.load(), checkpoint(1));
    });
    await withStore(folder, async (store, warnings) => {
      assertEquals(await store.load(), checkpoint(1));
      assertEquals(warnings, []);
    });
  }));

Deno.test("fileCheckpoints() gives the last of many, and goes on saving after a load", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2, 3]);
    await withStore(folder, async (store) => {
      assertEquals((await store.load())?.epoch, 3);
      await store.save(checkpoint(4));
    });
    assertEquals((await loadEpoch(folder)).epoch, 4);
  }));

Deno.test("fileCheckpoints() gives a copy: what is changed later in memory is not saved", () =>
  inNewFolder(async (folder) => {
    const saved = checkpoint(1);
    await withStore(folder, async (store) => {
      const saving = store.save(saved);
      saved.ledger.dropped = 99;
      await saving;
      assertEquals((await store.load())?.ledger.dropped, 0);
    });
  }));

Deno.test("fileCheckpoints() keeps the checkpoint before the last, and nothing unfinished", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2, 3]);
    assertEquals(await names(folder), ["checkpoint", "checkpoint.previous", "lock"]);
    await Deno.rename(`${folder}/checkpoint.previous`, `${folder}/checkpoint`);
    assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
  }));

Deno.test("fileCheckpoints() makes the folders it is kept in", () =>
  inNewFolder(async (folder) => {
    await saveAll(`${folder}/deep/down`, [1]);
    assertEquals((await loadEpoch(`${folder}/deep/down`)).epoch, 1);
  }));

Deno.test("fileCheckpoints() goes on from the last save that ended, wherever one was cut off", async (t) => {
  await t.step("while the file is being written", () =>
    inNewFolder(async (folder) => {
      await saveAll(folder, [1, 2]);
      const whole = await Deno.readTextFile(`${folder}/checkpoint`);
      await Deno.writeTextFile(`${folder}/checkpoint.tmp`, whole.slice(0, 100));
      assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
    }));
  await t.step("before the first rename", () =>
    inNewFolder(async (folder) => {
      await saveAll(folder, [1, 2, 3]);
      await Deno.rename(`${folder}/checkpoint`, `${folder}/checkpoint.tmp`);
      await Deno.rename(`${folder}/checkpoint.previous`, `${folder}/checkpoint`);
      assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
    }));
  await t.step("between the two renames", () =>
    inNewFolder(async (folder) => {
      await saveAll(folder, [1, 2, 3]);
      await Deno.rename(`${folder}/checkpoint`, `${folder}/checkpoint.tmp`);
      assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
    }));
  await t.step("in the very first save", () =>
    inNewFolder(async (folder) => {
      await saveAll(folder, [1]);
      await Deno.rename(`${folder}/checkpoint`, `${folder}/checkpoint.tmp`);
      assertEquals(await loadEpoch(folder), { epoch: undefined, warnings: [] });
    }));
});

Deno.test("fileCheckpoints() saves as ever after a save that was cut off between the two renames", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2, 3]);
    await Deno.rename(`${folder}/checkpoint`, `${folder}/checkpoint.tmp`);
    await withStore(folder, async (store) => {
      assertEquals((await store.load())?.epoch, 2);
      await store.save(checkpoint(3));
    });
    assertEquals(await names(folder), ["checkpoint", "checkpoint.previous", "lock"]);
    assertEquals((await loadEpoch(folder)).epoch, 3);
    await Deno.remove(`${folder}/checkpoint`);
    assertEquals((await loadEpoch(folder)).epoch, 2);
  }));

Deno.test("fileCheckpoints() writes over whatever an unfinished save has left", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1]);
    await Deno.writeTextFile(`${folder}/checkpoint.tmp`, "x".repeat(100_000));
    await saveAll(folder, [2]);
    assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
  }));

const DAMAGES: readonly [string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array, string][] = [
  ["empty", () => new Uint8Array(), "does not begin as one"],
  ["zeroed", (bytes) => bytes.fill(0), "does not begin as one"],
  ["cut in its first line", (bytes) => bytes.subarray(0, 40), "does not begin as one"],
  ["cut after its first line", (bytes) => bytes.subarray(0, 94), "checksum does not match"],
  ["cut by one byte", (bytes) => bytes.subarray(0, -1), "checksum does not match"],
  ["one byte longer", (bytes) => Uint8Array.of(...bytes, 10), "checksum does not match"],
  ["text of another kind", () => new TextEncoder().encode('{"epoch":9}'), "does not begin as one"],
  ["no text at all", (bytes) => bytes.map((byte) => byte ^ 0xff), "does not begin as one"],
];

Deno.test("fileCheckpoints() goes on from the one before when the last is damaged, and says so", async (t) => {
  for (const [name, damage, reason] of DAMAGES) {
    await t.step(name, () =>
      inNewFolder(async (folder) => {
        const path = `${folder}/checkpoint`;
        await saveAll(folder, [1, 2]);
        const damaged = damage(await Deno.readFile(path));
        await Deno.writeFile(path, damaged);
        const { epoch, warnings } = await loadEpoch(folder);
        assertEquals(epoch, 1);
        assertEquals(warnings.length, 1);
        assertStringIncludes(warnings[0] ?? "", `The checkpoint "${path}" is damaged: it`);
        assertStringIncludes(warnings[0] ?? "", `${reason}; going on from the one before it`);
        assertEquals(await Deno.readFile(`${folder}/checkpoint.damaged`), damaged);
      }));
  }
});

Deno.test("fileCheckpoints() notices any bit that flips, in any byte", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    const whole = await Deno.readFile(`${folder}/checkpoint`);
    await withStore(folder, async (store, warnings) => {
      for (let at = 0; at < whole.length; at++) {
        // Every bit of the format's number, one of every other byte.
        const bits = at === 20 ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8];
        for (const bit of bits) {
          warnings.length = 0;
          const flipped = whole.slice();
          flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
          await Deno.writeFile(`${folder}/checkpoint`, flipped);
          const loaded = await store.load();
          assertEquals([loaded?.epoch, warnings.length], [1, 1], `bit ${bit} of byte ${at}`);
        }
      }
    });
    assertEquals(new TextDecoder().decode(whole.subarray(0, 22)), "penstock checkpoint 1 ");
  }));

Deno.test("fileCheckpoints() does not put a damaged checkpoint in the place of the good one", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    await Deno.writeTextFile(`${folder}/checkpoint`, "damaged");
    await withStore(folder, async (store) => {
      await store.load();
      // Cut off between the renames: only the previous one is left.
      await store.save(checkpoint(2));
    });
    await Deno.remove(`${folder}/checkpoint`);
    assertEquals(await loadEpoch(folder), { epoch: 1, warnings: [] });
  }));

Deno.test("fileCheckpoints() says it once: the next run goes on without a warning", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    await Deno.writeTextFile(`${folder}/checkpoint`, "damaged");
    assertEquals((await loadEpoch(folder)).warnings.length, 1);
    assertEquals(await loadEpoch(folder), { epoch: 1, warnings: [] });
  }));

Deno.test("fileCheckpoints() starts from nothing only if told to: two damaged ones end the run", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    await Deno.writeTextFile(`${folder}/checkpoint`, "damaged");
    await Deno.writeTextFile(`${folder}/checkpoint.previous`, "damaged");
    for (let time = 1; time <= 2; time++) {
      const error = await assertRejects(
        () => loadEpoch(folder),
        FatalError,
        `The checkpoint "${folder}/checkpoint" is damaged: it does not begin as one`,
      );
      assertEquals(error.hint, `Remove the folder "${folder}" to start from the beginning`);
    }
    await Deno.remove(folder, { recursive: true });
    assertEquals((await loadEpoch(folder)).epoch, undefined);
  }));

Deno.test("fileCheckpoints() ends the run when the only checkpoint is damaged, whichever it is", async (t) => {
  for (const name of ["checkpoint", "checkpoint.previous"]) {
    await t.step(name, () =>
      inNewFolder(async (folder) => {
        await Deno.mkdir(folder);
        await Deno.writeTextFile(`${folder}/${name}`, "damaged");
        const error = await assertRejects(() => loadEpoch(folder), FatalError, `${folder}/${name}`);
        assertStringIncludes(error.hint ?? "", "Remove the folder");
      }));
  }
});

Deno.test("fileCheckpoints() ignores a damaged checkpoint before the last when the last is whole", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    await Deno.writeTextFile(`${folder}/checkpoint.previous`, "damaged");
    assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
  }));

Deno.test("fileCheckpoints() refuses the checkpoint of a newer penstock, and leaves it alone", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    const body = '{"of":"another shape"}';
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`12\n${body}`));
    const hex = new Uint8Array(digest).toHex();
    const newer = `penstock checkpoint 12 sha256 ${hex}\n${body}`;
    await Deno.writeTextFile(`${folder}/checkpoint`, newer);
    const error = await assertRejects(
      () => loadEpoch(folder),
      FatalError,
      `Cannot read the checkpoint "${folder}/checkpoint": a newer penstock wrote it`,
    );
    assertStringIncludes(error.hint ?? "", "Run it with that version");
    assertEquals(await Deno.readTextFile(`${folder}/checkpoint`), newer);
  }));

Deno.test("fileCheckpoints() refuses a second run on the same folder until the first ends", () =>
  inNewFolder(async (folder) => {
    const first = await fileCheckpoints(folder, () => {});
    try {
      for (let time = 1; time <= 2; time++) {
        const error = await assertRejects(
          () => fileCheckpoints(folder, () => {}),
          FatalError,
          `Cannot run the pipeline twice at once: another run uses "${folder}"`,
        );
        assertEquals(error.hint, "Wait for the other run to end, or stop it");
      }
      await first.save(checkpoint(1));
    } finally {
      first.close();
    }
    assertEquals((await loadEpoch(folder)).epoch, 1);
  }));

Deno.test("fileCheckpoints() keeps folders apart: two pipelines run side by side", () =>
  inNewFolder(async (folder) => {
    await withStore(`${folder}/a`, async (a) => {
      await withStore(`${folder}/b`, async (b) => {
        await a.save(checkpoint(1));
        await b.save(checkpoint(2));
        assertEquals([(await a.load())?.epoch, (await b.load())?.epoch], [1, 2]);
      });
    });
  }));

Deno.test("fileCheckpoints() ends the run when the folder cannot be made or written", () =>
  inNewFolder(async (folder) => {
    await Deno.writeTextFile(folder, "a file, not a folder");
    for (const path of [folder, `${folder}/below`]) {
      const error = await assertRejects(
        () => fileCheckpoints(path, () => {}),
        FatalError,
        `Cannot keep checkpoints in "${path}": `,
      );
      assertEquals(
        error.hint,
        "Make the folder writable, or name another one with --state",
      );
    }
  }));

Deno.test("fileCheckpoints() ends the run when a checkpoint cannot be written, and keeps the last", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    await Deno.mkdir(`${folder}/checkpoint.tmp`);
    const error = await assertRejects(
      () => saveAll(folder, [3]),
      FatalError,
      `Cannot save the checkpoint in "${folder}": `,
    );
    assertStringIncludes(error.message, "directory");
    assertStringIncludes(error.hint ?? "", "The last checkpoint is whole");
    assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
    await Deno.remove(`${folder}/checkpoint.tmp`);
    await saveAll(folder, [3]);
    assertEquals((await loadEpoch(folder)).epoch, 3);
  }));

Deno.test("fileCheckpoints() ends the run when the last checkpoint cannot be read", () =>
  inNewFolder(async (folder) => {
    await Deno.mkdir(`${folder}/checkpoint`, { recursive: true });
    await assertRejects(
      () => loadEpoch(folder),
      FatalError,
      `Cannot read the checkpoint "${folder}/checkpoint": `,
    );
  }));

Deno.test({
  name: "fileCheckpoints() keeps the last checkpoint when the disk is full (needs /dev/full)",
  ignore: !HAS_FULL_DISK,
  fn: () =>
    inNewFolder(async (folder) => {
      await saveAll(folder, [1, 2]);
      await Deno.symlink("/dev/full", `${folder}/checkpoint.tmp`);
      const { stdout } = await runProgram(
        folder,
        `import { fileCheckpoints } from "${ENGINE}checkpoint/checkpoint.ts";
         const store = await fileCheckpoints(${JSON.stringify(folder)}, () => {});
         await store.save(${JSON.stringify(checkpoint(3))}).catch((error) =>
           console.log(\`\${error.name}: \${error.message}\`)
         );`,
        // Only a process with all permissions may open it.
        ["--allow-all"],
      );
      assertEquals(
        stdout,
        `FatalError: Cannot save the checkpoint in "${folder}": No space left on device (os error 28)\n`,
      );
      assertEquals(await loadEpoch(folder), { epoch: 2, warnings: [] });
    }),
});

/** A process that opens a store and does something with it, told by the lines it prints. */
function startProcess(folder: string, code: string): Deno.ChildProcess {
  const program = `
    import { fileCheckpoints } from "${ENGINE}checkpoint/checkpoint.ts";
    const store = await fileCheckpoints(${JSON.stringify(folder)}, () => {});
    ${code}`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    cwd: new URL("../../../", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Kills a process the hard way once it has printed some lines; gives the last one. */
async function killAfter(child: Deno.ChildProcess, lines: number): Promise<string> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (text.split("\n").length <= lines) {
    const { done, value } = await reader.read();
    assert(!done, "The process ended by itself");
    text += value;
  }
  child.kill("SIGKILL");
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    text += chunk.value;
  }
  assertEquals((await child.status).signal, "SIGKILL");
  return text.trimEnd().split("\n").at(-1) ?? "";
}

Deno.test("fileCheckpoints() is free again as soon as the process that used it is killed", () =>
  inNewFolder(async (folder) => {
    const child = startProcess(folder, `console.log("open"); setInterval(() => {}, 1_000);`);
    const reader = child.stdout.getReader();
    await reader.read();
    await assertRejects(() => loadEpoch(folder), FatalError, "another run uses");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assertEquals(await loadEpoch(folder), { epoch: undefined, warnings: [] });
  }));

Deno.test("fileCheckpoints() has lost no save that ended when its process is killed", () =>
  inNewFolder(async (folder) => {
    const saves = `
      const big = ${JSON.stringify(checkpoint(0))};
      big.states.many = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [n, n / 7]));
      for (let epoch = 1 + ((await store.load())?.epoch ?? 0);; epoch++) {
        await store.save({ ...big, epoch });
        console.log(epoch);
      }`;
    for (const lines of [1, 9, 30]) {
      const told = Number(await killAfter(startProcess(folder, saves), lines));
      const { epoch = 0, warnings } = await loadEpoch(folder);
      // One more may have ended that could not be told any more.
      assertGreaterOrEqual(epoch, told);
      assertGreaterOrEqual(told + 1, epoch);
      assertEquals(warnings, []);
    }
  }));

Deno.test("memoryCheckpoints() refuses what JSON cannot hold, and blames no disk", () => {
  const positions = { feed: { id: 1n } } as unknown as Checkpoint["positions"];
  assertThrows(
    () => memoryCheckpoints().save({ ...checkpoint(1), positions }),
    FatalError,
    "positions, states and tokens must be plain data",
  );
});

Deno.test("memoryCheckpoints() gives the last one back, as a copy", async () => {
  const store = memoryCheckpoints();
  assertEquals(await store.load(), undefined);
  await store.save(checkpoint(1));
  const saved = checkpoint(2);
  await store.save(saved);
  saved.ledger.dropped = 99;
  const loaded = await store.load();
  assertEquals(loaded, checkpoint(2));
  if (loaded) loaded.ledger.dropped = 99;
  assertEquals(await store.load(), checkpoint(2));
  store.close();
});

Deno.test("readCheckpoint() gives the last one beside a run that holds the lock, and changes nothing", () =>
  inNewFolder(async (folder) => {
    assertEquals(await readCheckpoint(folder), undefined);
    await assertRejects(() => Deno.stat(folder), Deno.errors.NotFound);
    await withStore(folder, async (store) => {
      await store.save(checkpoint(1));
      await store.save(checkpoint(2));
      assertEquals(await readCheckpoint(folder), checkpoint(2));
      await Deno.writeTextFile(`${folder}/checkpoint`, "damaged");
      assertEquals(await readCheckpoint(folder), checkpoint(1));
      assertEquals(await Deno.readTextFile(`${folder}/checkpoint`), "damaged");
      await Deno.remove(`${folder}/checkpoint.previous`);
      const error = await assertRejects(() => readCheckpoint(folder), FatalError, "is damaged");
      assertStringIncludes(error.hint ?? "", "to start from the beginning");
    });
  }));

Deno.test("fileCheckpoints() takes a body that is no checkpoint for damage, though its checksum is right", () =>
  inNewFolder(async (folder) => {
    await saveAll(folder, [1, 2]);
    const body = JSON.stringify({ ...checkpoint(3), ledger: {} });
    const bytes = new TextEncoder().encode(`1\n${body}`);
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    const text = `penstock checkpoint 1 sha256 ${sum}\n${body}`;
    await Deno.writeTextFile(`${folder}/checkpoint`, text);
    const { epoch, warnings } = await loadEpoch(folder);
    assertEquals(epoch, 1);
    assertStringIncludes(warnings.join(), "is damaged: it does not hold what it must");
  }));
