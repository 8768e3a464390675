/**
 * Candles that the exchange corrects afterwards.
 *
 * @module
 */

import type { Series, TimeUnit, View, Window } from "./series.ts";
import { Writer } from "./writer.ts";

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

  /** Writes a candle with the values it has by now. */
  writeRow(candle: number, view: View, unit: TimeUnit, writer: Writer): void {
    const openMs = this.open(candle);
    const due = this.#corrections
      .filter((one) => one.openMs === openMs && one.atMs <= view.nowMs);
    if (due.length === 0) return this.#series.writeRow(candle, view, unit, writer);
    const row = new Writer();
    this.#series.writeRow(candle, view, unit, row);
    const cells: unknown[] = JSON.parse(new TextDecoder().decode(row.bytes()));
    for (const { values } of due) {
      for (const [name, value] of Object.entries(values)) cells[COLUMNS.indexOf(name)] = value;
    }
    writer.text(JSON.stringify(cells));
  }
}
