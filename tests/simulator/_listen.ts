/**
 * Listens to streams of a simulator within the process.
 *
 * @module
 */

import type { Simulator } from "../../simulator/mod.ts";

/** A kline event, as far as tests look at it. */
export interface KlineMessage {
  readonly e: string;
  readonly E: number;
  readonly s: string;
  readonly k: {
    readonly t: number;
    readonly T: number;
    readonly s: string;
    readonly i: string;
    readonly f: number;
    readonly L: number;
    readonly o: string;
    readonly c: string;
    readonly h: string;
    readonly l: string;
    readonly v: string;
    readonly n: number;
    readonly x: boolean;
    readonly q: string;
    readonly V: string;
    readonly Q: string;
    readonly B: string;
  };
}

/** A connection, and all that happened on it: `open`, `error`, `close CODE`, messages as they are. */
export interface Heard {
  readonly socket: WebSocket;
  /** What happened, messages left out. */
  readonly happened: string[];
  /** Text messages. */
  readonly texts: string[];
  /** Klines, taken out of their envelopes. */
  klines(): KlineMessage[];
  /** Closed klines. */
  closes(): KlineMessage[];
}

/** Connects, and keeps what is heard. */
export function listen(simulator: Simulator, path: string, base = "ws://localhost"): Heard {
  return keep(simulator.connect(base + path));
}

/** Keeps what is heard on a socket. */
export function keep(socket: WebSocket): Heard {
  const happened: string[] = [];
  const texts: string[] = [];
  socket.onopen = () => happened.push("open");
  socket.onerror = () => happened.push("error");
  socket.onclose = ({ code }) => happened.push(`close ${code}`);
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") texts.push(data);
    else happened.push("binary");
  };
  const klines = () =>
    texts.filter((text) => text.includes('"kline"')).map((text) => {
      const message = JSON.parse(text);
      const event: KlineMessage = message.data ?? message;
      return event;
    });
  return { socket, happened, texts, klines, closes: () => klines().filter(({ k }) => k.x) };
}
