/**
 * The `exchangeInfo` endpoint: which symbols there are, and the limits.
 *
 * @module
 */

import { ApiError } from "./answer.ts";
import type { ListedSymbol } from "./exchange.ts";
import type { Limits } from "./limits.ts";
import { type Parameters, readSymbol } from "./parameters.ts";

/** What the endpoint needs to know. */
export interface ExchangeInfoState {
  /** The symbols that the exchange knows. */
  readonly symbols: readonly ListedSymbol[];
  /** What a client may use. */
  readonly limits: Limits;
  /** The moment, in epoch milliseconds. */
  readonly nowMs: number;
  /** The moment in the unit that was asked for. */
  readonly serverTime: number;
}

/**
 * Answers a request.
 *
 * @returns JSON text.
 * @throws {ApiError} If parameters contradict each other, or one of the symbols is not known.
 */
export function exchangeInfo(parameters: Parameters, state: ExchangeInfoState): string {
  const { limits, nowMs, serverTime } = state;
  const withSets = readFlag(parameters, "showPermissionSets");
  return JSON.stringify({
    timezone: "UTC",
    serverTime,
    rateLimits: [
      rateLimit("REQUEST_WEIGHT", "MINUTE", 1, limits.weightPerMinute),
      rateLimit("ORDERS", "SECOND", 10, 100),
      rateLimit("ORDERS", "DAY", 1, 200_000),
      rateLimit("RAW_REQUESTS", "MINUTE", 5, limits.requestsPer5Minutes),
    ],
    exchangeFilters: [],
    symbols: choose(parameters, state.symbols, nowMs)
      .map((listed) => describeSymbol(listed, nowMs, withSets)),
  });
}

/** The status of a symbol at a moment. */
function statusAt(listed: ListedSymbol, nowMs: number): string {
  return nowMs >= listed.delistedMs ? "BREAK" : listed.status;
}

function choose(
  parameters: Parameters,
  symbols: readonly ListedSymbol[],
  nowMs: number,
): readonly ListedSymbol[] {
  const names = ["symbol", "symbols", "permissions", "symbolStatus"]
    .filter((name) => parameters.has(name));
  const isNamed = names.includes("symbol") || names.includes("symbols");
  if (isNamed && names.length > 1) {
    throw new ApiError(-1128, "Combination of optional parameters invalid.");
  }
  if (isNamed) return readNames(parameters).map((name) => find(symbols, name));
  const status = parameters.get("symbolStatus");
  const permissions = readList(parameters, "permissions");
  return symbols.filter((listed) =>
    (status === undefined || statusAt(listed, nowMs) === status) &&
    (permissions === undefined || permissions.includes("SPOT"))
  );
}

function find(symbols: readonly ListedSymbol[], name: string): ListedSymbol {
  const listed = symbols.find((one) => one.symbol === name);
  if (listed) return listed;
  throw new ApiError(-1121, "Invalid symbol.");
}

function readNames(parameters: Parameters): string[] {
  const symbol = parameters.get("symbol");
  if (symbol !== undefined) return [readSymbol("symbol", symbol)];
  return (readList(parameters, "symbols") ?? []).map((name) => readSymbol("symbols", name));
}

/** A list in JSON; a single word stands for a list of one. */
function readList(parameters: Parameters, name: string): string[] | undefined {
  const value = parameters.get(name);
  if (value === undefined || !value.startsWith("[")) return value === undefined ? value : [value];
  try {
    const list: unknown = JSON.parse(value);
    if (Array.isArray(list) && list.every((one) => typeof one === "string")) return list;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ApiError(-1130, `Data sent for parameter '${name}' is not valid.`);
}

function readFlag(parameters: Parameters, name: string): boolean {
  const value = parameters.get(name) ?? "true";
  if (value === "true" || value === "false") return value === "true";
  throw new ApiError(-1130, `Data sent for parameter '${name}' is not valid.`);
}

function rateLimit(rateLimitType: string, interval: string, intervalNum: number, limit: number) {
  return { rateLimitType, interval, intervalNum, limit };
}

function describeSymbol(listed: ListedSymbol, nowMs: number, withSets: boolean) {
  const { priceDecimals, amountDecimals } = listed.market;
  return {
    symbol: listed.symbol,
    status: statusAt(listed, nowMs),
    baseAsset: listed.base,
    baseAssetPrecision: 8,
    quoteAsset: listed.quote,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    baseCommissionPrecision: 8,
    quoteCommissionPrecision: 8,
    orderTypes: ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
    icebergAllowed: true,
    ocoAllowed: true,
    otoAllowed: true,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: true,
    cancelReplaceAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      {
        filterType: "PRICE_FILTER",
        minPrice: (10 ** -priceDecimals).toFixed(8),
        maxPrice: "1000000.00000000",
        tickSize: (10 ** -priceDecimals).toFixed(8),
      },
      {
        filterType: "LOT_SIZE",
        minQty: (10 ** -amountDecimals).toFixed(8),
        maxQty: "9000000000.00000000",
        stepSize: (10 ** -amountDecimals).toFixed(8),
      },
    ],
    permissions: [],
    permissionSets: withSets ? [["SPOT"]] : [],
    defaultSelfTradePreventionMode: "EXPIRE_MAKER",
    allowedSelfTradePreventionModes: ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
  };
}
