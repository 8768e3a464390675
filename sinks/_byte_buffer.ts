/**
 * A buffer of bytes that text is written to, made for lines of many short pieces.
 *
 * @module
 */

import type { Decimal } from "../engine/decimal.ts";

const INITIAL_BYTES = 64 * 1024;
const WORD_BYTES = 8;
const GROWTH = 1.125;

/** Bytes that are written often: kept as words, which copies them several times as fast. */
export interface Label {
  /** The bytes, filled up with zeros to whole words. */
  readonly words: Float64Array;
  /** How many bytes count. */
  readonly length: number;
}

/**
 * Prepares text that is written often.
 *
 * As words are floats, no word may be a NaN, whose bits would not be kept: UTF-8 without U+007F has
 * none, and that character is refused in all names.
 */
export function makeLabel(text: string): Label {
  const bytes = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer(WORD_BYTES * Math.ceil(bytes.length / WORD_BYTES)));
  new Uint8Array(padded.buffer).set(bytes);
  const words = new Float64Array(padded.byteLength / WORD_BYTES)
    .map((_, i) => padded.getFloat64(WORD_BYTES * i, true));
  return { words, length: bytes.length };
}

/**
 * Bytes that grow at the end. The end can be set back, which takes back what was written since.
 *
 * Room is made by {@linkcode ByteBuffer.reserve} alone, once for many pieces: nothing may be written
 * without it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const buffer = new ByteBuffer();
 * buffer.reserve(100);
 * buffer.label(makeLabel("close="));
 * assertEquals(buffer.decimal("0.10"), true);
 * assertEquals(buffer.decimal("5."), false);
 * assertEquals(new TextDecoder().decode(buffer.copy()), "close=0.10");
 * ```
 */
export class ByteBuffer {
  /** How many bytes are written. */
  end = 0;
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);

  /** Makes room for a number of bytes behind the end, and for the word that the last may begin. */
  reserve(size: number): void {
    if (this.end + size + WORD_BYTES <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.end + size + WORD_BYTES));
    larger.set(this.#bytes.subarray(0, this.end));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  /** Writes a label. */
  label({ words, length }: Label): void {
    const view = this.#view;
    let at = this.end;
    for (let i = 0; i < words.length; i++) {
      view.setFloat64(at, words[i] ?? 0, true);
      at += WORD_BYTES;
    }
    this.end += length;
  }

  /** Writes one byte. */
  byte(value: number): void {
    this.#bytes[this.end++] = value;
  }

  /** Puts a byte in the place of one that is written. */
  replace(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  /**
   * Writes sixteen digits with a point among them.
   *
   * @param high The first eight, as a whole number.
   * @param low The others.
   * @param before How many are before the point: 1 to 15.
   */
  sixteenDigits(high: number, low: number, before: number): void {
    const start = this.end;
    this.end = start + 1;
    this.digits(high, EIGHT_DIGITS);
    this.digits(low, EIGHT_DIGITS);
    // All were written behind the point: those before it move over it, four at a time.
    const view = this.#view;
    let at = start;
    let left = before;
    for (; left >= 4; left -= 4) {
      view.setInt32(at, view.getInt32(at + 1, true), true);
      at += 4;
    }
    const word = view.getInt32(at + 1, true);
    const behind = -1 << (8 * left);
    view.setInt32(at, (word & ~behind) | (POINT << (8 * left)) | ((word & behind) << 8), true);
  }

  /** Takes back zeros at the end of digits that have a point, and the point if nothing is left behind it. */
  trimZeros(): void {
    const bytes = this.#bytes;
    let end = this.end;
    while (bytes[end - 1] === ZERO) end--;
    this.end = bytes[end - 1] === POINT ? end - 1 : end;
  }

  /** Writes text of ASCII characters: the caller knows that it is. */
  ascii(text: string): void {
    const bytes = this.#bytes;
    let at = this.end;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.end = at;
  }

  /** Writes a safe integer that is not negative. */
  integer(value: number): void {
    if (value < EIGHT) return this.digits(value, countDigits(value));
    const high = Math.floor(value / EIGHT);
    this.integer(high);
    this.digits(value - high * EIGHT, EIGHT_DIGITS);
  }

  /** Writes a whole number with exactly so many digits, 8 at most and no fewer than it has. */
  digits(value: number, count: number): void {
    // Filled up to eight digits, as these are written at once; the next piece covers what is too much.
    const filled = (value * (POWERS[EIGHT_DIGITS - count] ?? 0)) | 0;
    const high = (filled / 10_000) | 0;
    this.#view.setInt32(this.end, FOUR_DIGITS[high] ?? 0, true);
    this.#view.setInt32(this.end + 4, FOUR_DIGITS[filled - 10_000 * high] ?? 0, true);
    this.end += count;
  }

  /**
   * Writes a decimal without exponent as it is, checking each character on the way.
   *
   * @returns False, and nothing is written, if it is anything but `-?digits[.digits]`.
   */
  decimal(text: string): boolean {
    const bytes = this.#bytes;
    const { length } = text;
    let at = this.end;
    let i = 0;
    if (text.charCodeAt(0) === MINUS) {
      bytes[at++] = MINUS;
      i = 1;
    }
    let first = i;
    let code = 0;
    // Of all codes only those of the ten digits give at most 9.
    for (; i < length && ((code = text.charCodeAt(i)) ^ ZERO) <= 9; i++) bytes[at++] = code;
    if (i === first) return false;
    if (i < length) {
      if (code !== POINT) return false;
      bytes[at++] = POINT;
      first = ++i;
      for (; i < length && ((code = text.charCodeAt(i)) ^ ZERO) <= 9; i++) bytes[at++] = code;
      if (i === first || i < length) return false;
    }
    this.end = at;
    return true;
  }

  /** Writes a decimal that was checked before. */
  checked(value: Decimal): void {
    this.end = value.writeTo(this.#view, this.end);
  }

  /** Writes text as UTF-8. Takes at most three bytes for each unit of the text. */
  utf8(text: string): void {
    this.end += new TextEncoder().encodeInto(text, this.#bytes.subarray(this.end)).written;
  }

  /**
   * A copy of what is written.
   *
   * @param spare Memory that it may lie in, if there is room.
   */
  copy(spare?: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const { end } = this;
    const isEnough = spare !== undefined && spare.byteLength >= end;
    // What comes next may be longer.
    const memory = isEnough ? spare : new ArrayBuffer(Math.ceil(GROWTH * end));
    const copy = new Uint8Array(memory, 0, end);
    copy.set(this.#bytes.subarray(0, end));
    return copy;
  }
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const EIGHT_DIGITS = 8;
const EIGHT = 10 ** EIGHT_DIGITS;
const POWERS = Array.from({ length: EIGHT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** How many digits a whole number below 10⁸ has. */
function countDigits(value: number): number {
  let count = 1;
  while (value >= (POWERS[count] ?? Infinity)) count++;
  return count;
}

/** All numbers of four digits, as little-endian words. */
const FOUR_DIGITS = new Int32Array(10_000);
for (let value = 0; value < 10_000; value++) {
  const pair = value % 100;
  FOUR_DIGITS[value] = value < 100
    ? 0x3030_3030 | ((pair / 10) << 16) | ((pair % 10) << 24)
    : ((FOUR_DIGITS[(value / 100) | 0] ?? 0) >>> 16) | ((FOUR_DIGITS[pair] ?? 0) & -0x1_0000);
}
