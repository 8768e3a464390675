/**
 * The exchange's end of one connection: subscriptions, envelopes and the limit of frames.
 *
 * @module
 */

import type { Broadcast, KlineNews, Listener } from "./broadcast.ts";
import { answerFrame, type ErrorShape, type Subscriptions } from "./control.ts";
import { deliver, type Dress, type Frame, type Line, PLAIN } from "./delivery.ts";
import { eventJson } from "./kline_event.ts";
import type { StreamFaults } from "./stream_faults.ts";
import type { StreamUrl } from "./stream_names.ts";

const SECOND_MS = 1_000;
/** Policy violation: too many frames. */
const POLICY = 1_008;
/** More closes of one stream than wait for a later candle; the oldest are lost first. */
const KEPT_CLOSES = 64;

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
  /** What goes wrong with its events. */
  readonly faults: StreamFaults;
  /** What it may do. */
  readonly limits: ConnectionLimits;
  /** The moment, in epoch milliseconds. */
  readonly now: () => number;
  /** Runs something later; gives what takes it back. */
  readonly later: (ms: number, run: () => void) => () => void;
  /** Called for each close of a candle that was sent. */
  readonly onClose: (news: KlineNews, connection: Connection) => void;
  /** Called once, when it has ended, with the number of streams it carried. */
  readonly onEnd: (connection: Connection, code: number, streams: number) => void;
}

/** One connection. */
export class Connection implements Line, Listener, Subscriptions {
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
  readonly #waiting = new Map<string, KlineNews[]>();
  readonly #tasks = new Set<() => void>();
  #frameTimes: number[] = [];
  #isOpen = true;
  #isDead = false;

  /** Opens with the streams of its URL. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.number = options.number;
    this.limit = options.limits.streams;
    this.combined = options.url.combined;
    for (const name of options.url.names) this.add(name);
  }

  /** Whether it died unnoticed: the client gets no answer any more, not even to a close. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Adds a stream. */
  add(name: string): void {
    this.names.add(name);
    this.#options.broadcast.join(name, this);
    const held = this.#options.faults.release(name, this.number);
    if (held.length > 0) this.later(0, () => held.forEach((news) => this.pass(news, PLAIN)));
  }

  /** Takes a stream away. */
  remove(name: string): void {
    this.names.delete(name);
    this.#waiting.delete(name);
    this.#options.broadcast.leave(name, this);
  }

  /** Tells what a candle of a stream did, or what faults make of it. */
  tell(news: KlineNews): void {
    const faults = this.#options.faults.due(news, this.number);
    if (faults.length === 0) this.pass(news, PLAIN);
    else deliver(news, faults, this);
  }

  /** Sends an event, then the closes that waited for it. */
  pass(news: KlineNews, dress: Dress): void {
    if (!this.#isOpen || !this.names.has(news.stream)) return;
    const { symbol, interval, state } = news;
    const { url: { unit }, onClose } = this.#options;
    const atMs = news.atMs + dress.skewMs;
    this.sendEvent(
      news.stream,
      eventJson(state, { symbol, interval, atMs, unit, extra: dress.extra }),
    );
    if (state.closed) onClose(news, this);
    const waiting = this.#waiting.get(news.stream);
    if (!waiting?.every((one) => one.state.openMs < state.openMs)) return;
    this.#waiting.delete(news.stream);
    for (const one of waiting) this.pass(one, PLAIN);
  }

  /** Sends any event of a stream, wrapped where that was asked for. */
  sendEvent(stream: string, json: string): void {
    this.send(this.combined ? `{"stream":${JSON.stringify(stream)},"data":${json}}` : json);
  }

  /** Sends a frame as it is. */
  send(frame: Frame): void {
    if (!this.#isOpen) return;
    this.framesSent++;
    this.#options.peer.send(frame);
  }

  /** Runs something later, if the connection is still open then. */
  later(ms: number, run: () => void): void {
    const cancel = this.#options.later(ms, () => {
      this.#tasks.delete(cancel);
      run();
    });
    this.#tasks.add(cancel);
  }

  /** Keeps a close until a later candle of its stream has been told of. */
  keepForNext(news: KlineNews): void {
    const waiting = [...this.#waiting.get(news.stream) ?? [], news];
    this.#waiting.set(news.stream, waiting.slice(-KEPT_CLOSES));
  }

  /** Keeps a close for the next connection. */
  keepForOther(news: KlineNews): void {
    this.#options.faults.hold(news, this.number);
  }

  /** Announces that the exchange will end the connection. */
  announceEnd(): void {
    const { now, url: { unit } } = this.#options;
    const time = unit === "us" ? 1_000 * now() : now();
    this.sendEvent("!serverShutdown", `{"e":"serverShutdown","E":${time}}`);
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

  /** Ends the connection without the client's knowledge. */
  die(): void {
    this.#isDead = this.#isOpen;
    this.left(1_006);
  }

  /** The client has gone. */
  left(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const streams = this.names.size;
    for (const name of [...this.names]) this.remove(name);
    for (const cancel of this.#tasks) cancel();
    this.#options.onEnd(this, code, streams);
  }
}
