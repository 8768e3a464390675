/**
 * Keeps some fields of points and leaves the others out.
 *
 * Where a store merges the fields of two writes of one point, as InfluxDB 1 and 2 do, what is left
 * out stays there as it is: a pipeline can add its own fields to stored points and touch no others.
 * So it is with VictoriaMetrics, where each field is a series of its own. **InfluxDB 3 replaces the
 * whole point**: leave this transform out there, so that all fields are written again.
 *
 * A point that has none of the fields goes no further.
 *
 * @module
 */

import { z } from "zod";
import { OptionsError } from "../engine/errors.ts";
import { hintForName } from "../engine/nearest.ts";
import { defineTransform, type StepContext } from "../engine/plugin.ts";
import type { FieldValue, Point, PointShape } from "../engine/point.ts";

const options = z.strictObject({
  fields: z.array(z.string().min(1)).min(1).refine(
    (names) => new Set(names).size === names.length,
    "must not name a field twice",
  ).describe(
    "Fields to keep, such as those that are added to stored points. InfluxDB 1 and 2 keep the others " +
      "as they are; InfluxDB 3 loses them",
  ).meta({ examples: [["rsi_14", "avg_gain_14", "avg_loss_14"]] }),
});

type Options = z.output<typeof options>;

/** The `keep_fields` transform. */
export const keepFields = defineTransform({
  id: "keep_fields",
  summary: "Keeps some fields of points and leaves the others out",
  options,
  shape(input, { fields: names }: Options): PointShape {
    if (input.kind === "raw") {
      throw new OptionsError(
        `Cannot keep fields as records must be points: they are raw "${input.format}" records`,
        { hint: "Put a transform before it that makes points of them, such as `kline`" },
      );
    }
    const known = Object.keys(input.fields);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new OptionsError(
        `Cannot keep field "${unknown}" as it must be a field of "${input.measurement}": it is none`,
        { hint: hintForName(unknown, known, "Its fields") },
      );
    }
    const kept = Object.entries(input.fields).filter(([name]) => names.includes(name));
    return { ...input, fields: Object.fromEntries(kept) };
  },
  step(
    point: Point,
    { options: { fields: names }, emit }: StepContext<Options, void, Point>,
  ): void {
    const fields: Record<string, FieldValue> = {};
    let count = 0;
    for (const name of names) {
      const value = point.fields[name];
      if (value === undefined) continue;
      fields[name] = value;
      count++;
    }
    if (count > 0) emit({ ...point, fields });
  },
});
