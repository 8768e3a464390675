/**
 * Mistakes in a pipeline file: where they are, and how they are shown.
 *
 * @module
 */

import { OptionsError } from "../errors.ts";

/** Where in a pipeline something is: `["sources", 0, "with", "interval"]`. */
export type Path = readonly (string | number)[];

/** A mistake, before its place in the text is looked up. */
export interface Mistake {
  /** What it is about. Where the file has no such thing, what is around it. */
  readonly path: Path;
  /** Whether it is the key or the value that is wrong. The value by default. */
  readonly at?: "key" | "value";
  /** What is wrong: one line, capital first, no full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** A mistake and its place in the file. */
export interface Diagnostic {
  /** The file, as it was named. */
  readonly file: string;
  /** Line, counted from 1. */
  readonly line: number;
  /** Column, counted from 1. */
  readonly column: number;
  /** What is wrong: one line, capital first, no full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** The line it is about. Absent where there is none. */
  readonly excerpt?: Excerpt | undefined;
}

/** One line of a file, fit to be shown. */
export interface Excerpt {
  /** The text of the line, with every secret as `***`. */
  readonly text: string;
  /** Where in the text the caret goes, counted from 0. */
  readonly caret: number;
}

/** A piece of a text: from an offset up to, not including, another. */
export type Span = readonly [from: number, to: number];

/** A pipeline file is wrong. It carries all that is wrong with it. */
export class PipelineFileError extends OptionsError {
  /** All mistakes, in the order of the file. One at least. */
  readonly diagnostics: readonly Diagnostic[];

  /** Makes an error of all mistakes of one file. */
  constructor(diagnostics: readonly Diagnostic[], details: { readonly cause?: unknown } = {}) {
    const [first] = diagnostics;
    const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : "";
    super(first ? `${placeOf(first)}: ${first.message}${more}` : "Cannot use the pipeline file", {
      hint: first?.hint,
      cause: details.cause,
    });
    this.diagnostics = diagnostics;
  }
}

/**
 * The way to a value, as JavaScript writes it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pathText(["sources", 0, "with", "interval"]), "sources[0].with.interval");
 * assertEquals(pathText(["tags", "host.name"]), 'tags["host.name"]');
 * ```
 */
export function pathText(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (!/^[\w-]+$/.test(key)) text += `[${JSON.stringify(key)}]`;
    else text += text === "" ? key : `.${key}`;
  }
  return text;
}

/**
 * Shows one line of a text.
 *
 * @param text The whole text.
 * @param offset What the caret points at.
 * @param hidden What must not be shown: in order, none inside another.
 * @returns The line that holds the offset. Of a long one, the part around the caret.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const text = "a: 1\n{ token: hunter2, prot: 1 }\n";
 * assertEquals(excerptOf(text, 23, [[14, 21]]), { text: "{ token: ***, prot: 1 }", caret: 14 });
 * ```
 */
export function excerptOf(text: string, offset: number, hidden: readonly Span[]): Excerpt {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const end = newline === -1 ? text.length : newline;
  let line = text.slice(start, end);
  let caret = offset - start;
  // From the right, so that the offsets of what is left stay true.
  for (const [from, to] of hidden.toReversed()) {
    const [left, right] = [Math.max(from, start) - start, Math.min(to, end) - start];
    if (left >= right) continue;
    line = `${line.slice(0, left)}${HIDDEN}${line.slice(right)}`;
    if (caret >= right) caret += HIDDEN.length - (right - left);
    else caret = Math.min(caret, left);
  }
  return clip(line.replace(/\r$/, ""), caret);
}

/**
 * Shows mistakes to a reader: each with its place, its line, a caret and the hint.
 *
 * @param diagnostics The mistakes.
 * @param options `color` for a terminal that has them; none by default.
 * @returns Lines of text; a line break ends each.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const shown = renderDiagnostics([{
 *   file: "btc.yaml",
 *   line: 12,
 *   column: 3,
 *   message: 'Cannot use key "sorces" of the pipeline: it does not exist',
 *   hint: 'Did you mean "sources"?',
 *   excerpt: { text: "  sorces:", caret: 2 },
 * }]);
 * assertEquals(
 *   shown,
 *   `btc.yaml:12:3: Cannot use key "sorces" of the pipeline: it does not exist
 *   12 |   sorces:
 *      |   ^
 *   hint: Did you mean "sources"?
 * `,
 * );
 * ```
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: { readonly color?: boolean } = {},
): string {
  const paint = (text: string, code: number) =>
    options.color ? `\x1b[${code}m${text}\x1b[0m` : text;
  const lines: string[] = [];
  for (const diagnostic of diagnostics) {
    const { excerpt, hint } = diagnostic;
    lines.push(`${placeOf(diagnostic)}: ${paint(printable(diagnostic.message), BOLD)}`);
    if (excerpt) {
      const gutter = `  ${diagnostic.line} |`;
      const empty = `${" ".repeat(gutter.length - 1)}|`;
      lines.push(`${paint(gutter, DIM)} ${printable(excerpt.text)}`);
      lines.push(`${paint(empty, DIM)} ${padTo(excerpt)}${paint("^", RED)}`);
    }
    if (hint !== undefined) lines.push(`  ${paint("hint:", CYAN)} ${printable(hint)}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

const BOLD = 1;
const DIM = 2;
const RED = 31;
const CYAN = 36;
const LONGEST_LINE = 160;
const HIDDEN = "***";

function placeOf({ file, line, column }: Diagnostic): string {
  return `${file}:${line}:${column}`;
}

/** What is left of the caret, as spaces. A tab stays a tab: how wide it is, is not known. */
function padTo({ text, caret }: Excerpt): string {
  return printable(text.slice(0, caret)).replace(/[^\t]/gu, " ");
}

/** Keeps a file from moving the cursor or changing the colours of a terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, "\ufffd");
}

function clip(text: string, caret: number): Excerpt {
  if (text.length <= LONGEST_LINE) return { text, caret };
  const start = Math.max(0, Math.min(caret - LONGEST_LINE / 2, text.length - LONGEST_LINE));
  const end = start + LONGEST_LINE;
  const [before, after] = [start > 0 ? "…" : "", end < text.length ? "…" : ""];
  return {
    text: `${before}${text.slice(start, end)}${after}`,
    caret: caret - start + before.length,
  };
}
