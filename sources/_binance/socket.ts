/**
 * One websocket, from opening to its end.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";

/** How long opening may take. */
const OPEN_MS = 15_000;

/** How a socket ended. */
export interface Ending {
  /** The close code; 1006 where the connection broke off or never came about. */
  readonly code: number;
  /** The reason the other side gave. */
  readonly reason: string;
}

/** What a socket needs. */
export interface SocketParts {
  /** The world. */
  readonly context: Pick<Context, "webSocket" | "sleep">;
  /** Closes it. */
  readonly signal: AbortSignal;
  /** Takes each message. Never called after the end. */
  receive(data: unknown): void;
}

/** A websocket. */
export class StreamSocket {
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<Ending>;
  readonly #socket: WebSocket;
  readonly #opened = Promise.withResolvers<boolean>();
  readonly #end = Promise.withResolvers<Ending>();
  readonly #stop: () => void;
  readonly #parts: SocketParts;
  #isEnded = false;

  /**
   * Begins to open a socket.
   *
   * @throws {FatalError} If this process may not reach the host.
   */
  constructor(url: string, parts: SocketParts) {
    this.#parts = parts;
    this.ended = this.#end.promise;
    this.#socket = connect(url, parts);
    this.#socket.onopen = () => this.#opened.resolve(true);
    this.#socket.onmessage = ({ data }) => parts.receive(data);
    this.#socket.onclose = ({ code, reason }) => this.#finish({ code, reason });
    this.#socket.onerror = () => this.#finish({ code: 1006, reason: "" });
    this.#stop = () => this.close();
    parts.signal.addEventListener("abort", this.#stop, { once: true });
    if (parts.signal.aborted) this.close();
  }

  /** Whether it has ended. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Waits until it is open; gives up after a while. */
  async opened(): Promise<boolean> {
    const over = new AbortController();
    const sleep = this.#parts.context.sleep(OPEN_MS, over.signal);
    sleep.then(() => this.close(), () => {});
    try {
      return await this.#opened.promise;
    } finally {
      over.abort();
    }
  }

  /** Sends text, if it is open. */
  send(text: string): void {
    if (!this.#isEnded && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Closes it. A peer that is gone is not waited for. */
  close(): void {
    this.#finish({ code: 1000, reason: "" });
  }

  #finish(ending: Ending): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Closing before it is open makes an error, which is then nobody's concern.
    socket.onerror = (event) => event.preventDefault();
    this.#parts.signal.removeEventListener("abort", this.#stop);
    if (socket.readyState < WebSocket.CLOSING) socket.close();
    this.#opened.resolve(false);
    this.#end.resolve(ending);
  }
}

function connect(url: string, { context }: SocketParts): WebSocket {
  try {
    return context.webSocket(url);
  } catch (cause) {
    const isForbidden = cause instanceof Error && cause.name === "NotCapable";
    throw new FatalError(
      isForbidden
        ? "Cannot reach the stream as penstock was started without permission"
        : "Cannot open a stream",
      { cause },
    );
  }
}
