/**
 * The history of series, range by range: for audits and repairs.
 *
 * @module
 */

import { z } from "zod";
import type { Context } from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";
import {
  floorToInterval,
  type Interval,
  intervalMs,
  INTERVALS,
  nextOpen,
} from "../../engine/interval.ts";
import type { Position, SeriesRange, SourceHistory } from "../../engine/plugin.ts";
import type { RawCandle, Series } from "../../engine/point.ts";
import { resolveTime, type Time } from "../../engine/time.ts";
import { BinanceClient } from "./client.ts";
import { lookUpSymbols, type SymbolInfo } from "./exchange_info.ts";
import { History, readHistories } from "./history.ts";
import { EARLIEST_MS } from "./options.ts";
import { placeOf } from "../_place.ts";

/** Options of a source that its history depends on. */
export interface HistoryOptions {
  /** The symbols. */
  readonly symbols: readonly string[];
  /** Their interval, or several. */
  readonly interval: Interval | readonly Interval[];
  /** The first open time; undefined where the source only reads what is to come. */
  readonly from?: Time | undefined;
  /** The end of the open times, exclusive. */
  readonly to?: Time | undefined;
  /** The address of the exchange, for REST. */
  readonly base_url: string;
  /** The share of its limits that may be used. */
  readonly weight_share: number;
}

interface Exchange {
  readonly client: BinanceClient;
  readonly infos: readonly SymbolInfo[];
}

/** Symbols are looked up once for all ranges that are read in one context. */
const EXCHANGES = new WeakMap<Context, Promise<Exchange>>();

/**
 * Makes the history of a source of candles.
 *
 * Ranges end where the position stands; without one, with the last candle that has closed. Candles
 * the exchange never made are absent; an answer that lacks some is asked for once more, as the
 * source does.
 *
 * @param view The options it depends on.
 */
export function historyOf<Options>(
  view: (options: Options) => HistoryOptions,
): SourceHistory<Options, RawCandle> {
  return {
    ranges: (options, from, context) => rangesOf(view(options), from, context),
    read: (options, range, context) => readRange(view(options), range, context),
  };
}

/** What the history needs to know of where a series stands. */
const placeSchema = z.object({ from: z.int(), after: z.int().optional() });

async function rangesOf(
  options: HistoryOptions,
  position: Position,
  context: Context,
): Promise<SeriesRange[]> {
  const { client, infos } = await exchangeOf(options, context);
  const nowMs = client.now();
  const fromMs = options.from && Math.max(EARLIEST_MS, resolveTime(options.from, nowMs));
  const toMs = options.to ? resolveTime(options.to, nowMs) : Infinity;
  const intervals = [options.interval].flat();
  return infos.flatMap(({ symbol, base, quote }) =>
    intervals.map((interval): SeriesRange => {
      const tags = { exchange: "binance", symbol, base, quote, interval };
      const place = placeOf(placeSchema, position, `${symbol}@${interval}`);
      if (!place) return { tags, fromMs, toMs: Math.min(toMs, closedEndMs(interval, nowMs)) };
      const { from, after } = place;
      return {
        tags,
        fromMs: Math.min(from, fromMs ?? from),
        toMs: after === undefined ? from : endOf(interval, after),
      };
    })
  );
}

/** The end of the slot that a candle opens in. */
function endOf(interval: Interval, openMs: number): number {
  return nextOpen(interval, interval === "3d" ? openMs : floorToInterval(interval, openMs));
}

async function* readRange(
  options: HistoryOptions,
  { tags, fromMs = EARLIEST_MS, toMs }: SeriesRange,
  context: Context,
): AsyncGenerator<readonly RawCandle[]> {
  const { client } = await exchangeOf(options, context);
  const [series, interval] = requireSeries(tags);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const nowMs = client.now();
  const history = new History({
    ...{ series, interval, fromMs, afterMs: undefined, endMs: Math.min(toMs, nowMs), nowMs },
    ...{ client, context, signal },
  });
  try {
    for await (const { page } of readHistories([history])) {
      for (const [name, count] of Object.entries(page.oddities)) {
        if (count > 0) context.metrics.count(name, count);
      }
      context.signal.throwIfAborted();
      if (page.rows.length > 0) {
        yield page.rows.map((candle) => ({ series, candle, closed: true }));
      }
    }
  } finally {
    stop.abort(new DOMException("The reading has ended", "AbortError"));
    await history.settled();
  }
}

function exchangeOf(options: HistoryOptions, context: Context): Promise<Exchange> {
  const known = EXCHANGES.get(context);
  if (known) return known;
  const exchange = lookUp(options, context);
  EXCHANGES.set(context, exchange);
  // The next question tries again.
  exchange.catch(() => EXCHANGES.delete(context));
  return exchange;
}

async function lookUp(options: HistoryOptions, context: Context): Promise<Exchange> {
  const { base_url: baseUrl, weight_share: weightShare } = options;
  const client = new BinanceClient({ baseUrl, weightShare, context });
  const infos = await lookUpSymbols(client, options.symbols, context, context.signal);
  return { client, infos };
}

/**
 * The end of the open times of candles that have closed, exclusive: when the open candle opens.
 *
 * @param interval The interval.
 * @param nowMs The exchange's time, in epoch milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const nowMs = Date.UTC(2024, 0, 5, 12, 30);
 * assertEquals(closedEndMs("1h", nowMs), Date.UTC(2024, 0, 5, 12));
 * assertEquals(closedEndMs("3d", nowMs), Date.UTC(2024, 0, 3));
 * ```
 */
export function closedEndMs(interval: Interval, nowMs: number): number {
  if (interval !== "3d") return floorToInterval(interval, nowMs);
  // Where candles of three days open is not documented, but it is at the turn of a day, and only
  // one of them is open at a time.
  return floorToInterval("1d", nowMs) - intervalMs("3d") + intervalMs("1d");
}

function requireSeries(tags: SeriesRange["tags"]): [Series, Interval] {
  const { exchange = "", symbol = "", base = "", quote = "", interval: name } = tags;
  const interval = INTERVALS.find((one) => one === name);
  if (symbol && interval) return [{ exchange, symbol, base, quote, interval }, interval];
  throw new FatalError(
    `Cannot read the history of a series as it must have the tags "symbol" and "interval": it has ${
      JSON.stringify(tags)
    }`,
  );
}
