/**
 * What a simulator is to those who use it.
 *
 * @module
 */

import type { Clock } from "../engine/context.ts";
import type { ConnectionRecord, SentClose, StreamCounters } from "./stream_records.ts";
import type { Handshake } from "./streams.ts";

/** A candle as REST sends it. */
export type KlineRow = readonly [
  openTime: number,
  open: string,
  high: string,
  low: string,
  close: string,
  volume: string,
  closeTime: number,
  quoteVolume: string,
  trades: number,
  takerBuyVolume: string,
  takerBuyQuoteVolume: string,
  unused: string,
];

/** A request as it comes in. */
export interface RequestInfo {
  /** Path, without the query. */
  readonly path: string;
  /** Parameters by name. */
  readonly params: Readonly<Record<string, string>>;
  /** When it came in on the exchange's clock, in epoch milliseconds. */
  readonly atMs: number;
  /** How many requests came in before it and with it. */
  readonly sequence: number;
  /** How many of them were for the same path. */
  readonly pathSequence: number;
}

/** A request that was answered. */
export interface RequestRecord extends RequestInfo {
  /** Status of the answer. */
  readonly status: number;
  /** Its weight. */
  readonly weight: number;
  /** Weight used in its minute, itself included. */
  readonly usedWeight: number;
}

/** What the simulator counted since its start. */
export interface Counters {
  /** Requests. */
  readonly requests: number;
  /** Requests by path; those for no endpoint of the exchange as `other`. */
  readonly byPath: Readonly<Record<string, number>>;
  /** Answers by status. */
  readonly byStatus: Readonly<Record<number, number>>;
  /** The most weight that was used in one minute. */
  readonly peakWeight: number;
  /** Bans. */
  readonly bans: number;
  /** What was counted on the stream side. */
  readonly streams: StreamCounters;
}

/** A scripted Binance. */
export interface Simulator {
  /** The exchange's clock: that of the options, moved to the scenario's `now`. */
  readonly clock: Clock;
  /** The last requests that were answered, at most 10,000, oldest first. */
  readonly requests: readonly RequestRecord[];
  /** The last 10,000 connections that ended, and those that are open, in order of opening. */
  readonly connections: readonly ConnectionRecord[];
  /** The last closes of candles that were sent, in order of sending. */
  readonly closes: readonly SentClose[];
  /** What was counted. */
  readonly counters: Counters;
  /**
   * Answers a request, whatever its host. Serves as `fetch` within one process.
   *
   * @throws The request's abort reason, when it is aborted while its answer is held back.
   * @throws {TypeError} While the exchange is away.
   */
  handle(request: Request): Promise<Response>;
  /**
   * Opens a connection for streams, whatever its host. Serves as `new WebSocket` within one
   * process: it opens, and what is sent arrives, after a while on the clock.
   */
  connect(url: string | URL): WebSocket;
  /** Answers the handshake of a connection for streams, for those who carry its frames. */
  handshake(url: string): Handshake;
  /** Breaks all connections and ends all waiting. */
  close(): void;
  /**
   * The truth: closed candles as they stand now, corrections made, whatever answers lag behind.
   *
   * @param symbol A symbol of the scenario.
   * @param interval An interval, such as `1m`.
   * @param fromMs The earliest open time, in epoch milliseconds.
   * @param toMs Open times end before this moment.
   * @throws {OptionsError} If there is no such symbol or interval.
   */
  candles(symbol: string, interval: string, fromMs: number, toMs: number): KlineRow[];
}

/** What a simulator works with. */
export interface SimulatorOptions {
  /** Time. On a virtual clock, held-back answers take no time. */
  readonly clock: Clock;
  /** Called before a request is answered, and waited for. */
  readonly onRequest?: (request: RequestInfo) => void | Promise<void>;
  /** How many of the closes that were sent are kept: 10,000 where nothing is said. */
  readonly keptCloses?: number;
}
