/**
 * Floats in their shortest digits, straight to bytes: in half the time of `String` and a copy.
 *
 * @module
 */

import type { ByteBuffer } from "./_byte_buffer.ts";

/** Powers of ten that a float holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Cuts a float into halves whose products are exact (Veltkamp, Dekker). */
const SPLITTER = 2 ** 27 + 1;
const LEAST = 1e-6;
const MOST = 2 ** 31;
/** How far from a tie a digit must be, compared with rounding errors of about 1e-16. */
const MARGIN = 1e-6;
const ZERO = 0x30;
/** What stands before the digits of the least values. */
const ZEROS = "0.00000";
const DIGITS = 16;
const HALF = 1e8;

/**
 * Writes what `String(value)` gives, for nearly all floats of usual size.
 *
 * Of 16 digits those nearest to the value are tried first. If they read back as the value, which one
 * exact division tells, they are the shortest, unless 15 do as well: these, of which there is never
 * more than one choice, are the same but for zeros at the end, or one away. Else there are 17, the
 * most a float takes, of which the nearest ones are right.
 *
 * @returns False, and nothing is written, if the value is not from 1e-6 to 2³¹, its first 16 digits
 * are no safe integer, or they are not beyond doubt: then it is left to `String`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ByteBuffer } from "./_byte_buffer.ts";
 *
 * const buffer = new ByteBuffer();
 * assertEquals(writeFloat(buffer, 0.1 + 0.2), true);
 * assertEquals(writeFloat(buffer, -0.5), false);
 * assertEquals(new TextDecoder().decode(buffer.copy()), "0.30000000000000004");
 * ```
 */
export function writeFloat(buffer: ByteBuffer, value: number): boolean {
  if (!(value >= LEAST && value < MOST)) return false;
  const scale = scaleOf(value);
  const power = POWERS[scale] ?? NaN;
  const product = value * power;
  if (product < 1e15 || product > Number.MAX_SAFE_INTEGER) return false;
  // Rounding is done by sums, as half of all branches on it would be guessed wrong.
  const rounded = Math.floor(product);
  const beyond = product - rounded + errorOf(product, value, power);
  const whole = rounded + Math.floor(beyond);
  const rest = beyond - Math.floor(beyond);
  if (Math.abs(rest - 0.5) < MARGIN) return false;
  const up = Math.floor(rest + 0.5);
  const near = whole + up;
  if (near / power === value) {
    writeShortest(buffer, near, scale, value);
    return true;
  }
  // The gaps beside a power of two differ: the one that is farther off may do.
  if ((whole + 1 - up) / power === value) return false;
  const digit = Math.round(10 * rest);
  if (digit === 0 || digit > 9 || Math.abs(10 * rest - digit) > 0.5 - MARGIN) return false;
  writeDigits(buffer, whole, scale);
  buffer.byte(ZERO + digit);
  return true;
}

/** How many of 16 digits are behind the point. */
function scaleOf(value: number): number {
  const scaled = value < 1 ? value * 1e6 : value;
  // The digits that as many bits have, or one more.
  const digits = (1233 * (32 - Math.clz32(scaled))) >> 12;
  const scale = scaled < (POWERS[digits] ?? 0) ? 16 - digits : 15 - digits;
  return value < 1 ? scale + 6 : scale;
}

/** What the exact product of two floats has beyond the rounded one. */
function errorOf(product: number, a: number, b: number): number {
  const highA = highHalf(a);
  const highB = highHalf(b);
  const lowA = a - highA;
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

function highHalf(value: number): number {
  const spread = SPLITTER * value;
  return spread - (spread - value);
}

/** Writes 16 digits, or fewer where they end in 0 or are one away from such that read back as the value. */
function writeShortest(buffer: ByteBuffer, near: number, scale: number, value: number): void {
  const digit = (near - HALF * Math.floor(near / HALF)) % 10;
  const step = digit === 1 ? -1 : digit === 9 ? 1 : 0;
  const isShorter = digit === 0 || step !== 0 && (near + step) / (POWERS[scale] ?? NaN) === value;
  writeDigits(buffer, isShorter ? near + step : near, scale);
  if (isShorter) buffer.trimZeros();
}

function writeDigits(buffer: ByteBuffer, digits: number, scale: number): void {
  const before = DIGITS - scale;
  const high = Math.floor(digits / HALF);
  if (before > 0) return buffer.sixteenDigits(high, digits - high * HALF, before);
  buffer.ascii(ZEROS.slice(0, 2 - before));
  buffer.digits(high, DIGITS / 2);
  buffer.digits(digits - high * HALF, DIGITS / 2);
}
