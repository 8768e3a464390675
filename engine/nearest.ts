/**
 * Which name was meant.
 *
 * @module
 */

import { closestString, levenshteinDistance } from "@std/text";

/**
 * The name that a misspelt one was meant to be.
 *
 * @param given The name as it was written.
 * @param names The names there are.
 * @returns The nearest; undefined where none is near enough to be worth saying.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nearestName("intervall", ["interval", "symbols"]), "interval");
 * assertEquals(nearestName("binance", ["binance_rest", "csv"]), "binance_rest");
 * assertEquals(nearestName("colour", ["interval", "symbols"]), undefined);
 * ```
 */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  if (given === "" || given.length > LONGEST_NAME || names.length === 0) return undefined;
  const wanted = given.toLowerCase();
  const nearest = closestString(given, names);
  const distance = levenshteinDistance(wanted, nearest.toLowerCase());
  // Two letters that changed places are a distance of 2.
  if (distance <= Math.ceil(wanted.length / 3) && distance < wanted.length) return nearest;
  if (wanted.length < SHORTEST_PART) return undefined;
  return names.find((name) => name.toLowerCase().startsWith(wanted));
}

/**
 * A hint for a name that does not exist.
 *
 * @param given The name as it was written.
 * @param names The names there are.
 * @param whose What they are the names of, such as `Its options`.
 * @returns The nearest name, else all of them; undefined where there are none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(hintForName("perod", ["period"], "Its options"), 'Did you mean "period"?');
 * assertEquals(hintForName("x", ["a", "b"], "Its options"), 'Its options are "a" and "b"');
 * ```
 */
export function hintForName(
  given: string,
  names: readonly string[],
  whose: string,
): string | undefined {
  const nearest = nearestName(given, names);
  if (nearest !== undefined) return `Did you mean ${JSON.stringify(nearest)}?`;
  if (names.length === 0) return undefined;
  if (names.length === 1) return `There is only ${JSON.stringify(names[0])}`;
  return `${whose} are ${listed(names.map((name) => JSON.stringify(name)), "and")}`;
}

/** Puts words in a row: `a, b and c`. */
export function listed(words: readonly string[], last: "and" | "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}

const LONGEST_NAME = 100;
const SHORTEST_PART = 3;
