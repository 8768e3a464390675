/**
 * The simulated exchange: its symbols and their series, as a scenario describes them.
 *
 * @module
 */

import { OptionsError } from "../engine/errors.ts";
import type { Interval } from "../engine/interval.ts";
import { resolveTime, type Time } from "../engine/time.ts";
import { CorrectedSeries, type Correction } from "./corrections.ts";
import { GeneratedSeries } from "./generated.ts";
import { gridOf } from "./grid.ts";
import { type Halt, mergeHalts, type Shift } from "./halts.ts";
import { type Market, marketOf } from "./market.ts";
import { hashText } from "./random.ts";
import { readRecorded, type RecordedSeries } from "./recorded.ts";
import type { CheckedScenario } from "./scenario.ts";
import type { Series } from "./series.ts";

/** A symbol of the exchange. */
export interface ListedSymbol {
  /** Its name. */
  readonly symbol: string;
  /** The asset that is traded. */
  readonly base: string;
  /** The asset its price is told in. */
  readonly quote: string;
  /** Its status before it is delisted. */
  readonly status: string;
  /** What its price does. */
  readonly market: Market;
  /** First moment of trade, in epoch milliseconds. */
  readonly listedMs: number;
  /** First moment without trade for good, in epoch milliseconds; Infinity when it goes on. */
  readonly delistedMs: number;
  /** Times without candles. */
  readonly halts: readonly Halt[];
}

/** What trades on the exchange, and its candles. */
export class Exchange {
  /** All symbols, in the order of the scenario. */
  readonly symbols: readonly ListedSymbol[];
  readonly #bySymbol: ReadonlyMap<string, ListedSymbol>;
  readonly #recorded: ReadonlyMap<string, RecordedSeries>;
  readonly #corrections: ReadonlyMap<string, readonly Correction[]>;
  readonly #shifts: readonly Shift[];
  readonly #tradeless: number;

  /** Makes the exchange of a scenario; spans such as `30 days ago` count back from `startMs`. */
  constructor(scenario: CheckedScenario, startMs: number) {
    const at = (time: Time) => resolveTime(time, startMs);
    const halts = scenario.halts.map((halt) => ({ ...readSpan(halt, at), cut: halt.cut }));
    this.symbols = scenario.symbols.map((one) => listSymbol(one, scenario, halts, at));
    this.#bySymbol = new Map(this.symbols.map((one) => [one.symbol, one]));
    this.#shifts = scenario.shifts.map((one) => ({ ...readSpan(one, at), byMs: one.by_ms }));
    this.#tradeless = scenario.tradeless;
    this.#recorded = new Map(scenario.files.map((one) => [keyOf(one), readRecorded(one.path)]));
    this.#corrections = Map.groupBy(
      scenario.corrections.map((one) => ({ ...one, ...readCorrection(one, at) })),
      keyOf,
    );
  }

  /** A symbol by name. */
  symbol(name: string): ListedSymbol | undefined {
    return this.#bySymbol.get(name);
  }

  /**
   * The candles of a symbol.
   *
   * @param listed The symbol.
   * @param interval The interval.
   * @param offsetMs How far days begin before those of UTC. Recorded candles stay where they are.
   */
  series(listed: ListedSymbol, interval: Interval, offsetMs = 0): Series {
    const key = keyOf({ symbol: listed.symbol, interval });
    const series = this.#recorded.get(key) ?? this.#generated(listed, interval, offsetMs);
    const corrections = this.#corrections.get(key);
    return corrections ? new CorrectedSeries(series, corrections) : series;
  }

  #generated(listed: ListedSymbol, interval: Interval, offsetMs: number): Series {
    const times = { ...listed, shifts: this.#shifts, tradeless: this.#tradeless };
    return new GeneratedSeries(
      listed.market,
      gridOf(interval, offsetMs),
      times,
      hashText(interval),
    );
  }
}

type At = (time: Time) => number;

function keyOf(series: { readonly symbol: string; readonly interval: Interval }): string {
  return `${series.symbol} ${series.interval}`;
}

function listSymbol(
  described: CheckedScenario["symbols"][number],
  scenario: CheckedScenario,
  halts: readonly Halt[],
  at: At,
): ListedSymbol {
  const { symbol, base, quote, status, price, trades_per_minute: tradesPerMinute } = described;
  const listedMs = at(described.listed ?? scenario.listed);
  const delistedMs = described.delisted ? at(described.delisted) : Infinity;
  return {
    symbol,
    base,
    quote,
    status,
    listedMs,
    delistedMs,
    halts: mergeHalts([
      { fromMs: -Infinity, toMs: listedMs, cut: false },
      ...halts,
      { fromMs: delistedMs, toMs: Infinity, cut: false },
    ]),
    market: marketOf({ seed: scenario.seed, symbol, quote, price, tradesPerMinute }),
  };
}

/**
 * Reads a span of time.
 *
 * @throws {OptionsError} If it does not begin before its end.
 */
export function readSpan(span: { readonly from: Time; readonly to: Time }, at: At) {
  const [fromMs, toMs] = [at(span.from), at(span.to)];
  if (fromMs < toMs) return { fromMs, toMs };
  throw new OptionsError(
    `Cannot use the scenario: \`from\` must be before \`to\`, found ${
      new Date(fromMs).toISOString()
    } and ${new Date(toMs).toISOString()}`,
  );
}

function readCorrection(one: CheckedScenario["corrections"][number], at: At): Correction {
  return {
    openMs: at(one.open_time),
    atMs: one.at ? at(one.at) : -Infinity,
    values: one.values,
  };
}
