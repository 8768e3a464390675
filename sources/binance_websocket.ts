/**
 * Reads candles of Binance as they close, joined without a seam to the history before them.
 *
 * **Whole.** Each closed candle is given once, in order, from the position, from `from`, or from the
 * candle that is open when reading begins. What streams do not give in time is asked for over REST:
 * history, what passed while a connection was down or mute, and single candles. A record does not
 * show which way its candle came; log and counters do.
 *
 * **Stored candles.** With `start: stored` a series without a position begins at the last candle that
 * the sinks hold, however long ago that was, and transforms go on from the one before it.
 *
 * **Order.** Closed candles of all series come in the order in which they end, those of one moment
 * in the order of `symbols` and, for each, of `interval`. It follows from the candles alone, so a
 * run that was killed or cut off gives what one without troubles gives. The price: a late candle
 * holds back later ones of other series until REST has given it, or has said, 30 s after its end,
 * that there is none, and at most for `patience_s` where REST cannot be asked. `patience_s: 0` gives
 * each candle as it comes; order then holds within each series alone.
 *
 * **Holes.** A slot counts as a hole once REST gives a later candle but, asked twice, not this one.
 * Holes are told of once and counted. Off-grid and truncated candles are given as they are.
 *
 * **Corrections.** REST is right. When it is asked, the last three candles are compared with it, and
 * one that has other values is given again. Older ones are not looked at.
 *
 * **Open candles.** With `updates: all` the open candle is given as well, with `closed` false. Only
 * the newest snapshot of a series is kept until the next pull; it is not part of the position, so
 * that snapshots cannot be read again, while closed candles can.
 *
 * **Memory.** At most `buffer_bytes` of candles are kept; what does not fit is asked for later.
 *
 * @module
 */

import { z } from "zod";
import { hostOf } from "../engine/address.ts";
import { sleepWithin } from "../engine/clock.ts";
import type { Context } from "../engine/context.ts";
import { OptionsError } from "../engine/errors.ts";
import { type Interval, INTERVALS } from "../engine/interval.ts";
import { address, time } from "../engine/options.ts";
import { defineSource, type Position, type SourceBatch } from "../engine/plugin.ts";
import type { RawCandle, Series } from "../engine/point.ts";
import { retry } from "../engine/retry.ts";
import { resolveTime, type Time } from "../engine/time.ts";
import { BinanceClient } from "./_binance/client.ts";
import { lookUpSymbols } from "./_binance/exchange_info.ts";
import { costOf } from "./_binance/cost.ts";
import { LiveReading } from "./_binance/live_reading.ts";
import { EARLIEST_MS, start, symbols } from "./_binance/options.ts";
import { describePlaces } from "./_binance/places.ts";
import { probeExchange } from "./_binance/probe.ts";
import { closedEndMs, historyOf } from "./_binance/ranges.ts";
import { findStoredEnds } from "./_binance/stored_ends.ts";
import { placeOf } from "./_place.ts";

const interval = z.enum(INTERVALS);

const options = z.strictObject({
  symbols: symbols().describe("Symbols as the exchange writes them, such as `BTCUSDT`")
    .meta({ examples: [["BTCUSDT", "ETHUSDT"]] }),
  interval: z.union([
    interval,
    z.array(interval).min(1).refine(
      (list) => new Set(list).size === list.length,
      "must not name an interval twice",
    ),
  ]).describe("Interval of the candles, or several of them: `1m` is a minute, `1M` a month")
    .meta({ examples: ["1m"] }),
  from: time().optional().describe(
    "First open time of the first run: it catches up from there. The open candle, where it is left out",
  ),
  start: start(),
  updates: z.enum(["closed", "all"]).default("closed").describe(
    "Whether to give closed candles only, or the changes of the open one as well",
  ),
  base_url: address("wss://host").default("wss://stream.binance.com:9443").describe(
    "Address of the streams",
  ),
  rest_url: address("https://host").default("https://api.binance.com").describe(
    "Address of the exchange, for what streams lack",
  ),
  weight_share: z.number().gt(0).max(1).default(0.5).describe(
    "Share of the exchange's request limits that may be used. Where others at this address use " +
      "them too, it is less",
  ),
  late_s: z.number().min(1).max(3_600).default(8).describe(
    "Seconds after its end at which a candle is late, and asked for over REST",
  ),
  silence_s: z.number().min(1).max(3_600).default(30).describe(
    "Seconds without any candle after which REST is asked whether a connection is dead",
  ),
  first_event_s: z.number().min(1).max(86_400).default(300).describe(
    "Seconds without a first candle after which REST is asked whether a stream is mute",
  ),
  patience_s: z.number().min(0).max(86_400).default(900).describe(
    "Seconds for which later candles wait for a late one of another series while REST cannot be " +
      "asked; 0 to never wait",
  ),
  buffer_bytes: z.int().min(1_000_000).default(67_108_864).describe(
    "Memory for candles that wait to be taken",
  ),
  streams_per_connection: z.int().min(1).max(1_024).default(200).describe(
    "Streams that share a connection",
  ),
});

type Options = z.output<typeof options>;

/** The `binance_websocket` source. */
export const binanceWebsocket = defineSource({
  id: "binance_websocket",
  summary:
    "Reads candles of Binance as they close, with the history before them and no seam between",
  options,
  replay: ({ updates }) => updates === "all" ? "final" : "exact",
  endless: true,
  shape: () => ({ kind: "raw", format: "candle" }),
  permissions: ({ base_url, rest_url }: Options) => ({
    net: [...new Set([hostOf(base_url), hostOf(rest_url)])],
  }),
  cost: ({ symbols, interval, from, weight_share }: Options, nowMs) =>
    costOf({
      ...{ symbols: symbols.length, intervals: [interval].flat(), weightShare: weight_share },
      fromMs: from ? Math.max(EARLIEST_MS, resolveTime(from, nowMs)) : nowMs,
      toMs: nowMs,
    }),
  describePosition: (_options, position, nowMs) => describePlaces(position, nowMs),
  simulated: ({ rest, stream }) => ({ rest_url: rest, base_url: stream }),
  probe: async ({ base_url, rest_url, symbols, weight_share }, context) => {
    const probe = { baseUrl: rest_url, symbols, weightShare: weight_share };
    return `${await probeExchange(probe, context)}; the streams of ${
      hostOf(base_url)
    } were not tried`;
  },
  history: historyOf(({ rest_url, ...options }: Options) => ({ ...options, base_url: rest_url })),
  async *read(options: Options, from, context): AsyncGenerator<SourceBatch<RawCandle>> {
    context.signal.throwIfAborted();
    const stop = new AbortController();
    const end = () => stop.abort(context.signal.reason);
    context.signal.addEventListener("abort", end, { once: true });
    let reading: LiveReading | undefined;
    try {
      reading = await begin(options, from, stoppable(context, stop.signal), stop.signal);
      yield* reading.batches(from);
    } finally {
      context.signal.removeEventListener("abort", end);
      stop.abort(new DOMException("The reading has ended", "AbortError"));
      await reading?.ended();
    }
  },
});

/** Looks the symbols up and places each series where it stands. */
async function begin(
  options: Options,
  position: Position,
  context: Context,
  signal: AbortSignal,
): Promise<LiveReading> {
  const { rest_url: baseUrl, weight_share: weightShare } = options;
  const client = new BinanceClient({ baseUrl, weightShare, context });
  const infos = await lookUpSymbols(client, options.symbols, context, signal);
  const intervals = [options.interval].flat();
  const nowMs = client.now();
  const series = infos.flatMap(({ symbol, base, quote }) =>
    intervals.map((interval): Series & { readonly interval: Interval } => (
      { exchange: "binance", symbol, base, quote, interval }
    ))
  );
  const known = series.map(({ symbol, interval }) =>
    placeOf(placeSchema, position, `${symbol}@${interval}`)
  );
  const ends = await findStoredEnds(options.start, series, known, context);
  const places = series.map(({ interval }, at) =>
    known[at] ?? { from: ends[at]?.lastMs ?? startOf(options.from, interval, nowMs) }
  );
  const before = ends.flatMap((end) => end ? [end.before] : []);
  // Streams are watched by the exchange's time, too, which no one sets.
  const steady: Context = { ...context, now: () => client.now() };
  return new LiveReading({ options, series, places, before, client, context: steady, signal });
}

/** A context whose waiting and retrying end with the reading, also when its consumer just stops. */
function stoppable(context: Context, signal: AbortSignal): Context {
  const sleep = (ms: number, own?: AbortSignal) => sleepWithin(context, ms, signal, own);
  const { log } = context;
  return {
    ...context,
    signal,
    sleep,
    retry: (action, attempt) =>
      retry(action, attempt, { sleep, random: () => context.random(), log }),
  };
}

/** Without `from`, that is the open time of the candle that is open now. */
function startOf(from: Time | undefined, interval: Interval, nowMs: number): number {
  if (from === undefined) return closedEndMs(interval, nowMs);
  const fromMs = Math.max(EARLIEST_MS, resolveTime(from, nowMs));
  if (fromMs < nowMs) return fromMs;
  throw new OptionsError(
    `Cannot read candles as \`from\` must be in the past: ${isoOf(fromMs)} is not before now, ` +
      isoOf(nowMs),
  );
}

/** Where a series stands, as its position keeps it. */
const placeSchema = z.strictObject({
  /** The first open time, as it was when reading began. */
  from: z.int(),
  /** The open time of the last candle that was given. Absent before the first. */
  after: z.int().optional(),
  /** Open times and fingerprints of the last candles that were given. */
  recent: z.array(z.tuple([z.int(), z.int()])).optional(),
});

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
