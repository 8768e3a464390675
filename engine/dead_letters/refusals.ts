/**
 * What becomes of the records that the steps of a run refuse.
 *
 * @module
 */

import type { Refusal } from "../run/chain.ts";
import type { Checkpoint } from "../checkpoint/body.ts";
import { type DeadLetter, toDeadLetter } from "./dead_letter.ts";
import { describeError, FatalError } from "../errors.ts";
import type { Ledger } from "../run/ledger.ts";
import type { Pipeline } from "../pipeline.ts";
import { createRedactor, type Redact } from "../redact.ts";
import { countRefusal, type RefusalLimit } from "./refusal_limit.ts";

/** Decides what becomes of each refused record, and keeps count. */
export class Refusals {
  readonly #pipeline: Pipeline;
  readonly #ledger: Ledger;
  readonly #limit: RefusalLimit | undefined;
  readonly #counting: Map<string, readonly number[]>;
  readonly #kept = new Map<string, number>();
  readonly #redact: Redact;
  #letters: DeadLetter[] = [];

  /**
   * Goes on counting.
   *
   * @param pipeline The pipeline. Its limit holds.
   * @param ledger Counted in place.
   * @param saved What counted for the limit when the last checkpoint was saved.
   */
  constructor(pipeline: Pipeline, ledger: Ledger, saved: Checkpoint["refusals"] = {}) {
    this.#pipeline = pipeline;
    this.#ledger = ledger;
    this.#redact = createRedactor(pipeline.secrets ?? []);
    this.#limit = pipeline.deadLetterLimit;
    this.#counting = new Map(Object.entries(saved));
  }

  /** Dead letters of this run, by the step that refused them. */
  get kept(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#kept);
  }

  /** What counts for the limit, for the checkpoint. */
  get counting(): Checkpoint["refusals"] {
    return Object.fromEntries(this.#counting);
  }

  /**
   * Takes a record that was refused.
   *
   * @throws {FatalError} If the run must not go on.
   */
  take(refusal: Refusal): void {
    const { step, error } = refusal;
    if (step.onError === "stop") throw this.#refusal(refusal);
    if (step.onError === "drop") {
      this.#ledger.dropped++;
      return;
    }
    this.#letters.push(toDeadLetter(this.#pipeline.name, refusal, this.#redact));
    this.#kept.set(step.id, (this.#kept.get(step.id) ?? 0) + 1);
    if (!this.#limit) return;
    const before = this.#counting.get(step.id) ?? [];
    const { counting, isBroken } = countRefusal(before, refusal.number, this.#limit);
    this.#counting.set(step.id, counting);
    if (isBroken) throw tooMany(refusal, this.#limit, describeError(error));
  }

  /** Gives the dead letters that came up since the last call. */
  letters(): readonly DeadLetter[] {
    const letters = this.#letters;
    this.#letters = [];
    return letters;
  }

  #refusal({ step, error }: Refusal): FatalError {
    const choices = step === this.#pipeline.deadLetter
      ? "`on_error: drop`"
      : "`on_error: dead_letter` or `on_error: drop`";
    return new FatalError(`Step "${step.id}" refused a record: ${describeError(error)}`, {
      cause: error,
      hint: error.hint ?? `Set ${choices} on that step to go on without such records`,
    });
  }
}

function tooMany({ step, error }: Refusal, limit: RefusalLimit, reason: string): FatalError {
  const { refused, records } = limit;
  return new FatalError(
    `Cannot go on as step "${step.id}" may refuse at most ${refused} of ${records} records in a row: it refused more, the last as follows: ${reason}`,
    {
      cause: error,
      hint:
        "Mend what it refuses, or set `max` of `dead_letter` higher, or to `none`; then run it again",
    },
  );
}
