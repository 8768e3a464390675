/**
 * Names of streams, and the URLs that list them.
 *
 * @module
 */

import { type Interval, INTERVALS } from "../engine/interval.ts";
import type { TimeUnit } from "./series.ts";

const HOURS_8_MS = 28_800_000;

/** What a stream carries, as its name says. */
export interface StreamName {
  /** The symbol, in the lower case that names of streams have. */
  readonly symbol: string;
  /** The interval. */
  readonly interval: Interval;
  /** How far its days begin before those of UTC, in milliseconds. */
  readonly offsetMs: number;
}

/**
 * Reads the name of a stream of candles.
 *
 * @returns Nothing when no such stream exists: the exchange takes such names and stays silent.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readStreamName("btcusdt@kline_1M"), {
 *   symbol: "btcusdt",
 *   interval: "1M",
 *   offsetMs: 0,
 * });
 * assertEquals(readStreamName("BTCUSDT@kline_1m"), undefined);
 * ```
 */
export function readStreamName(name: string): StreamName | undefined {
  const [, symbol = "", text, zone] = /^([^@]+)@kline_([^@]+)(@\+08:00)?$/.exec(name) ?? [];
  const interval = INTERVALS.find((one) => one === text);
  if (!interval || symbol !== symbol.toLowerCase()) return undefined;
  return { symbol, interval, offsetMs: zone ? HOURS_8_MS : 0 };
}

/** Whether a text could name a stream at all: other texts are refused. */
export function isPossibleName(name: string): boolean {
  return /^(![\p{L}\p{N}]+|[\p{L}\p{N}\-._]+)(@[\p{L}\p{N}\-._+:]+)*$/u.test(name) &&
    /[@!]/.test(name);
}

/** What the URL of a connection asks for. */
export interface StreamUrl {
  /** Whether events come wrapped, with the name of their stream. */
  readonly combined: boolean;
  /** Names of streams. */
  readonly names: readonly string[];
  /** The unit of times. */
  readonly unit: TimeUnit;
}

/**
 * Reads the URL of a connection, whatever its host.
 *
 * @returns Nothing when the exchange serves no streams there.
 */
export function readStreamUrl(url: URL): StreamUrl | undefined {
  const unit = /^microsecond$/i.test(url.searchParams.get("timeUnit") ?? "") ? "us" : "ms";
  if (url.pathname === "/stream") {
    // Read by hand: in a query, the plus of `@+08:00` would count as a blank.
    const list = /[?&]streams=([^&]*)/.exec(url.search)?.[1] ?? "";
    return { combined: true, names: namesIn(list), unit };
  }
  if (url.pathname === "/ws" || url.pathname.startsWith("/ws/")) {
    return { combined: false, names: namesIn(url.pathname.slice(4)), unit };
  }
}

function namesIn(list: string): string[] {
  return list.split("/").filter((name) => name !== "").map((name) => {
    try {
      return decodeURIComponent(name);
    } catch {
      return name;
    }
  });
}
