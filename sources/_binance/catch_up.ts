/**
 * Asks REST for what the streams did not give: history, gaps, and candles that come late.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";
import { nextOpen } from "../../engine/interval.ts";
import type { Series } from "../../engine/point.ts";
import { RefusedError, UNKNOWN_SYMBOL } from "./answer.ts";
import { Bell } from "./bell.ts";
import type { BinanceClient } from "./client.ts";
import type { Feed } from "./feed.ts";
import { History, type TakenPage } from "./history.ts";
import type { Filled } from "./slots.ts";

/** How many questions are under way at once. */
const MOST_ASKING = 8;
/** How often it is told that streams lack candles. */
const TELL_MS = 60_000;
/** How often it is seen whether there is room for more. */
const LOOK_MS = 1_000;
/** How often the exchange's time is asked for: the clock of this machine may drift. */
const TIME_MS = 3_600_000;
/** How often to see whether the clock of this machine was set. */
const TIME_LOOK_MS = 30_000;

/** What catching up needs. */
export interface CatchUpParts {
  /** The series, by their index in the feed. */
  readonly series: readonly Series[];
  /** Says what to ask for, and takes the answers. */
  readonly feed: Feed;
  /** Whom to ask. */
  readonly client: BinanceClient;
  /** The world. */
  readonly context: Context;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Rows per page. */
  readonly pageRows: number;
  /** When streaming began: candles that end later should have come by stream. */
  readonly liveMs: number;
  /** Told after each answer. */
  answered(at: number): void;
}

/** Keeps asking as long as the feed lacks something. */
export class CatchUp {
  readonly #parts: CatchUpParts;
  readonly #bell = new Bell();
  readonly #asking = new Set<Promise<void>>();
  readonly #failed = Promise.withResolvers<never>();
  #recovered = 0;
  #recoveredOf = new Set<number>();
  #toldMs = -Infinity;

  /** Nothing is asked yet. */
  constructor(parts: CatchUpParts) {
    this.#parts = parts;
    this.#failed.promise.catch(() => {});
  }

  /** Has it look again for what is lacking. */
  wake(): void {
    this.#bell.ring();
  }

  /** Asks until the signal aborts. */
  async run(): Promise<void> {
    try {
      await Promise.race([this.#run(), this.#keepTime(), this.#failed.promise]);
    } finally {
      await Promise.all(this.#asking);
    }
  }

  async #run(): Promise<void> {
    const { feed, client, context, signal } = this.#parts;
    for (;;) {
      signal.throwIfAborted();
      this.#askDue();
      this.#tellRecovered();
      const isFull = this.#asking.size >= MOST_ASKING;
      const waitMs = isFull ? Infinity : feed.nextAskMs() - client.now();
      // A series that is due but has to wait for room is looked at again before long.
      const lookMs = waitMs <= 0 ? LOOK_MS : waitMs;
      const tellMs = this.#recovered > 0 ? TELL_MS : Infinity;
      await this.#bell.wait(Math.min(lookMs, tellMs), context, signal);
    }
  }

  #askDue(): void {
    const { feed, client } = this.#parts;
    const room = MOST_ASKING - this.#asking.size;
    if (room <= 0) return;
    for (const at of feed.due(client.now()).slice(0, room)) {
      feed.ask(at);
      const asking = this.#ask(at).catch((error) => this.#failed.reject(error)).finally(() => {
        this.#asking.delete(asking);
        this.#bell.ring();
      });
      this.#asking.add(asking);
    }
  }

  async #ask(at: number): Promise<void> {
    const { feed, client, context, signal, pageRows, series: all, answered } = this.#parts;
    const series = all[at];
    if (!series) return;
    const slots = feed.slots(at);
    const askedMs = Math.floor(client.now());
    const history = new History({
      ...{ series, interval: slots.interval, fromMs: slots.askFromMs, afterMs: undefined },
      ...{ endMs: askedMs, nowMs: askedMs, client, context, signal, pageRows },
    });
    const page = await history.take().catch((error) => {
      const isGone = error instanceof FatalError && error.cause instanceof RefusedError &&
        error.cause.code === UNKNOWN_SYMBOL;
      if (!isGone) throw error;
      context.log.warn(`${error.message}: nothing more comes of it`, { hint: error.hint });
      return undefined;
    });
    if (!page) {
      feed.remove(at);
      return answered(at);
    }
    const filled = feed.fill(at, page.rows, { askedMs, nowMs: client.now() });
    this.#report(at, series, filled, page.oddities);
    answered(at);
  }

  #report(at: number, series: Series, filled: Filled, oddities: TakenPage["page"]["oddities"]) {
    const { log, metrics } = this.#parts.context;
    const { symbol, interval } = series;
    for (const { afterMs, toMs, missing } of filled.holes) {
      metrics.count("holes");
      metrics.count("missing_candles", missing);
      const fromMs = nextOpen(this.#parts.feed.slots(at).interval, afterMs);
      log.warn(`Hole in ${symbol} ${interval}: the exchange has no candles`, {
        ...{ symbol, interval, from: isoOf(fromMs), to: isoOf(toMs), missing_candles: missing },
      });
    }
    for (const openMs of filled.corrected) {
      metrics.count("corrected_candles");
      log.warn(`The exchange corrected a candle of ${symbol} ${interval}: it is given again`, {
        ...{ symbol, interval, open: isoOf(openMs) },
      });
    }
    for (const openMs of filled.tooLate) {
      metrics.count("too_late_candles");
      log.warn(`A candle of ${symbol} ${interval} came after later ones had left: it is left out`, {
        ...{ symbol, interval, open: isoOf(openMs) },
      });
    }
    const odd = Object.entries(oddities).filter(([, count]) => count > 0);
    for (const [name, count] of odd) metrics.count(name, count);
    if (odd.length > 0) {
      log.warn(`Rows of ${symbol} ${interval} were not as they should be`, {
        ...{ symbol, interval },
        ...Object.fromEntries(odd),
      });
    }
    this.#countRecovered(at, filled);
  }

  #countRecovered(at: number, { added, recovered }: Filled): void {
    const { metrics } = this.#parts.context;
    const late = added.filter(({ endMs }) => endMs > this.#parts.liveMs).length;
    const count = Math.min(late, recovered);
    if (count === 0) return;
    metrics.count("gaps_filled");
    metrics.count("recovered_candles", count);
    this.#recovered += count;
    this.#recoveredOf.add(at);
  }

  /** One line a minute, however many series lack something. */
  #tellRecovered(): void {
    const { context, series } = this.#parts;
    const nowMs = context.now();
    if (this.#recovered === 0 || nowMs - this.#toldMs < TELL_MS) return;
    const [first = 0] = this.#recoveredOf;
    context.log.info("Recovered candles over REST that the streams did not give", {
      candles: this.#recovered,
      series: this.#recoveredOf.size,
      first: `${series[first]?.symbol} ${series[first]?.interval}`,
    });
    this.#toldMs = nowMs;
    this.#recovered = 0;
    this.#recoveredOf.clear();
  }

  async #keepTime(): Promise<never> {
    const { client, context, signal } = this.#parts;
    const action = "ask for the exchange's time";
    for (let learntMs = context.steady();;) {
      await context.sleep(TIME_LOOK_MS, signal);
      if (context.steady() - learntMs < TIME_MS && !client.hasJumped()) continue;
      const { value, steadyMs } = await context.retry(
        action,
        () => client.get({ action, path: "/api/v3/time", weight: 1 }, signal),
      );
      const { serverTime } = Object(value);
      if (typeof serverTime === "number") client.setTime(serverTime, steadyMs);
      learntMs = context.steady();
    }
  }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
