/**
 * A `WebSocket` without a network, for clients in the same process.
 *
 * @module
 */

/** What a client sends. */
export type Sent = Parameters<WebSocket["send"]>[0];

/** What the other end does with what the client does. */
export interface SocketOptions {
  /** The URL, as the client gave it. */
  readonly url: string;
  /** Called for each message the client sends. */
  readonly onSend: (data: Sent) => void;
  /** Called when the client closes. The other end answers with {@linkcode ClientSocket.end}. */
  readonly onLeave: (code: number, reason: string) => void;
}

/**
 * The client's end of a simulated connection. It behaves as the standard `WebSocket`; the other
 * end moves it on with `open`, `receive`, `refuse` and `end`.
 */
export class ClientSocket extends EventTarget implements WebSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  readonly protocol = "";
  readonly extensions = "";
  readonly bufferedAmount = 0;
  binaryType: BinaryType = "blob";
  onopen: WebSocket["onopen"] = null;
  onmessage: WebSocket["onmessage"] = null;
  onerror: WebSocket["onerror"] = null;
  onclose: WebSocket["onclose"] = null;
  readonly #options: SocketOptions;
  #state = 0;

  /** Makes a socket that is connecting. */
  constructor(options: SocketOptions) {
    super();
    this.#options = options;
    this.url = options.url;
    this.addEventListener("open", (event) => this.onopen?.call(this, event));
    this.addEventListener("message", (event) => {
      if (event instanceof MessageEvent) this.onmessage?.call(this, event);
    });
    this.addEventListener("error", (event) => this.onerror?.call(this, event));
    this.addEventListener("close", (event) => {
      if (event instanceof CloseEvent) this.onclose?.call(this, event);
    });
  }

  get readyState(): number {
    return this.#state;
  }

  send(data: Sent): void {
    if (this.#state === this.CONNECTING) {
      throw new DOMException("The socket is still connecting", "InvalidStateError");
    }
    if (this.#state === this.OPEN) this.#options.onSend(data);
  }

  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== 1_000 && !(code >= 3_000 && code < 5_000)) {
      throw new DOMException(`Cannot close with code ${code}`, "InvalidAccessError");
    }
    if (this.#state >= this.CLOSING) return;
    this.#state = this.CLOSING;
    this.#options.onLeave(code ?? 1_005, reason);
  }

  /** The connection stands. */
  open(): void {
    if (this.#state !== this.CONNECTING) return;
    this.#state = this.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  /** A message arrives; it is lost when the client has closed. */
  receive(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#state !== this.OPEN) return;
    this.dispatchEvent(new MessageEvent("message", { data: this.#shaped(data) }));
  }

  /** The connection ends: with an error when it breaks (1006), else with a code and a reason. */
  end(code: number, reason = ""): void {
    if (this.#state === this.CLOSED) return;
    this.#state = this.CLOSED;
    const wasClean = code !== 1_006;
    if (!wasClean) this.dispatchEvent(new ErrorEvent("error", { message: "Connection lost" }));
    this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean }));
  }

  #shaped(data: string | Uint8Array<ArrayBuffer>): string | ArrayBuffer | Blob {
    if (typeof data === "string") return data;
    return this.binaryType === "blob" ? new Blob([data]) : data.slice().buffer;
  }
}
