/**
 * How many records may be refused before something else must be wrong than the records.
 *
 * @module
 */

/** So many of so many records in a row may be refused. */
export interface RefusalLimit {
  /** The most that may be refused. */
  readonly refused: number;
  /** Of so many records in a row that reach a step. */
  readonly records: number;
}

/** Where a pipeline file sets no limit. */
export const DEFAULT_LIMIT: RefusalLimit = { refused: 100, records: 1_000 };

/** Each one that counts is part of every checkpoint. */
const MOST_REFUSED = 10_000;
const WRITTEN = /^(\d{1,9}) in (\d{1,9})$/;

/**
 * Reads a limit as a pipeline file writes it.
 *
 * @returns Nothing for `none`; a sentence that says what must hold if it is no limit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseLimit("10 in 1000"), { refused: 10, records: 1_000 });
 * assertEquals(parseLimit("none"), undefined);
 * assertEquals(parseLimit("10 in 10"), "must be fewer records than it counts them in");
 * ```
 */
export function parseLimit(text: string): RefusalLimit | undefined | string {
  if (text === "none") return undefined;
  const [, refused, records] = WRITTEN.exec(text)?.map(Number) ?? [];
  if (refused === undefined || records === undefined) {
    return "must be such as `10 in 1000`, or `none`";
  }
  if (refused >= records) return "must be fewer records than it counts them in";
  if (refused > MOST_REFUSED) return `must be at most ${MOST_REFUSED} records, or \`none\``;
  return { refused, records };
}

/**
 * The refusals of one step that still count, by the number of the record.
 *
 * Numbers count the records that reach the step, so that it makes no difference how they were cut
 * into batches, nor whether the run was killed in between.
 *
 * @param before What counted before, as this function gave it.
 * @param number The number of the record that is refused now.
 * @param limit The limit.
 * @returns What counts now, ascending; `isBroken` if more are refused than may be.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const limit = { refused: 1, records: 10 };
 * assertEquals(countRefusal([5], 15, limit), { counting: [5, 15], isBroken: false });
 * assertEquals(countRefusal([5], 14, limit), { counting: [5, 14], isBroken: true });
 * ```
 */
export function countRefusal(
  before: readonly number[],
  number: number,
  { refused, records }: RefusalLimit,
): { readonly counting: readonly number[]; readonly isBroken: boolean } {
  // A sink may refuse a record after a later one: when it encodes, or when it hears of the target.
  const all = [...before, number].sort((a, b) => a - b);
  const isBroken = all.some((first, at) => {
    const last = all[at + refused];
    return last !== undefined && last - first < records;
  });
  const newest = all.at(-1) ?? number;
  return { counting: all.filter((one) => newest - one < 2 * records), isBroken };
}
