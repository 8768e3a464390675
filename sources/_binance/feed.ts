/**
 * All series of a live source, put in one order: a pure state machine, without clock or network.
 *
 * Closed candles leave in the order in which their slots end, and those of one moment in the order
 * of the series. The order follows from the candles alone, so that a run that was cut off, or fell
 * behind, gives what one without troubles would have given. For that, a candle waits for those of
 * other series that come before it. It stops waiting for a series that REST, asked a while after
 * the slot ended, says nothing of, until that one speaks again; and, after the patience that is
 * given, for one of which REST cannot be asked.
 *
 * @module
 */

import type { SeriesStatus } from "../../engine/context.ts";
import type { Interval } from "../../engine/interval.ts";
import { nextOpen } from "../../engine/interval.ts";
import { openOf } from "./holes.ts";
import { type Arrival, type Filled, type Place, type ReadyCandle, Slots } from "./slots.ts";
import type { StreamCandle } from "./frame.ts";
import { QUIET_MS, type Seen, SETTLE_MS, Track } from "./track.ts";

/**
 * When a candle that REST gave soon after its end is compared once more, counted from there: before
 * the next one of a minute closes, as indicators can go back by one candle alone.
 */
const CONFIRM_MS = 35_000;

/** What a feed is told when it is made. */
export interface FeedOptions {
  /** The series, in the order of the options, and where each of them stands. */
  readonly series: readonly { readonly interval: Interval; readonly place: Place }[];
  /** What time it is, in epoch milliseconds. */
  readonly startMs: number;
  /** How long after its end a candle may come before REST is asked for it. */
  readonly lateMs: number;
  /** How long candles wait for another series at the most. */
  readonly patienceMs: number;
  /** How many candles may be kept. */
  readonly mostKept: number;
  /** How many candles a page of REST has at the most. */
  readonly pageRows: number;
  /** Whether snapshots of open candles leave as well. */
  readonly givesOpen: boolean;
}

/** Something that leaves. */
export interface Leaving {
  /** The index of its series. */
  readonly at: number;
  /** Its columns as a REST row. */
  readonly candle: readonly unknown[];
  /** Whether it is final. */
  readonly closed: boolean;
}

/** How a series stands. */
export type Standing = Omit<SeriesStatus, "labels">;

/** The candles of several series on their way out. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #tracks: readonly Track[];
  #kept = 0;
  #blockedBy: Track | undefined;
  #blockedSinceMs = 0;
  #changed = new Set<Track>();
  /** Whether a series may be excused as quiet. */
  #hasQuiet = false;

  /** Begins where the series stand. */
  constructor(options: FeedOptions) {
    this.#options = options;
    this.#tracks = options.series.map(({ interval, place }, at) =>
      new Track(at, new Slots(interval, place), options.startMs)
    );
  }

  /** How many candles are kept. */
  get kept(): number {
    return this.#kept;
  }

  /** The slots of a series. */
  slots(at: number): Slots {
    return this.#track(at).slots;
  }

  /** What the stream last showed of a series. */
  seen(at: number): Seen | undefined {
    return this.#track(at).seen;
  }

  /** How many candles with trades in a row the stream did not give. */
  missed(at: number): number {
    return this.#track(at).missed;
  }

  /** Takes in what a stream sent. */
  hear(at: number, candle: StreamCandle, nowMs: number): Arrival | "open" | "left" {
    const track = this.#track(at);
    const { slots } = track;
    const { openMs, trades } = candle;
    track.seen = { openMs, trades, atMs: nowMs };
    if (!slots.isPast(openMs)) this.#speak(track, openMs);
    if (!candle.closed) {
      const isLatest = openMs >= (track.snapshot?.openMs ?? -Infinity);
      if (this.#options.givesOpen && isLatest && !slots.isPast(openMs)) track.snapshot = candle;
      return "open";
    }
    track.missed = 0;
    // What there is no room for is asked of REST later: its slot stays open.
    const isNew = !slots.isPast(openMs);
    if (isNew && this.#kept >= this.#options.mostKept) return "left";
    const arrival = this.#counted(track, () => slots.arrive(openMs, candle.row));
    if (arrival === "held") track.holdOn();
    if (arrival === "disputed") track.confirmMs = Math.min(track.confirmMs, nowMs + SETTLE_MS);
    if (arrival === "ready") track.settle();
    return arrival;
  }

  /** Says that REST is asked for a series. */
  ask(at: number): void {
    this.#track(at).isAsking = true;
  }

  /**
   * Takes in what REST answered.
   *
   * @param at The index of the series.
   * @param rows Closed candles.
   * @param asked When the question was asked, and what time it is.
   */
  fill(
    at: number,
    rows: readonly unknown[],
    asked: { readonly askedMs: number; readonly nowMs: number },
  ): Filled {
    const track = this.#track(at);
    const { slots } = track;
    const { askedMs, nowMs } = asked;
    const lastMs = openOf(rows.at(-1));
    if (lastMs !== undefined && !slots.isPast(lastMs)) this.#speak(track, lastMs);
    const filled = this.#counted(track, () => slots.fill(rows));
    track.isAsking = false;
    track.confirmMs = Infinity;
    if (filled.corrected.length > 0) this.#changed.add(track);
    const last = filled.added.at(-1);
    if (last) {
      track.settle();
      // REST may have given it too early: even one that the stream gave as well is compared again.
      if (last.endMs > askedMs - QUIET_MS) track.confirmMs = last.endMs + CONFIRM_MS;
      const isOwed = ({ endMs, row }: ReadyCandle) => endMs > track.cutMs && Number(row[8]) > 0;
      if (filled.recovered > 0 && filled.added.some(isOwed)) track.missed++;
      return filled;
    }
    // A page has room for more than the candles that are compared: nothing new means nothing more.
    if (slots.frontierMs <= askedMs) track.fallQuiet(askedMs, nowMs);
    this.#hasQuiet ||= track.excuse === "quiet";
    return filled;
  }

  /** Says that REST no longer knows a series. */
  remove(at: number): void {
    const track = this.#track(at);
    track.excuse = "gone";
    track.isAsking = false;
    this.#counted(track, () => track.slots.drop());
  }

  /** Says that the stream of a series is cut off. */
  cut(at: number): void {
    this.#track(at).cut();
  }

  /** Says that the stream of a series is open: what it missed meanwhile is asked for without delay. */
  join(at: number, nowMs: number): void {
    this.#track(at).join(nowMs);
  }

  /** The series to ask REST for now, those furthest behind first. */
  due(nowMs: number): number[] {
    const due = this.#tracks.filter((track) =>
      track.askMs(this.#options.lateMs) <= nowMs && !this.#hasPlenty(track)
    );
    if (due.length === 0) return [];
    due.sort((a, b) => a.slots.frontierMs - b.slots.frontierMs || a.at - b.at);
    if (this.#kept < this.#options.mostKept) return due.map(({ at }) => at);
    // Full: what is ready has to leave first. Where all wait for one series, that one is asked for.
    const blocker = this.#blocker();
    const canLeave = this.#tracks.some((track) => this.#isFree(track, blocker));
    return canLeave ? [] : due.filter((track) => track === blocker).map(({ at }) => at);
  }

  /** When REST is to be asked next, as far as it is known now. */
  nextAskMs(): number {
    let next = Infinity;
    for (const track of this.#tracks) {
      if (!this.#hasPlenty(track)) next = Math.min(next, track.askMs(this.#options.lateMs));
    }
    return next;
  }

  /** When {@linkcode Feed.take} may give more although nothing comes in. */
  nextTakeMs(): number {
    return this.#blockedBy ? this.#blockedSinceMs + this.#options.patienceMs : Infinity;
  }

  /**
   * Lets go what may leave.
   *
   * @returns What leaves, in order; `lost` is a series that is no longer waited for, `madeRoom` says
   * whether REST can now be asked for what had to wait.
   */
  take(
    nowMs: number,
  ): { leaving: Leaving[]; moved: number[]; lost: number | undefined; madeRoom: boolean } {
    const madeRoom = this.#kept >= this.#options.mostKept ||
      this.#tracks.some((track) => this.#hasPlenty(track));
    const leaving: Leaving[] = [];
    for (const track of this.#changed) {
      const candles = this.#counted(track, () => track.slots.takeCorrections());
      for (const { row } of candles) leaving.push({ at: track.at, candle: row, closed: true });
    }
    const moved = new Set([...this.#changed].map(({ at }) => at));
    this.#changed.clear();
    const lost = this.#takeReady(nowMs, leaving, moved);
    for (const track of this.#options.givesOpen ? this.#tracks : []) {
      const snapshot = track.takeSnapshot();
      if (snapshot) leaving.push({ at: track.at, candle: snapshot.row, closed: false });
    }
    return { leaving, moved: [...moved], lost, madeRoom };
  }

  /**
   * How a series stands.
   *
   * One that is halted, or was taken off the list, lacks nothing; one whose stream is cut off is not
   * live, as it does not hear what comes next.
   */
  standing(at: number, nowMs: number): Standing {
    const { slots, excuse, isHeard } = this.#track(at);
    const isIdle = excuse === "gone" || (excuse === "quiet" && slots.readyCount === 0);
    const lagMs = isIdle ? 0 : Math.max(0, nowMs - slots.dueMs);
    const isLive = lagMs <= this.#options.lateMs && (isHeard || excuse === "gone");
    return { isLive, lagMs, lastMs: slots.leftMs };
  }

  #takeReady(nowMs: number, leaving: Leaving[], moved: Set<number>): number | undefined {
    const blocker = this.#blocker();
    const ready: (ReadyCandle & { readonly at: number })[] = [];
    let isBlocked = false;
    for (const track of this.#tracks) {
      const { slots, at } = track;
      if (slots.headMs === Infinity) continue;
      if (!this.#isFree(track, blocker)) {
        isBlocked = true;
        continue;
      }
      const endMs = blocker ? blocker.waitMs : Infinity;
      const untilMs = blocker && at > blocker.at ? endMs - 1 : endMs;
      const taken = this.#counted(track, () => slots.take(untilMs));
      for (const candle of taken) ready.push({ ...candle, at });
      if (slots.headMs !== Infinity) isBlocked = true;
      moved.add(at);
    }
    ready.sort((a, b) => a.endMs - b.endMs || a.at - b.at || a.openMs - b.openMs);
    for (const { at, row } of ready) leaving.push({ at, candle: row, closed: true });
    return this.#endPatience(nowMs, isBlocked ? blocker : undefined);
  }

  /** Stops waiting for a series that others have waited for long enough. */
  #endPatience(nowMs: number, blocker: Track | undefined): number | undefined {
    if (blocker !== this.#blockedBy) this.#blockedSinceMs = nowMs;
    this.#blockedBy = blocker;
    if (!blocker || nowMs - this.#blockedSinceMs < this.#options.patienceMs) return undefined;
    blocker.excuse = "lost";
    this.#blockedBy = undefined;
    return blocker.at;
  }

  /** The series whose next candle comes first of all that have none ready. */
  #blocker(): Track | undefined {
    if (this.#options.patienceMs === 0) return undefined;
    let first: Track | undefined;
    let firstMs = Infinity;
    for (const track of this.#tracks) {
      const { waitMs } = track;
      if (track.excuse || waitMs >= firstMs) continue;
      first = track;
      firstMs = waitMs;
    }
    return first;
  }

  #isFree({ slots, at }: Track, blocker: Track | undefined): boolean {
    if (slots.headMs === Infinity) return false;
    if (!blocker) return true;
    const waitMs = blocker.waitMs;
    return at > blocker.at ? slots.headMs < waitMs : slots.headMs <= waitMs;
  }

  #hasPlenty({ slots }: Track): boolean {
    return slots.readyCount >= this.#options.pageRows / 2;
  }

  /**
   * A series that speaks again is waited for again. So are others that fell quiet when it did, or
   * later: most halts are of the whole exchange, and the first candle after one may be lost.
   */
  #speak({ slots, excuse }: Track, openMs: number): void {
    if (!this.#hasQuiet) return;
    const goesOn = excuse !== "quiet" && slots.isNext(openMs);
    const endMs = nextOpen(slots.interval, openMs);
    for (const other of this.#tracks) {
      // A candle that follows the last one tells of a halt within it alone.
      if (goesOn && other.slots.frontierMs <= openMs) continue;
      other.heed(goesOn ? openMs : slots.frontierMs, endMs);
    }
    this.#hasQuiet = this.#tracks.some(({ excuse }) => excuse === "quiet");
  }

  #counted<T>(track: Track, change: () => T): T {
    const before = track.slots.size;
    const result = change();
    this.#kept += track.slots.size - before;
    return result;
  }

  #track(at: number): Track {
    const track = this.#tracks[at];
    if (!track) throw new RangeError(`There is no series ${at}`);
    return track;
  }
}
