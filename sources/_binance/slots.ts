/**
 * What is known of one series while it is live: a pure state machine, without clock or network.
 *
 * Candles come from the stream and from REST, late, doubled, out of order or not at all. They leave
 * in strict order, each once. A candle that follows the one before it is ready. One behind a gap is
 * held until REST has said what lies between. A slot is a hole once REST, asked for it, shows a
 * later candle but not this one; that REST shows nothing later proves nothing, as it may lag.
 *
 * The position is the last candle that left. Holes before it lie behind it, so that they are
 * neither asked for nor told of again.
 *
 * @module
 */

import {
  floorToInterval,
  type Interval,
  intervalMs,
  missingBetween,
  nextOpen,
} from "../../engine/interval.ts";
import { fingerprint, type Mark } from "./fingerprint.ts";
import { type Hole, openOf } from "./holes.ts";

/** A closed candle on its way. */
export interface ReadyCandle {
  /** Open time, in epoch milliseconds. */
  readonly openMs: number;
  /** The end of its slot: what it is ordered by among series. */
  readonly endMs: number;
  /** Its columns as a REST row. */
  readonly row: readonly unknown[];
}

/** Where a series stands. */
export interface Place {
  /** The first open time that is wanted, in epoch milliseconds. */
  readonly from: number;
  /** The open time of the last candle that left. */
  readonly after?: number | undefined;
  /** The last candles that left, oldest first, to see whether REST corrects them. */
  readonly recent?: readonly Mark[] | undefined;
}

/** What became of a closed candle from the stream. */
export type Arrival =
  /** It is ready, and with it those it was waited for. */
  | "ready"
  /** It waits for what lies before it. */
  | "held"
  /** It was there already. */
  | "doubled"
  /** It was there already with other values: REST has to say which are right. */
  | "disputed"
  /** It lies before the first one wanted. */
  | "early";

/** What a page of REST changed. */
export interface Filled {
  /** Candles that are ready now and were not before. */
  readonly added: readonly ReadyCandle[];
  /** How many of these only REST had. */
  readonly recovered: number;
  /** Holes that it proved. */
  readonly holes: readonly Hole[];
  /** Open times of candles that had left with other values; they leave again. */
  readonly corrected: readonly number[];
  /** Open times of candles that came after their slot was taken for a hole: they cannot leave. */
  readonly tooLate: readonly number[];
}

/** How many of the last candles are compared with what REST gives. */
const RECENT = 3;
/** How many candles are held behind a gap. REST gives the others. */
const MOST_HELD = 100;

/** The candles of one series, from what is expected next back to what left last. */
export class Slots {
  /** The interval. */
  readonly interval: Interval;
  readonly #fromMs: number;
  #afterMs: number | undefined;
  #tailMs: number | undefined;
  #frontierMs: number;
  #recent: Mark[];
  #ready: ReadyCandle[] = [];
  #held: ReadyCandle[] = [];
  #corrections: ReadyCandle[] = [];

  /** Starts where a series stands. */
  constructor(interval: Interval, place: Place) {
    this.interval = interval;
    this.#fromMs = place.from;
    this.#afterMs = this.#tailMs = place.after;
    this.#recent = [...place.recent ?? []];
    this.#frontierMs = this.#endOf(this.expectedMs);
  }

  /** Where it stands. */
  get place(): Place {
    const { from, after, recent } = {
      from: this.#fromMs,
      after: this.#afterMs,
      recent: this.#recent,
    };
    return after === undefined ? { from } : { from, after, recent: [...recent] };
  }

  /** The open time of the candle that is expected next. */
  get expectedMs(): number {
    return this.#tailMs === undefined ? this.#fromMs : nextOpen(this.interval, this.#tailMs);
  }

  /** The end of the slot of the last candle that left; undefined before the first. */
  get leftMs(): number | undefined {
    return this.#afterMs === undefined ? undefined : this.#endOf(this.#afterMs);
  }

  /** The end of the first slot whose candle has not left. */
  get dueMs(): number {
    const { leftMs } = this;
    return leftMs === undefined ? this.#endOf(this.#fromMs) : nextOpen(this.interval, leftMs);
  }

  /** The end of the first slot of which nothing is known. */
  get frontierMs(): number {
    return this.#frontierMs;
  }

  /** The end of the slot of the candle that leaves next; Infinity where none is ready. */
  get headMs(): number {
    return this.#ready[0]?.endMs ?? Infinity;
  }

  /** How many candles are kept. */
  get size(): number {
    return this.#ready.length + this.#held.length + this.#corrections.length;
  }

  /** How many candles are ready. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** Whether candles wait for what lies before them. */
  get hasGap(): boolean {
    return this.#held.length > 0;
  }

  /** Whether a candle that has left waits to leave again. */
  get hasCorrections(): boolean {
    return this.#corrections.length > 0;
  }

  /** The first open time to ask REST for: some candles back, to see whether they still hold. */
  get askFromMs(): number {
    if (this.#tailMs === undefined) return this.#fromMs;
    let fromMs = this.#tailMs;
    for (let count = 1; count < RECENT; count++) {
      fromMs = this.interval === "1M"
        ? floorToInterval("1M", fromMs - 1)
        : fromMs - intervalMs(this.interval);
    }
    return Math.max(this.#fromMs, fromMs);
  }

  /** Whether a candle of this open time would follow the last one known, with none between. */
  isNext(openMs: number): boolean {
    const beforeMs = this.#tailMs ?? floorToInterval(this.interval, this.#fromMs - 1);
    return openMs >= this.#fromMs && missingBetween(this.interval, beforeMs, openMs) === 0;
  }

  /** Whether a candle of this open time, or a later one, is known. */
  isPast(openMs: number): boolean {
    return this.#tailMs !== undefined && openMs <= this.#tailMs;
  }

  /** Takes in a closed candle from the stream. */
  arrive(openMs: number, row: readonly unknown[]): Arrival {
    if (openMs < this.#fromMs) return "early";
    const candle = this.#candle(openMs, row);
    const same = this.#ready.find((one) => one.openMs === openMs) ??
      this.#held.find((one) => one.openMs === openMs);
    if (same) return fingerprint(same.row) === fingerprint(row) ? "doubled" : "disputed";
    if (this.isPast(openMs)) {
      const mark = this.#recent.find(([recentMs]) => recentMs === openMs);
      return !mark || mark[1] === fingerprint(row) ? "doubled" : "disputed";
    }
    if (!this.isNext(openMs)) {
      this.#hold(candle);
      return "held";
    }
    this.#append(candle);
    this.#release();
    return "ready";
  }

  /**
   * Takes in closed candles from REST.
   *
   * @param rows Ascending, asked for from {@linkcode Slots.askFromMs} on, with none left out that
   * REST has. A row without an open time counts for the slot it stands in.
   */
  fill(rows: readonly unknown[]): Filled {
    const known = new Set(this.#held);
    const before = this.#ready.length;
    const holes: Hole[] = [];
    const corrected: number[] = [];
    const tooLate: number[] = [];
    for (const value of rows) {
      const row = Array.isArray(value) ? value : [value];
      const openMs = openOf(row) ?? this.expectedMs;
      if (openMs < this.#fromMs) continue;
      if (this.isPast(openMs)) {
        const verdict = this.#compare(openMs, row);
        if (verdict === "corrected") corrected.push(openMs);
        if (verdict === "new") tooLate.push(openMs);
        continue;
      }
      while ((this.#held[0]?.openMs ?? Infinity) < openMs) this.#append(this.#held.shift(), holes);
      if (this.#held[0]?.openMs === openMs) known.delete(this.#held[0]);
      const isKnown = this.#held[0]?.openMs === openMs && this.#held.shift() !== undefined;
      const candle = this.#candle(openMs, row);
      if (isKnown) known.add(candle);
      this.#append(candle, holes);
    }
    this.#release();
    const added = this.#ready.slice(before);
    const recovered = added.filter((candle) => !known.has(candle)).length;
    return { added, recovered, holes, corrected, tooLate };
  }

  /** Lets candles go that were corrected after they had left. */
  takeCorrections(): readonly ReadyCandle[] {
    const taken = this.#corrections;
    this.#corrections = [];
    return taken;
  }

  /** Lets ready candles go whose slot ends before a moment, or at it. */
  take(untilMs: number): readonly ReadyCandle[] {
    const end = this.#ready.findIndex(({ endMs }) => endMs > untilMs);
    const taken = this.#ready.splice(0, end < 0 ? this.#ready.length : end);
    this.#afterMs = taken.at(-1)?.openMs ?? this.#afterMs;
    const marks = taken.slice(-RECENT).map(({ openMs, row }): Mark => [openMs, fingerprint(row)]);
    this.#recent = [...this.#recent, ...marks].slice(-RECENT);
    return taken;
  }

  /** Forgets what is held: REST is asked for it. */
  drop(): void {
    this.#held = [];
  }

  #candle(openMs: number, row: readonly unknown[]): ReadyCandle {
    return { openMs, endMs: this.#endOf(openMs), row };
  }

  /** Candles off the grid belong to the slot they open in. */
  #endOf(openMs: number): number {
    return nextOpen(this.interval, floorToInterval(this.interval, openMs));
  }

  #append(candle: ReadyCandle | undefined, holes?: Hole[]): void {
    if (!candle) return;
    const { openMs } = candle;
    if (this.#tailMs !== undefined) {
      const missing = missingBetween(this.interval, this.#tailMs, openMs);
      if (missing > 0) holes?.push({ afterMs: this.#tailMs, toMs: openMs, missing });
    }
    this.#ready.push(candle);
    this.#tailMs = openMs;
    this.#frontierMs = this.#endOf(this.expectedMs);
  }

  #hold(candle: ReadyCandle): void {
    const at = this.#held.findIndex(({ openMs }) => openMs > candle.openMs);
    this.#held.splice(at < 0 ? this.#held.length : at, 0, candle);
    if (this.#held.length > MOST_HELD) this.#held.shift();
  }

  /** Lets candles through that waited for the last one. */
  #release(): void {
    for (let first = this.#held[0]; first; first = this.#held[0]) {
      if (!this.isPast(first.openMs)) {
        if (!this.isNext(first.openMs)) return;
        this.#append(first);
      }
      this.#held.shift();
    }
  }

  /** Compares a candle that is known with what REST has; REST is right. */
  #compare(openMs: number, row: readonly unknown[]): "same" | "replaced" | "corrected" | "new" {
    const at = this.#ready.findIndex((candle) => candle.openMs === openMs);
    const print = fingerprint(row);
    if (at >= 0) {
      const ready = this.#ready[at];
      if (!ready || fingerprint(ready.row) === print) return "same";
      this.#ready[at] = { ...ready, row };
      return "replaced";
    }
    const mark = this.#recent.findIndex(([recentMs]) => recentMs === openMs);
    if (mark >= 0) {
      if (this.#recent[mark]?.[1] === print) return "same";
      this.#recent[mark] = [openMs, print];
      this.#corrections = this.#corrections.filter((candle) => candle.openMs !== openMs);
      this.#corrections.push(this.#candle(openMs, row));
      return "corrected";
    }
    if (openMs > (this.#afterMs ?? -Infinity)) {
      const before = this.#ready.findIndex((candle) => candle.openMs > openMs);
      this.#ready.splice(before, 0, this.#candle(openMs, row));
      return "replaced";
    }
    return openMs > (this.#recent[0]?.[0] ?? Infinity) ? "new" : "same";
  }
}
