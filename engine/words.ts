/**
 * Numbers, sizes, spans and moments as people read them.
 *
 * @module
 */

/**
 * A number with its thousands apart, to the millionth.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([12_345, 0.5, -1_234.5678901].map(describeCount), ["12,345", "0.5", "-1,234.56789"]);
 * ```
 */
export function describeCount(count: number): string {
  // Not by `Intl`, whose first number takes 30 ms.
  const [whole = "", fraction] = String(Number(count.toFixed(6))).split(".");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? apart : `${apart}.${fraction}`;
}

/**
 * A number of bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([9_999, 123_456, 12_345_678, 2e10].map(describeBytes), [
 *   "9,999 bytes", "123 kB", "12 MB", "20 GB",
 * ]);
 * ```
 */
export function describeBytes(bytes: number): string {
  if (bytes < 1e4) return `${describeCount(bytes)} bytes`;
  const [size, unit] = bytes < 1e7 ? [1e3, "kB"] : bytes < 1e10 ? [1e6, "MB"] : [1e9, "GB"];
  return `${describeCount(Math.round(bytes / size))} ${unit}`;
}

/**
 * A span of time in at most two units.
 *
 * @param ms Milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([900, 61_000, 3_660_000, 200_000_000].map(describeSpan), [
 *   "0.9 s", "1 min 1 s", "1 h 1 min", "2 d 7 h",
 * ]);
 * ```
 */
export function describeSpan(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1_000) % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${describeCount(Math.floor(hours / 24))} d ${hours % 24} h`;
}

/** How long ago something was, or how far ahead it is. */
export function describeAge(ms: number): string {
  return ms < 0 ? `${describeSpan(-ms)} ahead` : `${describeSpan(ms)} ago`;
}

/** A moment, in UTC, to the second. */
export function describeMoment(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
