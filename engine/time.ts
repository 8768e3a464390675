/**
 * Times as users write them.
 *
 * @module
 */

/** A moment, or a span counted back from the moment of reading. */
export type Time =
  | { readonly atMs: number }
  | { readonly ago: number; readonly unit: TimeUnit };

/** The units a span may have. Months and years are calendar ones, in UTC. */
export type TimeUnit = "second" | "minute" | "hour" | "day" | "week" | "month" | "year";

const UNIT_MS: Readonly<Record<Exclude<TimeUnit, "month" | "year">, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

const AGO = /^(\d+)\s*(second|minute|hour|day|week|month|year)s?\s+ago$/i;
const ISO =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;
const EARLIEST_MS = 1_000_000_000_000;
const LATEST_MS = 10_000_000_000_000;

/**
 * Reads a time as a user writes it.
 *
 * @param value ISO 8601 (UTC unless an offset is given), epoch milliseconds, `now`, or a span such
 * as `30 days ago`.
 * @returns The time, or a sentence that says what must hold.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTime("2024-01-01"), { atMs: 1_704_067_200_000 });
 * assertEquals(parseTime("30 days ago"), { ago: 30, unit: "day" });
 * assertEquals(parseTime(1_704_067_200), "must be epoch milliseconds, not seconds: it has 10 digits");
 * ```
 */
export function parseTime(value: string | number): Time | string {
  const text = String(value).trim();
  if (/^\d+$/.test(text)) return parseEpoch(text);
  if (text.toLowerCase() === "now") return { ago: 0, unit: "second" };
  const ago = AGO.exec(text);
  if (ago) return { ago: Number(ago[1]), unit: (ago[2] ?? "").toLowerCase() as TimeUnit };
  if (ISO.test(text)) {
    const atMs = parseIso(text);
    if (atMs !== undefined) return atMs < 0 ? "must not lie before 1970-01-01" : { atMs };
  }
  return "must be a time such as `2024-01-31`, `2024-01-31T12:00:00Z`, epoch milliseconds or `30 days ago`";
}

/**
 * The moment a time stands for.
 *
 * @param time A time as {@linkcode parseTime} gives it.
 * @param nowMs The moment that spans are counted back from, in epoch milliseconds.
 * @returns Epoch milliseconds; 0 where a span goes back beyond 1970.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const nowMs = Date.UTC(2024, 2, 31);
 * assertEquals(resolveTime({ ago: 1, unit: "month" }, nowMs), Date.UTC(2024, 1, 29));
 * ```
 */
export function resolveTime(time: Time, nowMs: number): number {
  if ("atMs" in time) return time.atMs;
  // A date beyond what JavaScript can hold is NaN.
  return Math.max(0, beforeMs(nowMs, time.ago, time.unit) || 0);
}

function beforeMs(nowMs: number, ago: number, unit: TimeUnit): number {
  if (unit === "month") return monthsBefore(nowMs, ago);
  if (unit === "year") return monthsBefore(nowMs, 12 * ago);
  return nowMs - ago * UNIT_MS[unit];
}

function parseEpoch(text: string): Time | string {
  const atMs = Number(text);
  if (atMs >= EARLIEST_MS && atMs < LATEST_MS) return { atMs };
  const unit = text.length === 10 ? "seconds" : text.length === 16 ? "microseconds" : undefined;
  return unit
    ? `must be epoch milliseconds, not ${unit}: it has ${text.length} digits`
    : "must be epoch milliseconds (13 digits), or a time such as `2024-01-31`";
}

function parseIso(text: string): number | undefined {
  const dated = text.replace(" ", "T");
  const hasZone = dated.length === 10 || /(?:Z|[+-]\d{2}:\d{2})$/.test(dated);
  const atMs = Date.parse(hasZone ? dated : `${dated}Z`);
  // `Date.parse` reads 2024-02-31 as 2 March.
  const day = Date.parse(dated.slice(0, 10));
  if (Number.isNaN(atMs) || Number.isNaN(day)) return undefined;
  return new Date(day).toISOString().startsWith(dated.slice(0, 10)) ? atMs : undefined;
}

function monthsBefore(nowMs: number, months: number): number {
  const date = new Date(nowMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
