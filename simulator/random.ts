/**
 * Numbers that look random and are the same each time.
 *
 * @module
 */

/**
 * Mixes two whole numbers into one of 32 bits.
 *
 * @param seed What sets this sequence apart from others.
 * @param index Which number of the sequence; only its low 32 bits count.
 * @returns From 0 up to, not including, 2³².
 *
 * @example
 * ```ts
 * import { assertEquals, assertNotEquals } from "@std/assert";
 *
 * assertEquals(hash(1, 7), hash(1, 7));
 * assertNotEquals(hash(1, 7), hash(1, 8));
 * ```
 */
export function hash(seed: number, index: number): number {
  let mixed = (seed ^ Math.imul(index, 0x9e3779b1)) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Mixes a text into a number of 32 bits. */
export function hashText(text: string): number {
  let mixed = text.length;
  for (let index = 0; index < text.length; index++) mixed = hash(mixed, text.charCodeAt(index));
  return mixed;
}

/** A sequence of numbers that a seed decides. */
export class Random {
  readonly #seed: number;
  #drawn = 0;

  /** Starts the sequence of a seed. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The next number: from 0 up to, not including, 1. */
  next(): number {
    return hash(this.#seed, ++this.#drawn) / 4_294_967_296;
  }
}
