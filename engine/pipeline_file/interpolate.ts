/**
 * Fills in the placeholders of a pipeline file, in its string values and after it was parsed: what
 * is filled in can never change the structure of the file.
 *
 * @module
 */

import type { Mistake, Path } from "./diagnostics.ts";
import { describeError } from "../errors.ts";
import { Secret, UNSET } from "../options.ts";
import {
  givesSecret,
  isPlain,
  type Piece,
  piecesOf,
  type Placeholder,
  type Wrong,
} from "./placeholders.ts";

/** Where the texts come from. */
export interface Lookups {
  /** The value of an environment variable; undefined where it is not set. */
  env(name: string): string | undefined;
  /** The text of a file. The path is as the pipeline writes it. */
  readText(path: string): Promise<string>;
  /** What a program prints. The line is as the pipeline writes it. No program is run without it. */
  command?(line: string): Promise<string>;
}

/** A pipeline with its texts filled in. What was filled in may be a secret: never show it. */
export interface Filled {
  /** The pipeline. */
  readonly value: unknown;
  /** Places that could not be filled in. */
  readonly mistakes: readonly Mistake[];
  /** Where what was filled in came from, each once, in order. */
  readonly placeholders: readonly Placeholder[];
  /** What was filled in that is a secret whatever it is used for. */
  readonly secrets: readonly Secret[];
  /** What the file says at a place that was filled in; undefined at any other. */
  written(path: Path): string | undefined;
  /** Puts what the file says in place of what was filled in. */
  scrub(message: string): string;
}

/** What is shorter is no secret, and replacing it would garble a message. */
const SHORTEST_SECRET = 4;

/**
 * Fills in all placeholders of a value. `$${` stands for `${` itself.
 *
 * @param value Plain lists and mappings are gone through; anything else is left as it is.
 * @param lookups Where the texts come from.
 * @param unset Places that stay as if unset: nothing is looked up for them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const filled = await interpolate({ url: "http://${env:HOST:-localhost}", literal: "$${x}" }, {
 *   env: () => undefined,
 *   readText: () => Promise.reject(new Error("no files")),
 * });
 * assertEquals(filled.value, { url: "http://localhost", literal: "${x}" });
 * ```
 */
export async function interpolate(
  value: unknown,
  lookups: Lookups,
  unset: readonly Path[] = [],
): Promise<Filled> {
  const mistakes: Mistake[] = [];
  const written = new Map<string, string>();
  const filled: FilledIn[] = [];
  const left = new Set(unset.map((path) => JSON.stringify(path)));
  const walk = async (
    from: unknown,
    path: Path,
    around: readonly unknown[],
  ): Promise<unknown> => {
    if (typeof from === "string") {
      if (!from.includes("${")) return from;
      written.set(JSON.stringify(path), from);
      if (left.has(JSON.stringify(path))) return UNSET;
      const { text, wrong } = await fillIn(piecesOf(from), lookups, filled);
      mistakes.push(...wrong.map((mistake) => ({ path, ...mistake })));
      return text;
    }
    if (around.includes(from)) {
      mistakes.push({ path, message: "Cannot use a value that holds itself" });
      return null;
    }
    const within = [...around, from];
    if (Array.isArray(from)) {
      const items: unknown[] = [];
      for (const [index, item] of from.entries()) {
        items.push(await walk(item, [...path, index], within));
      }
      return items;
    }
    if (!isPlain(from)) return from;
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(from)) {
      entries.push([key, await walk(item, [...path, key], within)]);
    }
    return Object.fromEntries(entries);
  };
  const result = await walk(value, [], []);
  return {
    ...describe(filled),
    value: result,
    mistakes,
    written: (path) => written.get(JSON.stringify(path)),
  };
}

interface FilledIn {
  readonly placeholder: Placeholder;
  readonly written: string;
  readonly text: string;
}

function describe(
  filled: readonly FilledIn[],
): Pick<Filled, "placeholders" | "secrets" | "scrub"> {
  const byText = new Map(filled.map(({ text, written }) => [text, written]));
  const replaced = [...byText].filter(([text]) => text.length >= SHORTEST_SECRET)
    .toSorted(([a], [b]) => b.length - a.length);
  const secret = filled.filter(({ placeholder }) => givesSecret(placeholder));
  return {
    placeholders: [...new Map(filled.map((one) => [one.written, one.placeholder])).values()],
    secrets: [...new Set(secret.map(({ text }) => text))].map((text) => new Secret(text)),
    scrub: (message) =>
      replaced.reduce((text, [from, to]) => text.replaceAll(from, () => to), message),
  };
}

async function fillIn(
  pieces: readonly Piece[],
  lookups: Lookups,
  filled: FilledIn[],
): Promise<{ readonly text: string; readonly wrong: readonly Wrong[] }> {
  const wrong: Wrong[] = [];
  let text = "";
  for (const piece of pieces) {
    if ("text" in piece) text += piece.text;
    else if ("wrong" in piece) wrong.push(piece.wrong);
    else {
      const found = await lookUp(piece.placeholder, piece.written, lookups);
      if (typeof found === "string") {
        text += found;
        filled.push({ ...piece, text: found });
      } else wrong.push(found);
    }
  }
  return { text, wrong };
}

async function lookUp(
  { kind, name, fallback }: Placeholder,
  written: string,
  lookups: Lookups,
): Promise<Wrong | string> {
  try {
    if (kind === "file") return (await lookups.readText(name)).replace(/\r?\n$/, "");
    if (kind === "command") return (await run(name, lookups)).replace(/\r?\n$/, "");
    const value = lookups.env(name);
    // As in a shell, a default also stands in for a variable that is set to nothing.
    if (fallback !== undefined) return value || fallback;
    if (value !== undefined) return value;
  } catch (error) {
    return { message: `Cannot fill in "${written}": ${describeError(error)}` };
  }
  return {
    message: `Cannot fill in "${written}" as the variable must be set: it is not`,
    hint: `Set ${name}, or write "\${env:${name}:-default}"`,
  };
}

function run(line: string, { command }: Lookups): Promise<string> {
  return command ? command(line) : Promise.reject(new Error("no program may be run here"));
}
