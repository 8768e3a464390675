/**
 * Checkpoints: positions, states and tokens, saved as one.
 *
 * @module
 */

import { join } from "@std/path";
import type { Checkpoint } from "./body.ts";
import { describeError, FatalError } from "../errors.ts";
import { syncFolder } from "../run/world.ts";
import { writeAll } from "../write_all.ts";

/** Raised when an older penstock could not read what this one writes. */
const FORMAT = 1;
/** Format and checksum of format and body: the same in every format, to tell newer from damaged. */
const HEADER = /^penstock checkpoint (\d+) sha256 ([0-9a-f]{64})\n/;
const CURRENT = "checkpoint";
const PREVIOUS = "checkpoint.previous";
const UNFINISHED = "checkpoint.tmp";
const DAMAGED = "checkpoint.damaged";

/** A checkpoint, looked at. */
export interface Peek {
  /** The checkpoint that a run would go on from. */
  readonly checkpoint: Checkpoint;
  /** Its file. */
  readonly path: string;
  /** When it was saved, in epoch milliseconds. */
  readonly savedMs: number;
  /** How large it is. */
  readonly bytes: number;
  /** What is wrong with a later one, so that this one counts. */
  readonly warning: string | undefined;
}

/** Where checkpoints are kept. */
export interface CheckpointStore {
  /** The last one, or nothing before the first. */
  load(): Promise<Checkpoint | undefined>;
  /** Keeps one. Once it resolves, that one is the last one, whatever happens. */
  save(checkpoint: Checkpoint): Promise<void>;
  /** Lets others use the store. */
  close(): void;
}

/** What saving asks of a file system. Tests give one that fails, or dies, at any step. */
export interface CheckpointDisk {
  /** Opens an empty file for writing, in the place of what has that name. */
  create(path: string): Promise<NewFile>;
  /** Gives a file another name, replacing what has that name. */
  rename(from: string, to: string): Promise<void>;
  /** Makes what happened to a folder's names survive a power cut. */
  syncFolder(folder: string): Promise<void>;
}

/** A file that is being written. */
export interface NewFile extends Disposable {
  /** Writes some of the bytes; gives how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Makes what was written survive a power cut. */
  sync(): Promise<void>;
}

/** The machine's. */
export const systemDisk: CheckpointDisk = {
  create: (path) => Deno.open(path, { write: true, create: true, truncate: true }),
  rename: (from, to) => Deno.rename(from, to),
  syncFolder,
};

/** A store that is gone with the process: for dry runs and simulations. */
export function memoryCheckpoints(): CheckpointStore {
  let text: string | undefined;
  return {
    load: () => Promise.resolve(text === undefined ? undefined : JSON.parse(text)),
    save: (checkpoint) => Promise.resolve(void (text = toText(checkpoint))),
    close: () => {},
  };
}

/**
 * A store in a folder, for one run at a time.
 *
 * A checkpoint is written to a file beside the last one, synced, and renamed: at every instant
 * there is one that is whole. The one before is kept, and used when the last one is damaged.
 *
 * @param folder Made when it is not there.
 * @param warn Told when the last checkpoint is damaged and the one before is used.
 * @param disk Where it is written.
 * @throws {FatalError} If another run uses the folder, or it cannot be written.
 */
export async function fileCheckpoints(
  folder: string,
  warn: (message: string) => void,
  disk: CheckpointDisk = systemDisk,
): Promise<CheckpointStore> {
  const lock = await lockFolder(folder);
  return {
    load: () => load(folder, warn),
    save: async (checkpoint) => {
      const body = toText(checkpoint);
      try {
        await save(folder, body, disk);
      } catch (error) {
        throw new FatalError(`Cannot save the checkpoint in "${folder}": ${describeError(error)}`, {
          cause: error,
          hint: "The last checkpoint is whole: make room or mend the folder, then run it again",
        });
      }
    },
    close: () => {
      // Closing alone leaves the lock to a process that is just being started by this one.
      lock.unlockSync();
      lock.close();
    },
  };
}

/**
 * The last checkpoint in a folder, read beside a run that may be under way. Nothing is locked,
 * changed or made.
 *
 * @returns Nothing where there is none.
 * @throws {FatalError} If there is none that is whole.
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  // The order in which a save renames: what goes away from one name is at the other by then.
  const found = [];
  for (const name of [CURRENT, PREVIOUS, CURRENT]) {
    const checkpoint = await read(join(folder, name));
    if (typeof checkpoint === "object") return checkpoint;
    found.push(checkpoint);
  }
  const fault = found.find((text) => text !== undefined);
  if (fault === undefined) return undefined;
  throw new FatalError(fault, {
    hint: `Remove the folder "${folder}" to start from the beginning`,
  });
}

async function lockFolder(folder: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    const lock = await Deno.open(join(folder, "lock"), { write: true, create: true });
    // The system gives the lock back when the process ends, however it ends.
    if (await lock.tryLock(true)) return lock;
    lock.close();
  } catch (error) {
    throw new FatalError(`Cannot keep checkpoints in "${folder}": ${describeError(error)}`, {
      cause: error,
      hint: "Make the folder writable, or name another one with --state",
    });
  }
  throw new FatalError(`Cannot run the pipeline twice at once: another run uses "${folder}"`, {
    hint: "Wait for the other run to end, or stop it",
  });
}

async function load(
  folder: string,
  warn: (message: string) => void,
): Promise<Checkpoint | undefined> {
  const current = await read(join(folder, CURRENT));
  if (typeof current === "object") return current;
  const previous = await read(join(folder, PREVIOUS));
  if (typeof previous === "object") {
    // Between the two renames of a save there is only the previous one, and it is the last.
    if (current === undefined) return previous;
    warn(`${current}; going on from the one before it`);
    // Out of the way, so that the next save does not put it in the place of the good one.
    await Deno.rename(join(folder, CURRENT), join(folder, DAMAGED));
    return previous;
  }
  const fault = current ?? previous;
  if (fault === undefined) return undefined;
  throw new FatalError(fault, {
    hint: `Remove the folder "${folder}" to start from the beginning`,
  });
}

/**
 * Looks at the checkpoint that a run would go on from. Nothing is locked, made or changed.
 *
 * @param folder The folder of a store.
 * @returns Nothing where there is none.
 * @throws {FatalError} If there is none that is whole.
 */
export async function peekCheckpoint(folder: string): Promise<Peek | undefined> {
  let warning: string | undefined;
  for (const path of [join(folder, CURRENT), join(folder, PREVIOUS)]) {
    const found = await read(path);
    if (typeof found === "object") {
      const { mtime, size } = await Deno.stat(path);
      return { checkpoint: found, path, savedMs: Number(mtime), bytes: size, warning };
    }
    warning ??= found;
  }
  if (warning === undefined) return undefined;
  throw new FatalError(warning, {
    hint: `Remove the folder "${folder}" to start from the beginning`,
  });
}

/** A checkpoint, or why there is none, or nothing when there is no file. */
async function read(path: string): Promise<Checkpoint | string | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new FatalError(`Cannot read the checkpoint "${path}": ${describeError(error)}`, {
      cause: error,
    });
  }
  const header = HEADER.exec(text);
  if (!header) return `The checkpoint "${path}" is damaged: it does not begin as one`;
  const body = text.slice(header[0].length);
  const format = Number(header[1]);
  if (await checksum(format, body) !== header[2]) {
    return `The checkpoint "${path}" is damaged: its checksum does not match`;
  }
  if (format > FORMAT) {
    throw new FatalError(`Cannot read the checkpoint "${path}": a newer penstock wrote it`, {
      hint: "Run it with that version, or a later one",
    });
  }
  // Its schema takes time to make, and a first run has no checkpoint.
  const { parseBody } = await import("./body.ts");
  return parseBody(body) ?? `The checkpoint "${path}" is damaged: it does not hold what it must`;
}

function toText(checkpoint: Checkpoint): string {
  try {
    return JSON.stringify(checkpoint);
  } catch (error) {
    throw new FatalError(
      `Cannot save the checkpoint as positions, states and tokens must be plain data: ${
        describeError(error)
      }`,
      { cause: error, hint: "This is a fault of a plugin: it must return what JSON can hold" },
    );
  }
}

async function save(folder: string, body: string, disk: CheckpointDisk): Promise<void> {
  const text = `penstock checkpoint ${FORMAT} sha256 ${await checksum(FORMAT, body)}\n${body}`;
  const unfinished = join(folder, UNFINISHED);
  {
    using file = await disk.create(unfinished);
    await writeAll(file, new TextEncoder().encode(text));
    await file.sync();
  }
  try {
    await disk.rename(join(folder, CURRENT), join(folder, PREVIOUS));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await disk.rename(unfinished, join(folder, CURRENT));
  await disk.syncFolder(folder);
}

async function checksum(format: number, body: string): Promise<string> {
  const bytes = new TextEncoder().encode(`${format}\n${body}`);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}
