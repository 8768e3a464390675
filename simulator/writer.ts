/**
 * Writes JSON into bytes, number by number.
 *
 * Most of an answer is digits. Strings of them are made only to be thrown away: writing bytes
 * takes a third of the time.
 *
 * @module
 */

/** Decimals of every price and amount that the exchange sends. */
const PLACES = 8;
const SCALES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
const ZERO = 48;
const POINT = 46;
const QUOTE = 34;
/** More than the longest number takes. */
const NUMBER_BYTES = 64;

/** Bytes that grow as they are written. */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** Starts empty, with room for so many bytes. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What was written so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes a text. */
  text(text: string): void {
    this.#reserve(3 * text.length);
    const start = this.#length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) {
        const rest = this.#bytes.subarray(start);
        this.#length = start + ENCODER.encodeInto(text, rest).written;
        return;
      }
      this.#bytes[this.#length++] = code;
    }
  }

  /** Writes a whole number that is not negative. */
  whole(value: number): void {
    this.#reserve(NUMBER_BYTES);
    this.#whole(value);
  }

  /**
   * Writes a number of steps as a decimal with eight places, in quotes.
   *
   * @param steps A whole number, not negative.
   * @param decimals Decimals of a step, from 0 to 8.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   *
   * const writer = new Writer();
   * writer.decimal(1_371_565, 2);
   * assertEquals(new TextDecoder().decode(writer.bytes()), '"13715.65000000"');
   * ```
   */
  decimal(steps: number, decimals: number): void {
    this.#reserve(NUMBER_BYTES);
    const scale = SCALES[decimals] ?? NaN;
    const whole = Math.floor(steps / scale);
    this.#bytes[this.#length++] = QUOTE;
    this.#whole(whole);
    this.#bytes[this.#length++] = POINT;
    this.#digits(steps - whole * scale, decimals);
    this.#digits(0, PLACES - decimals);
    this.#bytes[this.#length++] = QUOTE;
  }

  /**
   * Writes what two amounts are worth at two prices, exactly, as {@linkcode Writer.decimal} does.
   *
   * @param amounts Two amounts, in steps.
   * @param prices The price of each, in ticks. The decimals of a step and a tick add up to 8.
   */
  value(
    [amount, otherAmount]: readonly [number, number],
    [price, otherPrice]: readonly [number, number],
  ): void {
    const value = amount * price + otherAmount * otherPrice;
    if (Number.isSafeInteger(value)) return this.decimal(value, PLACES);
    const exact = BigInt(amount) * BigInt(price) + BigInt(otherAmount) * BigInt(otherPrice);
    const digits = String(exact);
    this.text(`"${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}"`);
  }

  #whole(value: number): void {
    if (value < 1e9) return this.#digits(value, widthOf(value));
    const billions = Math.floor(value / 1e9);
    this.#whole(billions);
    this.#digits(value - billions * 1e9, 9);
  }

  /** Writes a number below 2³¹ with leading zeros. */
  #digits(value: number, width: number): void {
    let rest = value;
    for (let at = this.#length + width - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      this.#bytes[at] = ZERO + rest - 10 * tenth;
      rest = tenth;
    }
    this.#length += width;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(2 * this.#bytes.length + count);
    grown.set(this.bytes());
    this.#bytes = grown;
  }
}

const ENCODER = new TextEncoder();

function widthOf(value: number): number {
  let width = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) width++;
  return width;
}
