/**
 * Exact decimals, kept as the bytes they came in.
 *
 * @module
 */

const ZERO = 0x30;
const ZEROS = 0x30303030;
const WORD_BYTES = 8;
const PLAIN = /^\d{1,63}$|^(?=.{3,63}$)\d+\.\d+$/;
/** A length, and where the point is, take so many bits each; where it starts takes the others. */
const LENGTH_BITS = 6;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
const START_SHIFT = 2 * LENGTH_BITS;
const LENGTHS_MASK = (1 << START_SHIFT) - 1;
/** Places from here on take more bits than a small integer has. */
const FAR = 1 << (30 - START_SHIFT);
/** Powers of ten that a float holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * A decimal that has no sign and no exponent, with exactly the digits it was written with.
 *
 * It is a place within the answer of an exchange: nothing is copied, rounded or checked again on
 * the way to a store, which is several times as fast as text. `String(decimal)` gives the digits,
 * `Number(decimal)` the float nearest to them, and `JSON.stringify()` writes it as text.
 *
 * It keeps the whole answer in memory: records may hold decimals, a state may not. As two of the
 * same digits are still two objects, compare their texts. It has {@linkcode Decimal.MOST} characters
 * at the most.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const price = Decimal.of("93738.19000000");
 * assertEquals(String(price), "93738.19000000");
 * assertEquals(Number(price), 93738.19);
 * assertEquals(JSON.stringify({ price }), '{"price":"93738.19000000"}');
 * ```
 */
export class Decimal {
  /** The most characters that one may have. */
  static readonly MOST: number = LENGTH_MASK;

  readonly #view: DataView;
  /** Where it starts, how many digits are before the point, and how many characters it has. */
  readonly #place: number;

  /**
   * Takes what a parser has found: nothing is checked but its length.
   *
   * @param view Bytes that never change.
   * @param start Where its first digit is: there is at least one before the point.
   * @param point Where its point is, with at least one digit behind it; `end` if it has none.
   * @param end Where it ends, exclusive.
   * @throws {RangeError} If it is longer than {@linkcode Decimal.MOST}.
   */
  constructor(view: DataView, start: number, point: number, end: number) {
    const length = end - start;
    if (length > LENGTH_MASK) throw tooLong(length);
    const isFar = start >= FAR;
    this.#view = isFar ? copyOf(view, start, end) : view;
    const lengths = ((point - start) << LENGTH_BITS) | length;
    this.#place = isFar ? lengths : (start << START_SHIFT) | lengths;
  }

  /** Whether a text can be one: `digits[.digits]`, and not too long. */
  static isOne(text: string): boolean {
    return PLAIN.test(text);
  }

  /**
   * Makes one of text.
   *
   * @throws {RangeError} If the text is not `digits[.digits]`, or is too long.
   */
  static of(text: string): Decimal {
    if (!PLAIN.test(text)) {
      throw new RangeError(
        `Cannot make a decimal as its text must be digits[.digits], with ${LENGTH_MASK} characters at most: it is ${
          JSON.stringify(text)
        }`,
      );
    }
    const { buffer, length } = new TextEncoder().encode(text);
    const point = text.indexOf(".");
    return new Decimal(new DataView(buffer), 0, point < 0 ? length : point, length);
  }

  /** How many characters its text has. */
  get length(): number {
    return this.#place & LENGTH_MASK;
  }

  /** The code of one of its characters: what `charCodeAt` of its text gives, within its length. */
  codeAt(at: number): number {
    return this.#view.getUint8((this.#place >> START_SHIFT) + at);
  }

  /** Exactly its digits. */
  toString(): string {
    const { buffer, byteOffset } = this.#view;
    const start = byteOffset + (this.#place >> START_SHIFT);
    return new TextDecoder().decode(new Uint8Array(buffer, start, this.length));
  }

  /** The same as {@linkcode Decimal.toString}. */
  toJSON(): string {
    return this.toString();
  }

  /** The float nearest to it: what `Number()` makes of its text. */
  valueOf(): number {
    const view = this.#view;
    const place = this.#place;
    const start = place >> START_SHIFT;
    const point = start + ((place >> LENGTH_BITS) & LENGTH_MASK);
    const end = start + (place & LENGTH_MASK);
    const whole = append(0, view, start, point);
    const mantissa = point < end ? append(whole, view, point + 1, end) : whole;
    // One operation on two exact floats rounds once, as it must.
    const power = point < end ? POWERS[end - point - 1] : 1;
    return power !== undefined && mantissa <= Number.MAX_SAFE_INTEGER
      ? mantissa / power
      : Number(String(this));
  }

  /** Whether another one has as many digits, before the point and behind it. */
  isAlike(other: Decimal): boolean {
    return ((this.#place ^ other.#place) & LENGTHS_MASK) === 0;
  }

  /**
   * Compares it with one that {@linkcode Decimal.isAlike}.
   *
   * @returns Below 0 where it is the smaller one, above 0 where it is the larger one, else 0.
   */
  compareAlike(other: Decimal): number {
    const place = this.#place;
    if ((place & LENGTH_MASK) < WORD_BYTES) return compareEach(this, other);
    // Digits read as a float from the first one on are in the order of their text.
    const difference = this.#view.getFloat64(place >> START_SHIFT) -
      other.#view.getFloat64(other.#place >> START_SHIFT);
    return difference === 0 ? compareEach(this, other) : difference;
  }

  /**
   * Writes its text.
   *
   * @param target Where to: there must be room.
   * @param at Where its first byte goes.
   * @returns Where its text ends.
   */
  writeTo(target: DataView, at: number): number {
    const view = this.#view;
    let from = this.#place >> START_SHIFT;
    const end = from + (this.#place & LENGTH_MASK);
    const shift = at - from;
    // Eight digits are copied at once as a float, which they never make a NaN.
    const last = end - WORD_BYTES;
    if (from <= last) {
      for (; from < last; from += WORD_BYTES) copyWord(view, from, target, from + shift);
      copyWord(view, last, target, last + shift);
      return end + shift;
    }
    for (; from < end; from++) target.setUint8(from + shift, view.getUint8(from));
    return end + shift;
  }

  /** How Deno shows it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `Decimal(${this})`;
  }
}

/** Goes on reading a whole number: exact as long as it is safe. */
function append(before: number, view: DataView, from: number, to: number): number {
  let value = before;
  let at = from;
  for (; at + 4 <= to; at += 4) value = 10_000 * value + numberOfDigits(view.getInt32(at, true));
  for (; at < to; at++) value = 10 * value + view.getUint8(at) - ZERO;
  return value;
}

function compareEach(a: Decimal, b: Decimal): number {
  const { length } = a;
  let difference = 0;
  for (let at = 0; at < length && difference === 0; at++) difference = a.codeAt(at) - b.codeAt(at);
  return difference;
}

/** Bytes of their own. */
function copyOf({ buffer, byteOffset }: DataView, start: number, end: number): DataView {
  return new DataView(buffer.slice(byteOffset + start, byteOffset + end));
}

function tooLong(length: number): RangeError {
  return new RangeError(
    `Cannot make a decimal as it must have ${LENGTH_MASK} characters at most: it has ${length}`,
  );
}

function copyWord(from: DataView, at: number, to: DataView, toAt: number): void {
  to.setFloat64(toAt, from.getFloat64(at, true), true);
}

/** Whether four bytes, read as a little-endian word, are digits. */
export function areDigits(word: number): boolean {
  const digits = word ^ ZEROS;
  // A byte above 9 reaches its highest bit by the sum, or has it.
  return (((digits + 0x76767676) | digits) & 0x80808080) === 0;
}

/** The number that four digits make, read as a little-endian word. */
export function numberOfDigits(word: number): number {
  const digits = word ^ ZEROS;
  const pairs = 10 * digits + (digits >>> 8);
  return 100 * (pairs & 0xff) + ((pairs >>> 16) & 0xff);
}
