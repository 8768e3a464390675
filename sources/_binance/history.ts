/**
 * Reads the history of several series side by side, page by page, in an order that depends on
 * nothing but where each of them stands.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import { FatalError, RetryableError } from "../../engine/errors.ts";
import { floorToInterval, type Interval, missingBetween, nextOpen } from "../../engine/interval.ts";
import type { Series } from "../../engine/point.ts";
import { RefusedError, UNKNOWN_SYMBOL } from "./answer.ts";
import type { BinanceClient } from "./client.ts";
import { arrangePage, insertRows, type Page, type PageQuery, suspectHoles } from "./page.ts";
import { parseRows } from "./rows.ts";

const PATH = "/api/v3/klines";
const WEIGHT = 2;
/** The most rows the exchange gives at once. */
const PAGE_ROWS = 1_000;
/** How many series are read ahead, one page each: enough to use the limits, little to keep. */
const SERIES_AHEAD = 8;
/** How long the exchange's database may take until the last candle has its final values. */
const SETTLE_MS = 3_000;

/** What reading one series takes. */
export interface HistoryParts {
  /** The series. Its records share this object. */
  readonly series: Series;
  /** Its interval. */
  readonly interval: Interval;
  /** The first open time, in epoch milliseconds. */
  readonly fromMs: number;
  /** The open time of the last candle that was read before; undefined before the first. */
  readonly afterMs: number | undefined;
  /** The end of the open times, exclusive: never later than `nowMs`. */
  readonly endMs: number;
  /** The exchange's time at which a candle must have closed to be read. */
  readonly nowMs: number;
  /** Whom to ask. */
  readonly client: BinanceClient;
  /** For retries and waiting. */
  readonly context: Pick<Context, "retry" | "sleep">;
  /** Ends requests under way. */
  readonly signal: AbortSignal;
  /** The most rows of a page: fewer where many series are kept at once. */
  readonly pageRows?: number;
}

/** The history of one series, page by page. */
export class History {
  readonly #parts: HistoryParts;
  #afterMs: number | undefined;
  #isDone: boolean;
  #isExhausted = false;
  #page: Promise<Page> | undefined;

  /** Nothing is asked yet. */
  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.#afterMs = parts.afterMs;
    this.#isDone = this.nextMs >= parts.endMs;
  }

  /** The series. */
  get series(): Series {
    return this.#parts.series;
  }

  /** Its interval. */
  get interval(): Interval {
    return this.#parts.interval;
  }

  /** The first open time that is wanted. */
  get fromMs(): number {
    return this.#parts.fromMs;
  }

  /** The open time of the last candle that was taken; undefined before the first. */
  get afterMs(): number | undefined {
    return this.#afterMs;
  }

  /** The first open time to ask for next. */
  get nextMs(): number {
    return this.#afterMs === undefined ? this.#parts.fromMs : this.#afterMs + 1;
  }

  /** Whether nothing follows. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the exchange had no more than was taken. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** How many candles lack between the last that was taken and the end; 0 before the first. */
  get lacking(): number {
    if (this.#afterMs === undefined) return 0;
    return missingBetween(this.#parts.interval, this.#afterMs, this.#closedEndMs());
  }

  /** How much of the time asked for is covered, from 0 to 1. It follows from where it stands. */
  get progress(): number {
    const { fromMs, interval } = this.#parts;
    if (this.#isExhausted) return 1;
    const wholeMs = this.#closedEndMs() - fromMs;
    if (wholeMs <= 0) return 1;
    const reachedMs = this.#afterMs === undefined ? fromMs : nextOpen(interval, this.#afterMs);
    return Math.min(1, (reachedMs - fromMs) / wholeMs);
  }

  /** Begins to read the next page, once. A failure that may pass is forgotten. */
  readAhead(): void {
    if (this.#isDone) return;
    this.#begin();
  }

  /** Takes the next page: the rows it gives are read. */
  async take(): Promise<Page> {
    const { context, series } = this.#parts;
    const page = await context.retry(`read candles of ${series.symbol}`, () => this.#begin());
    this.#page = undefined;
    this.#afterMs = page.lastMs ?? this.#afterMs;
    this.#isDone = page.isLast;
    this.#isExhausted = page.isLast && page.rows.length === 0;
    return page;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#page?.catch(() => {});
  }

  /** The end of the last candle that can have closed. */
  #closedEndMs(): number {
    const { interval, endMs, nowMs } = this.#parts;
    if (endMs < nowMs) return endMs;
    // Where candles of three days open is not documented, but it is at the turn of a day.
    return floorToInterval(interval === "3d" ? "1d" : interval, nowMs);
  }

  #begin(): Promise<Page> {
    if (this.#page) return this.#page;
    const page = this.#read();
    this.#page = page;
    page.catch((error) => {
      // Whoever takes the page tries again; any other error waits for him.
      if (error instanceof RetryableError && this.#page === page) this.#page = undefined;
    });
    return page;
  }

  async #read(): Promise<Page> {
    const { client, context, signal } = this.#parts;
    const settledMs = this.#closedEndMs() + SETTLE_MS;
    for (;;) {
      const waitMs = settledMs - client.now();
      const page = await this.#readOnce();
      if (waitMs <= 0 || !this.#touchesEnd(page)) return page;
      await context.sleep(waitMs, signal);
    }
  }

  async #readOnce(): Promise<Page> {
    const { series: { symbol }, interval, endMs, nowMs } = this.#parts;
    const startMs = this.nextMs;
    const query = { symbol, interval, afterMs: this.#afterMs, startMs, endMs, nowMs };
    return await this.#fill(
      arrangePage(await this.#ask(startMs, endMs, this.#parts.pageRows), query),
      query,
    );
  }

  /** Whether a page shows, or lacks, a candle that may have just closed. */
  #touchesEnd({ lastMs, isLast }: Page): boolean {
    const { interval } = this.#parts;
    return isLast || (lastMs !== undefined && nextOpen(interval, lastMs) >= this.#closedEndMs());
  }

  /** Asks once more for candles that are missing: an answer may lack what the exchange has. */
  async #fill(page: Page, query: PageQuery): Promise<Page> {
    let filled = page;
    for (const { afterMs, toMs } of suspectHoles(page, query)) {
      const rows = await this.#ask(afterMs + 1, toMs);
      if (rows.length === 0) continue;
      const part = arrangePage(rows, { ...query, afterMs, startMs: afterMs + 1, endMs: toMs });
      filled = insertRows(filled, part, toMs, query);
    }
    return filled;
  }

  async #ask(startMs: number, endMs: number, limit = PAGE_ROWS): Promise<readonly unknown[]> {
    const { series, interval, client, signal } = this.#parts;
    const { symbol } = series;
    const action = `read candles of ${symbol}`;
    const query = { symbol, interval, startTime: startMs, endTime: endMs - 1, limit };
    const request = { action, path: PATH, query, weight: WEIGHT, parse: parseRows };
    const { value } = await client.get(request, signal).catch((error) => {
      if (!(error instanceof RefusedError) || error.code !== UNKNOWN_SYMBOL) throw error;
      throw new FatalError(`Cannot ${action}: the exchange has taken the symbol off its list`, {
        cause: error,
        hint: "Take it out of `symbols`; what was read of it stays",
      });
    });
    if (Array.isArray(value)) return value;
    throw new FatalError(`Cannot ${action} as an answer must be a list of rows: it is none`, {
      hint: "Check that `base_url` is the address of the exchange itself",
    });
  }
}

/** A page, and the series it belongs to. */
export interface TakenPage {
  /** The series, which stands after the page. */
  readonly history: History;
  /** The page: it may have no rows. */
  readonly page: Page;
}

/**
 * Reads several series, always the one that is furthest behind; of those equally far the first.
 *
 * The order follows from where the series stand, so a run that is resumed goes on as it would
 * have. Pages are asked for ahead of their turn, for a bounded number of series.
 *
 * @param histories The series. They end when the reading does, early or not.
 */
export async function* readHistories(histories: readonly History[]): AsyncGenerator<TakenPage> {
  for (;;) {
    const [history] = readAhead(histories);
    if (!history) return;
    const page = await history.take();
    readAhead(histories);
    yield { history, page };
  }
}

/** Reads ahead for the series whose turn is near, and gives them in the order of their turns. */
function readAhead(histories: readonly History[]): History[] {
  const near = histories.filter(({ isDone }) => !isDone).sort((a, b) => a.nextMs - b.nextMs)
    .slice(0, SERIES_AHEAD);
  for (const history of near) history.readAhead();
  return near;
}
