/**
 * Candles that the exchange corrects afterwards.
 *
 * @module
 */

import { rowText, type Series, type TimeUnit, type View, type Window } from "./series.ts";

/** A correction of one candle. */
export interface Correction {
  /** Open time of the candle, in epoch milliseconds. */
  readonly openMs: number;
  /** When it is made; -Infinity when it was made before the start. */
  readonly atMs: number;
  /** New values by name, as decimals with eight places. */
  readonly values: Readonly<Record<string, string>>;
}

const COLUMNS: readonly string[] = [
  "open_time",
  "open",
  "high",
  "low",
  "close",
  "volume",
  "close_time",
  "quote_volume",
];

/** A series with corrections laid over it. */
export class CorrectedSeries implements Series {
  readonly #series: Series;
  readonly #corrections: readonly Correction[];

  /** Lays corrections over a series. */
  constructor(series: Series, corrections: readonly Correction[]) {
    this.#series = series;
    this.#corrections = corrections;
  }

  /** The candles in a window. */
  find(window: Window, view: View): number[] {
    return this.#series.find(window, view);
  }

  /** When a candle opens, in epoch milliseconds. */
  open(candle: number): number {
    return this.#series.open(candle);
  }

  /** The last moment of a candle. */
  close(candle: number): number {
    return this.#series.close(candle);
  }

  /** A candle with the values it has by now. */
  row(candle: number, view: View, unit: TimeUnit): string {
    const openMs = this.open(candle);
    const due = this.#corrections
      .filter((one) => one.openMs === openMs && one.atMs <= view.nowMs);
    if (due.length === 0) return this.#series.row(candle, view, unit);
    const cells: unknown[] = JSON.parse(this.#series.row(candle, view, "ms"));
    for (const { values } of due) {
      for (const [name, value] of Object.entries(values)) cells[COLUMNS.indexOf(name)] = value;
    }
    const json = cells.map((cell) => JSON.stringify(cell));
    const [prices, rest] = [json.slice(1, 6).join(","), json.slice(7).join(",")];
    return rowText(openMs, prices, this.close(candle), rest, unit);
  }
}
