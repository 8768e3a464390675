/**
 * The ledger: what became of every record.
 *
 * For every step `in + extra = out + filtered + rejected` once nothing is in flight, and what one
 * step gives is what the next one takes, beside dead letters that come again. A run that does not
 * balance has lost or doubled records.
 *
 * @module
 */

import { FatalError } from "../errors.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";

/** What became of the records of one step, over all runs since the first checkpoint. */
export interface StepLedger {
  /** Records it took. */
  in: number;
  /** Those of them that it had refused before, and that came again as dead letters. */
  replayed: number;
  /** Records it gave on; for a sink, those the target acknowledged. */
  out: number;
  /** Records it gave beyond one for one. */
  extra: number;
  /** Records for which it gave nothing. */
  filtered: number;
  /** Records it refused. */
  rejected: number;
}

/** The steps' ledgers by step id. */
export interface Ledger {
  /** Records the sources gave. */
  readonly sources: Readonly<Record<string, StepLedger>>;
  /** Records on their way, in the order of the transforms. */
  readonly transforms: Readonly<Record<string, StepLedger>>;
  /** Records delivered. */
  readonly sinks: Readonly<Record<string, StepLedger>>;
  /** Refused records that were kept. */
  readonly deadLetter: StepLedger;
  /** Refused records that were dropped because `on_error` says so. */
  dropped: number;
}

/** The ledger of a pipeline before its first record. */
export function emptyLedger(pipeline: Pipeline): Ledger {
  const empty = (steps: readonly CheckedStep[]) =>
    Object.fromEntries(steps.map(({ id }) => [id, emptyStep()]));
  return {
    sources: empty(pipeline.sources),
    transforms: empty(pipeline.transforms),
    sinks: empty(pipeline.sinks),
    deadLetter: emptyStep(),
    dropped: 0,
  };
}

/**
 * The ledger of a step.
 *
 * @throws {FatalError} If there is none, as in a checkpoint that was made by hand.
 */
export function ledgerOf(steps: Readonly<Record<string, StepLedger>>, id: string): StepLedger {
  const step = steps[id];
  if (!step) throw new FatalError(`The checkpoint has no ledger for step "${id}"`);
  return step;
}

/** A step before its first record. */
export function emptyStep(): StepLedger {
  return { in: 0, replayed: 0, out: 0, extra: 0, filtered: 0, rejected: 0 };
}

/**
 * What does not balance.
 *
 * Each number was counted where it arose, so that a record lost between two steps shows.
 *
 * @param ledger The ledger of a run in which nothing is in flight.
 * @returns One sentence for each equation that does not hold; none when all is well.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const ledger = {
 *   sources: { feed: { ...emptyStep(), out: 3 } },
 *   transforms: {},
 *   sinks: { store: { ...emptyStep(), in: 2, out: 2 } },
 *   deadLetter: emptyStep(),
 *   dropped: 0,
 * };
 * assertEquals(findImbalances(ledger), [
 *   'sink "store" took 2 records, but 3 were on their way to it',
 * ]);
 * ```
 */
export function findImbalances(ledger: Ledger): string[] {
  const faults: string[] = [];
  let onTheWay = sum(ledger.sources, "out");
  for (const [id, step] of Object.entries(ledger.transforms)) {
    checkStep(`transform "${id}"`, step, onTheWay, faults);
    onTheWay = step.out;
  }
  for (const [id, step] of Object.entries(ledger.sinks)) {
    checkStep(`sink "${id}"`, step, onTheWay, faults);
  }
  const refused = sum(ledger.transforms, "rejected") + sum(ledger.sinks, "rejected");
  // What the dead-letter sink itself refused and dropped had reached it.
  const droppedBefore = ledger.dropped - ledger.deadLetter.rejected;
  checkStep("the dead-letter sink", ledger.deadLetter, refused - droppedBefore, faults);
  return faults;
}

function checkStep(name: string, step: StepLedger, onTheWay: number, faults: string[]): void {
  const given = onTheWay + step.replayed;
  if (step.in !== given) {
    faults.push(`${name} took ${step.in} records, but ${given} were on their way to it`);
  }
  const accounted = step.out + step.filtered + step.rejected;
  if (step.in + step.extra !== accounted) {
    faults.push(
      `${name} took ${step.in} records and made ${step.extra} more, but ${accounted} are accounted for`,
    );
  }
}

function sum(steps: Readonly<Record<string, StepLedger>>, count: keyof StepLedger): number {
  return Object.values(steps).reduce((total, step) => total + step[count], 0);
}
