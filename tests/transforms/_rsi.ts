/**
 * Runs the `rsi` transform over one series, as the engine does, with its state in plain sight.
 *
 * @module
 */

import { assert, assertEquals, assertExists } from "@std/assert";
import type { FieldValue, Point, PointShape, RecordShape } from "../../engine/point.ts";
import { rsi } from "../../transforms/rsi.ts";

/** The options as a pipeline file has them. */
export type RsiOptions = Parameters<typeof rsi>[0];
/** What is remembered of a series. */
export type RsiState = ReturnType<typeof rsi.step>;

/** A transform at work. */
export interface Running {
  /** Takes one point and gives the one that is emitted: never more, never less. */
  step(point: Point): Point;
  /** What it remembers. */
  state(): RsiState;
}

/** Starts it, from nothing or from what an earlier one remembered. */
export function start(input?: RsiOptions, saved?: RsiState): Running {
  const options = parse(input ?? {});
  assertExists(rsi.state);
  let state = saved ?? rsi.state.initial(options);
  return {
    step(point) {
      const emitted: Point[] = [];
      state = rsi.step(point, { options, state, emit: (record) => void emitted.push(record) });
      const [first, ...more] = emitted;
      assertExists(first);
      assertEquals(more, []);
      return first;
    },
    state: () => state,
  };
}

/** Runs it over points. */
export function run(points: readonly Point[], input: RsiOptions = {}): Point[] {
  const { step } = start(input);
  return points.map(step);
}

/** The options as the transform gets them. */
export function parse(input: unknown): Parameters<typeof rsi.shape>[1] {
  const result = rsi.options.safeParse(input);
  if (result.success) return result.data;
  throw new Error(result.error.issues.map(({ message }) => message).join());
}

/** The shape of what comes out. */
export function shapeOf(input: RecordShape, options: RsiOptions = {}): PointShape {
  const shape = rsi.shape(input, parse(options));
  assert(shape.kind === "point");
  return shape;
}

/** The tags of all bars. */
export const TAGS = { exchange: "binance", symbol: "BTCUSDT", interval: "1m" };

/** A closed candle of one minute, a number of minutes after 2024-01-01. */
export function bar(minute: number, close: FieldValue, more: Point["fields"] = {}): Point {
  return {
    measurement: "kline",
    tags: TAGS,
    fields: { close, closed: true, ...more },
    timeMs: Date.UTC(2024, 0, 1, 0, minute),
  };
}

/** Closed candles without a hole. */
export function bars(closes: readonly FieldValue[]): Point[] {
  return closes.map((close, minute) => bar(minute, close));
}

/** An open candle. */
export function openBar(minute: number, close: FieldValue): Point {
  return bar(minute, close, { closed: false });
}

/** The values of a field: undefined where there is none. */
export function column(points: readonly Point[], name: string): (FieldValue | undefined)[] {
  return points.map(({ fields }) => fields[name]);
}
