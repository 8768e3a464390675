/**
 * What a running plugin may use of the world.
 *
 * A plugin reaches clock, network, files and terminal through its context and in no other way, so
 * that tests run on a virtual clock and a run can be confined to what its file names.
 *
 * @module
 */

import type { Point } from "./point.ts";

/** A value that JSON can hold. What must survive a crash is made of these. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Time, and waiting for it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /**
   * Milliseconds since some moment: for how long something takes. Unlike {@linkcode Clock.now} it is
   * never set, neither ahead nor back; while the machine is suspended it may stand still.
   */
  steady(): number;
  /**
   * Waits.
   *
   * @throws The signal's reason, as soon as it aborts.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What a message may carry: values by name, printed behind the message. */
export type LogDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where a plugin says what happened. The engine adds the names of pipeline and step. */
export interface Log {
  /** For those who look for a fault. Not shown unless asked for. */
  debug(message: string, details?: LogDetails): void;
  /** For those who watch. */
  info(message: string, details?: LogDetails): void;
  /** Something the user should know of, such as a hole. */
  warn(message: string, details?: LogDetails): void;
}

/**
 * What tells the values of one metric apart, such as `{ cause: "renewal" }`: names in `snake_case`.
 * Up to 2,000 values of a metric are kept apart, further ones are counted together.
 */
export type Labels = Readonly<Record<string, string>>;

/**
 * Where a plugin counts and measures. Names are `snake_case` and end in their unit, such as
 * `buffered_bytes`; times are in seconds. The engine puts the plugin's id before a name when it
 * shows it, and `_total` behind that of a counter.
 */
export interface Metrics {
  /**
   * Adds to a counter, 1 where nothing is given. Counters are part of the run's summary. Count 0 at the
   * start for what is rare: an alert on a counter that rises sees no counter appear.
   */
  count(name: string, by?: number, labels?: Labels): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Labels): void;
}

/** How one series of a source without an end stands. */
export interface SeriesStatus {
  /** What names it, such as `{ symbol: "BTCUSDT", interval: "1m" }`. */
  readonly labels: Labels;
  /** Whether it is caught up, and hears what comes next. */
  readonly isLive: boolean;
  /** How far it is behind what there is to read, in milliseconds; 0 where nothing is lacking. */
  readonly lagMs: number;
  /** The end of the last thing it gave, in epoch milliseconds; undefined before the first. */
  readonly lastMs: number | undefined;
}

/** A file that is open for appending. */
export interface OpenFile {
  /** Its size in bytes. */
  size(): Promise<number>;
  /** Adds bytes at the end; resolves once all of them are handed to the system. */
  append(bytes: Uint8Array): Promise<void>;
  /** Cuts the file down to a size in bytes. */
  truncate(size: number): Promise<void>;
  /** Makes all that was written survive a power cut. */
  sync(): Promise<void>;
  /** Closes it. */
  close(): void;
}

/** Files. A relative path is relative to the folder of the pipeline file. */
export interface Files {
  /** The lines of a text file, without their ends, one at a time. */
  readLines(path: string): AsyncIterable<string>;
  /** The text of a whole, small file. */
  readText(path: string): Promise<string>;
  /** Opens a file for appending. It is made, with its folder, when it is not there. */
  open(path: string): Promise<OpenFile>;
  /** The names in a folder, sorted; none when the folder is not there. */
  list(folder: string): Promise<string[]>;
  /** Gives a file another name, replacing what has that name, and makes that survive a power cut. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
}

/** Where the store of a series ends. */
export interface StoredEnd {
  /** The time of its last final point, in epoch milliseconds: read on from here, inclusive. */
  readonly lastMs: number;
  /** The point before that: to be given as `before` with the first batch. */
  readonly before: Point;
}

/** What a running source or sink may use. */
export interface Context extends Clock {
  /** Aborts when the run is stopped: end soon, what is under way may be left. */
  readonly signal: AbortSignal;
  /** Messages. */
  readonly log: Log;
  /** Counters and gauges. */
  readonly metrics: Metrics;
  /**
   * Lets a source without an end say how its series stand. Readiness, metrics and the status line
   * are made of it.
   *
   * @param status Asked whenever somebody wants to know; the last one given counts.
   */
  live(status: () => readonly SeriesStatus[]): void;
  /**
   * What the steps of a run have in common, such as what is left of a host's limits.
   *
   * @param name Names it among all that is shared in the run.
   * @param make Makes it for the first who asks.
   */
  shared<T>(name: string, make: () => T): T;
  /** Files. */
  readonly files: Files;
  /**
   * Where the sinks' stores end, for a source that goes on from there when it has no position.
   *
   * @param series The tags that name each series.
   * @returns For each series, in the order asked; nothing for a series that has to be read from its
   * beginning, as too little of it is stored for every transform to go on.
   * @throws {OptionsError} If no sink can be read back.
   */
  storedEnds(series: readonly Point["tags"][]): Promise<readonly (StoredEnd | undefined)[]>;
  /** Waits, at most until the run is stopped or the signal aborts, which throws its reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 up to, not including, 1. */
  random(): number;
  /** As the standard `fetch`; it follows no redirect unless asked to. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** As `new WebSocket(url)`. */
  webSocket(url: string | URL): WebSocket;
  /** Writes to standard output; resolves once all is written. */
  print(bytes: Uint8Array): Promise<void>;
  /**
   * Tries until it works: waits longer after each {@linkcode RetryableError}, at random so that
   * many clients spread, and never less than the error asks for.
   *
   * @param action What is tried, to follow "Cannot": `read candles of BTCUSDT`.
   * @param attempt Called once per attempt.
   * @returns What the first attempt that works gives.
   * @throws Any other error, at once.
   */
  retry<T>(action: string, attempt: () => Promise<T>): Promise<T>;
}
