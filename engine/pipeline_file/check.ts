/**
 * Checks a value of a pipeline file against a schema.
 *
 * @module
 */

import type { Mistake, Path } from "./diagnostics.ts";
import { describeError } from "../errors.ts";
import type { Filled } from "./interpolate.ts";
import { explainIssue, type Issue, type Subject, valueAt } from "./issues.ts";
import type { Schema } from "../options.ts";

/** A value that was checked. */
export type Checked<Output> =
  | { readonly ok: true; readonly data: Output }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Checks a value. Text that was filled in becomes a number, `true` or `false` where the schema
 * wants one: a variable has no type of its own.
 *
 * @param schema What the value must be.
 * @param subject The value, and how to speak of it.
 * @returns The value as the schema gives it, or all that is wrong with it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 * import { interpolate } from "./interpolate.ts";
 *
 * const lookups = { env: () => "21", readText: () => Promise.reject(new Error("no files")) };
 * const filled = await interpolate({ period: "${env:PERIOD}" }, lookups);
 * const checked = check(z.strictObject({ period: z.int() }), {
 *   owner: 'transform "rsi"', noun: "option", path: [], value: filled.value, schema: () => ({}), filled,
 * });
 * assertEquals(checked, { ok: true, data: { period: 21 } });
 * ```
 */
export function check<Output>(
  schema: Schema<Output>,
  subject: Subject & { readonly filled: Filled },
): Checked<Output> {
  let value = subject.value;
  for (;;) {
    const result = parse(schema, value);
    if (result instanceof Error) {
      const message = `Cannot check ${subject.owner}: ${describeError(result)}`;
      return {
        ok: false,
        mistakes: [{ path: subject.path, message: subject.filled.scrub(message) }],
      };
    }
    if (result.success) return { ok: true, data: result.data };
    const { issues } = result.error;
    const next = coerce(value, issues, subject);
    if (next === undefined) return { ok: false, mistakes: explain(issues, { ...subject, value }) };
    value = next;
  }
}

/** A schema is code of a plugin's author: it may throw. */
function parse<Output>(
  schema: Schema<Output>,
  value: unknown,
): ReturnType<Schema<Output>["safeParse"]> | Error {
  try {
    return schema.safeParse(value);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What hangs on a place that could not be filled in is not told: that mistake was told already. */
function explain(
  issues: readonly Issue[],
  subject: Subject & { readonly filled: Filled },
): Mistake[] {
  const failures = subject.filled.mistakes.map(({ path }) => path);
  const wrongTypes = issues.filter(({ code }) => code === "invalid_type");
  return issues.filter((issue) => {
    const { code, path } = issue;
    if (code === "unrecognized_keys") return true;
    // A schema may measure what is of the wrong type, too.
    if (wrongTypes.some((wrong) => wrong !== issue && isSame(wrong.path, path))) return false;
    const whole = [...subject.path, ...path];
    const isVague = code === "custom" || code === "invalid_union";
    return !failures.some((failure) =>
      startsWith(whole, failure) || isVague && startsWith(failure, whole)
    );
  }).flatMap((issue) => explainIssue(issue, subject));
}

function isSame(a: readonly PropertyKey[], b: readonly PropertyKey[]): boolean {
  return a.length === b.length && startsWith(a, b);
}

function startsWith(path: readonly PropertyKey[], start: readonly PropertyKey[]): boolean {
  return start.every((key, index) => path[index] === key);
}

/** Turns filled-in text into what the issues ask for; undefined where there is nothing to turn. */
function coerce(value: unknown, issues: readonly Issue[], subject: Subject): unknown {
  let coerced: unknown;
  for (const { path, type } of issues.flatMap((issue) => wantsOf(issue, []))) {
    const text = valueAt(coerced ?? value, path);
    if (typeof text !== "string") continue;
    if (subject.filled.written([...subject.path, ...path]) === undefined) continue;
    const next = convert(text.trim(), type);
    if (next !== undefined) coerced = withValueAt(coerced ?? value, path, next);
  }
  return coerced;
}

function convert(text: string, type: string): number | boolean | undefined {
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  return NUMBER.test(text) ? Number(text) : undefined;
}

/** Where an issue asks for a number or a boolean, also in one of several alternatives. */
function wantsOf(issue: Issue, base: Path): { readonly path: Path; readonly type: string }[] {
  const path = [...base, ...issue.path.map((key) => typeof key === "symbol" ? String(key) : key)];
  const types = [issue.expected, ...(issue.values ?? []).map((one) => typeof one)];
  return [
    ...types.flatMap((type) => type === "number" || type === "boolean" ? [{ path, type }] : []),
    ...(issue.errors ?? []).flat().flatMap((one) => wantsOf(one, path)),
  ];
}

/** A copy of a value with one part replaced. */
function withValueAt(value: unknown, path: Path, part: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return part;
  if (Array.isArray(value)) {
    return value.map((item, index) => index === key ? withValueAt(item, rest, part) : item);
  }
  if (typeof value !== "object" || value === null) return value;
  return { ...value, [key]: withValueAt(Reflect.get(value, key), rest, part) };
}
