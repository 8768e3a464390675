/**
 * Query parameters, as strictly as the exchange takes them.
 *
 * @module
 */

import { type Interval, INTERVALS } from "../engine/interval.ts";
import { ApiError } from "./answer.ts";

/** The parameters of a request by name. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Checks names and presence of parameters.
 *
 * @param query The query as it was sent.
 * @param known The names the endpoint reads.
 * @throws {ApiError} If one is there twice, is empty, or is not known.
 */
export function readParameters(query: URLSearchParams, known: readonly string[]): Parameters {
  const read = new Map<string, string>();
  for (const [name, value] of query) {
    if (read.has(name)) throw new ApiError(-1101, "Duplicate values for a parameter detected.");
    read.set(name, value);
  }
  const unread = [...read.keys()].filter((name) => !known.includes(name)).length;
  if (unread > 0) {
    throw new ApiError(
      -1104,
      `Not all sent parameters were read; read '${
        read.size - unread
      }' parameter(s) but was sent '${read.size}'.`,
    );
  }
  for (const [name, value] of read) {
    if (value === "") throw new ApiError(-1105, `Parameter '${name}' was empty.`);
  }
  return read;
}

/** A parameter that must be there. */
export function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value !== undefined) return value;
  throw new ApiError(
    -1102,
    `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`,
  );
}

/** A symbol's name: it may hold any script, but no lower case and no blanks. */
export function readSymbol(name: string, value: string): string {
  // Which code lower case gets is not documented; the range of legal characters excludes it.
  if (/^[\p{L}\p{N}\-._]{1,50}$/u.test(value) && !/[a-z]/.test(value)) return value;
  throw illegal(name, "^[\\w\\-._&&[^a-z]]{1,50}$");
}

/** An interval. Upper case matters. */
export function readInterval(value: string): Interval {
  const interval = INTERVALS.find((one) => one === value);
  if (interval) return interval;
  throw new ApiError(-1120, "Invalid interval.");
}

/** How many rows: 500 unless asked for, never more than 1000. */
export function readLimit(parameters: Parameters): number {
  const limit = readWhole(parameters, "limit") ?? 500;
  if (limit === 0) throw new ApiError(-1130, "Data sent for parameter 'limit' is not valid.");
  return Math.min(limit, 1_000);
}

/** A bound of a window in microseconds; it may be sent in milliseconds too. */
export function readBoundUs(parameters: Parameters, name: string): number | undefined {
  const value = readWhole(parameters, name);
  return value === undefined || value >= 1e14 ? value : value * 1_000;
}

/** How far days begin before those of UTC, in milliseconds: `8`, `-5:30`, `+14:00`. */
export function readTimeZone(parameters: Parameters): number {
  const value = parameters.get("timeZone") ?? "0";
  const parts = /^([+-]?)(\d{1,2})(?::([0-5]\d))?$/.exec(value);
  const minutes = parts && (parts[1] === "-" ? -1 : 1) *
      (60 * Number(parts[2]) + Number(parts[3] ?? 0));
  if (minutes !== null && minutes >= -720 && minutes <= 840) return 60_000 * minutes;
  throw new ApiError(-1130, "Data sent for parameter 'timeZone' is not valid.");
}

function readWhole(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,20}$/.test(value)) throw illegal(name, "^[0-9]{1,20}$");
  return Number(value);
}

function illegal(name: string, range: string): ApiError {
  return new ApiError(
    -1100,
    `Illegal characters found in parameter '${name}'; legal range is '${range}'.`,
  );
}
