/**
 * Candles that the simulated market makes up.
 *
 * @module
 */

import type { Grid } from "./grid.ts";
import { type Halt, haltAtEnd, haltAtStart, haltOver, type Shift } from "./halts.ts";
import { type Candle, candleOf, type Market, priceAt, soFar } from "./market.ts";
import { hash } from "./random.ts";
import {
  isServed,
  type Series,
  type TimeUnit,
  type View,
  type Window,
  writeTime,
} from "./series.ts";
import type { Writer } from "./writer.ts";

/** When a series has candles, and where. */
export interface Times {
  /** Times without candles, merged; those before the listing and after the delisting among them. */
  readonly halts: readonly Halt[];
  /** First moment of trade, in epoch milliseconds. */
  readonly listedMs: number;
  /** Off-grid times. */
  readonly shifts: readonly Shift[];
  /** Share of candles that see no trade even on a busy market. */
  readonly tradeless: number;
}

/** Of so many slots one has trades for certain, so that the last price is never far to seek. */
const TRADED_EVERY = 32;
/** How much of its trades REST knows of while a closed candle still changes. */
const CHANGING_SHARE = 0.9;

/** A series that the market makes up. Its candles are named by their slots. */
export class GeneratedSeries implements Series {
  readonly #market: Market;
  readonly #grid: Grid;
  readonly #times: Times;
  readonly #seed: number;

  /** Makes the series of a market on a grid; `seed` tells the intervals of a market apart. */
  constructor(market: Market, grid: Grid, times: Times, seed: number) {
    this.#market = market;
    this.#grid = grid;
    this.#times = times;
    this.#seed = hash(market.seed, seed);
  }

  /** The slots in a window that have a candle. */
  find(window: Window, view: View): number[] {
    const { fromMs, toMs, limit } = window;
    const first = Math.max(this.#atOrAfter(fromMs), this.#grid.index(this.#times.listedMs));
    const last = this.#atOrBefore(Math.min(toMs, view.nowMs));
    return window.keep === "oldest"
      ? this.#oldest(first, last, limit, view)
      : this.#newest(first, last, limit, view);
  }

  /** When a candle opens, in epoch milliseconds. */
  open(slot: number): number {
    const openMs = this.#grid.open(slot);
    for (const shift of this.#times.shifts) {
      if (openMs >= shift.fromMs && openMs < shift.toMs) {
        return openMs + shift.byMs % (this.#grid.open(slot + 1) - openMs);
      }
    }
    return openMs;
  }

  /** The last moment of a candle: before its usual one when a halt cut it. */
  close(slot: number): number {
    const openMs = this.open(slot);
    const endMs = this.#end(slot, openMs);
    const halt = haltAtEnd(this.#times.halts, openMs, endMs);
    return (halt?.cut ? halt.fromMs : endMs) - 1;
  }

  /** Writes one candle as a REST row. */
  writeRow(slot: number, view: View, unit: TimeUnit, writer: Writer): void {
    const closeMs = this.close(slot);
    const candle = this.#finished(slot);
    const known = candle && this.#known(candle, slot, closeMs, view) ||
      tradeless(this.#lastPrice(slot));
    const { priceDecimals, amountDecimals } = this.#market;
    const { volume, takerVolume, takerPrice, makerPrice } = known;
    writer.text("[");
    writeTime(this.open(slot), unit, "000", writer);
    for (const price of [known.open, known.high, known.low, known.close]) {
      writer.text(",");
      writer.decimal(price, priceDecimals);
    }
    writer.text(",");
    writer.decimal(volume, amountDecimals);
    writer.text(",");
    writeTime(closeMs, unit, "999", writer);
    writer.text(",");
    writer.value([takerVolume, volume - takerVolume], [takerPrice, makerPrice]);
    writer.text(",");
    writer.whole(known.trades);
    writer.text(",");
    writer.decimal(takerVolume, amountDecimals);
    writer.text(",");
    writer.value([takerVolume, 0], [takerPrice, 0]);
    writer.text(',"0"]');
  }

  /** The candle with all its trades, or nothing when it has none. */
  #finished(slot: number): Candle | undefined {
    const openMs = this.open(slot);
    const [fromMs, toMs] = this.#life(openMs, this.#end(slot, openMs));
    const seed = hash(this.#seed, slot);
    const isQuiet = hash(seed, -1) < this.#times.tradeless * 4_294_967_296;
    const candle = isQuiet ? undefined : candleOf(this.#market, seed, fromMs, toMs, 0);
    if (candle || !this.#mustTrade(slot)) return candle;
    return candleOf(this.#market, seed, fromMs, toMs, 1);
  }

  /** What the reader knows of a candle: nothing before its first trade. */
  #known(candle: Candle, slot: number, closeMs: number, view: View): Candle | undefined {
    const trades = Math.floor(candle.trades * this.#share(slot, closeMs, view));
    return trades === 0 ? undefined : soFar(candle, trades);
  }

  #share(slot: number, closeMs: number, view: View): number {
    if (closeMs < view.nowMs - view.absentMs - view.changingMs) return 1;
    if (closeMs < view.nowMs) return CHANGING_SHARE;
    const openMs = this.open(slot);
    const [fromMs, toMs] = this.#life(openMs, this.#end(slot, openMs));
    return Math.min(1, (view.nowMs - fromMs) / (toMs - fromMs));
  }

  /** The last price before a slot; after a halt, the first one to come. */
  #lastPrice(slot: number): number {
    let earlier = slot - 1;
    while (!this.#isHalted(earlier)) {
      const candle = this.#finished(earlier);
      if (candle) return candle.close;
      earlier--;
    }
    return priceAt(this.#market, this.open(slot));
  }

  #mustTrade(slot: number): boolean {
    return slot % TRADED_EVERY === 0 || this.#isHalted(slot - 1);
  }

  #isHalted(slot: number): boolean {
    const openMs = this.open(slot);
    return haltOver(this.#times.halts, openMs, this.#end(slot, openMs)) !== undefined;
  }

  /** Where a candle ends when no halt cuts it. */
  #end(slot: number, openMs: number): number {
    return this.#grid.open(slot + 1) + openMs - this.#grid.open(slot);
  }

  /** The part of a span in which there is trade. */
  #life(openMs: number, endMs: number): [fromMs: number, toMs: number] {
    const { halts } = this.#times;
    const before = haltAtStart(halts, openMs, endMs);
    const after = haltAtEnd(halts, openMs, endMs);
    return [before?.toMs ?? openMs, after?.fromMs ?? endMs];
  }

  #isThere(slot: number, view: View): boolean {
    const closeMs = this.close(slot);
    if (closeMs < view.nowMs - view.absentMs) return true;
    const openMs = this.open(slot);
    return isServed(this.#life(openMs, this.#end(slot, openMs))[0], closeMs, view);
  }

  #oldest(first: number, last: number, limit: number, view: View): number[] {
    const found: number[] = [];
    for (let slot = first; slot <= last && found.length < limit; slot++) {
      const openMs = this.open(slot);
      const halt = haltOver(this.#times.halts, openMs, this.#end(slot, openMs));
      // Off-grid, the first slot after a halt may lie one before that of the halt's end.
      if (halt) slot = Math.max(slot, this.#grid.index(halt.toMs) - 2);
      else if (this.#isThere(slot, view)) found.push(slot);
    }
    return found;
  }

  #newest(first: number, last: number, limit: number, view: View): number[] {
    const found: number[] = [];
    for (let slot = last; slot >= first && found.length < limit; slot--) {
      const openMs = this.open(slot);
      const halt = haltOver(this.#times.halts, openMs, this.#end(slot, openMs));
      if (halt) slot = Math.min(slot, this.#grid.index(halt.fromMs) + 1);
      else if (this.#isThere(slot, view)) found.push(slot);
    }
    return found.reverse();
  }

  #atOrAfter(ms: number): number {
    const slot = this.#grid.index(ms);
    return this.open(slot) >= ms ? slot : slot + 1;
  }

  #atOrBefore(ms: number): number {
    const slot = this.#grid.index(ms);
    return this.open(slot) <= ms ? slot : slot - 1;
  }
}

/** The candle of a slot in which no one traded. */
function tradeless(price: number): Candle {
  return {
    open: price,
    high: price,
    low: price,
    close: price,
    trades: 0,
    volume: 0,
    takerVolume: 0,
    takerPrice: price,
    makerPrice: price,
    highTrade: 0,
    lowTrade: 0,
  };
}
