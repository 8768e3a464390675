/**
 * Forgetting a part of what a pipeline remembers.
 *
 * @module
 */

import type { Checkpoint } from "./body.ts";
import { OptionsError } from "../errors.ts";
import { hintForName } from "../nearest.ts";

/** Names in a hint. */
const MOST_NAMES = 20;

/** What is to be forgotten. */
export interface ResetWish {
  /** One step alone, by its id. */
  readonly step?: string | undefined;
  /** One series alone, by words of its key, such as `BTCUSDT@1h`. */
  readonly series?: string | undefined;
}

/** What was forgotten. */
export interface Reset {
  /** The checkpoint that is left. */
  readonly checkpoint: Checkpoint;
  /** What was taken out, in words. One at least. */
  readonly removed: readonly string[];
  /** The sources that read again what they have given. */
  readonly sources: readonly string[];
}

/**
 * Takes a step, a series, or a series of one step, out of a checkpoint.
 *
 * A series is found by the words of its name, in whatever way a step writes its keys: `BTCUSDT@1h`
 * is the series whose key has the words `BTCUSDT` and `1h`; `BTCUSDT` is all of that symbol.
 *
 * @param checkpoint The checkpoint. It is not changed.
 * @param wish What to take out.
 * @throws {OptionsError} If there is no such step, or nothing of such a series.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isOfSeries("kline?interval=1h&symbol=BTCUSDT", "BTCUSDT@1h"), true);
 * assertEquals(isOfSeries("kline?interval=1m&symbol=BTCUSDT", "BTCUSDT@1h"), false);
 * ```
 */
export function resetCheckpoint(checkpoint: Checkpoint, wish: ResetWish): Reset {
  const { positions, states, tokens } = checkpoint;
  const ids = Object.keys({ ...positions, ...states, ...tokens });
  const { step, series } = wish;
  if (step !== undefined && !ids.includes(step)) {
    throw new OptionsError(
      `Cannot reset step "${step}" as the checkpoint must have it: it has not`,
      {
        hint: hintForName(step, ids, "Its steps"),
      },
    );
  }
  const isMeant = (id: string) => step === undefined || step === id;
  const reset = series === undefined
    ? withoutSteps(checkpoint, isMeant)
    : withoutSeries(checkpoint, isMeant, series);
  if (reset.removed.length > 0) return reset;
  throw nothingFound(checkpoint, wish);
}

/** Whether the key of a series has all the words of a name. Case matters: `1m` is not `1M`. */
export function isOfSeries(key: string, series: string): boolean {
  const words = new Set(wordsOf(key));
  const wanted = wordsOf(series);
  return wanted.length > 0 && wanted.every((word) => words.has(word));
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}_.-]+/gu) ?? [];
}

function withoutSteps(checkpoint: Checkpoint, isMeant: (id: string) => boolean): Reset {
  const removed: string[] = [];
  const drop = <T>(kind: string, kept: Readonly<Record<string, T>>, what: (part: T) => string) =>
    Object.fromEntries(
      Object.entries(kept).filter(([id, part]) => {
        if (isMeant(id)) removed.push(`${kind} ${id}: ${what(part)}`);
        return !isMeant(id);
      }),
    );
  const positions = drop(
    "source",
    checkpoint.positions,
    (position) => `where it stood (${Object.keys(position).length} entries)`,
  );
  const states = drop(
    "transform",
    checkpoint.states,
    (state) => `what it remembered (${Object.keys(state).length} keys)`,
  );
  const tokens = drop("sink", checkpoint.tokens, () => "where it went on");
  const refusals = Object.fromEntries(
    Object.entries(checkpoint.refusals).filter(([id]) => !isMeant(id)),
  );
  return {
    checkpoint: { ...checkpoint, positions, states, tokens, refusals },
    removed,
    sources: Object.keys(checkpoint.positions).filter(isMeant),
  };
}

function withoutSeries(
  checkpoint: Checkpoint,
  isMeant: (id: string) => boolean,
  series: string,
): Reset {
  const removed: string[] = [];
  const sources = new Set<string>();
  const drop = <T>(kind: string, kept: Readonly<Record<string, Readonly<Record<string, T>>>>) =>
    Object.fromEntries(
      Object.entries(kept).map(([id, entries]) => {
        const left = Object.entries(entries).filter(([key]) => {
          if (!isMeant(id) || !isOfSeries(key, series)) return true;
          removed.push(`${kind} ${id}: ${key}`);
          if (kind === "source") sources.add(id);
          return false;
        });
        return [id, Object.fromEntries(left)];
      }),
    );
  const positions = drop("source", checkpoint.positions);
  const states = drop("transform", checkpoint.states);
  return { checkpoint: { ...checkpoint, positions, states }, removed, sources: [...sources] };
}

function nothingFound(
  { positions, states }: Checkpoint,
  { series, step }: ResetWish,
): OptionsError {
  const keys = [...Object.entries(positions), ...Object.entries(states)]
    .filter(([id]) => step === undefined || id === step).flatMap(([, kept]) => Object.keys(kept));
  return new OptionsError(
    `Cannot reset series "${series}" as something must be kept of it: nothing is`,
    { hint: hintForName(series ?? "", [...new Set(keys)].slice(0, MOST_NAMES), "The series") },
  );
}
