/**
 * The REST endpoints: what a request is answered with when nothing goes wrong.
 *
 * @module
 */

import { type Answer, ApiError, jsonAnswer } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { exchangeInfo } from "./exchange_info.ts";
import type { Limits } from "./limits.ts";
import {
  type Parameters,
  readBoundUs,
  readInterval,
  readLimit,
  readParameters,
  readSymbol,
  readTimeZone,
  required,
} from "./parameters.ts";
import type { Series, TimeUnit, View, Window } from "./series.ts";
import { Writer } from "./writer.ts";

/** Bounds before this moment count as this moment. There is nothing to be had after the present. */
const EARLIEST_MS = Date.UTC(2017, 0, 1);

/** More than a row usually takes. */
const ROW_BYTES = 200;

/** A request, read. */
export interface ApiRequest {
  /** Path, without the query. */
  readonly path: string;
  /** The query. */
  readonly query: URLSearchParams;
  /** The unit of the times in the answer. */
  readonly unit: TimeUnit;
  /** Symbols that the exchange does not know any more. */
  readonly gone: ReadonlySet<string>;
}

/** What the endpoints need to know. */
export interface ApiState {
  /** What is traded. */
  readonly exchange: Exchange;
  /** The moment, and how far answers lag behind it. */
  readonly view: View;
  /** What a client may use. */
  readonly limits: Limits;
}

interface Endpoint {
  readonly weight: number;
  readonly parameters: readonly string[];
  readonly answer: (parameters: Parameters, request: ApiRequest, state: ApiState) => Answer["body"];
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/api/v3/ping": { weight: 1, parameters: [], answer: () => "{}" },
  "/api/v3/time": {
    weight: 1,
    parameters: [],
    answer: (_, request, state) => `{"serverTime":${timeText(state.view.nowMs, request.unit)}}`,
  },
  "/api/v3/exchangeInfo": {
    weight: 20,
    parameters: ["symbol", "symbols", "permissions", "symbolStatus", "showPermissionSets"],
    answer: (parameters, request, { exchange, limits, view: { nowMs } }) =>
      exchangeInfo(parameters, {
        symbols: exchange.symbols.filter((listed) => !request.gone.has(listed.symbol)),
        limits,
        nowMs,
        serverTime: Number(timeText(nowMs, request.unit)),
      }),
  },
  "/api/v3/klines": {
    weight: 2,
    parameters: ["symbol", "interval", "startTime", "endTime", "timeZone", "limit"],
    answer: klines,
  },
};

/** Whether there is such an endpoint. */
export function isEndpoint(path: string): boolean {
  return path in ENDPOINTS;
}

/** The weight of a request for a path. */
export function weightOf(path: string): number {
  return ENDPOINTS[path]?.weight ?? 1;
}

/**
 * Answers a request.
 *
 * @throws {ApiError} If the request is wrong.
 */
export function answerRequest(request: ApiRequest, state: ApiState): Answer {
  const endpoint = ENDPOINTS[request.path];
  if (!endpoint) return { status: 404, body: "", headers: { "content-type": "text/html" } };
  const parameters = readParameters(request.query, endpoint.parameters);
  return jsonAnswer(endpoint.answer(parameters, request, state));
}

/**
 * Candles as an array of REST rows, in JSON.
 *
 * @param series The series.
 * @param window Which candles.
 * @param view What the reader sees.
 * @param unit The unit of the times in it.
 */
export function rowsJson(
  series: Series,
  window: Window,
  view: View,
  unit: TimeUnit,
): Uint8Array<ArrayBuffer> {
  const candles = series.find(window, view);
  const writer = new Writer(ROW_BYTES * (candles.length + 1));
  writer.text("[");
  for (const [index, candle] of candles.entries()) {
    if (index > 0) writer.text(",");
    series.writeRow(candle, view, unit, writer);
  }
  writer.text("]");
  return writer.bytes();
}

function klines(parameters: Parameters, request: ApiRequest, state: ApiState): Answer["body"] {
  const { exchange, view } = state;
  const name = readSymbol("symbol", required(parameters, "symbol"));
  const interval = readInterval(required(parameters, "interval"));
  const window = readWindow(parameters);
  const offsetMs = readTimeZone(parameters);
  const listed = request.gone.has(name) ? undefined : exchange.symbol(name);
  if (!listed) throw new ApiError(-1121, "Invalid symbol.");
  return rowsJson(exchange.series(listed, interval, offsetMs), window, view, request.unit);
}

function readWindow(parameters: Parameters): Window {
  const limit = readLimit(parameters);
  const startUs = readBoundUs(parameters, "startTime");
  const endUs = readBoundUs(parameters, "endTime");
  return {
    fromMs: Math.max(EARLIEST_MS, Math.ceil((startUs ?? 0) / 1_000)),
    toMs: Math.max(EARLIEST_MS, Math.floor((endUs ?? Infinity) / 1_000)),
    limit,
    keep: startUs === undefined ? "newest" : "oldest",
  };
}

function timeText(ms: number, unit: TimeUnit): string {
  return unit === "ms" ? `${ms}` : `${ms}000`;
}
