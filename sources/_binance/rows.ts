/**
 * Reads the rows of candles that an answer holds, straight from its bytes.
 *
 * What it gives is what `JSON.parse` would, but that decimals are {@linkcode Decimal}s: they need
 * not become text, be checked, and become bytes again. Anything but rows as the exchange writes
 * them is left to `JSON.parse`, so that whatever is wrong with an answer is found out there.
 *
 * @module
 */

import { areDigits, Decimal, numberOfDigits } from "../../engine/decimal.ts";

/** A row: times and trades are numbers, the last column is text. */
export type Row = readonly (number | Decimal | string)[];

const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;
/** `,"`. */
const COMMA_QUOTE = 0x2c22;
/** `,"0"`: the last column, which is not used. */
const COMMA_UNUSED = 0x2c223022;
/** All integers of so many digits are exact. */
const SAFE_DIGITS = 15;
/** The place of the last column. */
const LAST = 11;

/**
 * Reads rows.
 *
 * @param bytes The body of an answer. It must not change as long as one of the decimals lives.
 * @returns The rows, or nothing if the body is in any way not as the exchange writes rows, such as
 * broken off, with blanks, or with other columns.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const text = '[[1735516800000,"93738.19","93782.38","93510.00","93720.44","202.77",' +
 *   '1735517699999,"18986363.98",64965,"103.98","9736008.81","0"]]';
 * const [row] = parseRows(new TextEncoder().encode(text)) ?? [];
 * assertEquals(row?.[0], 1735516800000);
 * assertEquals(String(row?.[4]), "93720.44");
 * assertEquals(parseRows(new TextEncoder().encode("<html>")), undefined);
 * ```
 */
export function parseRows(bytes: Uint8Array): Row[] | undefined {
  try {
    return new RowScanner(bytes).rows();
  } catch (error) {
    // What a view throws where it ends: the answer has broken off.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class RowScanner {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  rows(): Row[] {
    const rows: Row[] = [];
    this.#expect(OPENING);
    do rows.push(this.#row()); while (this.#has(COMMA));
    this.#expect(CLOSING);
    if (this.#at < this.#view.byteLength) giveUp();
    return rows;
  }

  #row(): Row {
    const row: (number | Decimal | string)[] = [0, "", "", "", "", "", 0, "", 0, "", "", "0"];
    // One place that reads each kind, so that V8 puts both in line.
    for (let column = 0; column < LAST; column++) {
      const isWhole = column === 0 || column === 6 || column === 8;
      row[column] = isWhole ? this.#whole(column === 0 ? OPENING : COMMA) : this.#decimal();
    }
    this.#unused();
    return row;
  }

  /** Reads a whole number and what must stand before it. */
  #whole(before: number): number {
    const view = this.#view;
    if (view.getUint8(this.#at) !== before) giveUp();
    const start = this.#at + 1;
    let at = start;
    let value = 0;
    for (let word = 0; areDigits(word = view.getInt32(at, true)); at += 4) {
      value = 10_000 * value + numberOfDigits(word);
    }
    for (let code = 0; isDigit(code = view.getUint8(at)); at++) value = 10 * value + code - ZERO;
    const count = at - start;
    if (count === 0 || count > SAFE_DIGITS) giveUp();
    if (count > 1 && view.getUint8(start) === ZERO) giveUp();
    this.#at = at;
    return value;
  }

  /** Reads a comma and a decimal in quotes. */
  #decimal(): Decimal {
    const view = this.#view;
    if (view.getUint16(this.#at) !== COMMA_QUOTE) giveUp();
    const start = this.#at + 2;
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
    this.#at = end + 1;
    return new Decimal(view, start, point, end);
  }

  #unused(): void {
    const view = this.#view;
    const at = this.#at;
    if (view.getUint32(at) !== COMMA_UNUSED || view.getUint8(at + 4) !== CLOSING) giveUp();
    this.#at = at + 5;
  }

  #has(code: number): boolean {
    if (this.#view.getUint8(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #expect(code: number): void {
    if (!this.#has(code)) giveUp();
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function giveUp(): never {
  throw new RangeError("Cannot read rows as they are not as the exchange writes them");
}
