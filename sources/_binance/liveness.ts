/**
 * Whether a connection that is open is alive: one cheap question to REST tells a quiet market from
 * a dead stream.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import type { Series } from "../../engine/point.ts";
import { RefusedError } from "./answer.ts";
import type { BinanceClient } from "./client.ts";
import type { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import { isTime } from "./holes.ts";
import type { Seen } from "./track.ts";

/** How many streams that gave nothing yet are asked for at once. */
const MOST_UNHEARD = 3;
/** A stream that lacks as many candles with trades in a row is mute. */
const MOST_MISSED = 2;
/** The least and the longest time between two replacements for one mute stream. */
const PATIENCE_MS = { first: 600_000, most: 6 * 3_600_000 } as const;
/** The longest wait before a silent connection is asked for again. */
const MOST_SILENCE_MS = 600_000;

/** What watching a connection needs. */
export interface LivenessParts {
  /** The connection. */
  readonly connection: Connection;
  /** The indexes of its series. */
  readonly streams: readonly number[];
  /** All series. */
  readonly series: readonly Series[];
  /** What was seen of them. */
  readonly feed: Feed;
  /** Whom to ask. */
  readonly client: BinanceClient;
  /** The world. */
  readonly context: Context;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How long a connection may give nothing before it is asked for. */
  readonly silenceMs: number;
  /** How long a stream may take to its first candle before it is asked for. */
  readonly firstMs: number;
}

/** The wait before REST is asked for the second time for a stream that gave nothing. */
const ASK_AGAIN_MS = 60_000;
/** How long a stream may take to show what REST shows. */
const GRACE_MS = 3_000;

type State = Pick<Seen, "openMs" | "trades">;

/** Watches one connection. */
export class Liveness {
  readonly #parts: LivenessParts;
  /** What REST last showed, by series. */
  readonly #asked = new Map<number, State>();
  #turn = 0;
  #mutes = 0;
  #notBeforeMs = -Infinity;

  /** Nothing is watched yet. */
  constructor(parts: LivenessParts) {
    this.#parts = parts;
  }

  /** Watches until the signal aborts. */
  async run(): Promise<never> {
    const watching = [this.#watchSilence(), this.#watchFirst()];
    for (const watch of watching) watch.catch(() => {});
    return await Promise.race(watching);
  }

  /** Looks at a series that REST has just been asked for. */
  check(at: number): void {
    const { feed, connection, context } = this.#parts;
    if (feed.missed(at) < MOST_MISSED || connection.openedMs === -Infinity) return;
    if (context.now() < this.#notBeforeMs) return;
    this.#replaceMute(at);
  }

  async #watchSilence(): Promise<never> {
    const { connection, context, signal, silenceMs } = this.#parts;
    let quiet = 0;
    for (;;) {
      const sinceMs = Math.max(connection.heardMs, connection.openedMs);
      const leftMs = sinceMs === -Infinity ? silenceMs : sinceMs + silenceMs - context.now();
      if (leftMs > 0) {
        if (leftMs < silenceMs) quiet = 0;
        await context.sleep(leftMs, signal);
        continue;
      }
      const at = this.#liveliest();
      if (at !== undefined && await this.#hasMissed(at)) {
        connection.replace("silent");
        quiet = 0;
        await context.sleep(silenceMs, signal);
      } else {
        await context.sleep(Math.min(MOST_SILENCE_MS, silenceMs * 2 ** quiet++), signal);
      }
    }
  }

  /** Streams that were acknowledged but never gave anything. */
  async #watchFirst(): Promise<never> {
    const { connection, streams, feed, context, signal, firstMs } = this.#parts;
    for (let asked = 0;;) {
      const { openedMs } = connection;
      const leftMs = openedMs === -Infinity ? firstMs : openedMs + firstMs - context.now();
      if (leftMs > 0) asked = 0;
      // REST is asked twice to see whether something is traded.
      const againMs = asked === 0 ? 0 : Math.min(firstMs, ASK_AGAIN_MS * 2 ** (asked - 1));
      if (leftMs > 0 || againMs > 0) await context.sleep(Math.max(leftMs, againMs), signal);
      if (connection.openedMs !== openedMs || openedMs === -Infinity) continue;
      asked++;
      const unheard = streams.filter((at) => (feed.seen(at)?.atMs ?? -Infinity) < openedMs);
      for (let count = 0; count < Math.min(MOST_UNHEARD, unheard.length); count++) {
        const at = unheard[this.#turn++ % unheard.length];
        if (at === undefined || !await this.#hasMissed(at)) continue;
        if (context.now() >= this.#notBeforeMs) this.#replaceMute(at);
        break;
      }
    }
  }

  #replaceMute(at: number): void {
    const { connection, context, series } = this.#parts;
    const { first, most } = PATIENCE_MS;
    this.#notBeforeMs = context.now() + Math.min(most, first * 2 ** this.#mutes++);
    context.metrics.count("mute_streams");
    context.log.debug("A stream does not give what REST has", {
      symbol: series[at]?.symbol,
      interval: series[at]?.interval,
    });
    connection.replace("mute_stream");
  }

  /** The series that was heard last; where none was, each in turn, twice. */
  #liveliest(): number | undefined {
    const { streams, feed } = this.#parts;
    let best: number | undefined;
    let bestMs = -Infinity;
    for (const at of streams) {
      const { atMs } = feed.seen(at) ?? { atMs: -Infinity };
      if (atMs > bestMs) [best, bestMs] = [at, atMs];
    }
    return best ?? streams[(this.#turn++ >> 1) % streams.length];
  }

  /** Whether REST shows trades since the stream was heard, or since REST was asked before. */
  async #hasMissed(at: number): Promise<boolean> {
    const { client, context, feed, series: all, signal } = this.#parts;
    const series = all[at];
    if (!series) return false;
    const { symbol, interval } = series;
    const action = `ask for the last candle of ${symbol}`;
    const request = {
      ...{ action, path: "/api/v3/klines", weight: 2 },
      query: { symbol, interval, limit: 1 },
    };
    const answer = await context.retry(action, () => client.get(request, signal))
      .catch((error) => {
        // A symbol that is gone is told of elsewhere.
        if (!(error instanceof RefusedError)) throw error;
        return undefined;
      });
    const value = answer?.value;
    const row: unknown = Array.isArray(value) ? value[0] : undefined;
    if (!Array.isArray(row) || !isTime(row[0])) return false;
    const now: State = { openMs: row[0], trades: Number(row[8]) };
    const before = this.#asked.get(at);
    this.#asked.set(at, now);
    if (!isAhead(now, later(feed.seen(at), before))) return false;
    // What has just been traded is still on its way.
    await context.sleep(GRACE_MS, signal);
    return isAhead(now, later(feed.seen(at), before));
  }
}

/** Whether REST shows trades that are not known. */
function isAhead(now: State, known: State | undefined): boolean {
  return known !== undefined && now.trades > 0 && isLater(now, known);
}

function later(a: State | undefined, b: State | undefined): State | undefined {
  if (!a || !b) return a ?? b;
  return isLater(a, b) ? a : b;
}

function isLater(a: State, b: State): boolean {
  return a.openMs > b.openMs || (a.openMs === b.openMs && a.trades > b.trades);
}
