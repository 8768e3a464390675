/**
 * Where a series stands, as a position keeps it.
 *
 * @module
 */

import { FatalError } from "../engine/errors.ts";
import type { Schema } from "../engine/options.ts";
import type { Position } from "../engine/plugin.ts";

/** How to read a series from its beginning once more. */
export const START_AGAIN =
  "To read from the beginning, remove the pipeline's checkpoint: its folder in .penstock";

/**
 * Where a series stands.
 *
 * @param schema What the position must hold of it.
 * @param position The position of the source.
 * @param key The name of the series in it.
 * @returns Undefined for a series that is new.
 * @throws {FatalError} If the position holds something else.
 */
export function placeOf<Place>(
  schema: Schema<Place>,
  position: Position,
  key: string,
): Place | undefined {
  const place = position[key];
  if (place === undefined) return undefined;
  const checked = schema.safeParse(place);
  if (checked.success) return checked.data;
  throw new FatalError(`Cannot resume ${key} as its position must say where: it does not`, {
    hint: START_AGAIN,
  });
}
