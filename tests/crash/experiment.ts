/**
 * One experiment: a pipeline is run in processes that are killed, one after the other, and in a last
 * one that is not; what is left must be what an undisturbed run leaves.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import type { Checkpoint } from "../../engine/checkpoint/body.ts";
import { fileCheckpoints } from "../../engine/checkpoint/checkpoint.ts";
import type { Bug } from "./bugs.ts";
import { type Pair, pipelineOf, type Servers, type SinkWorld } from "./pairs.ts";
import type { Kill } from "./places.ts";
import { type Order, PASSAGES } from "./victim.ts";

const VICTIM = fromFileUrl(new URL("./victim.ts", import.meta.url));
const PIPELINE = "pipeline.json";
const STATE = "state";
/** A run that takes as long hangs. */
const HANG_MS = 600_000;

/** How a process is killed: at a passage of a place, or from outside after so many milliseconds. */
export type PlannedKill = Kill | { readonly place: "at random"; readonly afterMs: number };

/** What an undisturbed run leaves, and how it went. */
export interface Baseline {
  /** What it leaves. */
  readonly left: Left;
  /** How often it passed each place. */
  readonly passages: Readonly<Record<string, number>>;
  /** How long its process took, in milliseconds. */
  readonly elapsedMs: number;
}

/** What is there after the last process of an experiment. */
export interface Left {
  /** Output and dead letters: files by name. */
  readonly files: Readonly<Record<string, string>>;
  /** What the target holds beyond files. */
  readonly stored: string;
  /** What each process wrote to standard output, and how many records had been saved before. */
  readonly printed: readonly { readonly text: string; readonly savedRecords: number }[];
  /** The last checkpoint: positions, states, tokens, ledger. */
  readonly checkpoint: Checkpoint | undefined;
}

/** How an experiment went. */
export interface Outcome {
  /** The kills that happened; a process may end before it comes to its place. */
  readonly killed: readonly PlannedKill[];
  /** What is not as it must be, in words; none when all is well. */
  readonly faults: readonly string[];
}

/** Runs a pair undisturbed. */
export async function runUndisturbed(pair: Pair, servers: Servers): Promise<Baseline> {
  const startMs = performance.now();
  const { left, passages, faults } = await runKilled(pair, servers, []);
  if (faults.length > 0) throw new Error(`An undisturbed run must end well: ${faults.join("; ")}`);
  return { left, passages, elapsedMs: performance.now() - startMs };
}

/** Runs a pair through kills, and compares what it leaves. */
export async function runExperiment(
  pair: Pair,
  servers: Servers,
  { baseline, kills, bug }: {
    readonly baseline: Baseline;
    readonly kills: readonly PlannedKill[];
    readonly bug?: Bug | undefined;
  },
): Promise<Outcome> {
  const { killed, faults, left } = await runKilled(pair, servers, kills, bug);
  if (faults.length > 0) return { killed, faults };
  return { killed, faults: compare(baseline.left, left, pair.sink.appends ?? false) };
}

async function runKilled(
  pair: Pair,
  servers: Servers,
  kills: readonly PlannedKill[],
  bug?: Bug,
) {
  const folder = await Deno.makeTempDir({ prefix: "penstock-crash-" });
  try {
    await using source = await pair.source.open(folder, servers);
    await using sink = await pair.sink.open(folder, servers);
    const { time, until } = source;
    const order: Order = {
      ...{ file: join(folder, PIPELINE), state: join(folder, STATE), time, until, bug },
    };
    await Deno.writeTextFile(order.file, JSON.stringify(pipelineOf(source, sink)));
    const before = await filesIn(folder);
    const printed: Left["printed"][number][] = [];
    const killed: PlannedKill[] = [];
    const faults: string[] = [];
    for (const kill of [...kills, undefined]) {
      const savedRecords = sentRecords(await lastCheckpoint(order.state));
      const ended = await runProcess(order, kill);
      printed.push({ text: ended.stdout, savedRecords });
      if (kill && ended.signal === "SIGKILL") killed.push(kill);
      else {
        if (ended.code !== 0) faults.push(`a run ended with ${ended.code}: ${ended.stderr.trim()}`);
        break;
      }
    }
    const left = await whatIsLeft(folder, before, sink, order.state, printed);
    return { killed, faults, left, passages: await passagesOf(order.state) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runProcess(order: Order, kill: PlannedKill | undefined) {
  const given = kill?.place === "at random" ? order : { ...order, kill };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-all", VICTIM, JSON.stringify(given)],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let hangs = false;
  const timer = kill?.place === "at random"
    ? setTimeout(() => end(child), kill.afterMs)
    : setTimeout(() => {
      hangs = true;
      end(child);
    }, HANG_MS);
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return {
    code,
    signal: hangs ? null : signal,
    stdout: decoder.decode(stdout),
    stderr: hangs ? `it did not end in ${HANG_MS} ms` : decoder.decode(stderr),
  };
}

function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has just ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
}

async function lastCheckpoint(state: string): Promise<Checkpoint | undefined> {
  // The lock must be free: its owner is dead.
  const store = await fileCheckpoints(state, (message) => {
    throw new Error(message);
  });
  try {
    return await store.load();
  } finally {
    store.close();
  }
}

function sentRecords(checkpoint: Checkpoint | undefined): number {
  return Object.values(checkpoint?.ledger.sinks ?? {}).reduce((sum, { out }) => sum + out, 0);
}

async function whatIsLeft(
  folder: string,
  before: Readonly<Record<string, string>>,
  sink: SinkWorld,
  state: string,
  printed: Left["printed"],
): Promise<Left> {
  const all = Object.entries(await filesIn(folder));
  return {
    files: Object.fromEntries(all.filter(([name]) => !(name in before))),
    stored: await sink.stored(),
    printed,
    checkpoint: await lastCheckpoint(state),
  };
}

async function passagesOf(state: string): Promise<Readonly<Record<string, number>>> {
  try {
    return JSON.parse(await Deno.readTextFile(join(state, PASSAGES)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** The files in a folder and those below, by name, without checkpoints. */
async function filesIn(folder: string, below = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = join(below, name);
    if (path === STATE) continue;
    if (isDirectory) Object.assign(files, await filesIn(folder, path));
    else files[path] = await Deno.readTextFile(join(folder, path));
  }
  return files;
}

function compare(expected: Left, found: Left, appends: boolean): string[] {
  const faults: string[] = [];
  const names = new Set([...Object.keys(expected.files), ...Object.keys(found.files)]);
  for (const name of names) {
    const fault = firstDifference(expected.files[name] ?? "", found.files[name] ?? "");
    if (fault) faults.push(`"${name}" ${fault}`);
  }
  const stored = firstDifference(expected.stored, found.stored);
  if (stored) faults.push(`the store ${stored}`);
  const memory = firstDifference(memoryOf(expected.checkpoint), memoryOf(found.checkpoint));
  if (memory) faults.push(`the checkpoint ${memory}`);
  if (appends) faults.push(...findPrintFaults(textOf(expected.printed), found.printed));
  return faults;
}

/**
 * A checkpoint as lines, one for each entry. How many epochs it took is left out, and what plugins
 * counted, such as requests: kills decide it.
 */
function memoryOf(checkpoint: Checkpoint | undefined): string {
  const { epoch: _epoch, counters: _counters, ...rest } = checkpoint ?? { epoch: 0, counters: {} };
  return JSON.stringify(rest, null, 1);
}

function textOf(printed: Left["printed"]): string {
  return printed.map(({ text }) => text).join("");
}

/**
 * What is wrong with what several processes printed.
 *
 * Each must begin with the first record that was not saved before it, and print what an undisturbed
 * one prints, up to where it was killed; what was saved must have been printed before.
 */
export function findPrintFaults(expected: string, printed: Left["printed"]): string[] {
  const faults: string[] = [];
  let printedTo = 0;
  for (const [index, { text, savedRecords }] of printed.entries()) {
    const start = startOfLine(expected, savedRecords);
    if (start > printedTo) faults.push(`process ${index + 1} was to go on behind what was printed`);
    const whole = index === printed.length - 1 ? expected.slice(start) : text;
    const fault = expected.startsWith(text, start)
      ? firstDifference(whole, text)
      : firstDifference(expected.slice(start, start + text.length), text);
    if (fault) faults.push(`what process ${index + 1} printed ${fault}`);
    printedTo = Math.max(printedTo, start + text.length);
  }
  return faults;
}

function startOfLine(text: string, line: number): number {
  let at = 0;
  for (let count = 0; count < line; count++) at = text.indexOf("\n", at) + 1 || text.length;
  return at;
}

function firstDifference(expected: string, found: string): string | undefined {
  if (expected === found) return undefined;
  const [then, now] = [expected.split("\n"), found.split("\n")];
  const line = then.findIndex((text, index) => text !== now[index]);
  const at = line < 0 ? then.length : line;
  const quote = (lines: readonly string[]) =>
    JSON.stringify((lines[at] ?? "nothing").slice(0, 200));
  return `must have in line ${at + 1} ${quote(then)}, found ${
    quote(now)
  } (${then.length} lines, ${now.length} found)`;
}
