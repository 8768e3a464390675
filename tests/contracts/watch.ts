/**
 * A context under watch: it tells what a plugin did to the world and what it left open, and it can
 * make one of these things go wrong.
 *
 * @module
 */

import type { Context, Files, OpenFile } from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";
import { retry } from "../../engine/retry.ts";

/** Something a plugin did to the world. */
export interface Effect {
  /** What it did. */
  readonly kind: EffectKind;
  /** To what: a host with port, or a path. Empty where there is nothing to name. */
  readonly target: string;
}

/** What a plugin may do to the world. */
export type EffectKind =
  | "fetch"
  | "webSocket"
  | "sleep"
  | "print"
  | "read"
  | "line"
  | "open"
  | "append"
  | "truncate"
  | "sync"
  | "rename"
  | "remove";

/** What is to go wrong, at one effect. */
export interface Fault {
  /** The effect, counted from 0. */
  readonly at: number;
  /**
   * How: it never ends unless its signal aborts (`hang`), it fails (`fail`), a request is answered
   * by a proxy's error page (`page`), or the process dies there (`kill`).
   */
  readonly how: "hang" | "fail" | "page" | "kill";
  /** For `kill` and `fail`: how much of the effect the world sees, from 0 to 1. */
  readonly done?: number;
}

/** A context under watch. */
export interface Watched {
  /** The context to give to the plugin. */
  readonly context: Context;
  /** What was done so far, in order. */
  readonly effects: readonly Effect[];
  /** Resolves when the fault has happened. */
  readonly struck: Promise<void>;
  /** What is open: files, sockets, requests and answers that were not read. */
  open(): string[];
  /** Takes back what a power cut takes: bytes that were written but not synced. */
  cutPower(): Promise<void>;
}

/** What the parts of a watched context share. */
class Ground {
  readonly inner: Context;
  readonly effects: Effect[] = [];
  /** Bytes of files that a power cut leaves, by path. */
  readonly synced = new Map<string, number>();
  readonly sockets: WebSocket[] = [];
  readonly strike = Promise.withResolvers<void>();
  readonly #fault: Fault | undefined;
  readonly #held = new Map<symbol, string>();
  readonly #answers: { readonly url: string; readonly response: Response }[] = [];

  constructor(inner: Context, fault: Fault | undefined) {
    this.inner = inner;
    this.#fault = fault;
  }

  /** Whether the process is dead. */
  get isDead(): boolean {
    return this.#fault?.how === "kill" && this.effects.length > this.#fault.at;
  }

  /** Counts an effect; tells whether it is the one that goes wrong. */
  meet(kind: EffectKind, target: string): Fault | undefined {
    this.effects.push({ kind, target });
    if (this.#fault?.at !== this.effects.length - 1) return undefined;
    this.strike.resolve();
    return this.#fault;
  }

  /** Holds something open until the function it gives is called. */
  hold(what: string): () => void {
    const key = Symbol();
    this.#held.set(key, what);
    return () => void this.#held.delete(key);
  }

  /** Gives an answer, and watches whether it is read. */
  answer(url: string | URL, response: Response): Response {
    this.#answers.push({ url: String(url), response });
    return response;
  }

  /** What is open. */
  open(): string[] {
    return [
      ...this.#held.values(),
      ...this.#answers.filter(({ response }) => response.body !== null && !response.bodyUsed)
        .map(({ url }) => `the answer of ${url}, which was not read`),
      ...this.sockets.filter(({ readyState }) => readyState < WebSocket.CLOSING)
        .map(({ url }) => `the websocket ${url}`),
    ];
  }

  /** Cuts each file down to what was synced. */
  async cutPower(): Promise<void> {
    for (const [path, size] of this.synced) {
      const file = await this.inner.files.open(path);
      if (await file.size() > size) await file.truncate(size);
      file.close();
    }
  }
}

/** Watches a context. */
export function watch(inner: Context, fault?: Fault): Watched {
  const ground = new Ground(inner, fault);
  const sleep = (ms: number, signal: AbortSignal = inner.signal) => {
    const fault = ground.meet("sleep", "");
    if (fault?.how === "hang") return hang(AbortSignal.any([inner.signal, signal]));
    // The dead do not wake.
    return ground.isDead ? never() : inner.sleep(ms, signal);
  };
  const context: Context = {
    signal: inner.signal,
    log: inner.log,
    metrics: inner.metrics,
    live: (status) => inner.live(status),
    shared: (name, make) => inner.shared(name, make),
    now: () => inner.now(),
    steady: () => inner.steady(),
    random: () => inner.random(),
    sleep,
    files: watchFiles(ground),
    fetch: (url, init) => watchedFetch(ground, url, init),
    webSocket: (url) => {
      ground.meet("webSocket", hostOf(url));
      const socket = inner.webSocket(url);
      ground.sockets.push(socket);
      return socket;
    },
    storedEnds: (series) => inner.storedEnds(series),
    print: (bytes) => write(ground, "print", "", bytes, (part) => inner.print(part)),
    retry: (action, attempt) =>
      retry(action, attempt, { sleep, random: () => inner.random(), log: inner.log }),
  };
  return {
    context,
    effects: ground.effects,
    struck: ground.strike.promise,
    open: () => ground.open(),
    cutPower: () => ground.cutPower(),
  };
}

async function watchedFetch(
  ground: Ground,
  url: string | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const fault = ground.meet("fetch", hostOf(url));
  const release = ground.hold(`the request to ${url}`);
  try {
    if (ground.isDead && !fault) return await never();
    if (fault?.how === "hang") return await hang(init?.signal);
    if (fault?.how === "page") return ground.answer(url, errorPage());
    const isSent = !fault || fault.done === 1;
    const response = isSent ? await ground.inner.fetch(url, init) : undefined;
    if (response && !fault) return ground.answer(url, response);
    await response?.body?.cancel();
    if (fault?.how === "kill") return await never();
    throw new TypeError("The connection was reset, as the test asked");
  } finally {
    release();
  }
}

function watchFiles(ground: Ground): Files {
  const { files } = ground.inner;
  const change = async (kind: EffectKind, path: string, work: () => Promise<void>) => {
    const fault = await begin(ground, kind, path);
    if (!fault || fault.done === 1) await work();
    if (fault) await never();
  };
  return {
    async *readLines(path) {
      const release = ground.hold(`the lines of "${path}"`);
      try {
        for await (const line of files.readLines(path)) {
          await begin(ground, "line", path);
          yield line;
        }
      } finally {
        release();
      }
    },
    readText: async (path) => {
      await begin(ground, "read", path);
      return await files.readText(path);
    },
    list: async (folder) => {
      await begin(ground, "read", folder);
      return await files.list(folder);
    },
    open: async (path) => {
      await begin(ground, "open", path);
      const file = await files.open(path);
      if (!ground.synced.has(path)) ground.synced.set(path, await file.size());
      return watchFile(ground, path, file, change);
    },
    rename: (from, to) =>
      change("rename", to, async () => {
        await files.rename(from, to);
        const synced = ground.synced.get(from);
        ground.synced.delete(from);
        if (synced === undefined) ground.synced.delete(to);
        else ground.synced.set(to, synced);
      }),
    remove: (path) =>
      change("remove", path, async () => {
        await files.remove(path);
        ground.synced.delete(path);
      }),
  };
}

function watchFile(
  ground: Ground,
  path: string,
  file: OpenFile,
  change: (kind: EffectKind, path: string, work: () => Promise<void>) => Promise<void>,
): OpenFile {
  const release = ground.hold(`the file "${path}"`);
  return {
    size: () => file.size(),
    append: (bytes) => write(ground, "append", path, bytes, (part) => file.append(part)),
    truncate: (size) =>
      change("truncate", path, async () => {
        await file.truncate(size);
        ground.synced.set(path, Math.min(size, ground.synced.get(path) ?? 0));
      }),
    sync: () =>
      change("sync", path, async () => {
        await file.sync();
        ground.synced.set(path, await file.size());
      }),
    close: () => {
      release();
      file.close();
    },
  };
}

/** Counts an effect on a file; fails if it is to fail, and never returns in a dead process. */
async function begin(ground: Ground, kind: EffectKind, path: string): Promise<Fault | undefined> {
  const fault = ground.meet(kind, path);
  if (ground.isDead && (!fault || fault.done !== 1)) await never();
  if (fault?.how === "fail") {
    throw new FatalError(`Cannot ${kind} "${path}": the test asked for it`);
  }
  return fault?.how === "kill" ? fault : undefined;
}

async function write(
  ground: Ground,
  kind: "append" | "print",
  path: string,
  bytes: Uint8Array,
  work: (part: Uint8Array) => Promise<void>,
): Promise<void> {
  const fault = ground.meet(kind, path);
  if (ground.isDead && !fault) await never();
  if (!fault) return await work(bytes);
  await work(firstPart(bytes, fault.done ?? 0.5));
  if (fault.how === "kill") await never();
  throw new FatalError(`Cannot ${kind} "${path}": the test asked for it`);
}

/** A part of the bytes. It ends between characters, as fake files hold text. */
function firstPart(bytes: Uint8Array, share: number): Uint8Array {
  let end = Math.floor(bytes.length * share);
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.slice(0, end);
}

function hang(signal: AbortSignal | null | undefined): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal?.aborted) reject(signal.reason);
  signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  return promise;
}

function never(): Promise<never> {
  return new Promise(() => {});
}

function errorPage(): Response {
  return new Response("<html><body>502 Bad Gateway</body></html>", {
    status: 502,
    headers: { "content-type": "text/html" },
  });
}

function hostOf(url: string | URL): string {
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "https:" || protocol === "wss:" ? "443" : "80";
  return `${hostname}:${port || usual}`;
}
