/**
 * The candles of one stream, as time goes on: snapshots and closes.
 *
 * @module
 */

import { type KlineState, stateOf, tradesOf } from "./kline_event.ts";
import type { Series, View } from "./series.ts";

/** How long after its last moment a candle is told closed. */
export const CLOSE_DELAY_MS = 4;

/** More candles than close between two looks, unless the machine slept. */
const CANDLES_AT_ONCE = 64;

/** What a stream has to say, and what it has said. */
export class KlineFeed {
  readonly #series: Series;
  readonly #firstBoundaryAfter: (ms: number) => number;
  readonly #closesWithTrade: boolean;
  /** Open times from this one on are not told closed. */
  #fromMs: number;
  #lastSent = "";
  /** Closed candles that wait for a trade. */
  #waiting: KlineState[] = [];

  /**
   * Joins a series at a moment: the first candle it tells closed is the one under way.
   *
   * @param series The candles.
   * @param firstBoundaryAfter When the next candle opens at the earliest.
   * @param nowMs The moment, in epoch milliseconds.
   * @param closesWithTrade Whether a close is told only along with a later trade.
   */
  constructor(
    series: Series,
    firstBoundaryAfter: (ms: number) => number,
    nowMs: number,
    closesWithTrade: boolean,
  ) {
    this.#series = series;
    this.#firstBoundaryAfter = firstBoundaryAfter;
    this.#closesWithTrade = closesWithTrade;
    const newest = { fromMs: 0, toMs: nowMs, limit: 2, keep: "newest" } as const;
    const lately = series.find(newest, viewAt(nowMs));
    const underWay = lately.find((candle) => toldMs(series, candle) > nowMs);
    const last = lately.at(-1);
    if (underWay !== undefined) this.#fromMs = series.open(underWay);
    else this.#fromMs = last === undefined ? 0 : series.open(last) + 1;
  }

  /** When it next has something to close or to begin, in epoch milliseconds. */
  nextMs(nowMs: number): number {
    const { open } = this.#candles(nowMs);
    const opensMs = this.#firstBoundaryAfter(nowMs) + CLOSE_DELAY_MS;
    return open === undefined ? opensMs : toldMs(this.#series, open);
  }

  /** The candles that closed since the last call, in order. */
  closes(nowMs: number): KlineState[] {
    const told: KlineState[] = [];
    for (let more = true; more;) {
      const { closed } = this.#candles(nowMs);
      for (const candle of closed) {
        told.push(stateOf(this.#series, candle, viewAt(nowMs)));
        this.#fromMs = this.#series.open(candle) + 1;
      }
      more = closed.length === CANDLES_AT_ONCE;
    }
    if (!this.#closesWithTrade) return told;
    return told.flatMap((state) => this.#wait(state));
  }

  /** What changed since the last call: the candle under way, after closes that waited for it. */
  snapshot(nowMs: number): KlineState[] {
    const { open } = this.#candles(nowMs);
    if (open === undefined) return [];
    const state = stateOf(this.#series, open, viewAt(nowMs));
    const text = state.cells.join();
    if (state.closed || text === this.#lastSent || tradesOf(state) === 0) return [];
    this.#lastSent = text;
    return [...this.#waiting.splice(0), state];
  }

  /** Has a close wait, and gives those that its trades end the waiting of. */
  #wait(state: KlineState): KlineState[] {
    const freed = tradesOf(state) > 0 ? this.#waiting.splice(0) : [];
    // What waits longest is lost first: a market without trades must not fill memory.
    this.#waiting = [...this.#waiting, state].slice(-CANDLES_AT_ONCE);
    return freed;
  }

  #candles(nowMs: number): { readonly closed: number[]; readonly open: number | undefined } {
    const window = {
      fromMs: this.#fromMs,
      toMs: nowMs,
      limit: CANDLES_AT_ONCE,
      keep: "oldest",
    } as const;
    const found = this.#series.find(window, viewAt(nowMs));
    const isOver = (candle: number) => toldMs(this.#series, candle) <= nowMs;
    return { closed: found.filter(isOver), open: found.find((candle) => !isOver(candle)) };
  }
}

function toldMs(series: Series, candle: number): number {
  return series.close(candle) + CLOSE_DELAY_MS;
}

function viewAt(nowMs: number): View {
  return { nowMs, absentMs: 0, changingMs: 0 };
}
