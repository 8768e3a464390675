/**
 * What happened on the stream side: who was connected, and what was really sent to whom.
 *
 * @module
 */

import type { KlineNews } from "./broadcast.ts";
import type { Connection } from "./connection.ts";
import { Recent } from "./recent.ts";

const KEPT_CONNECTIONS = 10_000;

/** A connection, open or ended. */
export interface ConnectionRecord {
  /** Its number, counted from 1. */
  readonly number: number;
  /** Its URL. */
  readonly url: string;
  /** When it was opened, in epoch milliseconds. */
  readonly openedMs: number;
  /** When it ended. */
  readonly endedMs?: number;
  /** The code it ended with, 1006 where it broke or died. */
  readonly code?: number;
  /** How many streams it carried at its end, or carries. */
  readonly streams: number;
  /** Frames sent to the client. */
  readonly framesSent: number;
  /** Frames that came from it. */
  readonly framesReceived: number;
}

/** A close of a candle that was sent. */
export interface SentClose {
  /** Number of the connection. */
  readonly connection: number;
  /** Name of the stream. */
  readonly stream: string;
  /** Open time of the candle, in epoch milliseconds. */
  readonly openMs: number;
  /** When it was sent. */
  readonly atMs: number;
}

/** What was counted on the stream side. */
export interface StreamCounters {
  /** Handshakes. */
  readonly handshakes: number;
  /** Those that were refused. */
  readonly refused: number;
  /** Connections that were opened. */
  readonly opened: number;
  /** Connections that are open. */
  readonly open: number;
  /** The most handshakes in any five minutes. */
  readonly peakHandshakes: number;
  /** Frames sent to clients. */
  readonly framesSent: number;
  /** Frames that came from them. */
  readonly framesReceived: number;
  /** Closes of candles that were sent, by stream. */
  readonly closesByStream: Readonly<Record<string, number>>;
}

interface Opened {
  readonly connection: Connection;
  readonly url: string;
  readonly openedMs: number;
}

/** Keeps records and counts. */
export class StreamRecords {
  readonly #now: () => number;
  readonly #open = new Map<Connection, Opened>();
  readonly #ended = new Recent<ConnectionRecord>(KEPT_CONNECTIONS);
  readonly #closes: Recent<SentClose>;
  readonly #closesByStream = new Map<string, number>();
  #handshakes = 0;
  #refused = 0;
  #peakHandshakes = 0;
  #opened = 0;
  #framesSent = 0;
  #framesReceived = 0;

  /** Starts with nothing; of closes that were sent, the last `keptCloses` are kept. */
  constructor(now: () => number, keptCloses: number) {
    this.#now = now;
    this.#closes = new Recent(keptCloses);
  }

  /** Connections that ended lately, at most 10,000, and those that are open. */
  get connections(): ConnectionRecord[] {
    const open = [...this.#open.values()].map((one) => recordOf(one, one.connection.names.size));
    return [...this.#ended.all(), ...open].sort((a, b) => a.number - b.number);
  }

  /** The last closes that were sent. */
  get closes(): SentClose[] {
    return this.#closes.all();
  }

  /** What was counted. */
  get counters(): StreamCounters {
    const open = [...this.#open.keys()];
    const total = (name: "framesSent" | "framesReceived") =>
      open.reduce((sum, connection) => sum + connection[name], 0);
    return {
      handshakes: this.#handshakes,
      refused: this.#refused,
      opened: this.#opened,
      open: open.length,
      peakHandshakes: this.#peakHandshakes,
      framesSent: this.#framesSent + total("framesSent"),
      framesReceived: this.#framesReceived + total("framesReceived"),
      closesByStream: Object.fromEntries(this.#closesByStream),
    };
  }

  /** There was a handshake, one of so many in five minutes. */
  handshake(lately: number): void {
    this.#handshakes++;
    this.#peakHandshakes = Math.max(this.#peakHandshakes, lately);
  }

  /** It was refused. */
  refuse(): void {
    this.#refused++;
  }

  /** A connection was opened. */
  open(connection: Connection, url: string): void {
    this.#opened++;
    this.#open.set(connection, { connection, url, openedMs: this.#now() });
  }

  /** A connection that carried so many streams ended. */
  end(connection: Connection, code: number, streams: number): void {
    const opened = this.#open.get(connection);
    if (!opened) return;
    this.#open.delete(connection);
    this.#framesSent += connection.framesSent;
    this.#framesReceived += connection.framesReceived;
    this.#ended.add({ ...recordOf(opened, streams), endedMs: this.#now(), code });
  }

  /** A close was sent. */
  close(news: KlineNews, connection: Connection): void {
    const { stream, state: { openMs } } = news;
    this.#closesByStream.set(stream, (this.#closesByStream.get(stream) ?? 0) + 1);
    this.#closes.add({ connection: connection.number, stream, openMs, atMs: this.#now() });
  }
}

function recordOf(opened: Opened, streams: number): ConnectionRecord {
  const { connection: { number, framesSent, framesReceived }, url, openedMs } = opened;
  return { number, url, openedMs, streams, framesSent, framesReceived };
}
