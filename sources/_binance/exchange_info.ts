/**
 * What the exchange says of itself: its symbols, its limits and its time.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import { FatalError, OptionsError } from "../../engine/errors.ts";
import { listed, nearestName } from "../../engine/nearest.ts";
import { textOf } from "../../engine/text.ts";
import { ILLEGAL_CHARACTERS, RefusedError, UNKNOWN_SYMBOL } from "./answer.ts";
import type { Answer, BinanceClient } from "./client.ts";
import type { RateLimit } from "./weight.ts";

/** A symbol as the exchange lists it. */
export interface SymbolInfo {
  /** Its name. */
  readonly symbol: string;
  /** `TRADING`, `BREAK` and others: the exchange adds to them. */
  readonly status: string;
  /** The asset that is bought. */
  readonly base: string;
  /** The asset it is paid with. */
  readonly quote: string;
}

/** What the exchange says of itself. */
export interface ExchangeInfo {
  /** Symbols by name. */
  readonly symbols: ReadonlyMap<string, SymbolInfo>;
  /** Its limits. */
  readonly limits: readonly RateLimit[];
  /** Its time, in epoch milliseconds. */
  readonly timeMs: number | undefined;
}

const PATH = "/api/v3/exchangeInfo";
const WEIGHT = 20;
/** More names than these make the address of the request too long to be safe. */
const MOST_NAMES = 100;
/** More unlisted names than these are no hidden symbols but a list of another exchange. */
const MOST_UNLISTED = 20;
/** Codes for a parameter that an exchange of this family does not have. */
const UNKNOWN_PARAMETER: readonly number[] = [-1101, -1104];
/** A clock further off than this is told of. */
const SKEW_MS = 5_000;

/**
 * Looks symbols up, and tells the client the exchange's limits and time.
 *
 * @param client The client to ask with.
 * @param symbols The symbols, upper case.
 * @param context For retries and messages.
 * @param signal Ends it.
 * @returns The symbols, in the order asked for. Those that do not trade are told of.
 * @throws {OptionsError} If some do not exist; it names them all, with the nearest that do.
 */
export async function lookUpSymbols(
  client: BinanceClient,
  symbols: readonly string[],
  context: Pick<Context, "retry" | "log" | "now">,
  signal: AbortSignal,
): Promise<SymbolInfo[]> {
  const ask = async (action: string, query: Record<string, string>) => {
    const answer = await context.retry(
      action,
      () => client.get({ action, path: PATH, query, weight: WEIGHT }, signal),
    );
    return takeOver(client, answer, context);
  };
  const found = await findSymbols(symbols, ask);
  return symbols.map((name) => {
    const info = found.get(name);
    if (!info) throw new FatalError(`Cannot use symbol "${name}": it was asked for in vain`);
    if (info.status !== "TRADING") {
      context.log.warn(`${name} does not trade: its candles may end early`, {
        status: info.status,
      });
    }
    return info;
  });
}

type Ask = (action: string, query: Record<string, string>) => Promise<ExchangeInfo>;

/**
 * Asks for just these symbols, as the list of all is megabytes long. One unknown name makes the
 * exchange refuse them all; only then the whole list tells which, and what was meant.
 */
async function findSymbols(
  names: readonly string[],
  ask: Ask,
): Promise<ReadonlyMap<string, SymbolInfo>> {
  const known = names.length > MOST_NAMES
    ? undefined
    : await unlessUnknown(() => ask("look up symbols", { symbols: JSON.stringify(names) }));
  if (known && names.every((name) => known.symbols.has(name))) return known.symbols;
  const all = new Map((await askForAll(ask)).symbols);
  const unlisted = names.filter((name) => !all.has(name));
  // The list leaves out symbols that only some accounts may trade.
  for (const symbol of unlisted.length > MOST_UNLISTED ? [] : unlisted) {
    const info = await unlessUnknown(() => ask(`look up symbol "${symbol}"`, { symbol }));
    for (const [name, found] of info?.symbols ?? []) all.set(name, found);
  }
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length > 0) throw unknownSymbols(unknown, [...all.keys()]);
  return all;
}

async function askForAll(ask: Ask): Promise<ExchangeInfo> {
  const action = "list the symbols";
  try {
    return await ask(action, { showPermissionSets: "false" });
  } catch (error) {
    if (!(error instanceof RefusedError) || !UNKNOWN_PARAMETER.includes(error.code)) throw error;
    return await ask(action, {});
  }
}

async function unlessUnknown(ask: () => Promise<ExchangeInfo>): Promise<ExchangeInfo | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isUnknown = error instanceof RefusedError &&
      (error.code === UNKNOWN_SYMBOL || error.code === ILLEGAL_CHARACTERS);
    if (!isUnknown) throw error;
    return undefined;
  }
}

function unknownSymbols(unknown: readonly string[], names: readonly string[]): OptionsError {
  const quoted = listed(unknown.map((name) => JSON.stringify(name)), "and");
  const meant = unknown.flatMap((name) => {
    const nearest = nearestName(name, names);
    if (nearest === undefined) return [];
    return unknown.length === 1 ? [`"${nearest}"`] : [`"${nearest}" for ${JSON.stringify(name)}`];
  });
  return new OptionsError(
    unknown.length === 1
      ? `Cannot use symbol ${quoted}: the exchange has no such symbol`
      : `Cannot use symbols ${quoted}: the exchange has no such symbols`,
    {
      hint: meant.length > 0
        ? `Did you mean ${listed(meant, "and")}?`
        : "Write them as the exchange does, such as BTCUSDT",
    },
  );
}

function takeOver(
  client: BinanceClient,
  answer: Answer,
  context: Pick<Context, "log">,
): ExchangeInfo {
  const info = readExchangeInfo(answer.value);
  client.budget.setLimits(info.limits);
  if (info.timeMs === undefined) return info;
  const aheadMs = client.setTime(info.timeMs, answer.steadyMs);
  if (Math.abs(aheadMs) > SKEW_MS) {
    context.log.warn("The clock of this machine is off: the exchange's is used", {
      exchange_ahead_ms: Math.round(aheadMs),
    });
  }
  return info;
}

/**
 * Reads an `exchangeInfo` answer.
 *
 * @throws {FatalError} If it has no symbols: it comes from something else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const info = readExchangeInfo({
 *   serverTime: 1_704_067_200_000,
 *   rateLimits: [{ rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6000 }],
 *   symbols: [{ symbol: "BTCUSDT", status: "TRADING", baseAsset: "BTC", quoteAsset: "USDT" }],
 * });
 * assertEquals(info.symbols.get("BTCUSDT")?.quote, "USDT");
 * assertEquals(info.limits[0]?.header, "x-mbx-used-weight-1m");
 * ```
 */
export function readExchangeInfo(value: unknown): ExchangeInfo {
  const { symbols, rateLimits, serverTime } = objectOf(value);
  if (!Array.isArray(symbols)) {
    throw new FatalError("Cannot read what the exchange says of itself: it lists no symbols", {
      hint: "Check that `base_url` is the address of the exchange itself",
    });
  }
  const found = symbols.map(symbolOf).filter((info) => info !== undefined);
  return {
    symbols: new Map(found.map((info) => [info.symbol, info])),
    limits: (Array.isArray(rateLimits) ? rateLimits : []).map(limitOf)
      .filter((limit) => limit !== undefined),
    timeMs: typeof serverTime === "number" ? serverTime : undefined,
  };
}

function symbolOf(value: unknown): SymbolInfo | undefined {
  const { symbol, status, baseAsset, quoteAsset } = objectOf(value);
  if (typeof symbol !== "string") return undefined;
  if (typeof baseAsset !== "string" || typeof quoteAsset !== "string") return undefined;
  return { symbol, status: textOf(status), base: baseAsset, quote: quoteAsset };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  SECOND: 1_000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: 86_400_000,
};

/** A window that is longer would be waited for in vain. */
const LONGEST_WINDOW_MS = 31 * 86_400_000;

/** Limits on orders, of unknown kinds, and such as no exchange can mean, are left out. */
function limitOf(value: unknown): RateLimit | undefined {
  const { rateLimitType, interval, intervalNum, limit } = objectOf(value);
  if (typeof interval !== "string" || !isCount(intervalNum) || !isCount(limit)) return undefined;
  const windowMs = (UNIT_MS[interval] ?? 0) * intervalNum;
  if (!(windowMs > 0) || windowMs > LONGEST_WINDOW_MS) return undefined;
  if (rateLimitType === "RAW_REQUESTS") return { kind: "requests", windowMs, limit };
  if (rateLimitType !== "REQUEST_WEIGHT") return undefined;
  const header = `x-mbx-used-weight-${intervalNum}${interval.charAt(0).toLowerCase()}`;
  return { kind: "weight", windowMs, limit, header };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
