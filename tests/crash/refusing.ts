/**
 * A transform that refuses some points and leaves out some, so that the matrix has dead letters.
 *
 * @module
 */

import { z } from "zod";
import { defineTransform, type Point, RecordError } from "../../mod.ts";

const MINUTE_MS = 60_000;

/** Goes by the minute of a point alone, so that it does the same in every run. */
export default defineTransform({
  id: "refusing",
  summary: "Refuses some points and leaves out some",
  options: z.strictObject({}),
  shape: (input) => input,
  step(point: Point, { emit }) {
    const minute = Math.floor(point.timeMs / MINUTE_MS);
    if (minute % 11 === 3) throw new RecordError(`Cannot take a point of minute ${minute}`);
    if (minute % 13 !== 5) emit(point);
  },
});
