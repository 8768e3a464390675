/**
 * A context for tests: virtual time, seeded randomness, no network unless one is given, files in
 * memory, and everything that was said, counted and printed kept for assertions.
 *
 * @module
 */

import { sleepWithin, VirtualClock } from "../../engine/clock.ts";
import type {
  Clock,
  Context,
  Files,
  Labels,
  LogDetails,
  OpenFile,
  SeriesStatus,
} from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";
import { retry } from "../../engine/retry.ts";
import { shareIn } from "../../engine/run/world.ts";

/** What a fake context may be given. */
export interface FakeOptions {
  /** The clock; by default a virtual one at 2024-01-01 UTC. */
  readonly clock?: Clock;
  /** Answers requests; by default each one fails. */
  readonly fetch?: Context["fetch"];
  /** Opens websockets; by default each one fails. */
  readonly webSocket?: Context["webSocket"];
  /** The text of files by path. Changed in place by what the plugin writes. */
  readonly files?: Map<string, string>;
  /** Where the stores of series end; by default nothing is stored. */
  readonly storedEnds?: Context["storedEnds"];
  /** Stops the run. */
  readonly signal?: AbortSignal;
  /** Seed of the random numbers. */
  readonly seed?: number;
}

/** A fake context, and what a plugin did with it. */
export interface FakeContext extends Context {
  /** Messages in order, as `level message`, with details by name. */
  readonly said: {
    readonly level: string;
    readonly message: string;
    readonly details: LogDetails;
  }[];
  /**
   * Counters by name; those with labels also by name and labels, such as `cuts{cause=renewal}`. Those
   * that have counted nothing are left out.
   */
  readonly counters: Map<string, number>;
  /** Gauges by name and labels. */
  readonly gauges: Map<string, number>;
  /** How the series of the source stand, as it last said. */
  series(): readonly SeriesStatus[];
  /** What was printed. */
  printed(): string;
}

/**
 * Makes a context for a test.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const context = fakeContext({ files: new Map([["a.csv", "1\n2\n"]]) });
 * assertEquals(await Array.fromAsync(context.files.readLines("a.csv")), ["1", "2"]);
 * ```
 */
export function fakeContext(options: FakeOptions = {}): FakeContext {
  const clock = options.clock ?? new VirtualClock(Date.UTC(2024, 0, 1));
  const signal = options.signal ?? new AbortController().signal;
  const said: FakeContext["said"] = [];
  const counters = new Map<string, number>();
  const gauges = new Map<string, number>();
  const shared = new Map<string, unknown>();
  let status: () => readonly SeriesStatus[] = () => [];
  const random = seededRandom(options.seed ?? 1);
  const decoder = new TextDecoder();
  let printed = "";
  const say = (level: string) => (message: string, details: LogDetails = {}) => {
    said.push({ level, message, details });
  };
  const log = { debug: say("debug"), info: say("info"), warn: say("warn") };
  const sleep = (ms: number, own?: AbortSignal) => sleepWithin(clock, ms, signal, own);
  return {
    signal,
    log,
    metrics: {
      count: (name, by = 1, labels = {}) => {
        if (by === 0) return;
        for (const key of new Set([name, keyOf(name, labels)])) {
          counters.set(key, (counters.get(key) ?? 0) + by);
        }
      },
      gauge: (name, value, labels = {}) => void gauges.set(keyOf(name, labels), value),
    },
    live: (read) => void (status = read),
    shared: (name, make) => shareIn(shared, name, make),
    files: memoryFiles(options.files ?? new Map()),
    now: () => clock.now(),
    steady: () => clock.steady(),
    sleep,
    random,
    fetch: options.fetch ?? ((url) => Promise.reject(new TypeError(`No network in tests: ${url}`))),
    webSocket: options.webSocket ?? ((url) => {
      throw new TypeError(`No network in tests: ${url}`);
    }),
    print: (bytes) => {
      printed += decoder.decode(bytes, { stream: true });
      return Promise.resolve();
    },
    storedEnds: options.storedEnds ??
      ((series) => Promise.resolve(series.map(() => undefined))),
    retry: (action, attempt) => retry(action, attempt, { sleep, random, log }),
    said,
    counters,
    gauges,
    series: () => status(),
    printed: () => printed,
  };
}

function keyOf(name: string, labels: Labels): string {
  const texts = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
  return texts.length === 0 ? name : `${name}{${texts.join(",")}}`;
}

/** Random numbers that are the same for the same seed: mulberry32. */
export function seededRandom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function memoryFiles(texts: Map<string, string>): Files {
  const textOf = (path: string) => {
    const text = texts.get(path);
    if (text === undefined) throw new FatalError(`Cannot read "${path}": it is not there`);
    return text;
  };
  return {
    async *readLines(path) {
      const lines = textOf(path).split("\n");
      if (lines.at(-1) === "") lines.pop();
      yield* lines;
    },
    readText: (path) => Promise.resolve().then(() => textOf(path)),
    open: (path) => {
      if (!texts.has(path)) texts.set(path, "");
      return Promise.resolve(memoryFile(texts, path));
    },
    list: (folder) => {
      const prefix = folder === "." || folder === "" ? "" : `${folder}/`;
      const names = [...texts.keys()].filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length)).filter((name) => !name.includes("/"));
      return Promise.resolve(names.sort());
    },
    rename: (from, to) => {
      texts.set(to, textOf(from));
      texts.delete(from);
      return Promise.resolve();
    },
    remove: (path) => {
      texts.delete(path);
      return Promise.resolve();
    },
  };
}

/** Sizes are in bytes; test files hold text whose encoding is decided here. */
function memoryFile(texts: Map<string, string>, path: string): OpenFile {
  const bytes = () => new TextEncoder().encode(texts.get(path) ?? "");
  const decode = (value: Uint8Array) => new TextDecoder().decode(value);
  return {
    size: () => Promise.resolve(bytes().length),
    append: (added) => {
      texts.set(path, (texts.get(path) ?? "") + decode(added));
      return Promise.resolve();
    },
    truncate: (size) => {
      texts.set(path, decode(bytes().slice(0, size)));
      return Promise.resolve();
    },
    sync: () => Promise.resolve(),
    close: () => {},
  };
}
