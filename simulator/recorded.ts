/**
 * Candles recorded from a real exchange, served as they are.
 *
 * @module
 */

import { OptionsError } from "../engine/errors.ts";
import {
  isServed,
  type Series,
  type TimeUnit,
  type View,
  type Window,
  writeTime,
} from "./series.ts";
import type { Writer } from "./writer.ts";

/** One recorded row: its times in epoch milliseconds, and in JSON what lies between and after. */
interface RecordedRow {
  readonly openMs: number;
  readonly prices: string;
  readonly closeMs: number;
  readonly rest: string;
}

/** Values from this one on are microseconds. */
const MICROSECONDS_FROM = 1e14;

/** A series from a file. Its candles are named by their places in it, and are final at once. */
export class RecordedSeries implements Series {
  readonly #rows: readonly RecordedRow[];

  /** Makes a series of rows in any order; of rows with one open time the last counts. */
  constructor(rows: readonly RecordedRow[]) {
    const byOpen = new Map(rows.map((row) => [row.openMs, row]));
    this.#rows = [...byOpen.values()].sort((a, b) => a.openMs - b.openMs);
  }

  /** The rows in a window. */
  find(window: Window, view: View): number[] {
    const first = this.#atOrAfter(window.fromMs);
    let end = this.#atOrAfter(Math.min(window.toMs, view.nowMs) + 1);
    while (end > first && !this.#isServed(end - 1, view)) end--;
    const count = Math.min(window.limit, Math.max(0, end - first));
    const start = window.keep === "oldest" ? first : end - count;
    return Array.from({ length: count }, (_, index) => start + index);
  }

  /** When a row's candle opens, in epoch milliseconds. */
  open(index: number): number {
    return this.#rows[index]?.openMs ?? NaN;
  }

  /** The last moment of a row's candle. */
  close(index: number): number {
    return this.#rows[index]?.closeMs ?? NaN;
  }

  /** Writes one row. */
  writeRow(index: number, _view: View, unit: TimeUnit, writer: Writer): void {
    const row = this.#rows[index];
    if (!row) return;
    writer.text("[");
    writeTime(row.openMs, unit, "000", writer);
    writer.text(row.prices);
    writeTime(row.closeMs, unit, "999", writer);
    writer.text(row.rest);
  }

  #isServed(index: number, view: View): boolean {
    return isServed(this.open(index), this.close(index), view);
  }

  #atOrAfter(ms: number): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.open(middle) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Reads recorded candles: a REST answer in JSON, or the CSV of an archive.
 *
 * @param path The file.
 * @throws {OptionsError} If it cannot be read, or a row is none.
 */
export function readRecorded(path: string): RecordedSeries {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (cause) {
    throw new OptionsError(`Cannot read recorded candles from "${path}"`, { cause });
  }
  const rows = text.trimStart().startsWith("[") ? readJson(text, path) : readCsv(text);
  return new RecordedSeries(rows.map((cells, index) => readRow(cells, index + 1, path)));
}

function readJson(text: string, path: string): unknown[][] {
  try {
    const rows: unknown = JSON.parse(text);
    if (Array.isArray(rows) && rows.every((row) => Array.isArray(row))) return rows;
  } catch (cause) {
    throw new OptionsError(`Cannot read recorded candles from "${path}"`, { cause });
  }
  throw new OptionsError(`Cannot read "${path}": it must be an array of rows`);
}

function readCsv(text: string): string[][] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  // Newer archives of futures begin with a line of names.
  if (!/^\d/.test(lines[0] ?? "")) lines.shift();
  return lines.map((line) => line.split(","));
}

function readRow(cells: readonly unknown[], number: number, path: string): RecordedRow {
  const [open, close] = [Number(cells[0]), Number(cells[6])];
  if (cells.length !== 12 || !Number.isSafeInteger(open) || !Number.isSafeInteger(close)) {
    throw new OptionsError(
      `Cannot use row ${number} of "${path}": it must have 12 cells, whole times among them`,
    );
  }
  const quoted = (index: number) => JSON.stringify(String(cells[index]));
  return {
    openMs: toMs(open),
    prices: `,${[1, 2, 3, 4, 5].map(quoted).join()},`,
    closeMs: toMs(close),
    rest: `,${quoted(7)},${Number(cells[8])},${quoted(9)},${quoted(10)},${quoted(11)}]`,
  };
}

function toMs(time: number): number {
  return time >= MICROSECONDS_FROM ? Math.floor(time / 1_000) : time;
}
