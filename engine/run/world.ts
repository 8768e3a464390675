/**
 * The world as the machine has it, and a context made of a world for one step.
 *
 * @module
 */

import { dirname, resolve } from "@std/path";
import { sleepWithin, systemClock } from "../clock.ts";
import type { Clock, Context, Files, Log, Metrics, OpenFile, SeriesStatus } from "../context.ts";
import { describeError, FatalError } from "../errors.ts";
import { retry, type RetryLimits } from "../retry.ts";
import { writeAll } from "../write_all.ts";
import { noStore } from "./stored.ts";

const CHUNK_BYTES = 65_536;

/** All that the steps of a run share. Tests give another one. */
export interface World {
  /** Time. */
  readonly clock: Clock;
  /** Files. */
  readonly files: Files;
  /** A number from 0 up to, not including, 1. */
  random(): number;
  /** As {@linkcode Context.fetch}. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** As {@linkcode Context.webSocket}. */
  webSocket(url: string | URL): WebSocket;
  /** As {@linkcode Context.print}. */
  print(bytes: Uint8Array): Promise<void>;
}

/** What a context has beyond the world: what belongs to one step of one run. */
export interface ContextParts {
  /** Stops the step. */
  readonly signal: AbortSignal;
  /** The step's messages. */
  readonly log: Log;
  /** The step's counters. */
  readonly metrics: Metrics;
  /** As {@linkcode Context.live}. Nobody wants to know, where it is left out. */
  live?(status: () => readonly SeriesStatus[]): void;
  /** What the steps of a run share, by name. A step that is alone needs none. */
  readonly shared?: Map<string, unknown>;
  /** How long to try again. */
  readonly retryLimits?: RetryLimits;
  /** As {@linkcode Context.storedEnds}. No sink can be read back, where it is left out. */
  readonly storedEnds?: Context["storedEnds"];
}

/**
 * The machine's clock, network and files.
 *
 * @param folder Where relative paths start: the folder of the pipeline file.
 */
export function systemWorld(folder: string): World {
  return {
    clock: systemClock,
    files: systemFiles(folder),
    random: () => Math.random(),
    // A redirect would reach a host that the pipeline does not name.
    fetch: (url, init) => fetch(url, { redirect: "manual", ...init }),
    webSocket: (url) => new WebSocket(url),
    print: (bytes) => writeAll(Deno.stdout, bytes),
  };
}

/** Makes the context of one step. */
export function createContext(world: World, parts: ContextParts): Context {
  const { clock } = world;
  const sleep = (ms: number, signal?: AbortSignal) => sleepWithin(clock, ms, parts.signal, signal);
  const { random } = world;
  const shared = parts.shared ?? new Map<string, unknown>();
  return {
    signal: parts.signal,
    log: parts.log,
    metrics: parts.metrics,
    live: (status) => parts.live?.(status),
    shared: (name, make) => shareIn(shared, name, make),
    files: world.files,
    now: () => clock.now(),
    steady: () => clock.steady(),
    sleep,
    random,
    fetch: world.fetch,
    webSocket: world.webSocket,
    print: world.print,
    storedEnds: parts.storedEnds ?? (() => Promise.reject(noStore())),
    retry: (action, attempt) =>
      retry(action, attempt, { sleep, random, log: parts.log }, parts.retryLimits),
  };
}

/** What a name stands for among things that are shared; made where it is not there yet. */
export function shareIn<T>(shared: Map<string, unknown>, name: string, make: () => T): T {
  if (!shared.has(name)) shared.set(name, make());
  // One name stands for one thing, and so for one type.
  return shared.get(name) as T;
}

/**
 * The machine's files.
 *
 * @param folder Where relative paths start.
 */
export function systemFiles(folder: string): Files {
  const at = (path: string) => resolve(folder, path);
  return {
    readLines: (path) => readLines(at(path)),
    readText: (path) => named("read", at(path), (path) => Deno.readTextFile(path)),
    open: (path) => named("write", at(path), openFile),
    list: (path) => named("list", at(path), listFolder),
    rename: (from, to) =>
      named(`rename "${at(from)}" to`, at(to), async (path) => {
        await Deno.rename(at(from), path);
        await syncFolder(dirname(path));
      }),
    remove: (path) => named("remove", at(path), (path) => Deno.remove(path)),
  };
}

/** Makes what happened to a folder's names survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders and needs no such call.
  if (Deno.build.os === "windows") return;
  using handle = await Deno.open(folder);
  await handle.sync();
}

async function openFile(path: string): Promise<OpenFile> {
  const file = await openOrMake(path);
  try {
    // A run that may reach this file alone relies on the file's own sync to keep its name, too.
    if (mayRead(dirname(path))) await syncFolder(dirname(path));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    size: () => named("read", path, async () => (await file.stat()).size),
    append: (bytes) => named("write", path, () => writeAll(file, bytes)),
    truncate: (size) => named("write", path, () => file.truncate(size)),
    sync: () => named("write", path, () => file.sync()),
    close: () => file.close(),
  };
}

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}

async function openOrMake(path: string): Promise<Deno.FsFile> {
  const options = { read: true, append: true, create: true };
  try {
    return await Deno.open(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(dirname(path), { recursive: true });
    return await Deno.open(path, options);
  }
}

async function* readLines(path: string): AsyncIterable<string> {
  let rest = "";
  for await (const text of readChunks(path)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield withoutReturn(line);
  }
  if (rest !== "") yield withoutReturn(rest);
}

async function* readChunks(path: string): AsyncIterable<string> {
  using file = await named("read", path, (path) => Deno.open(path));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const bytes = new Uint8Array(CHUNK_BYTES);
  for (let size: number | null = 0; size !== null;) {
    size = await named("read", path, () => file.read(bytes));
    yield decode(path, decoder, size === null ? undefined : bytes.subarray(0, size));
  }
}

/** Decodes one more piece, or nothing more to come. */
function decode(path: string, decoder: TextDecoder, bytes: Uint8Array | undefined): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch {
    throw new FatalError(`Cannot read "${path}" as it must be text in UTF-8: it is not`, {
      hint: "Save it as UTF-8, or see whether it is the right file",
    });
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

async function listFolder(path: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function named<T>(
  action: string,
  path: string,
  work: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return await work(path);
  } catch (error) {
    throw cannot(action, path, error);
  }
}

function cannot(action: string, path: string, error: unknown): FatalError {
  const reason = reasonOf(error);
  return new FatalError(`Cannot ${action} "${path}": ${reason ?? describeError(error)}`, {
    // Where the reason says it all, the system's own words would only say it again.
    cause: reason === undefined ? error : undefined,
    hint: hintOf(error),
  });
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "it is not there";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is not a folder";
  if (error instanceof Deno.errors.PermissionDenied) return "the system does not allow it";
  if (error instanceof Deno.errors.NotCapable) {
    return "its permissions must name it: they do not";
  }
  return undefined;
}

/** What to do about what the system says, by its number: the same on Linux and macOS. */
const HINTS: Readonly<Record<string, string>> = {
  27: "Raise the limit of file sizes, see `ulimit -f`, then run it again: nothing is lost",
  28: "Free some space on the disk, then run it again: nothing is lost",
  30: "The file system is mounted to be read only: mount it to be written, or set another path",
};

function hintOf(error: unknown): string | undefined {
  const [, number] = /os error (\d+)/.exec(describeError(error)) ?? [];
  const hint = number === undefined ? undefined : HINTS[number];
  if (hint !== undefined) return hint;
  if (error instanceof Deno.errors.PermissionDenied) {
    return "Check the owner and the mode of the file and its folder";
  }
  return undefined;
}
