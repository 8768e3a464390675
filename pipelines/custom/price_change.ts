/**
 * Adds the change in percent since the previous candle. An example of a transform of your own.
 *
 * Points of one series must come in order of time. A point of the same time as the one before it
 * takes its place. A point whose field `closed` is false is measured, but not remembered: the next
 * one is measured against the last candle that has closed. The first candle of a series has no
 * change, nor has one that follows a price of 0, nor one without a price.
 *
 * @module
 */

import { z } from "zod";
import { defineTransform, OptionsError, type Point, RecordError } from "../../mod.ts";

/** The last candle that has closed, and the price before it; nothing before the first. */
type State = {
  readonly timeMs: number;
  readonly price: number;
  readonly before: number | null;
} | null;

/** The `price_change` transform. */
export default defineTransform({
  id: "price_change",
  summary: "Adds the change in percent since the previous candle",
  options: z.strictObject({
    field: z.string().min(1).default("close").describe("Field with the price"),
  }),
  shape(input, { field }) {
    const type = input.kind === "point" && input.fields[field];
    if (input.kind !== "point" || (type !== "float" && type !== "integer")) {
      throw new OptionsError(
        `Cannot measure changes as there must be points with a number "${field}"`,
        { hint: "Name another field with `field`, or put a transform before it that makes points" },
      );
    }
    return { ...input, fields: { ...input.fields, change_percent: "float" } };
  },
  key: ({ tags }) => JSON.stringify(tags),
  state: { version: 1, initial: (): State => null },
  step(point: Point, { options: { field }, state, emit }): State {
    const value = point.fields[field];
    if (value === undefined) {
      emit(point);
      return state;
    }
    const price = value === "" ? NaN : Number(value);
    if (!Number.isFinite(price)) {
      throw new RecordError(
        `Cannot measure a change as "${field}" must be a number: it is "${value}"`,
      );
    }
    const { timeMs } = point;
    if (state && timeMs < state.timeMs) {
      throw new RecordError("Cannot measure a change as points must come in order of time", {
        hint: `It is of ${iso(timeMs)}, after one of ${iso(state.timeMs)}`,
      });
    }
    const isAgain = state?.timeMs === timeMs;
    const before = (isAgain ? state.before : state?.price) ?? null;
    emit(before ? withChange(point, 100 * (price - before) / before) : point);
    return point.fields.closed === false ? state : { timeMs, price, before };
  },
});

function withChange(point: Point, change_percent: number): Point {
  return { ...point, fields: { ...point.fields, change_percent } };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
