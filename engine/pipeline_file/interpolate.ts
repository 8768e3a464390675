/**
 * Fills in `${env:NAME}`, `${env:NAME:-default}` and `${file:path}`, in the string values of a
 * pipeline and after it was parsed: what is filled in can never change the structure of the file.
 *
 * @module
 */

import type { Mistake, Path } from "./diagnostics.ts";
import { describeError } from "../errors.ts";

/** Where the texts come from. */
export interface Lookups {
  /** The value of an environment variable; undefined where it is not set. */
  env(name: string): string | undefined;
  /** The text of a file. The path is as the pipeline writes it. */
  readText(path: string): Promise<string>;
}

/** A pipeline with its texts filled in. What was filled in may be a secret: never show it. */
export interface Filled {
  /** The pipeline. */
  readonly value: unknown;
  /** Places that could not be filled in. */
  readonly mistakes: readonly Mistake[];
  /** What the file says at a place that was filled in; undefined at any other. */
  written(path: Path): string | undefined;
  /** Puts what the file says in place of what was filled in. */
  scrub(message: string): string;
}

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^[A-Za-z_]\w*$/;
/** What is shorter is no secret, and replacing it would garble a message. */
const SHORTEST_SECRET = 4;
const ESCAPE_HINT = "Write `$${` where the text itself is meant";

/**
 * Fills in all placeholders of a value. `$${` stands for `${` itself.
 *
 * @param value Plain lists and mappings are gone through; anything else is left as it is.
 * @param lookups Where the texts come from.
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
export async function interpolate(value: unknown, lookups: Lookups): Promise<Filled> {
  const mistakes: Mistake[] = [];
  const written = new Map<string, string>();
  const replaced = new Map<string, string>();
  const walk = async (
    from: unknown,
    path: Path,
    around: readonly unknown[],
  ): Promise<unknown> => {
    if (typeof from === "string") {
      if (!from.includes("${")) return from;
      const { text, wrong } = await fillIn(from, lookups, replaced);
      written.set(JSON.stringify(path), from);
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
  const filled = await walk(value, [], []);
  const secrets = [...replaced].filter(([text]) => text.length >= SHORTEST_SECRET)
    .toSorted(([a], [b]) => b.length - a.length);
  return {
    value: filled,
    mistakes,
    written: (path) => written.get(JSON.stringify(path)),
    scrub: (message) =>
      secrets.reduce((text, [from, to]) => text.replaceAll(from, () => to), message),
  };
}

/** Whether a value is a mapping as a parser makes it, rather than an object with a life of its own. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type Wrong = Pick<Mistake, "message" | "hint">;

async function fillIn(
  from: string,
  lookups: Lookups,
  replaced: Map<string, string>,
): Promise<{ readonly text: string; readonly wrong: readonly Wrong[] }> {
  const wrong: Wrong[] = [];
  let text = "";
  let end = 0;
  for (const match of from.matchAll(PLACEHOLDER)) {
    text += from.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[1] === undefined) {
      text += "${";
      continue;
    }
    const found = await lookUp(match[0], match[1], lookups);
    if (typeof found !== "string") wrong.push(found);
    else {
      text += found;
      replaced.set(found, match[0]);
    }
  }
  return { text: text + from.slice(end), wrong };
}

function lookUp(
  placeholder: string,
  inside: string,
  lookups: Lookups,
): Wrong | Promise<Wrong | string> | string {
  if (!placeholder.endsWith("}")) {
    return { message: "Cannot fill in a `${` as it must end with `}`", hint: ESCAPE_HINT };
  }
  if (inside.includes("${")) {
    return { message: "Cannot fill in a `${` inside another", hint: ESCAPE_HINT };
  }
  const [, kind, rest = ""] = /^(env|file):(.*)$/s.exec(inside) ?? [];
  if (kind === "env") return lookUpVariable(placeholder, rest, lookups);
  if (kind === "file") return lookUpFile(placeholder, rest, lookups);
  return {
    message: "Cannot fill in a `${` as it must be followed by `env:` or `file:`",
    hint: ESCAPE_HINT,
  };
}

function lookUpVariable(placeholder: string, rest: string, lookups: Lookups): Wrong | string {
  const [, name = "", fallback] = /^(.*?)(?::-(.*))?$/s.exec(rest) ?? [];
  if (!VARIABLE.test(name)) {
    return {
      message: "Cannot fill in a `${env:` as it must be followed by the name of a variable",
    };
  }
  try {
    const value = lookups.env(name);
    // As in a shell, a default also stands in for a variable that is set to nothing.
    if (fallback !== undefined) return value || fallback;
    if (value !== undefined) return value;
  } catch (error) {
    return { message: `Cannot fill in "${placeholder}": ${describeError(error)}` };
  }
  return {
    message: `Cannot fill in "${placeholder}" as the variable must be set: it is not`,
    hint: `Set ${name}, or write "\${env:${name}:-default}"`,
  };
}

async function lookUpFile(
  placeholder: string,
  path: string,
  lookups: Lookups,
): Promise<Wrong | string> {
  if (path === "") {
    return { message: "Cannot fill in a `${file:` as it must be followed by a path" };
  }
  try {
    return (await lookups.readText(path)).replace(/\r?\n$/, "");
  } catch (error) {
    return { message: `Cannot fill in "${placeholder}": ${describeError(error)}` };
  }
}
