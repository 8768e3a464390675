/**
 * Reads the rows of candles that an answer holds, straight from its bytes.
 *
 * What it gives is what `JSON.parse` would, but that decimals are {@linkcode Decimal}s: they need
 * not become text, be checked, and become bytes again. Anything but rows as the exchange writes
 * them is left to `JSON.parse`, so that whatever is wrong with an answer is found out there.
 *
 * @module
 */

import type { Decimal } from "../../engine/decimal.ts";
import { ByteScanner, giveUp } from "./byte_scanner.ts";

/** A row: times and trades are numbers, the last column is text. */
export type Row = readonly (number | Decimal | string)[];

const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;
/** `,"0"`: the last column, which is not used. */
const COMMA_UNUSED = 0x2c223022;
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
    return readRows(
      new ByteScanner(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    );
  } catch (error) {
    // What a view throws where it ends: the answer has broken off.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readRows(scanner: ByteScanner): Row[] {
  const rows: Row[] = [];
  scanner.expect(OPENING);
  do rows.push(readRow(scanner)); while (scanner.has(COMMA));
  scanner.expect(CLOSING);
  if (scanner.at < scanner.view.byteLength) giveUp();
  return rows;
}

function readRow(scanner: ByteScanner): Row {
  const row: (number | Decimal | string)[] = [0, "", "", "", "", "", 0, "", 0, "", "", "0"];
  // One place that reads each kind, so that V8 puts both in line.
  for (let column = 0; column < LAST; column++) {
    scanner.expect(column === 0 ? OPENING : COMMA);
    const isWhole = column === 0 || column === 6 || column === 8;
    row[column] = isWhole ? scanner.whole() : scanner.decimal();
  }
  const { view, at } = scanner;
  if (view.getUint32(at) !== COMMA_UNUSED) giveUp();
  scanner.at += 4;
  scanner.expect(CLOSING);
  return row;
}
