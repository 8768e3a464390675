/**
 * Adds Wilder's relative strength index to points, and the two averages it is made of.
 *
 * Only closed candles count. An open one (its field `closed` is false) gets the value it would have
 * if it closed as it is, and leaves no trace. The last closed candle may come again: with other
 * values it takes the place of what came before, with the same ones it gets the same RSI. A candle
 * older than that passes through as it is, as its RSI can no longer be known; so does one whose
 * source field has no value. No candle is ever held back.
 *
 * A stored candle with its source field and both averages is all that is needed to go on: the values
 * after it are the same, to the last bit, as if nothing had come between.
 *
 * @module
 */

import { z } from "zod";
import { OptionsError } from "../engine/errors.ts";
import { type Interval, INTERVALS, missingBetween } from "../engine/interval.ts";
import { hintForName } from "../engine/nearest.ts";
import { defineTransform, type StepContext } from "../engine/plugin.ts";
import type { FieldType, FieldValue, Point, PointShape, RecordShape } from "../engine/point.ts";
import { advance, type Averages, idle, rsiOf, START } from "./_wilder.ts";

/** A larger value could overflow the sums. */
const LARGEST = 1e300;
const NUMERIC: ReadonlySet<unknown> = new Set<FieldType>(["float", "integer"]);
const KNOWN_INTERVALS: ReadonlySet<unknown> = new Set(INTERVALS);
/** Points of one series share their tags, so that its key is put together once. */
const KEYS = new WeakMap<Point["tags"], { readonly measurement: string; readonly key: string }>();

const OPTIONS = z.strictObject({
  period: z.int().min(2).default(14).describe("Number of candles the averages go over"),
  source: z.string().min(1).default("close").describe("Field it is worked out from"),
  flat: z.enum(["neutral", "talib", "tradingview"]).nullable().default("neutral").describe(
    "RSI where the price has not moved at all: 50, 0 as TA-Lib, 100 as TradingView, or null for none",
  ),
  gap: z.enum(["compress", "fill", "reset"]).default("compress").describe(
    "What missing candles count as: nothing, candles at the last price, or the end of a series",
  ),
  gap_max: z.int().min(0).optional().describe(
    "Missing candles in a row that `gap: reset` still passes over, 0 by default",
  ),
}).refine(({ gap, gap_max }) => gap === "reset" || gap_max === undefined, {
  path: ["gap_max"],
  message: "must be left out unless `gap` is `reset`",
}).transform((options) => ({ ...options, names: fieldNames(options.period) }));

type Options = z.output<typeof OPTIONS>;

/** The last closed candle, and the one before it to go back to when the last one is corrected. */
type State = { readonly last: Averages | null; readonly previous: Averages | null };

/** The `rsi` transform. */
export const rsi = defineTransform({
  id: "rsi",
  summary: "Adds Wilder's relative strength index and its two averages",
  options: OPTIONS,
  shape: shapeOf,
  key: seriesKey,
  // Once a gap is filled, none is missing before the candle that told of it.
  blanks: () => ({ gap_bars: 0 }),
  state: { version: 1, initial: (): State => ({ last: null, previous: null }), restore },
  step(point: Point, { options, state, emit }: StepContext<Options, State, Point>): State {
    const { timeMs, fields } = point;
    const { last, previous } = state;
    const base = last?.t === timeMs ? previous : last;
    if (base !== null && timeMs <= base.t) {
      emit(point);
      return state;
    }
    const missing = base === null ? 0 : missingSince(base.t, point);
    const from = bridge(base ?? START, missing, options);
    const value = toNumber(fields[options.source]);
    const next = value === undefined
      ? { ...from, t: timeMs }
      : advance(from, timeMs, value, options.period);
    const known = value !== undefined && next.n > options.period;
    emit(
      known || missing > 0 ? addFields(point, missing, known ? next : undefined, options) : point,
    );
    return fields.closed === false || isSame(next, last) ? state : { last: next, previous: base };
  },
});

/** The two averages of a stored point are all that is needed to go on from it, once there are any. */
function restore({ timeMs, fields }: Point, { source, names, period }: Options): State | undefined {
  const close = toNumber(fields[source]);
  const gain = toNumber(fields[names.gain]);
  const loss = toNumber(fields[names.loss]);
  if (close === undefined || gain === undefined || loss === undefined) return undefined;
  return { last: { t: timeMs, n: period + 1, close, gain, loss }, previous: null };
}

function fieldNames(period: number): Readonly<Record<"rsi" | "gain" | "loss", string>> {
  return {
    rsi: asKey(`rsi_${period}`),
    gain: asKey(`avg_gain_${period}`),
    loss: asKey(`avg_loss_${period}`),
  };
}

/** The same name, but such that V8 has it as a key already: it then need not look it up each time. */
function asKey(name: string): string {
  return Object.keys({ [name]: 0 })[0] ?? name;
}

function shapeOf(input: RecordShape, { source, gap, names }: Options): PointShape {
  if (input.kind === "raw") {
    throw new OptionsError(
      `Cannot add "${names.rsi}" as records must be points: they are raw "${input.format}" records`,
      { hint: "Put a transform before it that makes points of them, such as `kline`" },
    );
  }
  const { measurement, fields } = input;
  const numeric = Object.keys(fields).filter((name) => NUMERIC.has(fields[name]));
  if (!numeric.includes(source)) {
    throw new OptionsError(
      `Cannot add "${names.rsi}" as \`source\` must be a numeric field of "${measurement}": "${source}" is none`,
      { hint: hintForName(source, numeric, "Its numeric fields") },
    );
  }
  const taken = Object.values(names).find((name) => Object.hasOwn(fields, name));
  if (taken !== undefined) {
    throw new OptionsError(
      `Cannot add "${taken}" as it must be a new field: "${measurement}" has it already`,
      { hint: "Give one of the two steps another `period`" },
    );
  }
  return {
    ...input,
    fields: {
      ...fields,
      [names.rsi]: "float",
      [names.gain]: "float",
      [names.loss]: "float",
      ...gapField(input, gap),
    },
  };
}

/** Holes can be seen where the points say of which interval they are. */
function gapField(
  { measurement, tags, fields }: PointShape,
  gap: Options["gap"],
): PointShape["fields"] {
  if (!tags.includes("interval")) {
    if (gap === "compress") return {};
    throw new OptionsError(
      `Cannot look for missing candles as points must have the tag "interval": "${measurement}" has none`,
      { hint: "Leave `gap` out" },
    );
  }
  const { gap_bars = "integer" } = fields;
  if (gap_bars === "integer") return { gap_bars };
  throw new OptionsError(
    `Cannot add "gap_bars" as it must be an integer: "${measurement}" has it as ${gap_bars}`,
  );
}

function seriesKey({ measurement, tags }: Point): string {
  const known = KEYS.get(tags);
  if (known?.measurement === measurement) return known.key;
  const named = new URLSearchParams(tags);
  named.sort();
  const key = `${measurement}?${named}`;
  KEYS.set(tags, { measurement, key });
  return key;
}

function missingSince(openMs: number, { tags, timeMs }: Point): number {
  return isInterval(tags.interval) ? missingBetween(tags.interval, openMs, timeMs) : 0;
}

function isInterval(text: string | undefined): text is Interval {
  return KNOWN_INTERVALS.has(text);
}

function bridge(averages: Averages, missing: number, options: Options): Averages {
  if (missing === 0 || options.gap === "compress") return averages;
  if (options.gap === "fill") return idle(averages, missing, options.period);
  return missing > (options.gap_max ?? 0) ? START : averages;
}

function toNumber(value: FieldValue | undefined): number | undefined {
  if (typeof value === "boolean" || value === undefined || value === "") return undefined;
  // What `Number()` would find out by itself, at several times the cost.
  const number = typeof value === "object" ? value.valueOf() : Number(value);
  return Math.abs(number) <= LARGEST ? number : undefined;
}

/** Whether the last candle came again as it was. */
function isSame(next: Averages, last: Averages | null): boolean {
  return last !== null && next.t === last.t && next.n === last.n && next.close === last.close;
}

function addFields(
  point: Point,
  missing: number,
  averages: Averages | undefined,
  { names, flat }: Options,
): Point {
  // A copy that is then added to takes half the time of one literal with computed names.
  const fields: Record<string, FieldValue> = { ...point.fields };
  if (averages) {
    const value = rsiOf(averages.gain, averages.loss, flat);
    if (value !== null) fields[names.rsi] = value;
    fields[names.gain] = averages.gain;
    fields[names.loss] = averages.loss;
  }
  if (missing > 0) fields.gap_bars ??= missing;
  return { measurement: point.measurement, tags: point.tags, fields, timeMs: point.timeMs };
}
