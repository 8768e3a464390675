/**
 * Records of what happened lately.
 *
 * @module
 */

/**
 * The last so many records. What is kept never grows past twice as many.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const recent = new Recent<string>(2);
 * for (const record of ["a", "b", "c"]) recent.add(record);
 * assertEquals(recent.all(), ["b", "c"]);
 * ```
 */
export class Recent<Kept> {
  readonly #limit: number;
  #kept: Kept[] = [];

  /** Starts empty; of all that is added, the last `limit` are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a record. */
  add(record: Kept): void {
    this.#kept.push(record);
    if (this.#kept.length >= 2 * this.#limit) this.#kept = this.all();
  }

  /** The records, oldest first. */
  all(): Kept[] {
    return this.#kept.slice(-this.#limit);
  }
}
