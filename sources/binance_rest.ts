/**
 * Reads the candle history of Binance over REST.
 *
 * **Span.** Candles that open from `from` up to, not including, `to`. Without `to`, or with one that
 * lies ahead, reading ends with the last candle that has closed when the run starts; the open candle
 * is never given, and one that has just closed is read once its values have settled, 3 s later. A
 * later run goes on from there. `from` is fixed when reading begins, so that `30 days ago` does not
 * move while a run is stopped and resumed; `to` is worked out anew by each run. A symbol that was
 * listed after `from` begins at its listing.
 *
 * **Stored candles.** With `start: stored` a series without a position begins at the last candle that
 * the sinks hold, however long ago that was, and transforms go on from the one before it. One of
 * which too little is stored begins at `from`.
 *
 * **Order.** Ascending and without doubles per series. Of several series the one furthest behind
 * comes next, page by page, whatever the network does: a run that is resumed gives exactly what it
 * would have given.
 *
 * **Holes.** Candles that are missing are asked for once more. Those the exchange never made are
 * left out, told of once and counted in `holes` and `missing_candles`. Off-grid and truncated
 * candles are given as they are.
 *
 * **Bad rows.** Rows are given as they came. One whose open time cannot be read is given where it
 * stood, so that the transform refuses it; at the end of an answer it is asked for once more. Rows
 * out of order are put in order; of rows of one open time the last one in the answer counts; rows
 * outside the span asked for are left out. All of these are counted and told of.
 *
 * **Limits.** The exchange's limits are read from it, and the use that others make of this address
 * is taken into account. A 429, a ban or a firewall's page stops all requests for as long as asked.
 *
 * @module
 */

import { z } from "zod";
import { hostOf } from "../engine/address.ts";
import type { Context } from "../engine/context.ts";
import { OptionsError } from "../engine/errors.ts";
import { INTERVALS, nextOpen } from "../engine/interval.ts";
import { address, time } from "../engine/options.ts";
import { defineSource, type Position, type SourceBatch } from "../engine/plugin.ts";
import type { Point, RawCandle, Series } from "../engine/point.ts";
import { resolveTime } from "../engine/time.ts";
import { BinanceClient } from "./_binance/client.ts";
import { lookUpSymbols } from "./_binance/exchange_info.ts";
import { costOf } from "./_binance/cost.ts";
import { History, readHistories, type TakenPage } from "./_binance/history.ts";
import { EARLIEST_MS, start, symbols } from "./_binance/options.ts";
import { ODDITIES } from "./_binance/page.ts";
import { describePlaces } from "./_binance/places.ts";
import { probeExchange } from "./_binance/probe.ts";
import { historyOf } from "./_binance/ranges.ts";
import { findStoredEnds } from "./_binance/stored_ends.ts";
import { placeOf, START_AGAIN } from "./_place.ts";

/** Counters that are there from the start: whoever watches sees them rise. */
const COUNTERS = ["holes", "missing_candles", ...ODDITIES];

const options = z.strictObject({
  symbols: symbols().describe("Symbols as the exchange writes them, such as `BTCUSDT`")
    .meta({ examples: [["BTCUSDT"]] }),
  interval: z.enum(INTERVALS).describe("Interval of the candles: `1m` is a minute, `1M` a month")
    .meta({ examples: ["1h"] }),
  from: time().describe(
    "First open time: ISO 8601, epoch milliseconds, or a span such as `30 days ago`",
  ),
  start: start(),
  to: time().optional().describe("End of the open times, exclusive. Now, where it is left out"),
  base_url: address("https://host").default("https://api.binance.com").describe(
    "Address of the exchange",
  ),
  weight_share: z.number().gt(0).max(1).default(0.5).describe(
    "Share of the exchange's request limits that may be used. Where others at this address use " +
      "them too, it is less",
  ),
}).refine(
  ({ from, to }) => !to || !("atMs" in from) || !("atMs" in to) || from.atMs < to.atMs,
  { path: ["from"], error: "must be before `to`" },
);

type Options = z.output<typeof options>;

/** The `binance_rest` source. */
export const binanceRest = defineSource({
  id: "binance_rest",
  summary: "Reads the candle history of Binance over REST",
  options,
  replay: "exact",
  shape: () => ({ kind: "raw", format: "candle" }),
  permissions: ({ base_url }: Options) => ({ net: [hostOf(base_url)] }),
  cost(options: Options, nowMs) {
    const { fromMs, toMs } = spanOf(options, nowMs);
    const { symbols, interval, weight_share } = options;
    return costOf({
      ...{ symbols: symbols.length, intervals: [interval], weightShare: weight_share },
      ...{ fromMs, toMs: Math.min(toMs, nowMs) },
    });
  },
  describePosition: (options: Options, position, nowMs) =>
    describePlaces(position, Math.min(nowMs, spanOf(options, nowMs).toMs)),
  simulated: ({ rest }) => ({ base_url: rest }),
  history: historyOf((options: Options) => options),
  probe: ({ base_url, symbols, weight_share }, context) =>
    probeExchange({ baseUrl: base_url, symbols, weightShare: weight_share }, context),
  async *read(options: Options, from, context) {
    const stop = new AbortController();
    const end = () => stop.abort(context.signal.reason);
    context.signal.throwIfAborted();
    context.signal.addEventListener("abort", end, { once: true });
    let beginning: Beginning | undefined;
    try {
      beginning = await begin(options, from, context, stop.signal);
      yield* readBatches(beginning, from, context);
    } finally {
      context.signal.removeEventListener("abort", end);
      stop.abort(new DOMException("The reading has ended", "AbortError"));
      await Promise.all(beginning?.histories.map((history) => history.settled()) ?? []);
    }
  },
});

/** Where a series stands, as its position keeps it. */
const placeSchema = z.strictObject({
  /** The first open time, as it was when reading began. */
  from: z.int(),
  /** The open time of the last candle that was read. Absent before the first. */
  after: z.int().optional(),
});

type Place = z.output<typeof placeSchema>;

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is to be read. */
interface Beginning {
  readonly histories: readonly History[];
  /** The stored points right before those series that go on from a store. */
  readonly before: readonly Point[];
}

/** Looks the symbols up and places each series where it stands. */
async function begin(
  options: Options,
  position: Position,
  context: Context,
  signal: AbortSignal,
): Promise<Beginning> {
  const { symbols, interval } = options;
  const places = symbols.map((symbol) => placeOf(placeSchema, position, keyOf(symbol, interval)));
  const isNew = places.includes(undefined);
  const span = spanOf(options, context.now());
  if (isNew) checkSpan(span, context.now());
  tellMovedStart(options, span, places, context);
  const { base_url: baseUrl, weight_share: weightShare } = options;
  const client = new BinanceClient({ baseUrl, weightShare, context });
  const infos = await lookUpSymbols(client, symbols, context, signal);
  const nowMs = client.now();
  if (isNew) checkSpan(span, nowMs);
  if (options.to && span.toMs > nowMs) {
    context.log.info("`to` lies ahead: reading ends with the last closed candle", {
      to: isoOf(span.toMs),
    });
  }
  const endMs = Math.min(span.toMs, nowMs);
  const all = infos.map(({ symbol, base, quote }): Series => (
    { exchange: "binance", symbol, base, quote, interval }
  ));
  const ends = await findStoredEnds(options.start, all, places, context);
  const histories = all.map((series, at) => {
    const { from: fromMs, after: afterMs } = places[at] ??
      { from: ends[at]?.lastMs ?? span.fromMs };
    return new History({
      ...{ series, interval, fromMs, afterMs, endMs, nowMs },
      ...{ client, context, signal },
    });
  });
  return { histories, before: ends.flatMap((end) => end ? [end.before] : []) };
}

async function* readBatches(
  { histories, before }: Beginning,
  position: Position,
  context: Context,
): AsyncGenerator<SourceBatch<RawCandle>> {
  for (const name of COUNTERS) context.metrics.count(name, 0);
  let unplaced = positionOf(histories.filter(({ series }) => !(keyOfSeries(series) in position)));
  let first: Pick<SourceBatch<RawCandle>, "before"> = before.length > 0 ? { before } : {};
  for await (const taken of readHistories(histories)) {
    const { history, page } = taken;
    const { series } = history;
    report(taken, context);
    if (page.rows.length === 0) continue;
    context.signal.throwIfAborted();
    yield {
      records: page.rows.map((candle) => ({ series, candle, closed: true })),
      position: { ...unplaced, ...positionOf([history]) },
      progress: histories.reduce((sum, { progress }) => sum + progress, 0) / histories.length,
      ...first,
    };
    unplaced = first = {};
  }
}

/** Tells of what a page shows: here, as a page that was only read ahead is read again by another run. */
function report({ history, page }: TakenPage, { log, metrics }: Context): void {
  const { symbol } = history.series;
  const { interval } = history;
  for (const { afterMs, toMs, missing } of page.holes) {
    metrics.count("holes");
    metrics.count("missing_candles", missing);
    log.warn(`Hole in ${symbol} ${interval}: the exchange has no candles`, {
      ...{
        symbol,
        interval,
        from: isoOf(nextOpen(interval, afterMs)),
        to: isoOf(toMs),
        missing_candles: missing,
      },
    });
  }
  const odd = Object.entries(page.oddities).filter(([, count]) => count > 0);
  for (const [name, count] of odd) metrics.count(name, count);
  if (odd.length > 0) {
    const reached = page.lastMs === undefined ? undefined : isoOf(page.lastMs);
    log.warn(`Rows of ${symbol} ${interval} were not as they should be`, {
      ...{ symbol, interval, reached },
      ...Object.fromEntries(odd),
    });
  }
  if (!history.isExhausted) return;
  if (history.afterMs === undefined) {
    log.info(`No candles of ${symbol} ${interval} in the span asked for`, { symbol, interval });
  } else if (history.lacking > 0) {
    const last = isoOf(history.afterMs);
    log.info(`Candles of ${symbol} ${interval} end early`, { symbol, interval, last });
  }
}

/** Months and minutes differ by case alone, so a series is named by both. */
function keyOf(symbol: string, interval: string): string {
  return `${symbol}@${interval}`;
}

function keyOfSeries({ symbol, interval }: { symbol: string; interval: string }): string {
  return keyOf(symbol, interval);
}

function positionOf(histories: readonly History[]): Position {
  return Object.fromEntries(histories.map(({ series, fromMs: from, afterMs: after }) => [
    keyOfSeries(series),
    after === undefined ? { from } : { from, after },
  ]));
}

function spanOf({ from, to }: Options, nowMs: number): Span {
  return {
    fromMs: Math.max(EARLIEST_MS, resolveTime(from, nowMs)),
    toMs: to === undefined ? Infinity : resolveTime(to, nowMs),
  };
}

function checkSpan({ fromMs, toMs }: Span, nowMs: number): void {
  if (fromMs >= toMs) {
    throw new OptionsError(
      `Cannot read candles as \`from\` must be before \`to\`: ${isoOf(fromMs)} is not before ` +
        isoOf(toMs),
    );
  }
  if (fromMs >= nowMs) {
    throw new OptionsError(
      `Cannot read candles as \`from\` must be in the past: ${isoOf(fromMs)} is not before now, ` +
        isoOf(nowMs),
    );
  }
}

/** A start that was moved back cannot be made good: what is older would come after what is newer. */
function tellMovedStart(
  { from, start }: Options,
  { fromMs }: Span,
  places: readonly (Place | undefined)[],
  { log }: Context,
): void {
  // A series that went on from a store never began at `from`.
  if (start === "stored" || !("atMs" in from)) return;
  const began = Math.max(...places.map((place) => place?.from ?? -Infinity));
  if (fromMs >= began) return;
  log.warn("`from` was moved back after reading began: what is older is not read", {
    from: isoOf(fromMs),
    began: isoOf(began),
    hint: START_AGAIN,
  });
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
