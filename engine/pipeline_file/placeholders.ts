/**
 * What a pipeline file leaves to be filled in: `${env:NAME}`, `${env:NAME:-default}`,
 * `${file:path}` and `${command:program argument …}`.
 *
 * @module
 */

import type { Mistake, Path } from "./diagnostics.ts";
import { looksSecret } from "./masking.ts";

/** Where a text comes from that the file does not hold itself. */
export interface Placeholder {
  /** An environment variable, a text file, or what a program prints. */
  readonly kind: "env" | "file" | "command";
  /** The variable, the path as the file writes it, or the program and its arguments. */
  readonly name: string;
  /** What stands in for a variable that is not set. */
  readonly fallback?: string | undefined;
}

/** Why something is no placeholder. */
export type Wrong = Pick<Mistake, "message" | "hint">;

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^[A-Za-z_]\w*$/;
const ESCAPE_HINT = "Write `$${` where the text itself is meant";

/** A piece of a text: as it stands, something to fill in, or something that is wrong. */
export type Piece =
  | { readonly text: string }
  | { readonly written: string; readonly placeholder: Placeholder }
  | { readonly wrong: Wrong };

/**
 * Takes a text apart. `$${` stands for `${` itself.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(piecesOf("http://${env:HOST:-db}"), [
 *   { text: "http://" },
 *   {
 *     written: "${env:HOST:-db}",
 *     placeholder: { kind: "env", name: "HOST", fallback: "db" },
 *   },
 * ]);
 * ```
 */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    end = match.index + match[0].length;
    if (match[1] === undefined) pieces.push({ text: "${" });
    else pieces.push(parse(match[0], match[1]));
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/**
 * All that is to be filled in, in a value as a parser gives it.
 *
 * @param value Plain lists and mappings are gone through.
 * @returns Each placeholder and where it stands, in order.
 */
export function findPlaceholders(
  value: unknown,
): { readonly path: Path; readonly placeholder: Placeholder }[] {
  return [...textsIn(value)].flatMap(({ path, text }) =>
    piecesOf(text).flatMap((piece) =>
      "placeholder" in piece ? [{ path, placeholder: piece.placeholder }] : []
    )
  );
}

/** Whether anything in a value is to be filled in, right or wrong. */
export function isOpen(value: unknown): boolean {
  return textsIn(value).some(({ text }) => text.includes("${"));
}

function* textsIn(
  value: unknown,
  path: Path = [],
  around: readonly unknown[] = [],
): Generator<{ readonly path: Path; readonly text: string }> {
  if (typeof value === "string") yield { path, text: value };
  if (around.includes(value)) return;
  for (const [key, part] of entriesOf(value)) {
    yield* textsIn(part, [...path, key], [...around, value]);
  }
}

/**
 * The one name of a placeholder, whatever stands in for it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(keyOf({ kind: "env", name: "HOST", fallback: "db" }), "env:HOST");
 * ```
 */
export function keyOf({ kind, name }: Placeholder): string {
  return `${kind}:${name}`;
}

/** Whether what a placeholder gives is a secret, for the case that no schema says so. */
export function givesSecret({ kind, name }: Placeholder): boolean {
  return kind !== "env" || looksSecret(name);
}

/** Whether a value is a mapping as a parser makes it, rather than an object with a life of its own. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function entriesOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  return isPlain(value) ? Object.entries(value) : [];
}

function parse(written: string, inside: string): Piece {
  const wrong = (message: string, hint?: string): Piece => ({ wrong: { message, hint } });
  if (!written.endsWith("}")) {
    return wrong("Cannot fill in a `${` as it must end with `}`", ESCAPE_HINT);
  }
  if (inside.includes("${")) return wrong("Cannot fill in a `${` inside another", ESCAPE_HINT);
  const [, kind, rest = ""] = /^(env|file|command):(.*)$/s.exec(inside) ?? [];
  if (kind === "env") {
    const [, name = "", fallback] = /^(.*?)(?::-(.*))?$/s.exec(rest) ?? [];
    if (VARIABLE.test(name)) return { written, placeholder: { kind, name, fallback } };
    return wrong("Cannot fill in a `${env:` as it must be followed by the name of a variable");
  }
  if (kind === "file") {
    if (rest !== "") return { written, placeholder: { kind, name: rest } };
    return wrong("Cannot fill in a `${file:` as it must be followed by a path");
  }
  if (kind === "command") {
    if (rest.trim() !== "") return { written, placeholder: { kind, name: rest.trim() } };
    return wrong("Cannot fill in a `${command:` as it must be followed by a program");
  }
  return wrong(
    "Cannot fill in a `${` as it must be followed by `env:`, `file:` or `command:`",
    ESCAPE_HINT,
  );
}
