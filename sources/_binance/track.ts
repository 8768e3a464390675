/**
 * One series of a feed: its slots, and what goes on around them.
 *
 * @module
 */

import { nextOpen } from "../../engine/interval.ts";
import type { Slots } from "./slots.ts";
import type { StreamCandle } from "./frame.ts";

/** How far REST may lag: what it lacks for longer than this after a slot ended will not come. */
export const QUIET_MS = 30_000;
/** How long REST needs until the last candle has its final values. */
export const SETTLE_MS = 3_000;
/** The first and the longest wait before REST is asked again for what it did not have. */
const ASK_AGAIN_MS = { first: 2_000, most: 60_000 } as const;

/** What the stream last showed of a series. */
export interface Seen {
  /** Open time of the candle. */
  readonly openMs: number;
  /** Its trades so far. */
  readonly trades: number;
  /** When it was seen. */
  readonly atMs: number;
}

/** Why the others do not wait for a series: it has nothing, cannot be had, or is no more. */
export type Excuse = "quiet" | "lost" | "gone";

/** One series on its way. */
export class Track {
  /** Its index. */
  readonly at: number;
  /** Its candles. */
  readonly slots: Slots;
  /** Whether REST is being asked. */
  isAsking = false;
  /** When the candles that REST gave are compared once more. */
  confirmMs = Infinity;
  /** Whether its stream is open. */
  isHeard = false;
  /** Its stream was cut off until then: what ended before is asked for without delay. */
  cutMs: number;
  /** Why the others do not wait for it. */
  excuse: Excuse | undefined;
  /** What the stream last showed. */
  seen: Seen | undefined;
  /** The newest snapshot of the open candle that has not left. */
  snapshot: StreamCandle | undefined;
  /** Candles in a row that had trades and that only REST gave. */
  missed = 0;
  #quietAsks = 0;
  #notBeforeMs = -Infinity;
  #quietMs = -Infinity;
  /** Only what REST says of the time up to then excuses it; Infinity while it cannot speak. */
  #heedMs = Infinity;

  /** Begins as one that was cut off until now. */
  constructor(at: number, slots: Slots, cutMs: number) {
    this.at = at;
    this.slots = slots;
    this.cutMs = cutMs;
  }

  /** Candles of other series that end up to here need not wait for this one. */
  get waitMs(): number {
    return Math.max(this.slots.frontierMs, this.#quietMs - QUIET_MS);
  }

  /** When REST is to be asked for it next. */
  askMs(lateMs: number): number {
    const { slots } = this;
    if (this.isAsking || this.excuse === "gone") return Infinity;
    const endMs = nextOpen(slots.interval, slots.expectedMs);
    const delayMs = endMs <= this.cutMs || slots.hasGap ? 0 : lateMs;
    return Math.min(this.confirmMs, Math.max(endMs + delayMs, this.#notBeforeMs));
  }

  /** Its stream is cut off: it cannot speak, so that silence excuses nothing. */
  cut(): void {
    this.isHeard = false;
    if (this.excuse === "quiet") this.excuse = undefined;
    this.#heedMs = Infinity;
  }

  /** Its stream is open. */
  join(nowMs: number): void {
    this.isHeard = true;
    if (this.#heedMs !== Infinity) return;
    this.#heedMs = this.cutMs = nowMs;
    this.#quietAsks = this.missed = 0;
    this.#notBeforeMs = -Infinity;
  }

  /** A close arrived behind a gap: REST is asked at once, unless it just had nothing. */
  holdOn(): void {
    if (this.#quietAsks === 0) this.#notBeforeMs = -Infinity;
  }

  /** It has moved on, and owes nothing. */
  settle(): void {
    this.#quietAsks = 0;
    this.#notBeforeMs = this.#quietMs = -Infinity;
    if (this.excuse === "lost") this.excuse = undefined;
  }

  /** REST had nothing more when it was asked. */
  fallQuiet(askedMs: number, nowMs: number): void {
    const { first, most } = ASK_AGAIN_MS;
    this.#notBeforeMs = nowMs + Math.min(most, first * 2 ** this.#quietAsks++);
    this.#quietMs = askedMs;
    const isSure = askedMs - QUIET_MS >= Math.max(this.slots.frontierMs, this.#heedMs);
    if (isSure && !this.slots.hasGap) this.excuse ??= "quiet";
  }

  /**
   * Another series, or this one, has a candle after a time without.
   *
   * @param sinceMs The end of the first slot in that time.
   * @param endMs The end of that candle: only what REST says of the time up to there excuses again.
   */
  heed(sinceMs: number, endMs: number): void {
    if (this.excuse !== "quiet" || endMs <= this.#heedMs) return;
    if (nextOpen(this.slots.interval, this.slots.frontierMs) <= sinceMs) return;
    this.excuse = undefined;
    this.#heedMs = endMs;
    this.#quietAsks = 0;
    this.#notBeforeMs = -Infinity;
  }

  /** Takes the snapshot out, if all that comes before it has left. */
  takeSnapshot(): StreamCandle | undefined {
    const { snapshot, slots } = this;
    if (!snapshot || slots.readyCount > 0) return undefined;
    const isPast = slots.isPast(snapshot.openMs);
    const isProven = this.#quietMs >= snapshot.openMs + SETTLE_MS;
    if (!isPast && !isProven && !slots.isNext(snapshot.openMs)) return undefined;
    this.snapshot = undefined;
    return isPast ? undefined : snapshot;
  }
}
