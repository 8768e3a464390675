/**
 * Which pieces of a pipeline file must not be shown, as they are secrets.
 *
 * @module
 */

import type { Span } from "./diagnostics.ts";

const SECRET_NAME = /token|passw|secret|credential|api_?key/i;
const SECRET_LINE = /(?<=(?:token|passw|secret|credential|api_?key)[\w-]*["']?\s*[:=][ \t]*)\S.*/gi;
const PLACEHOLDER = /^(["']?)\$\{(?:env:\w+|file:[^}]+)\}\1$/;

/**
 * Whether a name says that its value is a secret, for the case that no schema does.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(looksSecret("api_token"), true);
 * assertEquals(looksSecret("bucket"), false);
 * ```
 */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * What to hide, where every secret's place is known.
 *
 * @param text The whole text.
 * @param secrets Where values stand that are secrets, in any order.
 * @returns Spans in order, none inside another. A value that is only `${env:NAME}` or
 * `${file:path}` is no secret: it tells where one is.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(secretSpans('a: hunter2\nb: "${env:B}"\n', [[14, 24], [3, 10]]), [[3, 10]]);
 * ```
 */
export function secretSpans(text: string, secrets: readonly Span[]): Span[] {
  const spans: Span[] = [];
  for (const [from, to] of secrets.toSorted((a, b) => a[0] - b[0])) {
    if (PLACEHOLDER.test(text.slice(from, to).trimEnd())) continue;
    const last = spans.at(-1);
    if (last && from < last[1]) spans[spans.length - 1] = [last[0], Math.max(last[1], to)];
    else spans.push([from, to]);
  }
  return spans;
}

/**
 * Where secrets may stand in a text that is not understood: the rest of each line after a name that
 * says so.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(guessSecrets('org: home\ntoken: "hunter2\n'), [[17, 25]]);
 * ```
 */
export function guessSecrets(text: string): Span[] {
  return [...text.matchAll(SECRET_LINE)].map(({ 0: match, index }) =>
    [index, index + match.length] as const
  );
}
