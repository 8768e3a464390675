/**
 * The crash matrix: kills for every source, sink and place, counted and compared.
 *
 * @module
 */

import { seededRandom } from "../contracts/context.ts";
import type { Bug } from "./bugs.ts";
import { type Baseline, type PlannedKill, runExperiment, runUndisturbed } from "./experiment.ts";
import { allPairs, leftOut, type Pair, Servers } from "./pairs.ts";
import { PLACES } from "./places.ts";

/** Places and random instants: the columns. */
export const COLUMNS = [...PLACES, "at random"] as const;
type Column = typeof COLUMNS[number];

/** Kills in one experiment at the most, so that runs are also resumed that were resumed before. */
const KILLS_IN_A_ROW = 3;
/** A process needs about as much of its time to start: random instants come later. */
const START_SHARE = 0.3;

/** What to do. */
export interface MatrixOptions {
  /** How many kills. */
  readonly kills: number;
  /** Draws places and passages. */
  readonly seed: number;
  /** The pairs; all of them by default. */
  readonly pairs?: readonly Pair[];
  /** The places; all of them by default. */
  readonly columns?: readonly Column[];
  /** A deliberate bug. */
  readonly bug?: Bug | undefined;
  /** How many pairs run at once. */
  readonly sideBySide?: number;
  /** Told after each experiment. */
  tell?(kills: number): void;
}

/** One pair and its counts. */
export interface MatrixRow {
  /** The pair. */
  readonly pair: Pair;
  /** Kills by place. */
  readonly kills: Record<string, number>;
}

/** What came of it. */
export interface MatrixReport {
  /** One row for each pair. */
  readonly rows: readonly MatrixRow[];
  /** All kills. */
  readonly kills: number;
  /** Each experiment that went wrong: the pair, the kills, and what was wrong. */
  readonly faults: readonly string[];
}

interface Work extends MatrixRow {
  /** Kills by place, those under way included. */
  readonly begun: Record<string, number>;
  baseline: Promise<Baseline> | undefined;
}

/** Kills until there were enough kills. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixReport> {
  await using servers = new Servers();
  const random = seededRandom(options.seed);
  const works = (options.pairs ?? allPairs()).map((pair): Work => ({
    ...{ pair, kills: {}, begun: {}, baseline: undefined },
  }));
  const faults: string[] = [];
  const killed = () => sum(works.map(({ kills }) => sum(Object.values(kills))));
  const begun = () => sum(works.map(({ begun }) => sum(Object.values(begun))));
  const work = async () => {
    for (let left = options.kills; left > 0; left = options.kills - begun()) {
      const next = least(works, ({ begun }) => sum(Object.values(begun)));
      const places = choosePlaces(next, works, Math.min(KILLS_IN_A_ROW, left), options.columns);
      for (const place of places) add(next.begun, place, 1);
      const baseline = await (next.baseline ??= runUndisturbed(next.pair, servers));
      const planned = plan(places, baseline, random);
      const outcome = await runExperiment(next.pair, servers, {
        ...{ baseline, kills: planned, bug: options.bug },
      });
      for (const { place } of outcome.killed) add(next.kills, place, 1);
      for (const { place } of planned.slice(outcome.killed.length)) add(next.begun, place, -1);
      if (outcome.faults.length > 0) faults.push(describeFault(next.pair, planned, outcome.faults));
      options.tell?.(killed());
    }
  };
  await Promise.all(Array.from({ length: options.sideBySide ?? 2 }, work));
  return { rows: works.map(({ pair, kills }) => ({ pair, kills })), kills: killed(), faults };
}

/** The places that were tried least, with this pair and with all. */
function choosePlaces(
  { begun }: Work,
  works: readonly Work[],
  count: number,
  columns: readonly Column[] = COLUMNS,
): Column[] {
  const tried = (place: Column) =>
    (begun[place] ?? 0) * works.length + sum(works.map(({ begun }) => begun[place] ?? 0));
  return columns.toSorted((a, b) => tried(a) - tried(b)).slice(0, count);
}

/** Draws a passage of each place: each process goes on about where the one before it was killed. */
function plan(
  places: readonly Column[],
  { passages, elapsedMs }: Baseline,
  random: () => number,
): PlannedKill[] {
  const shares = places.map(random).sort((a, b) => a - b);
  return places.map((place, at): PlannedKill => {
    if (place === "at random") {
      const share = START_SHARE + (1 - START_SHARE) * random();
      return { place, afterMs: Math.floor(share * elapsedMs) };
    }
    const share = (shares[at] ?? 1) - (shares[at - 1] ?? 0);
    return { place, nth: Math.max(1, Math.round(share * (passages[place] ?? 1))) };
  });
}

function least<T>(all: readonly T[], measure: (one: T) => number): T {
  return all.reduce((least, one) => measure(one) < measure(least) ? one : least);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function add(counts: Record<string, number>, place: string, by: number): void {
  counts[place] = (counts[place] ?? 0) + by;
}

function describeFault(
  { source, sink }: Pair,
  kills: readonly PlannedKill[],
  faults: readonly string[],
): string {
  const when = kills.map((kill) =>
    kill.place === "at random" ? `at random (${kill.afterMs} ms)` : `${kill.place} (${kill.nth})`
  );
  const [first, ...others] = faults;
  const more = others.length > 0
    ? `; ${others.length} more: ${others.join("; ")}`.slice(0, 500)
    : "";
  return `${source.name} to ${sink.name}, killed ${when.join(", then ")}: ${first}${more}`;
}

/** The counts as a table: a row for each pair, a column for each place. */
export function renderMatrix({ rows, kills, faults }: MatrixReport): string {
  const letters = COLUMNS.map((_, index) => String.fromCharCode(97 + index));
  const legend = COLUMNS.map((place, index) => `  ${letters[index]}  ${place}`);
  const table = [
    ["source", "sink", ...letters, "all"],
    ...rows.map(({ pair, kills }) => [
      pair.source.name,
      pair.sink.name,
      ...COLUMNS.map((place) => String(kills[place] ?? 0)),
      String(sum(Object.values(kills))),
    ]),
  ];
  const widths = (table[0] ?? []).map((_, at) =>
    Math.max(...table.map((row) => row[at]?.length ?? 0))
  );
  const lines = table.map((row) =>
    row.map((cell, at) => at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))
      .join("  ")
  );
  const end = faults.length === 0
    ? "every run left what an undisturbed one leaves"
    : `${faults.length} went wrong:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;
  const out = leftOut().map((name) => `left out: ${name}`);
  return [...lines, ...out, "", "killed", ...legend, "", `${kills} kills: ${end}`, ""].join("\n");
}
