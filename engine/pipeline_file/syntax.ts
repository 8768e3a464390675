/**
 * What is wrong with a text that is no YAML, in words that say what must hold.
 *
 * @module
 */

import type { Mistake } from "./diagnostics.ts";

interface Saying {
  /** What must hold, to follow "as". */
  readonly must: string;
  readonly hint?: string;
}

/** By the parser's code, or by its code and the start of its message. The first that fits counts. */
const SAYINGS: readonly (readonly [code: string, start: string, saying: Saying])[] = [
  ["TAB_AS_INDENT", "", {
    must: "lines must be indented with spaces: this one has a tab",
    hint: "Put spaces in place of the tab",
  }],
  ["MISSING_CHAR", "Missing closing", {
    must: "a text that starts with a quote must end with one",
  }],
  ["MISSING_CHAR", "Sequence item", {
    must: "each item of a list must start with `- `, and its keys must stand below each other",
  }],
  ["MISSING_CHAR", "", { must: "a key must be followed by `:` and a space" }],
  ["BAD_INDENT", "Flow sequence", { must: "a list that starts with `[` must end with `]`" }],
  ["BAD_INDENT", "Flow map", { must: "a mapping that starts with `{` must end with `}`" }],
  ["BAD_INDENT", "", { must: "what belongs together must start at the same column" }],
  ["BLOCK_AS_IMPLICIT_KEY", "", {
    must: "a value must not be followed by another key",
    hint: "Put text that has a `: ` in it in quotes, or check how the next line is indented",
  }],
  ["MULTILINE_IMPLICIT_KEY", "", { must: "a key must be on one line and be followed by `:`" }],
  ["BAD_DQ_ESCAPE", "", {
    must: "a backslash in double quotes must start an escape such as `\\n`",
    hint: "Put the text in single quotes, or write the backslash twice",
  }],
  ["BAD_ALIAS", "", { must: "`*` must be followed by the name of an anchor" }],
  ["MULTIPLE_DOCS", "", { must: "a file must hold one pipeline: another document starts here" }],
  ["NON_STRING_KEY", "", { must: "a key must be text" }],
  ["KEY_OVER_1024_CHARS", "", { must: "a key must have at most 1024 characters" }],
  ["RESOURCE_EXHAUSTION", "", { must: "values must not be nested so deeply" }],
  ["UNEXPECTED_TOKEN", "", { must: "nothing of this kind may stand here" }],
];

/**
 * Puts what the parser says in our words. None of them holds a piece of the text, which may be a
 * secret.
 *
 * @param kind What the text should be: `YAML` or `JSON`.
 * @param code The parser's name of the mistake.
 * @param message The parser's own words, for a mistake we have none for.
 * @param char The character at its place.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   syntaxMistake("YAML", "BAD_SCALAR_START", "Plain value cannot start with", "@").message,
 *   "Cannot read YAML as text that starts with `@` must be in quotes",
 * );
 * ```
 */
export function syntaxMistake(
  kind: string,
  code: string,
  message: string,
  char: string,
): Mistake {
  if (code === "BAD_SCALAR_START") {
    const must = `text that starts with \`${char}\` must be in quotes`;
    return { path: [], message: `Cannot read ${kind} as ${must}` };
  }
  const known = SAYINGS.find((saying) => saying[0] === code && message.startsWith(saying[1]));
  if (!known) return { path: [], message: `Cannot read ${kind}: ${message}` };
  const [, , { must, hint }] = known;
  return { path: [], message: `Cannot read ${kind} as ${must}`, hint };
}
