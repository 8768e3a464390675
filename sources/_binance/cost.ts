/**
 * What reading history over REST costs.
 *
 * @module
 */

import { type Interval, intervalMs } from "../../engine/interval.ts";
import type { SourceCost } from "../../engine/plugin.ts";

const PAGE_ROWS = 1_000;
const PAGE_WEIGHT = 2;
/** The symbols are looked up first. */
const LOOK_UP_WEIGHT = 20;
/** The limit the exchange has had since 2023: so much weight a minute. */
const WEIGHT_A_MINUTE = 6_000;
/** A row as the exchange writes it, about. */
const ROW_BYTES = 170;
/** An answer of 1,000 rows from far away, about; so many series are read side by side. */
const ANSWER_MS = 250;
const SIDE_BY_SIDE = 8;

/** Series, and the span that is read of each. */
export interface Backfill {
  /** How many symbols. */
  readonly symbols: number;
  /** The intervals of each symbol. */
  readonly intervals: readonly Interval[];
  /** The first open time, in epoch milliseconds. */
  readonly fromMs: number;
  /** The end, exclusive. */
  readonly toMs: number;
  /** Share of the exchange's limit that may be used. */
  readonly weightShare: number;
}

/**
 * What a backfill costs.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const fromMs = Date.UTC(2024, 0, 1);
 * const { records, requests, uses } = costOf({
 *   ...{ symbols: 2, intervals: ["1h"], fromMs, toMs: Date.UTC(2025, 0, 1), weightShare: 0.5 },
 * });
 * assertEquals([records, requests, uses], [17_568, 19, { weight: 56 }]);
 * ```
 */
export function costOf({ symbols, intervals, fromMs, toMs, weightShare }: Backfill): SourceCost {
  const spanMs = Math.max(0, toMs - fromMs);
  const rows = intervals.map((interval) => Math.floor(spanMs / intervalMs(interval)));
  const pages = rows.map((count) => Math.ceil(count / PAGE_ROWS));
  const records = symbols * sumOf(rows);
  const requests = symbols * sumOf(pages);
  const weight = LOOK_UP_WEIGHT + PAGE_WEIGHT * requests;
  const lanes = Math.min(SIDE_BY_SIDE, symbols * intervals.length);
  const answersMs = Math.max(requests / lanes, ...pages) * ANSWER_MS;
  const limitMs = 60_000 * Math.floor(weight / (WEIGHT_A_MINUTE * weightShare));
  return {
    series: symbols * intervals.length,
    records,
    requests: requests + 1,
    bytes: records * ROW_BYTES,
    ms: Math.max(ANSWER_MS + answersMs, limitMs),
    uses: { weight },
  };
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
