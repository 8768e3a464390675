/**
 * Adds how far a field has moved since the point before it, series by series.
 *
 * Make it yours: work on one point, give on what you make of it, and return what to remember.
 *
 * @module
 */

import { z } from "zod";
import { defineTransform, OptionsError, type Point, RecordError } from "../../mod.ts";

/** The value of the point before; nothing before the first. */
type State = { readonly last: number } | null;

/** The `my_transform` transform. */
export default defineTransform({
  id: "my_transform",
  summary: "Adds how far a field has moved since the point before it",
  options: z.strictObject({
    field: z.string().min(1).default("close").describe("Field that is measured"),
  }),
  shape(input, { field }) {
    const type = input.kind === "point" && input.fields[field];
    if (input.kind !== "point" || (type !== "float" && type !== "integer")) {
      throw new OptionsError(`Cannot measure moves as points must have a number "${field}"`, {
        hint: "Name another field with `field`",
      });
    }
    return { ...input, fields: { ...input.fields, moved: "float" } };
  },
  key: ({ measurement, tags }: Point) => JSON.stringify([measurement, tags]),
  state: { version: 1, initial: (): State => null },
  step(point: Point, { options: { field }, state, emit }): State {
    const value = point.fields[field];
    if (value === undefined) {
      emit(point);
      return state;
    }
    const last = Number(value);
    if (!Number.isFinite(last)) {
      throw new RecordError(
        `Cannot measure a move as "${field}" must be a number: it is "${value}"`,
      );
    }
    const fields = state ? { ...point.fields, moved: last - state.last } : point.fields;
    emit({ ...point, fields });
    return { last };
  },
});
