/**
 * Reads points back, from any server of the InfluxDB family: the last ones, and ranges page by page.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import { FatalError } from "../../engine/errors.ts";
import type { Point } from "../../engine/point.ts";
import type { InfluxClient } from "./client.ts";
import { kindOf, type ServerKind } from "./connection.ts";
import { EXPORT } from "./select_export.ts";
import { INFLUXQL, INFLUXQL_1 } from "./select_influxql.ts";
import { type Dialect, isSameSeries, type Selection, type Tags, type Where } from "./selection.ts";

const DAY_MS = 86_400_000;
/** Where the last points are looked for: in the last days, and ever further back. */
const LOOK_BACK_DAYS = [2, 10, 100, 1_000, Infinity];
/** The latest time that nanoseconds can express in 64 bits, in milliseconds. */
const LATEST_MS = 9_223_372_036_854;
/** Series that are asked for at once: their names must fit into an address. */
const SERIES_AT_ONCE = 200;
/** The most points of a page. */
const PAGE_POINTS = 5_000;
/** The span of the first page. The next one is longer, or shorter, by what there was. */
const FIRST_SPAN_MS = 3_600_000;
const SPAN_FACTOR = 4;

/** Loaded when it is asked in: its package would put off the start of every run. */
const FLUX: Dialect = {
  select: async (...asked) => await (await import("./select_flux.ts")).FLUX.select(...asked),
  list: async (...asked) => await (await import("./select_flux.ts")).FLUX.list(...asked),
};

const DIALECTS: Readonly<Record<ServerKind, Dialect>> = {
  v1: INFLUXQL_1,
  v2: FLUX,
  v3: INFLUXQL,
  victoria_metrics: EXPORT,
};

/** What is read of a measurement. */
export type Wanted = Pick<Selection, "measurement" | "fields" | "others">;

/** Which last points are asked for. */
export interface LastPointsQuery extends Wanted {
  /** The tags of each series, all that it has. */
  readonly series: readonly Tags[];
  /** How many points of each, at most. */
  readonly count: number;
  /** They lie before that, in epoch milliseconds. */
  readonly beforeMs: number;
}

/**
 * Reads the last points of some series.
 *
 * One question, as a rule; a few more where there are hundreds of series, or a series ended days
 * before the others.
 *
 * @returns For each series, in the order asked, its points, oldest first.
 */
export async function readLast(
  client: InfluxClient,
  query: LastPointsQuery,
): Promise<(readonly Point[])[]> {
  const found: (readonly Point[])[] = query.series.map(() => []);
  const lacking = new Set(query.series.keys());
  for (const days of LOOK_BACK_DAYS) {
    const at = [...lacking];
    for (let start = 0; start < at.length; start += SERIES_AT_ONCE) {
      await lookBack(client, query, days, at.slice(start, start + SERIES_AT_ONCE), found);
    }
    for (const one of at) if (found[one]?.length === query.count) lacking.delete(one);
    if (lacking.size === 0) break;
  }
  return found;
}

async function lookBack(
  client: InfluxClient,
  { series, count, beforeMs, ...wanted }: LastPointsQuery,
  days: number,
  at: readonly number[],
  found: (readonly Point[])[],
): Promise<void> {
  const asked = at.map((one) => series[one] ?? {});
  const given = await dialectOf(client).select(client, {
    ...wanted,
    action: `read the last points of "${wanted.measurement}"`,
    where: whereOf(asked),
    fromMs: Math.max(0, beforeMs - days * DAY_MS),
    toMs: Math.min(beforeMs, LATEST_MS),
    limit: count,
    end: "last",
  });
  for (const [index, tags] of asked.entries()) {
    const own = given.find((one) => isSameSeries(one.tags, tags));
    found[at[index] ?? -1] = own?.points.map((point) => ({ ...point, tags })) ?? [];
  }
}

/**
 * Conditions that hold for all these series, and for few others: the tags they share, and of the
 * others the one with the most values.
 */
function whereOf(series: readonly Tags[]): Where {
  const where: Record<string, readonly string[]> = {};
  let most: [string, readonly string[]] | undefined;
  for (const name of new Set(series.flatMap((tags) => Object.keys(tags)))) {
    const values = [...new Set(series.map((tags) => tags[name] ?? ""))];
    if (values.length === 1) where[name] = values;
    else if (!most || values.length > most[1].length) most = [name, values];
  }
  if (most) where[most[0]] = most[1];
  return where;
}

/** Which range is asked for. */
export interface RangeQuery extends Wanted {
  /** The tags of the series, all that it has. */
  readonly tags: Tags;
  /** The first time, in epoch milliseconds. */
  readonly fromMs: number;
  /** The end, exclusive, in epoch milliseconds. */
  readonly toMs: number;
}

/**
 * Reads the points of one series in order of time.
 *
 * Each page is a question of its own, for a span that holds some thousand points: memory is bounded,
 * no answer has to be waited for long, and a reader may take his time.
 *
 * @param client Whom to ask.
 * @param query What.
 * @param context For retries.
 * @returns Pages of points that share the tags asked for; none of them is empty.
 */
export async function* readRange(
  client: InfluxClient,
  { tags, fromMs, toMs, ...wanted }: RangeQuery,
  { retry }: Pick<Context, "retry">,
): AsyncGenerator<readonly Point[]> {
  const action = `read "${wanted.measurement}"`;
  let atMs = fromMs;
  let spanMs = FIRST_SPAN_MS;
  while (atMs < Math.min(toMs, LATEST_MS)) {
    const endMs = Math.min(toMs, LATEST_MS, atMs + spanMs);
    const given = await retry(action, () =>
      dialectOf(client).select(client, {
        ...wanted,
        action,
        where: whereOf([tags]),
        fromMs: atMs,
        toMs: endMs,
        limit: PAGE_POINTS,
        end: "first",
      }));
    const own = given.find((one) => isSameSeries(one.tags, tags));
    const { points = [], cutMs = endMs } = own ?? {};
    if (points.length > 0) yield points.map((point) => ({ ...point, tags }));
    if (cutMs === atMs && spanMs === 1) throw tooDense(tags, atMs);
    spanMs = nextSpan(spanMs, points.length, cutMs < endMs);
    atMs = cutMs;
  }
}

function nextSpan(spanMs: number, points: number, isCut: boolean): number {
  if (isCut) return Math.max(1, Math.floor(spanMs / SPAN_FACTOR));
  return points * SPAN_FACTOR < PAGE_POINTS ? spanMs * SPAN_FACTOR : spanMs;
}

/** Which series are asked for. */
export interface SeriesQuery extends Wanted {
  /** Their tags: for a tag that is named, one of the values. */
  readonly where: Where;
  /** They have points from there, in epoch milliseconds. */
  readonly fromMs: number;
  /** Up to there, exclusive. */
  readonly toMs: number;
}

/** Lists the series of a measurement, with all tags they have, in the order of those. */
export async function listSeries(
  client: InfluxClient,
  { where, fromMs, toMs, ...wanted }: SeriesQuery,
): Promise<readonly Tags[]> {
  const given = await dialectOf(client).list(client, {
    ...wanted,
    action: `list the series of "${wanted.measurement}"`,
    ...{ where, fromMs, toMs: Math.min(toMs, LATEST_MS), limit: 1, end: "first" },
  });
  const ordered = given.map((tags): [string, Tags] => [JSON.stringify(tags), tags]);
  return ordered.sort(([a], [b]) => a < b ? -1 : 1).map(([, tags]) => tags);
}

function dialectOf({ connection }: InfluxClient): Dialect {
  return DIALECTS[kindOf(connection)];
}

function tooDense(tags: Tags, atMs: number): FatalError {
  return new FatalError(
    `Cannot read on in ${
      JSON.stringify(tags)
    } as a millisecond must not hold more than ${PAGE_POINTS} points: ${
      new Date(atMs).toISOString()
    } does`,
  );
}
