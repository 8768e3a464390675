/**
 * One logical connection: a set of streams that is kept open for years by one owner.
 *
 * Sockets come and go; a new one is opened before an old one that still works is closed. Only the
 * loop in here opens sockets, so that none can multiply.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import { oneLine } from "../../engine/text.ts";
import { type Attempts, reconnectWaitMs } from "./attempts.ts";
import { StreamSocket } from "./socket.ts";

/** The exchange closes a connection after 24 hours. */
const RENEWAL_MS = 23 * 3_600_000;
/** Connections opened together are renewed within this time, one by one. */
const STAGGER_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** How long an old socket is kept at the most until the new one gives candles. */
const OVERLAP_MS = 10_000;
/** The exchange allows five control frames a second; pongs count. */
const FRAME_MS = 1_000;
const NAMES_PER_FRAME = 200;
/** A socket that lived as long was no failure, whether or not it gave anything. */
const LIVED_MS = 60_000;

/** Why a socket is replaced although it is open. */
export type Cause = "renewal" | "shutdown" | "silent" | "mute_stream";

/** What a connection is made of. */
export interface ConnectionParts {
  /** Where to connect to, with the streams that fit in the address. */
  readonly url: string;
  /** The names of the streams that did not fit. */
  readonly rest: readonly string[];
  /** Shared by all connections to one host. */
  readonly attempts: Attempts;
  /** The world. */
  readonly context: Pick<Context, "webSocket" | "sleep" | "now" | "random" | "log" | "metrics">;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Takes a message; says whether it was a candle. */
  receive(data: unknown): boolean;
  /** Told when a socket is open. */
  opened(): void;
  /** Told when there is none any more. */
  closed(): void;
}

/** A logical connection. */
export class Connection {
  readonly #parts: ConnectionParts;
  #replace = Promise.withResolvers<Cause>();
  #generation = 0;
  #heardMs = -Infinity;
  #openedMs = -Infinity;
  #frameId = 0;

  /** Nothing is opened yet. */
  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  /** When it last gave a candle; -Infinity if it never did since it was opened. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** When its socket was opened; -Infinity while it has none. */
  get openedMs(): number {
    return this.#openedMs;
  }

  /** Asks for another socket in place of the one that is open. */
  replace(cause: Cause): void {
    this.#replace.resolve(cause);
  }

  /** Keeps it open until its signal aborts. */
  async run(): Promise<void> {
    const { context, signal, opened, closed } = this.#parts;
    let old: StreamSocket | undefined;
    let failures = 0;
    let code = 1000;
    let isCut = false;
    while (!signal.aborted) {
      if (!old || failures > 0) {
        await context.sleep(isCut ? reconnectWaitMs(failures, code, context.random) : 0, signal);
      }
      if (old?.isEnded) {
        old = undefined;
        closed();
      }
      const socket = await this.#open();
      if (!socket) {
        failures++;
        isCut = true;
        code = 1006;
        continue;
      }
      const startMs = this.#openedMs = context.now();
      opened();
      await this.#overlap(old, socket);
      old = undefined;
      const cause = await this.#watch(socket);
      const lived = this.#heardMs >= startMs || context.now() - startMs >= LIVED_MS;
      failures = lived ? 0 : failures + 1;
      isCut = typeof cause !== "string" || cause === "silent";
      code = typeof cause === "string" ? 1000 : cause.code;
      if (cause === "silent") socket.close();
      else if (typeof cause === "string") old = socket;
      if (!old) {
        this.#openedMs = -Infinity;
        closed();
      }
      this.#tell(cause);
    }
  }

  async #open(): Promise<StreamSocket | undefined> {
    const { attempts, context, signal, receive, url, rest } = this.#parts;
    await attempts.admit(context, signal);
    const generation = ++this.#generation;
    const socket = new StreamSocket(url, {
      context,
      signal,
      receive: (data) => {
        if (receive(data) && generation === this.#generation) this.#heardMs = context.now();
      },
    });
    context.metrics.count("connections_tried");
    if (!await socket.opened()) {
      signal.throwIfAborted();
      context.log.debug("Cannot open a stream: it ended before it was open");
      return undefined;
    }
    for (let at = 0; at < rest.length && !socket.isEnded; at += NAMES_PER_FRAME) {
      await context.sleep(FRAME_MS, signal);
      const params = rest.slice(at, at + NAMES_PER_FRAME);
      socket.send(JSON.stringify({ method: "SUBSCRIBE", params, id: ++this.#frameId }));
    }
    return socket;
  }

  /** Keeps an old socket until the new one gives candles. */
  async #overlap(old: StreamSocket | undefined, socket: StreamSocket): Promise<void> {
    if (!old) return;
    const { context, signal } = this.#parts;
    const endMs = context.now() + OVERLAP_MS;
    const startMs = this.#openedMs;
    while (context.now() < endMs && this.#heardMs < startMs && !socket.isEnded && !old.isEnded) {
      await context.sleep(250, signal);
    }
    old.close();
  }

  /** Waits for the end of a socket, or for a reason to replace it. */
  async #watch(socket: StreamSocket) {
    const { context, signal } = this.#parts;
    this.#replace = Promise.withResolvers<Cause>();
    const over = new AbortController();
    const sleep = context.sleep(this.#renewalMs(), over.signal);
    sleep.then(() => this.replace("renewal"), () => {});
    try {
      const cause = await Promise.race([socket.ended, this.#replace.promise]);
      signal.throwIfAborted();
      return cause;
    } finally {
      over.abort();
    }
  }

  /** Renewals fall into the middle of a minute, away from the turn of candles. */
  #renewalMs(): number {
    const { context } = this.#parts;
    const atMs = context.now() + RENEWAL_MS - context.random() * STAGGER_MS;
    const middleMs = Math.round((0.35 + 0.3 * context.random()) * MINUTE_MS);
    return Math.floor(atMs / MINUTE_MS) * MINUTE_MS + middleMs - context.now();
  }

  #tell(cause: Cause | { readonly code: number; readonly reason: string }): void {
    const { log, metrics } = this.#parts.context;
    if (typeof cause === "string") {
      metrics.count("reconnects", 1, { cause });
      const message = TOLD[cause];
      if (cause === "renewal" || cause === "shutdown") log.debug(message);
      else log.warn(message);
      return;
    }
    const { code, reason } = cause;
    const known = [1000, 1001, 1006, 1008, 1011, 1012, 1013].includes(code) ? code : "other";
    metrics.count("reconnects", 1, { cause: `close_${known}` });
    const message = code === 1008
      ? "The exchange closed a stream for breaking its rules: connecting again, with more patience"
      : "A stream was closed: connecting again";
    log.warn(message, { code, reason: oneLine(reason, 100) || undefined });
  }
}

const TOLD: Readonly<Record<Cause, string>> = {
  renewal: "Renewing a stream before the exchange closes it",
  shutdown: "The exchange will close a stream soon: replacing it",
  silent: "A stream is open but dead, as REST has what it lacks: replacing it",
  mute_stream: "A stream does not give all candles, as REST has more: replacing it",
};
