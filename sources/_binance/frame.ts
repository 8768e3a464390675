/**
 * Reads the frames in which candles come, straight from their bytes.
 *
 * What it gives is what `JSON.parse` would, but that decimals are {@linkcode Decimal}s: they need
 * not become text, be checked, and become bytes again. Anything but a candle as the exchange writes
 * it is left to `JSON.parse`, so that whatever is wrong with a message is found out there.
 *
 * @module
 */

import type { Decimal } from "../../engine/decimal.ts";
import { ByteScanner, giveUp } from "./byte_scanner.ts";
import { isTime } from "./holes.ts";

/** A candle as a stream sent it: all of it since it opened. */
export interface StreamCandle {
  /** What it is. */
  readonly kind: "candle";
  /** Symbol, upper case. */
  readonly symbol: string;
  /** Interval. */
  readonly interval: string;
  /** Open time, in epoch milliseconds. */
  readonly openMs: number;
  /** Whether it is final. */
  readonly closed: boolean;
  /** How many trades it has; 0 where it does not say. */
  readonly trades: number;
  /** The columns of a REST row, as REST would send them. */
  readonly row: readonly unknown[];
}

/** The bytes of about forty frames are kept together, for as long as one of them is needed. */
const PAGE_BYTES = 16 * 1024;
/** What is read at once may reach so far behind the end. */
const REACH_BYTES = 8;
/** What is in the frame of a closed candle. Where it deceives, bytes lie on the other page. */
const CLOSED = 'x":t';
const ENVELOPE = '{"stream":';
const DATA = ',"data":';
const EVENT = '{"e":"kline","E":';
const SYMBOL = ',"s":';
const CANDLE = ',"k":{';
const TRUE = "true";
const FALSE = "false";
const COMMA = 0x2c;
const MINUS = 0x2d;
const CLOSING = 0x7d;
/** The keys of the columns of a row, in their order. */
const COLUMN_KEYS = "tohlcvTqnVQB";
const COLUMN_OF = new Int8Array(256).fill(-1);
for (let at = 0; at < COLUMN_KEYS.length; at++) COLUMN_OF[COLUMN_KEYS.charCodeAt(at)] = at;
const ALL_COLUMNS = (1 << COLUMN_KEYS.length) - 1;
const [S, I, X, F, L] = [0x73, 0x69, 0x78, 0x66, 0x4c] as const;
/** Four bytes as a word, big-endian: `"?":`, where the letter may be any. */
const KEY = { mask: 0xff00ffff | 0, word: 0x2200223a } as const;

/**
 * Reads frames.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const k = '{"t":1735516800000,"T":1735516859999,"s":"BTCUSDT","i":"1m","f":100,"L":164,' +
 *   '"o":"93738.19","c":"93720.44","h":"93782.38","l":"93510.00","v":"202.77","n":65,"x":true,' +
 *   '"q":"18986363.98","V":"103.98","Q":"9736008.81","B":"0"}';
 * const event = `{"e":"kline","E":1735516860003,"s":"BTCUSDT","k":${k}}`;
 * const frame = new FrameReader().read(`{"stream":"btcusdt@kline_1m","data":${event}}`);
 * assertEquals([frame?.symbol, frame?.closed, String(frame?.row[4])], ["BTCUSDT", true, "93720.44"]);
 * assertEquals(new FrameReader().read('{"result":null,"id":1}'), undefined);
 * ```
 */
export class FrameReader {
  /** A page lives as long as one candle of it: an open one, soon replaced, must not hold closed ones. */
  readonly #pages = { closed: new Page(), open: new Page() };

  /**
   * Reads a frame.
   *
   * @returns Nothing if it is in any way not as the exchange writes candles.
   */
  read(text: string): StreamCandle | undefined {
    const page = text.includes(CLOSED) ? this.#pages.closed : this.#pages.open;
    const scanner = page.write(text);
    if (!scanner) return undefined;
    try {
      const candle = readFrame(scanner, text);
      page.end = scanner.at;
      return candle;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

function readFrame(scanner: ByteScanner, text: string): StreamCandle {
  const start = scanner.at;
  const isCombined = text.startsWith(ENVELOPE);
  if (isCombined) {
    scanner.literal(ENVELOPE);
    scanner.name();
    scanner.literal(DATA);
  }
  scanner.literal(EVENT);
  scanner.whole();
  scanner.literal(SYMBOL);
  scanner.name();
  scanner.literal(CANDLE);
  const frame = readCandle(scanner, text, start);
  scanner.expect(CLOSING);
  if (isCombined) scanner.expect(CLOSING);
  // Behind its end lies what is left of another text.
  if (scanner.at - start !== text.length) giveUp();
  return frame;
}

/** Reads the values of a candle in any order. Of a key that comes twice the last one counts, as in JSON. */
function readCandle(scanner: ByteScanner, text: string, start: number): StreamCandle {
  const row: (number | Decimal | string)[] = [0, "", "", "", "", "", 0, "", 0, "", "", "0"];
  let symbol = "";
  let interval = "";
  let closed: boolean | undefined;
  let found = 0;
  do {
    const key = readKey(scanner);
    const column = COLUMN_OF[key] ?? -1;
    if (column >= 0) {
      const isWhole = column === 0 || column === 6 || column === 8;
      row[column] = isWhole ? scanner.whole() : scanner.decimal();
      found |= 1 << column;
      continue;
    }
    switch (key) {
      case S:
        symbol = readName(scanner, text, start);
        break;
      case I:
        interval = readName(scanner, text, start);
        break;
      case X:
        closed = scanner.view.getUint8(scanner.at) === TRUE.charCodeAt(0);
        scanner.literal(closed ? TRUE : FALSE);
        break;
      case F:
      case L:
        // The first and the last trade: -1 where there is none.
        scanner.has(MINUS);
        scanner.whole();
        break;
      default:
        giveUp();
    }
  } while (scanner.has(COMMA));
  scanner.expect(CLOSING);
  const [openMs] = row;
  if (closed === undefined || found !== ALL_COLUMNS || !isTime(openMs)) giveUp();
  if (symbol === "" || interval === "") giveUp();
  return { kind: "candle", symbol, interval, openMs, closed, trades: Number(row[8]), row };
}

function readName(scanner: ByteScanner, text: string, start: number): string {
  const from = scanner.name();
  return text.slice(from - start, scanner.at - 1 - start);
}

/** Reads a key of one letter. */
function readKey(scanner: ByteScanner): number {
  const word = scanner.view.getInt32(scanner.at);
  if ((word & KEY.mask) !== KEY.word) giveUp();
  scanner.at += 4;
  return (word >> 16) & 0xff;
}

/** Bytes of texts, one after the other. A full page is left to those who still need what is in it. */
class Page {
  /** Where the next text goes: what lies before is never changed. */
  end = 0;
  #bytes = new Uint8Array(PAGE_BYTES);
  #view = new DataView(this.#bytes.buffer);

  /** Writes a text at the end, and stands at its start; nothing if it is too long, or no ASCII. */
  write(text: string): ByteScanner | undefined {
    const size = text.length + REACH_BYTES;
    if (size > PAGE_BYTES) return undefined;
    if (this.end + size > PAGE_BYTES) {
      this.end = 0;
      this.#bytes = new Uint8Array(PAGE_BYTES);
      this.#view = new DataView(this.#bytes.buffer);
    }
    const { written } = ENCODER.encodeInto(text, this.#bytes.subarray(this.end));
    return written === text.length ? new ByteScanner(this.#view, this.end) : undefined;
  }
}

const ENCODER = new TextEncoder();
