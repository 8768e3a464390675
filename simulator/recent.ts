/**
 * Records of what happened lately.
 *
 * @module
 */

/**
 * The last so many records, in memory that does not grow past them.
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
  readonly #kept: Kept[] = [];
  /** Where the oldest record is, and the next one goes, once all places are taken. */
  #oldest = 0;

  /** Starts empty; of all that is added, the last `limit` are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a record. */
  add(record: Kept): void {
    if (this.#kept.length < this.#limit) {
      this.#kept.push(record);
      return;
    }
    this.#kept[this.#oldest] = record;
    this.#oldest = (this.#oldest + 1) % this.#limit;
  }

  /** The records, oldest first. */
  all(): Kept[] {
    return [...this.#kept.slice(this.#oldest), ...this.#kept.slice(0, this.#oldest)];
  }
}
