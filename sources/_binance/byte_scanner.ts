/**
 * Reads the bytes of JSON as the exchange writes it: no blanks, times as numbers, prices as text.
 *
 * @module
 */

import { areDigits, Decimal, numberOfDigits } from "../../engine/decimal.ts";

const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;
/** All integers of so many digits are exact. */
const SAFE_DIGITS = 15;

/**
 * A place in bytes that moves on as they are read.
 *
 * Whatever is not as expected, the end of the bytes included, throws a `RangeError`: the caller then
 * leaves it all to `JSON.parse`, which finds out what is wrong.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode('[1735516800000,"93738.19"]');
 * const scanner = new ByteScanner(new DataView(bytes.buffer));
 * scanner.expect(0x5b);
 * assertEquals(scanner.whole(), 1735516800000);
 * scanner.expect(0x2c);
 * assertEquals(String(scanner.decimal()), "93738.19");
 * ```
 */
export class ByteScanner {
  /** The bytes. They must not change as long as one of the decimals lives. */
  readonly view: DataView;
  /** Where it stands. */
  at: number;

  /** Begins at a place. */
  constructor(view: DataView, at = 0) {
    this.view = view;
    this.at = at;
  }

  /** Whether it stands before a byte: then it moves on. */
  has(code: number): boolean {
    if (this.view.getUint8(this.at) !== code) return false;
    this.at++;
    return true;
  }

  /** Reads one byte that must be there. */
  expect(code: number): void {
    if (this.view.getUint8(this.at) !== code) giveUp();
    this.at++;
  }

  /** Reads text that must be there. */
  literal(text: string): void {
    const { view, at } = this;
    for (let i = 0; i < text.length; i++) {
      if (view.getUint8(at + i) !== text.charCodeAt(i)) giveUp();
    }
    this.at = at + text.length;
  }

  /**
   * Reads a name in quotes: ASCII text that stands for itself.
   *
   * @returns Where it starts; it ends before the byte that was read last.
   */
  name(): number {
    const view = this.view;
    this.expect(QUOTE);
    const start = this.at;
    let at = start;
    for (let code = 0; (code = view.getUint8(at)) !== QUOTE; at++) {
      if (code <= SPACE || code >= DELETE || code === BACKSLASH) giveUp();
    }
    this.at = at + 1;
    return start;
  }

  /** Reads a whole number. */
  whole(): number {
    const view = this.view;
    const start = this.at;
    let at = start;
    let value = 0;
    for (let word = 0; areDigits(word = view.getInt32(at, true)); at += 4) {
      value = 10_000 * value + numberOfDigits(word);
    }
    for (let code = 0; isDigit(code = view.getUint8(at)); at++) value = 10 * value + code - ZERO;
    const count = at - start;
    if (count === 0 || count > SAFE_DIGITS) giveUp();
    if (count > 1 && view.getUint8(start) === ZERO) giveUp();
    this.at = at;
    return value;
  }

  /** Reads a decimal in quotes. */
  decimal(): Decimal {
    const view = this.view;
    if (view.getUint8(this.at) !== QUOTE) giveUp();
    const start = this.at + 1;
    let point = start;
    while (areDigits(view.getInt32(point, true))) point += 4;
    while (isDigit(view.getUint8(point))) point++;
    let end = point;
    if (view.getUint8(point) === POINT) {
      end++;
      while (areDigits(view.getInt32(end, true))) end += 4;
      while (isDigit(view.getUint8(end))) end++;
      if (end === point + 1) giveUp();
    }
    if (point === start || view.getUint8(end) !== QUOTE) giveUp();
    this.at = end + 1;
    return new Decimal(view, start, point, end);
  }
}

/** Says that the bytes are not as the exchange writes them. */
export function giveUp(): never {
  throw new RangeError("Cannot read bytes as they are not as the exchange writes them");
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
