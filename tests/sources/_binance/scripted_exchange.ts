/**
 * A few lines of exchange for tests: candles by symbol, the window rules of `klines`, and whatever
 * a test answers instead.
 *
 * @module
 */

import { delay } from "@std/async";
import type { Clock, Context } from "../../../engine/context.ts";

/** A row as the exchange gives it; tests put wrong ones among them. */
export type Row = readonly unknown[];

/** What the exchange has, and what it does instead of the right thing. */
export interface Script {
  /** Its clock. */
  readonly clock: Clock;
  /** Rows by symbol, ascending. Their open time is their first value. */
  readonly rows: Readonly<Record<string, readonly Row[]>>;
  /** Status by symbol where it is not `TRADING`. */
  readonly status?: Readonly<Record<string, string>>;
  /** Symbols that exist but are not listed unless asked for by name. */
  readonly unlisted?: readonly string[];
  /** Weight per minute. 6000 by default. */
  readonly limit?: number;
  /** Weight that others use in every minute. */
  readonly others?: number;
  /** How far its clock is ahead of that of the test. */
  readonly aheadMs?: number;
  /** How long an answer to `klines` of a symbol takes. */
  delayMs?(symbol: string): number;
  /** Answers a request instead; counted from 0 over all requests. */
  instead?(url: URL, count: number): Response | Promise<Response> | undefined;
}

/** A scripted exchange, and what it was asked. */
export interface ScriptedExchange {
  /** To be handed to a fake context. */
  readonly fetch: Context["fetch"];
  /** All requests, in order. */
  readonly requests: URL[];
  /** When they came, by the clock of the test. */
  readonly timesMs: number[];
  /** The parameters of the requests for candles, in order. */
  klines(): Record<string, string>[];
  /** Requests that were begun and have not ended. */
  underWay(): number;
  /** The most weight used in one minute, that of others left out. */
  peakWeight(): number;
}

/** Makes an exchange that does what it is told. */
export function scriptedExchange(script: Script): ScriptedExchange {
  const requests: URL[] = [];
  const timesMs: number[] = [];
  const weights = new Map<number, number>();
  let underWay = 0;
  const fetch: Context["fetch"] = async (address, init) => {
    const url = new URL(address);
    init?.signal?.throwIfAborted();
    const nowMs = script.clock.now() + (script.aheadMs ?? 0);
    const minute = Math.floor(nowMs / 60_000);
    const weight = (weights.get(minute) ?? 0) + (url.pathname.endsWith("exchangeInfo") ? 20 : 2);
    weights.set(minute, weight);
    timesMs.push(script.clock.now());
    underWay++;
    try {
      const count = requests.push(url) - 1;
      const instead = await script.instead?.(url, count);
      if (instead) return instead;
      const delayMs = script.delayMs?.(url.searchParams.get("symbol") ?? "") ?? 0;
      if (delayMs > 0) await script.clock.sleep(delayMs, init?.signal ?? undefined);
      const response = answer(url, script, nowMs);
      response.headers.set("x-mbx-used-weight-1m", String(weight + (script.others ?? 0)));
      return response;
    } finally {
      // A connection is not closed at the moment its request is aborted.
      if (init?.signal?.aborted) await delay(0);
      underWay--;
    }
  };
  return {
    fetch,
    requests,
    timesMs,
    klines: () =>
      requests.filter(({ pathname }) => pathname === "/api/v3/klines")
        .map(({ searchParams }) => Object.fromEntries(searchParams)),
    underWay: () => underWay,
    peakWeight: () => Math.max(...weights.values()),
  };
}

/** An answer in JSON. */
export function json(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json;charset=UTF-8", ...headers },
  });
}

/** A page as what stands before the exchange sends it. */
export function page(status: number): Response {
  return new Response("<!DOCTYPE html><html><body>Request blocked</body></html>", {
    status,
    headers: { "content-type": "text/html" },
  });
}

/** Rows that follow each other without a hole. */
export function rowsFrom(openMs: number, count: number, lengthMs = 60_000): Row[] {
  return Array.from({ length: count }, (_, at) => rowAt(openMs + at * lengthMs, lengthMs));
}

/** A row whose digits a float would lose. */
export function rowAt(openMs: number, lengthMs = 60_000): Row {
  return [
    openMs,
    "13715.65000000",
    "13715.65000000",
    "13155.38000000",
    "13410.03000000",
    "1676.20480700",
    openMs + lengthMs - 1,
    "22516071.86700722",
    19438,
    "739.51866600",
    "9937536.51382895",
    "0",
  ];
}

function answer(url: URL, script: Script, nowMs: number): Response {
  return url.pathname === "/api/v3/klines"
    ? klines(url.searchParams, script)
    : exchangeInfo(url.searchParams, script, nowMs);
}

function klines(query: URLSearchParams, { rows }: Script): Response {
  const all = rows[query.get("symbol") ?? ""];
  if (!all) return json({ code: -1121, msg: "Invalid symbol." }, 400);
  const startMs = Number(query.get("startTime"));
  const endMs = Number(query.get("endTime"));
  let placeMs = 0;
  const window = all.filter((row) => {
    // A row without an open time stands where its neighbour does.
    placeMs = typeof row[0] === "number" ? row[0] : placeMs + 1;
    return placeMs >= startMs && placeMs <= endMs;
  });
  return json(window.slice(0, Number(query.get("limit"))));
}

function exchangeInfo(query: URLSearchParams, script: Script, nowMs: number): Response {
  const asked: string[] | undefined = query.has("symbol")
    ? [query.get("symbol") ?? ""]
    : query.has("symbols")
    ? JSON.parse(query.get("symbols") ?? "")
    : undefined;
  if (asked?.some((name) => !script.rows[name])) {
    return json({ code: -1121, msg: "Invalid symbol." }, 400);
  }
  const names = asked ??
    Object.keys(script.rows).filter((name) => !script.unlisted?.includes(name));
  return json({
    timezone: "UTC",
    serverTime: nowMs,
    rateLimits: [
      {
        rateLimitType: "REQUEST_WEIGHT",
        interval: "MINUTE",
        intervalNum: 1,
        limit: script.limit ?? 6_000,
      },
      { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 100 },
      { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 61_000 },
    ],
    exchangeFilters: [],
    symbols: names.map((symbol) => ({
      symbol,
      status: script.status?.[symbol] ?? "TRADING",
      baseAsset: symbol.slice(0, -4),
      quoteAsset: symbol.slice(-4),
    })),
  });
}
