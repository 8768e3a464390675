/**
 * Reads points back from InfluxDB 1, 2 or 3, or from VictoriaMetrics, in order of time.
 *
 * **What.** One measurement, by default that of candles, over a span of time, and of all its series
 * those with the tags that `where` names. Fields have the types that are declared; others are not
 * read. Series come one after the other, in the order of their tags, each from its beginning to its
 * end, page by page.
 *
 * **Closed candles.** A point whose field `closed` is false is left out, unless `updates: all` asks
 * for it. A later run reads it once it is closed.
 *
 * **Going on.** The position is the time of the last point of each series: a later run gives what was
 * stored after it. What is stored or changed before it meanwhile is not seen, and what the store has
 * dropped by then is gone; apart from that, reading again gives the same.
 *
 * **A start in the middle.** With `from`, the stored point right before it comes along for each
 * series, with all its fields: transforms go on from the averages it holds, such as those of `rsi`,
 * as if they had seen all points before. A series without such a point starts anew.
 *
 * **Digits.** Floats and integers are those that are stored, to the last bit, but not the digits they
 * were written with. VictoriaMetrics keeps about 15 digits, no texts, and booleans as 1 and 0. Times
 * are cut to milliseconds.
 *
 * @module
 */

import { z } from "zod";
import { InfluxClient } from "../clients/influxdb/client.ts";
import {
  checkConnection,
  connectionShape,
  kindOf,
  permissionsOf,
} from "../clients/influxdb/connection.ts";
import { nameOf } from "../clients/influxdb/failure.ts";
import { listSeries, readLast, readRange } from "../clients/influxdb/read_back.ts";
import type { Context } from "../engine/context.ts";
import { OptionsError } from "../engine/errors.ts";
import { time } from "../engine/options.ts";
import { defineSource, type Position, type SourceBatch } from "../engine/plugin.ts";
import { KLINE_SHAPE, type Point } from "../engine/point.ts";
import { resolveTime } from "../engine/time.ts";
import { placeOf } from "./_place.ts";

type Tags = Point["tags"];

/** The last points before a series that are looked at: the last one may not be closed. */
const POINTS_BEFORE = 2;

const name = z.string().min(1);

const options = z.strictObject({
  ...connectionShape,
  measurement: name.default(KLINE_SHAPE.measurement).describe(
    "Measurement to read. That of candles by default",
  ),
  tags: z.array(name).default([...KLINE_SHAPE.tags]).describe(
    "Names of all tags that its series have. Those of candles by default",
  ),
  fields: z.record(name, z.enum(["float", "integer", "boolean", "string"]))
    .refine((fields) => Object.keys(fields).length > 0, "must name a field")
    .default(KLINE_SHAPE.fields).describe(
      "Fields to read, and their types in the store. Those of candles by default; name fewer to read " +
        "less",
    ).meta({ examples: [{ close: "float" }] }),
  where: z.record(name, z.union([name, z.array(name).min(1)])).default({}).describe(
    "Values that tags must have: one, or one of several. All series where it is left out",
  ).meta({ examples: [{ symbol: ["BTCUSDT", "ETHUSDT"], interval: "1h" }] }),
  from: time().optional().describe(
    "First time: ISO 8601, epoch milliseconds, or a span such as `30 days ago`. The first that is " +
      "stored, where it is left out",
  ),
  to: time().optional().describe("End of the times, exclusive. Now, where it is left out"),
  updates: z.enum(["closed", "all"]).default("closed").describe(
    "Whether to leave out points whose field `closed` is false, or to give them as well",
  ),
}).superRefine((given, context) => {
  checkConnection(given, context);
  checkSelection(given, context);
}).meta({ examples: [{ url: "http://localhost:8086", database: "market" }] });

type Options = z.output<typeof options>;

/** The `influxdb` source. */
export const influxdb = defineSource({
  id: "influxdb",
  summary: "Reads points back from InfluxDB 1, 2 or 3, or from VictoriaMetrics",
  options,
  replay: ({ updates }) => updates === "all" ? "final" : "exact",
  shape: ({ measurement, tags, fields }: Options) => ({
    ...{ kind: "point", measurement, tags, fields },
  }),
  permissions: (options: Options) => permissionsOf(options),
  describePosition: (_options, position) =>
    Object.entries(position).map(([key, place]) => {
      const { after } = Object(place);
      const tags = Array.from(new URLSearchParams(key), (tag) => tag.join("="));
      return { series: tags.join(" "), lastMs: typeof after === "number" ? after : undefined };
    }),
  async *read(options: Options, from, context): AsyncGenerator<SourceBatch<Point>> {
    context.signal.throwIfAborted();
    const reading = await begin(options, from, context);
    const { series, before } = reading;
    const added = series.filter(({ key }) => !(key in from));
    if (added.length > 0) {
      // A run that is killed before its first point must not begin elsewhere.
      yield {
        records: [],
        position: Object.assign({}, ...added.map((one) => positionOf(one))),
        ...(before.length > 0 ? { before } : {}),
      };
    }
    for (const at of series.keys()) yield* readSeries(reading, at, context);
  },
  async probe(options: Options, context: Context) {
    const client = new InfluxClient(options, context);
    const { measurement } = options;
    const series = await findSeries(client, options, spanOf(options, context.now()));
    return `${series.length} series of "${measurement}" can be read from ${nameOf(options)}`;
  },
});

/** Where a series stands, as its position keeps it. */
const placeSchema = z.strictObject({
  /** The first time, as it was when reading began. */
  from: z.int(),
  /** The time of the last point that was given. Absent before the first. */
  after: z.int().optional(),
});

/** One series to read. */
interface StandingSeries extends z.output<typeof placeSchema> {
  readonly key: string;
  readonly tags: Tags;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is to be read. */
interface Reading {
  readonly client: InfluxClient;
  readonly options: Options;
  readonly series: readonly StandingSeries[];
  /** The stored points right before those series that are new. */
  readonly before: readonly Point[];
  readonly toMs: number;
}

/** Lists the series and places each where it stands. */
async function begin(options: Options, position: Position, context: Context): Promise<Reading> {
  const client = new InfluxClient(options, context);
  const { measurement } = options;
  const span = spanOf(options, context.now());
  if (span.fromMs >= span.toMs) throw emptySpan(span);
  const all = await context.retry(
    `list the series of "${measurement}"`,
    () => findSeries(client, options, span),
  );
  const series = all.map((tags) => {
    const key = String(new URLSearchParams(tags));
    const place = placeOf(placeSchema, position, key);
    return { key, tags, ...place ?? { from: span.fromMs } };
  });
  const added = series.filter(({ key }) => !(key in position)).map(({ tags }) => tags);
  const before = await findBefore(client, options, { series: added, ...span }, context);
  return { client, options, series, before, toMs: span.toMs };
}

async function findSeries(client: InfluxClient, options: Options, span: Span): Promise<Tags[]> {
  const { measurement, fields, tags: names } = options;
  const where = Object.entries(options.where).map(([tag, value]) => [tag, [value].flat()]);
  const given = { measurement, fields, where: Object.fromEntries(where), ...span };
  const series = await listSeries(client, given);
  for (const tags of series) {
    const odd = Object.keys(tags).find((tag) => !names.includes(tag)) ??
      names.find((tag) => tags[tag] === undefined);
    if (odd !== undefined) throw otherTags(options, tags, odd);
  }
  return [...series];
}

async function findBefore(
  client: InfluxClient,
  { from, measurement, fields }: Options,
  { series, fromMs }: { readonly series: readonly Tags[]; readonly fromMs: number },
  { retry }: Context,
): Promise<Point[]> {
  if (from === undefined || series.length === 0) return [];
  const query = { measurement, fields, others: true, series, beforeMs: fromMs };
  const found = await retry(
    `read the last points of "${measurement}" before \`from\``,
    () => readLast(client, { ...query, count: POINTS_BEFORE }),
  );
  return found.flatMap((points) => points.findLast(isClosed) ?? []);
}

async function* readSeries(
  { client, options, series, toMs }: Reading,
  at: number,
  context: Context,
): AsyncGenerator<SourceBatch<Point>> {
  const one = series[at];
  if (!one) return;
  const { measurement } = options;
  const { tags, from, after } = one;
  const fields = fieldsToRead(options);
  const fromMs = after === undefined ? from : after + 1;
  let firstMs: number | undefined;
  for await (
    const page of readRange(client, { measurement, fields, tags, fromMs, toMs }, context)
  ) {
    context.signal.throwIfAborted();
    const records = asAsked(page, options);
    const last = records.at(-1);
    if (!last) continue;
    firstMs ??= records[0]?.timeMs ?? last.timeMs;
    const done = (last.timeMs - firstMs) / Math.max(1, toMs - firstMs);
    yield {
      records,
      position: positionOf({ ...one, after: last.timeMs }),
      progress: (at + Math.min(1, done)) / series.length,
    };
  }
}

/** Whether a candle is closed has to be known, also where nobody asked for that field. */
function fieldsToRead({ fields, updates }: Options): Options["fields"] {
  return updates === "all" ? fields : { closed: "boolean", ...fields };
}

function asAsked(points: readonly Point[], { fields, updates }: Options): readonly Point[] {
  if (updates === "all") return points;
  const closed = points.filter(isClosed);
  if (Object.hasOwn(fields, "closed")) return closed;
  return closed.flatMap((point) => {
    const { closed: _, ...asked } = point.fields;
    return Object.keys(asked).length > 0 ? [{ ...point, fields: asked }] : [];
  });
}

function isClosed({ fields }: Point): boolean {
  return fields.closed !== false;
}

function positionOf({ key, from, after }: StandingSeries): Position {
  return { [key]: after === undefined ? { from } : { from, after } };
}

function spanOf({ from, to }: Options, nowMs: number): Span {
  return {
    fromMs: from === undefined ? 0 : resolveTime(from, nowMs),
    toMs: to === undefined ? nowMs : resolveTime(to, nowMs),
  };
}

function checkSelection(given: Options, context: z.RefinementCtx): void {
  const { tags, fields, where, from, to } = given;
  const refuse = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  for (const [at, tag] of tags.entries()) {
    if (tags.indexOf(tag) !== at) refuse(["tags", at], "must not be there twice");
    if (Object.hasOwn(fields, tag)) refuse(["fields", tag], "must not have the name of a tag");
  }
  for (const tag of Object.keys(where)) {
    if (!tags.includes(tag)) refuse(["where", tag], "must be one of `tags`");
  }
  for (const [field, type] of Object.entries(fields)) {
    if (type !== "string" || kindOf(given) !== "victoria_metrics") continue;
    refuse(["fields", field], "must be no string: VictoriaMetrics stores numbers only");
  }
  if (from && to && "atMs" in from && "atMs" in to && from.atMs >= to.atMs) {
    refuse(["from"], "must be before `to`");
  }
}

function emptySpan({ fromMs, toMs }: Span): OptionsError {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  return new OptionsError(
    `Cannot read points as \`from\` must be before \`to\`: ${from} is not before ${to}`,
  );
}

function otherTags({ measurement, tags: names }: Options, tags: Tags, odd: string): OptionsError {
  const has = names.includes(odd) ? `has no tag "${odd}"` : `has the tag "${odd}" as well`;
  return new OptionsError(
    `Cannot read "${measurement}" as its series must have the tags ${names.join(", ")}: ${
      JSON.stringify(tags)
    } ${has}`,
    { hint: "Name in `tags` what they have, or choose series by `where`" },
  );
}
