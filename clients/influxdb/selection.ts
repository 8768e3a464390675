/**
 * What can be read back of a store: points of one measurement, by series and time.
 *
 * @module
 */

import { FatalError } from "../../engine/errors.ts";
import { textOf } from "../../engine/text.ts";
import type { FieldType, FieldValue, Point } from "../../engine/point.ts";
import type { InfluxClient } from "./client.ts";

/** The tags that name a series. */
export type Tags = Point["tags"];

/** Which series: for a tag that is named, those with one of the values. */
export type Where = Readonly<Record<string, readonly string[]>>;

/** What is selected. */
export interface Selection {
  /** What it is for, to follow "Cannot" in messages. */
  readonly action: string;
  /** The measurement. */
  readonly measurement: string;
  /** The fields, and the type of each. */
  readonly fields: Readonly<Record<string, FieldType>>;
  /** Whether fields of other names come along, typed as the store has them. They do not by default. */
  readonly others?: boolean;
  /** The series. */
  readonly where: Where;
  /** The first time, in epoch milliseconds. */
  readonly fromMs: number;
  /** The end, exclusive, in epoch milliseconds: later than `fromMs`. */
  readonly toMs: number;
  /** How many points of each series, at most. */
  readonly limit: number;
  /** Which of them, where there are more. */
  readonly end: "first" | "last";
}

/** Points of one series. */
export interface SeriesPoints {
  /** Its tags: all that it has in the store. */
  readonly tags: Tags;
  /** Its points, oldest first. They share the tags. */
  readonly points: readonly Point[];
  /**
   * Set where there are, or may be, more points than these: they are whole up to there, exclusive,
   * in epoch milliseconds.
   */
  readonly cutMs?: number | undefined;
}

/** How a kind of server is asked for points. */
export interface Dialect {
  /** Selects points. Series without any are absent. */
  select(client: InfluxClient, selection: Selection): Promise<readonly SeriesPoints[]>;
  /** Lists the series that have points. */
  list(client: InfluxClient, selection: Selection): Promise<readonly Tags[]>;
}

/**
 * Whether two sets of tags name one series: a tag without a value is none.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert(isSameSeries({ symbol: "A", note: "" }, { symbol: "A" }));
 * assert(!isSameSeries({ symbol: "A", note: "old" }, { symbol: "A" }));
 * ```
 */
export function isSameSeries(one: Tags, other: Tags): boolean {
  return Object.keys({ ...one, ...other }).every((name) =>
    (one[name] ?? "") === (other[name] ?? "")
  );
}

/** Tags without those that have no value, in the order of their names. */
export function withoutEmpty(tags: Tags): Tags {
  return Object.fromEntries(
    Object.entries(tags).filter(([, value]) => value !== "").sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/**
 * The value of a field, of the type it is declared with.
 *
 * @param selection What was asked for.
 * @param name The name of the field.
 * @param raw What the store gave: integers beyond 2^53 as a `bigint`; booleans may be 1 and 0.
 * @returns Nothing where there is no value, or nobody asked.
 * @throws {FatalError} If it is of another type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const selection = { measurement: "kline", fields: { closed: "boolean" } } as const;
 * assertEquals(fieldValue(selection, "closed", 1), true);
 * assertEquals(fieldValue(selection, "note", "new"), undefined);
 * ```
 */
export function fieldValue(
  { measurement, fields, others }: Pick<Selection, "measurement" | "fields" | "others">,
  name: string,
  raw: unknown,
): FieldValue | undefined {
  if (raw === null || raw === undefined) return undefined;
  const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (type === undefined) return others && isFieldValue(raw) ? raw : undefined;
  const value = TYPED[type](raw);
  if (value !== undefined) return value;
  throw new FatalError(
    `Cannot read field "${name}" of "${measurement}" as it must be of type ${type}: the store has ${
      JSON.stringify(textOf(raw))
    }`,
    { hint: "Name the type it has in the store" },
  );
}

const TYPED: Readonly<Record<FieldType, (raw: unknown) => FieldValue | undefined>> = {
  float: (raw) => typeof raw === "number" || typeof raw === "bigint" ? Number(raw) : undefined,
  integer: (raw) =>
    typeof raw === "bigint" || Number.isSafeInteger(raw) ? raw as number : undefined,
  boolean: (raw) =>
    raw === 1 ? true : raw === 0 ? false : typeof raw === "boolean" ? raw : undefined,
  string: (raw) => typeof raw === "string" ? raw : undefined,
};

function isFieldValue(raw: unknown): raw is string | number | bigint | boolean {
  return ["string", "number", "bigint", "boolean"].includes(typeof raw);
}

/**
 * Cuts off the last points of a series that may lack others: of those at the last moment, some may
 * not have come.
 *
 * @param tags The tags of the series.
 * @param points Its points, oldest first.
 * @param lastMs The last moment, in epoch milliseconds.
 * @throws {FatalError} If nothing is left, as reading would not get any further.
 */
export function cutAt(tags: Tags, points: readonly Point[], lastMs: number): SeriesPoints {
  const whole = points.filter(({ timeMs }) => timeMs < lastMs);
  if (whole.length > 0) return { tags, points: whole, cutMs: lastMs };
  throw new FatalError(
    `Cannot read on in ${
      JSON.stringify(tags)
    } as points must lie milliseconds apart: ${points.length} lie at ${
      new Date(lastMs).toISOString()
    }`,
  );
}
