/**
 * The streams that someone listens to: each candle is made once, for all its listeners.
 *
 * @module
 */

import type { Interval } from "../engine/interval.ts";
import type { Exchange, ListedSymbol } from "./exchange.ts";
import { gridOf } from "./grid.ts";
import type { KlineState } from "./kline_event.ts";
import { CLOSE_DELAY_MS, KlineFeed } from "./kline_feed.ts";
import type { Schedule } from "./schedule.ts";
import { readStreamName } from "./stream_names.ts";

/** A candle that changed or closed. */
export interface KlineNews {
  /** Name of the stream. */
  readonly stream: string;
  /** The symbol, in upper case. */
  readonly symbol: string;
  /** The interval. */
  readonly interval: Interval;
  /** The candle. */
  readonly state: KlineState;
  /** When it is told, in epoch milliseconds. */
  readonly atMs: number;
}

/** Who listens to a stream. */
export interface Listener {
  /** Is told each piece of news. */
  tell(news: KlineNews): void;
}

/** What a broadcast works with. */
export interface BroadcastOptions {
  /** What is traded. */
  readonly exchange: Exchange;
  /** When what happens. */
  readonly schedule: Pick<Schedule, "at">;
  /** The moment, in epoch milliseconds. */
  readonly now: () => number;
  /** Time between snapshots, half of it for candles of a second; Infinity for no snapshots. */
  readonly snapshotMs: number;
  /** Symbols whose closes are told only along with a later trade. */
  readonly closesWithTrade: ReadonlySet<string>;
}

interface Channel {
  readonly name: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly feed: KlineFeed;
  readonly listeners: Set<Listener>;
  readonly snapshotMs: number;
  closesMs: number;
  cancelClose: () => void;
}

interface Beat {
  readonly channels: Set<Channel>;
  cancel: () => void;
}

/** Tells listeners of streams what their candles do. Costs nothing while no one listens. */
export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #symbols: ReadonlyMap<string, ListedSymbol>;
  readonly #channels = new Map<string, Channel>();
  readonly #beats = new Map<number, Beat>();

  /** Starts without listeners. */
  constructor(options: BroadcastOptions) {
    this.#options = options;
    this.#symbols = new Map(
      options.exchange.symbols.map((one) => [one.symbol.toLowerCase(), one]),
    );
  }

  /** Has someone listen to a stream. Of a stream that does not exist nothing is ever heard. */
  join(name: string, listener: Listener): void {
    const channel = this.#channels.get(name) ?? this.#open(name);
    channel?.listeners.add(listener);
  }

  /** Ends that someone listens. */
  leave(name: string, listener: Listener): void {
    const channel = this.#channels.get(name);
    if (!channel?.listeners.delete(listener) || channel.listeners.size > 0) return;
    this.#channels.delete(name);
    channel.cancelClose();
    const beat = this.#beats.get(channel.snapshotMs);
    beat?.channels.delete(channel);
    if (beat?.channels.size === 0) {
      beat.cancel();
      this.#beats.delete(channel.snapshotMs);
    }
  }

  #open(name: string): Channel | undefined {
    const parsed = readStreamName(name);
    const listed = this.#symbols.get(parsed?.symbol ?? "");
    if (!parsed || !listed) return undefined;
    const { interval, offsetMs } = parsed;
    const { exchange, now, snapshotMs, closesWithTrade } = this.#options;
    const grid = gridOf(interval, offsetMs);
    const channel: Channel = {
      name,
      symbol: listed.symbol,
      interval,
      feed: new KlineFeed(
        exchange.series(listed, interval, offsetMs),
        (ms) => grid.open(grid.index(ms) + 1),
        now(),
        closesWithTrade.has(listed.symbol),
      ),
      listeners: new Set(),
      snapshotMs: interval === "1s" ? snapshotMs / 2 : snapshotMs,
      closesMs: Infinity,
      cancelClose: () => {},
    };
    this.#channels.set(name, channel);
    this.#awaitClose(channel);
    this.#join(channel);
    return channel;
  }

  #awaitClose(channel: Channel): void {
    const { schedule, now } = this.#options;
    channel.closesMs = channel.feed.nextMs(now());
    channel.cancelClose = schedule.at(channel.closesMs, () => {
      this.#tell(channel, channel.feed.closes(now()));
      if (this.#channels.get(channel.name) === channel) this.#awaitClose(channel);
    });
  }

  #join(channel: Channel): void {
    const { snapshotMs } = channel;
    const beat = this.#beats.get(snapshotMs) ?? { channels: new Set(), cancel: () => {} };
    beat.channels.add(channel);
    if (this.#beats.has(snapshotMs) || snapshotMs === Infinity) return;
    this.#beats.set(snapshotMs, beat);
    this.#awaitBeat(snapshotMs, beat);
  }

  /** All beats fall together with closes, so that a minute's end is one wake-up. */
  #awaitBeat(snapshotMs: number, beat: Beat): void {
    const { schedule, now } = this.#options;
    const lateMs = CLOSE_DELAY_MS - 1;
    const nextMs = (Math.floor((now() - lateMs) / snapshotMs) + 1) * snapshotMs + lateMs;
    beat.cancel = schedule.at(nextMs, () => {
      for (const channel of beat.channels) {
        // Two tasks of one moment run in any order, but a close comes before what follows it.
        if (channel.closesMs <= now()) this.#tell(channel, channel.feed.closes(now()));
        this.#tell(channel, channel.feed.snapshot(now()));
      }
      if (this.#beats.get(snapshotMs) === beat) this.#awaitBeat(snapshotMs, beat);
    });
  }

  #tell(channel: Channel, states: readonly KlineState[]): void {
    const { name: stream, symbol, interval } = channel;
    const atMs = this.#options.now();
    for (const state of states) {
      for (const listener of channel.listeners) {
        listener.tell({ stream, symbol, interval, state, atMs });
      }
    }
  }
}
