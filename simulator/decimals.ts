/**
 * Whole numbers written as decimals with eight places, the way the exchange does.
 *
 * @module
 */

const PLACES = 8;

/**
 * Writes a number of steps as a decimal.
 *
 * @param steps A whole number, not negative.
 * @param decimals Decimals of a step, from 0 to 8.
 * @returns A decimal with eight places.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(decimalText(1_371_565, 2), "13715.65000000");
 * assertEquals(decimalText(7, 8), "0.00000007");
 * ```
 */
export function decimalText(steps: number, decimals: number): string {
  const scale = 10 ** decimals;
  const whole = Math.floor(steps / scale);
  // The leading 1 keeps the zeros after the point, and is cut off.
  const places = (steps - whole * scale + scale) * 10 ** (PLACES - decimals);
  return `${whole}.${String(places).slice(1)}`;
}

/**
 * Writes the value of two amounts at two prices, exactly.
 *
 * @param amounts Two amounts, in steps.
 * @param prices The price of each, in ticks. The decimals of a step and a tick add up to 8.
 * @returns A decimal with eight places.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(valueText([3_000_000, 0], [1_371_565, 0]), "41146.95000000");
 * ```
 */
export function valueText(
  [amount, otherAmount]: readonly [number, number],
  [price, otherPrice]: readonly [number, number],
): string {
  const value = amount * price + otherAmount * otherPrice;
  if (Number.isSafeInteger(value)) return decimalText(value, PLACES);
  const exact = BigInt(amount) * BigInt(price) + BigInt(otherAmount) * BigInt(otherPrice);
  const digits = String(exact);
  return `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`;
}
