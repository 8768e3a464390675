/**
 * The exchange's end of one connection: subscriptions, envelopes and the limit of frames.
 *
 * @module
 */

import type { Broadcast, KlineNews, Listener } from "./broadcast.ts";
import { answerFrame, type ErrorShape, type Subscriptions } from "./control.ts";
import { eventJson } from "./kline_event.ts";
import type { StreamUrl } from "./stream_names.ts";

const SECOND_MS = 1_000;
/** Policy violation: too many frames. */
const POLICY = 1_008;

/** What a message is made of. */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** The client's end of a connection. */
export interface Peer {
  /** Takes a message to the client. */
  send(frame: Frame): void;
  /** Ends the connection; 1006 breaks it without a close frame. */
  close(code: number, reason: string): void;
}

/** What a connection may do, and how it answers. */
export interface ConnectionLimits {
  /** The most streams. */
  readonly streams: number;
  /** The most frames from the client in any second. */
  readonly framesPerSecond: number;
  /** How errors are shaped. */
  readonly errorShape: ErrorShape;
}

/** What a connection works with. */
export interface ConnectionOptions {
  /** Its number, counted from 1. */
  readonly number: number;
  /** What its URL asked for. */
  readonly url: StreamUrl;
  /** The client's end. */
  readonly peer: Peer;
  /** Where its streams come from. */
  readonly broadcast: Broadcast;
  /** What it may do. */
  readonly limits: ConnectionLimits;
  /** The moment, in epoch milliseconds. */
  readonly now: () => number;
  /** Called once, when it has ended. */
  readonly onEnd: (connection: Connection, code: number) => void;
}

/** One connection. */
export class Connection implements Listener, Subscriptions {
  /** Its number, counted from 1. */
  readonly number: number;
  /** The streams it carries, those that do not exist among them. */
  readonly names = new Set<string>();
  /** The most streams. */
  readonly limit: number;
  /** Whether events come wrapped. */
  combined: boolean;
  /** Frames sent to the client. */
  framesSent = 0;
  /** Frames that came from it. */
  framesReceived = 0;
  readonly #options: ConnectionOptions;
  #frameTimes: number[] = [];
  #isOpen = true;

  /** Opens with the streams of its URL. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.number = options.number;
    this.limit = options.limits.streams;
    this.combined = options.url.combined;
    for (const name of options.url.names) this.add(name);
  }

  /** Adds a stream. */
  add(name: string): void {
    this.names.add(name);
    this.#options.broadcast.join(name, this);
  }

  /** Takes a stream away. */
  remove(name: string): void {
    this.names.delete(name);
    this.#options.broadcast.leave(name, this);
  }

  /** Tells what a candle of a stream did. */
  tell(news: KlineNews): void {
    const { symbol, interval, state, atMs } = news;
    const { unit } = this.#options.url;
    this.sendEvent(news.stream, eventJson(state, { symbol, interval, atMs, unit }));
  }

  /** Sends an event, wrapped where that was asked for. */
  sendEvent(stream: string, json: string): void {
    this.send(this.combined ? `{"stream":${JSON.stringify(stream)},"data":${json}}` : json);
  }

  /** Sends a frame as it is. */
  send(frame: Frame): void {
    if (!this.#isOpen) return;
    this.framesSent++;
    this.#options.peer.send(frame);
  }

  /** A frame came from the client; nothing stands for a binary one. */
  receive(frame: string | undefined): void {
    if (!this.#isOpen) return;
    this.framesReceived++;
    const { now, limits } = this.#options;
    const nowMs = now();
    this.#frameTimes = this.#frameTimes.filter((atMs) => nowMs - atMs < SECOND_MS);
    this.#frameTimes.push(nowMs);
    if (this.#frameTimes.length > limits.framesPerSecond) {
      return this.close(POLICY, "Too many requests");
    }
    this.send(answerFrame(frame, this, limits.errorShape));
  }

  /** Ends the connection from the exchange's side; 1006 breaks it. */
  close(code: number, reason = ""): void {
    if (!this.#isOpen) return;
    this.left(code);
    this.#options.peer.close(code, reason);
  }

  /** The client has gone. */
  left(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const name of [...this.names]) this.remove(name);
    this.#options.onEnd(this, code);
  }
}
