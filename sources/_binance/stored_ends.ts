/**
 * Where series begin of which the sinks hold a part already.
 *
 * @module
 */

import type { Context, StoredEnd } from "../../engine/context.ts";
import type { Series } from "../../engine/point.ts";

/**
 * Asks where the sinks' stores end, once for all series that have no place yet.
 *
 * @param start The option: nothing is asked where it is `from`.
 * @param series All series.
 * @param places Where each of them stands; undefined for one that has no place.
 * @param context Answers.
 * @returns For each series, where its store ends; undefined for one that begins at `from`, or that
 * has a place.
 */
export async function findStoredEnds(
  start: "from" | "stored",
  series: readonly Series[],
  places: readonly unknown[],
  { storedEnds, log }: Pick<Context, "storedEnds" | "log">,
): Promise<readonly (StoredEnd | undefined)[]> {
  const unplaced = series.filter((_, at) => places[at] === undefined);
  if (start === "from" || unplaced.length === 0) return [];
  const ends = await storedEnds(unplaced);
  const found = ends.filter((end) => end !== undefined);
  log.info("Going on from where the stores end", {
    series: found.length,
    from_beginning: unplaced.length - found.length,
    ...(found.length > 0
      ? { earliest: new Date(Math.min(...found.map(({ lastMs }) => lastMs))).toISOString() }
      : {}),
  });
  const bySeries = new Map(unplaced.map((one, at) => [one, ends[at]]));
  return series.map((one) => bySeries.get(one));
}
