/**
 * One reading of live candles: streams and REST feed it, its consumer pulls from it.
 *
 * @module
 */

import type { Context, SeriesStatus } from "../../engine/context.ts";
import type { Interval } from "../../engine/interval.ts";
import type { Position, SourceBatch } from "../../engine/plugin.ts";
import type { Point, RawCandle, Series } from "../../engine/point.ts";
import { Bell } from "./bell.ts";
import { CatchUp } from "./catch_up.ts";
import type { BinanceClient } from "./client.ts";
import { Connections } from "./connections.ts";
import { Feed } from "./feed.ts";
import { ODDITIES } from "./page.ts";
import type { Place } from "./slots.ts";

/** What a candle takes in memory, about, with its bytes. */
const CANDLE_BYTES = 1_000;
/** Rows of all series that are asked for ahead, and the least and most of one page. */
const ROWS_AHEAD = 20_000;
const PAGE_ROWS = { least: 100, most: 1_000 } as const;
/**
 * What comes in within this time of a small batch is given together: one batch for each candle of a
 * burst would cost several times as much.
 */
const LINGER_MS = 5;
const SMALL_BATCH = 200;
/** How often what is buffered is measured. */
const MEASURE_MS = 1_000;

/** Options that the reading looks at. */
export interface LiveOptions {
  readonly base_url: string;
  readonly updates: "closed" | "all";
  readonly late_s: number;
  readonly silence_s: number;
  readonly first_event_s: number;
  readonly patience_s: number;
  readonly buffer_bytes: number;
  readonly streams_per_connection: number;
}

/** What a reading is made of. */
export interface LiveParts {
  /** The source's options. */
  readonly options: LiveOptions;
  /** The series, in the order in which candles of one moment leave. */
  readonly series: readonly (Series & { readonly interval: Interval })[];
  /** Where each of them stands. */
  readonly places: readonly Place[];
  /** The stored points right before those series that go on from a store. */
  readonly before: readonly Point[];
  /** Whom to ask. */
  readonly client: BinanceClient;
  /** The world; its waiting ends with the signal. */
  readonly context: Context;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** Counters that are there from the start: whoever watches sees them rise. */
const COUNTERS = [
  ...["holes", "missing_candles", "corrected_candles", "too_late_candles", "order_given_up"],
  ...["gaps_filled", "recovered_candles", "doubled_candles", "disputed_candles"],
  ...["mute_streams", "refused_subscriptions", "unknown_messages", ...ODDITIES],
];

/** A reading under way. */
export class LiveReading {
  readonly #parts: LiveParts;
  readonly #feed: Feed;
  readonly #bell = new Bell();
  #running: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #measuredMs = -Infinity;
  #toldLive = false;

  /** Nothing is opened or asked yet. */
  constructor(parts: LiveParts) {
    const { options, series, places, client } = parts;
    this.#parts = parts;
    this.#feed = new Feed({
      series: series.map(({ interval }, at) => ({ interval, place: places[at] ?? { from: 0 } })),
      startMs: client.now(),
      lateMs: 1_000 * options.late_s,
      patienceMs: 1_000 * options.patience_s,
      mostKept: Math.floor(options.buffer_bytes / CANDLE_BYTES),
      pageRows: this.#pageRows(),
      givesOpen: options.updates === "all",
    });
  }

  /**
   * Gives batches until the signal aborts.
   *
   * @param position What is kept of where the series stand.
   */
  async *batches(position: Position): AsyncGenerator<SourceBatch<RawCandle>> {
    const { client, context, signal, series, before } = this.#parts;
    const catchUp = this.#start();
    context.live(() => this.#standings());
    const unplaced = series.flatMap(({ symbol, interval }, at) =>
      `${symbol}@${interval}` in position ? [] : [at]
    );
    // A run that is killed before its first candle must not begin later.
    if (unplaced.length > 0) {
      yield {
        records: [],
        position: this.#positionOf(unplaced),
        ...(before.length > 0 ? { before } : {}),
      };
    }
    let given = 0;
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      this.#measure();
      if (given > 0 && given < SMALL_BATCH) await context.sleep(LINGER_MS, signal);
      const { leaving, moved, lost, madeRoom } = this.#feed.take(client.now());
      if (lost !== undefined) this.#tellLost(lost);
      given = leaving.length;
      if (given === 0) {
        if (lost !== undefined) continue;
        await this.#bell.wait(this.#feed.nextTakeMs() - client.now(), context, signal);
        continue;
      }
      if (madeRoom) catchUp.wake();
      yield {
        records: leaving.flatMap(({ at, candle, closed }) => {
          const one = series[at];
          return one ? [{ series: one, candle, closed }] : [];
        }),
        position: this.#positionOf(moved),
      };
    }
  }

  /** Resolves when nothing is under way. */
  async ended(): Promise<void> {
    await this.#running;
  }

  #start(): CatchUp {
    const { options, series, client, context, signal } = this.#parts;
    const feed = this.#feed;
    for (const name of COUNTERS) context.metrics.count(name, 0);
    const catchUp = new CatchUp({
      ...{ series, feed, client, context, signal },
      pageRows: this.#pageRows(),
      liveMs: client.now(),
      answered: (at) => {
        connections.check(at);
        this.#measure();
        this.#bell.ring();
      },
    });
    const connections = new Connections({
      ...{ series, feed, client, context, signal },
      baseUrl: options.base_url,
      streamsPerConnection: options.streams_per_connection,
      silenceMs: 1_000 * options.silence_s,
      firstMs: 1_000 * options.first_event_s,
      heard: (_candle, arrival) => {
        this.#measure();
        if (arrival === "held" || arrival === "disputed" || arrival === "left") catchUp.wake();
        if (arrival === "ready" || (arrival === "open" && options.updates === "all")) {
          this.#bell.ring();
        }
      },
      missed: () => catchUp.wake(),
    });
    const fail = (error: unknown) => {
      if (signal.aborted) return;
      this.#failure ??= { error };
      this.#bell.ring();
    };
    this.#running = Promise.all([catchUp.run().catch(fail), connections.run().catch(fail)]);
    return catchUp;
  }

  #positionOf(moved: readonly number[]): Position {
    return Object.fromEntries(moved.map((at) => {
      const { symbol, interval } = this.#parts.series[at] ?? { symbol: "", interval: "" };
      const { from, after, recent } = this.#feed.slots(at).place;
      return [
        `${symbol}@${interval}`,
        after === undefined ? { from } : { from, after, recent: recent ?? [] },
      ];
    }));
  }

  #pageRows(): number {
    const rows = Math.floor(ROWS_AHEAD / this.#parts.series.length);
    return Math.min(PAGE_ROWS.most, Math.max(PAGE_ROWS.least, rows));
  }

  #tellLost(at: number): void {
    const { options, series, context } = this.#parts;
    context.metrics.count("order_given_up");
    const { symbol, interval } = series[at] ?? {};
    context.log.warn(
      `Candles of ${symbol} ${interval} are missing for too long: others no longer wait for them`,
      { symbol, interval, waited_s: options.patience_s },
    );
  }

  #standings(): SeriesStatus[] {
    const nowMs = this.#parts.client.now();
    return this.#parts.series.map(({ symbol, interval }, at) => ({
      labels: { symbol, interval },
      ...this.#feed.standing(at, nowMs),
    }));
  }

  /** Called whenever something happens, as a consumer that is slow pulls rarely. */
  #measure(): void {
    const { client, context } = this.#parts;
    const nowMs = context.now();
    if (Math.abs(nowMs - this.#measuredMs) < MEASURE_MS) return;
    this.#measuredMs = nowMs;
    context.metrics.gauge("buffered_bytes", this.#feed.kept * CANDLE_BYTES);
    context.metrics.gauge("weight_used", client.budget.used(client.now()));
    if (this.#toldLive || !this.#standings().every(({ isLive }) => isLive)) return;
    this.#toldLive = true;
    context.log.info("Caught up: all series are live", { series: this.#parts.series.length });
  }
}
