/**
 * A buffer of bytes that text is written to, made for lines of many short pieces.
 *
 * @module
 */

const INITIAL_BYTES = 64 * 1024;
const WORD_BYTES = 8;

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
 * Room is made by {@linkcode ByteBuffer.reserve} alone, once for many pieces: what is written
 * without room is lost.
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

  /** Makes room for a number of bytes behind the end. */
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

  /** Writes text of ASCII characters: the caller knows that it is. */
  ascii(text: string): void {
    const bytes = this.#bytes;
    let at = this.end;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.end = at;
  }

  /** Writes a safe integer that is not negative. */
  integer(value: number): void {
    // Halves fit into 32 bits, which divide several times as fast.
    const high = Math.floor(value / HALF) | 0;
    const low = (value - high * HALF) | 0;
    if (high > 0) this.#digits(high, countDigits(high));
    this.#digits(low, high > 0 ? HALF_DIGITS : countDigits(low));
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

  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    const start = this.end;
    let rest = value | 0;
    for (let at = start + count - 1; at >= start; at--) {
      const next = (rest / 10) | 0;
      bytes[at] = ZERO + rest - 10 * next;
      rest = next;
    }
    this.end = start + count;
  }

  /** Writes text as UTF-8. Takes at most three bytes for each unit of the text. */
  utf8(text: string): void {
    this.end += new TextEncoder().encodeInto(text, this.#bytes.subarray(this.end)).written;
  }

  /** A copy of what is written. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.end);
  }
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const HALF_DIGITS = 8;
const HALF = 10 ** HALF_DIGITS;

function countDigits(value: number): number {
  let count = 1;
  for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) count++;
  return count;
}
