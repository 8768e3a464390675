/**
 * What a benchmark gives, and how all of it is printed.
 *
 * @module
 */

const SAMPLE_MS = 20;

/** One measured figure. */
export interface BenchRow {
  /** What was measured. */
  readonly name: string;
  /** The figure. */
  readonly value: number;
  /** Its unit; `×` for a ratio. */
  readonly unit: string;
  /** What it must be, where there is a bound. */
  readonly bound?: { readonly atLeast?: number; readonly below?: number };
  /** How it came about. */
  readonly note?: string;
}

/** Whether a figure keeps its bound. */
export function keepsBound({ value, bound }: BenchRow): boolean {
  return value >= (bound?.atLeast ?? -Infinity) && value < (bound?.below ?? Infinity);
}

/** All figures as one table. */
export function renderTable(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    `${round(row.value)} ${row.unit}`,
    describeBound(row),
    row.note ?? "",
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0))
  );
  return cells.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  ).join("\n");
}

/**
 * The median time of each of several pieces of work, measured in turn so that all of them see the
 * same noise.
 *
 * A sample is many runs of one piece of work, so that each pays for collecting its own garbage: of
 * single runs the same one would pay for all, round after round.
 *
 * @param works What to measure.
 * @param rounds How many samples of each are taken; the first quarter is warm-up.
 * @returns Milliseconds for one run of each, in the order of `works`.
 */
export function medianTimes(works: readonly (() => unknown)[], rounds: number): number[] {
  const times: number[][] = works.map(() => []);
  for (let round = 0; round < rounds; round++) {
    works.forEach((work, index) => {
      const sample = sampleTime(work);
      if (round >= rounds / 4) times[index]?.push(sample);
    });
  }
  return times.map(median);
}

function sampleTime(work: () => unknown): number {
  const startMs = performance.now();
  let runs = 0;
  let elapsedMs = 0;
  while (elapsedMs < SAMPLE_MS) {
    work();
    runs++;
    elapsedMs = performance.now() - startMs;
  }
  return elapsedMs / runs;
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function describeBound(row: BenchRow): string {
  if (!row.bound) return "";
  const { atLeast, below } = row.bound;
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return `${bounds.join(", ")}: ${keepsBound(row) ? "kept" : "NOT KEPT"}`;
}

function round(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
