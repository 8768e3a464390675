/**
 * What a schema finds wrong with a value, as sentences for the one who wrote the file.
 *
 * @module
 */

import { type Mistake, type Path, pathText } from "./diagnostics.ts";
import type { Filled } from "./interpolate.ts";
import { isPlain } from "./placeholders.ts";
import { isSecretAt, type JsonSchema, keysAt, schemaAt } from "./options_schema.ts";
import { looksSecret } from "./masking.ts";
import { hintForName, listed, nearestName } from "../nearest.ts";
import type { SchemaIssue } from "../options.ts";

/** All that zod may tell of an issue. */
export interface Issue extends SchemaIssue {
  /** The type that is wanted, for `invalid_type`. */
  readonly expected?: string | undefined;
  /** The values there are, for `invalid_value`. */
  readonly values?: readonly unknown[] | undefined;
  /** What was measured, for `too_small` and `too_big`: `string`, `array`, `number`. */
  readonly origin?: string | undefined;
  /** The least length, number of items or value. */
  readonly minimum?: number | bigint | undefined;
  /** The greatest length, number of items or value. */
  readonly maximum?: number | bigint | undefined;
  /** Whether the limit itself is allowed. */
  readonly inclusive?: boolean | undefined;
  /** Whether the limit is the only length that is allowed. */
  readonly exact?: boolean | undefined;
  /** The kind of text that is wanted, for `invalid_format`. */
  readonly format?: string | undefined;
  /** The regular expression that text must match. */
  readonly pattern?: string | undefined;
  /** What text must begin with. */
  readonly prefix?: string | undefined;
  /** What text must end with. */
  readonly suffix?: string | undefined;
  /** What a number must be a multiple of. */
  readonly divisor?: number | bigint | undefined;
  /** What is wrong by each alternative, for `invalid_union`. */
  readonly errors?: readonly (readonly Issue[])[] | undefined;
  /** The names of the alternatives, where one key of theirs says which is meant. */
  readonly options?: readonly unknown[] | undefined;
  /** What is wrong with a key, for `invalid_key`. */
  readonly issues?: readonly Issue[] | undefined;
}

/** A value of a pipeline file, and how to speak of it. */
export interface Subject {
  /** Whose value it is: `source "binance_rest"`. */
  readonly owner: string;
  /** What a part of it is called. */
  readonly noun: "option" | "key";
  /** Where it is in the file. */
  readonly path: Path;
  /** The value. */
  readonly value: unknown;
  /** What it may be. Asked for where something is wrong alone: it takes time to make. */
  schema(): JsonSchema;
  /** What was filled in, so that it is not shown. */
  readonly filled: Pick<Filled, "written" | "scrub">;
}

const LONGEST_TEXT = 60;
const NOT_EMPTY = "not be empty";

/**
 * Turns one issue into mistakes: one for each name that does not exist, one for anything else.
 *
 * @param issue What the schema says.
 * @param subject The value that was checked.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const subject = {
 *   owner: 'transform "rsi"',
 *   noun: "option",
 *   path: ["transforms", 0, "with"],
 *   value: { perod: 14 },
 *   schema: () => ({ properties: { period: { type: "integer" } } }),
 *   filled: { written: () => undefined, scrub: (message: string) => message },
 * } as const;
 * const issue = { code: "unrecognized_keys", keys: ["perod"], path: [], message: "" };
 * assertEquals(explainIssue(issue, subject), [{
 *   path: ["transforms", 0, "with", "perod"],
 *   at: "key",
 *   message: 'Cannot use option "perod" of transform "rsi": it does not exist',
 *   hint: 'Did you mean "period"?',
 * }]);
 * ```
 */
export function explainIssue(issue: Issue, subject: Subject): Mistake[] {
  const path = issue.path.map((key) => typeof key === "symbol" ? String(key) : key);
  if (issue.code === "unrecognized_keys") return explainUnknown(path, issue.keys ?? [], subject);
  if (issue.code === "invalid_union") return explainUnion(path, issue, subject);
  if (valueAt(subject.value, path) === undefined && path.length > 0 && issue.code !== "custom") {
    return [explainMissing(path, subject)];
  }
  if (issue.code === "invalid_key") {
    const must = issue.issues?.[0] && mustOf(issue.issues[0]) || "be another";
    const message = `Cannot use ${nameOf(path, subject)} as its name must ${must}`;
    return [{ path: [...subject.path, ...path], at: "key", message }];
  }
  const isInteger = schemaAt(subject.schema(), path)?.type === "integer";
  const must = mustOf(
    isInteger && issue.expected === "number" ? { ...issue, expected: "int" } : issue,
  );
  if (must !== undefined) return [refuse(path, must, issue, subject)];
  const message = `Cannot use ${nameOf(path, subject)}: ${issue.message.replace(/\s+/g, " ")}`;
  return [{ path: [...subject.path, ...path], message: subject.filled.scrub(message) }];
}

function explainUnknown(path: Path, keys: readonly string[], subject: Subject): Mistake[] {
  const { owner, noun } = subject;
  const schema = subject.schema();
  const whose = path.length === 0 ? `Its ${noun}s` : `The keys of "${pathText(path)}"`;
  return keys.map((key) => ({
    path: [...subject.path, ...path, key],
    at: "key" as const,
    message: `Cannot use ${noun} "${pathText([...path, key])}" of ${owner}: it does not exist`,
    hint: hintForName(key, keysAt(schema, path), whose),
  }));
}

function explainMissing(path: Path, subject: Subject): Mistake {
  const description = schemaAt(subject.schema(), path)?.description;
  return {
    path: [...subject.path, ...path.slice(0, -1)],
    at: "key",
    message: `Cannot use ${subject.owner} without ${subject.noun} "${pathText(path)}"`,
    hint: description && `Add "${path.at(-1)}": ${description}`,
  };
}

/** Of alternatives, the one that was meant is the one whose type fits; else all are named. */
function explainUnion(path: Path, issue: Issue, subject: Subject): Mistake[] {
  if (valueAt(subject.value, path) === undefined) return [explainMissing(path, subject)];
  const alternatives = alternativesOf(issue);
  const [meant] = alternatives.filter((issues) => issues.every((one) => !isAboutType(one)))
    .toSorted((a, b) => a.length - b.length);
  if (meant) {
    return meant.flatMap((one) => explainIssue({ ...one, path: [...path, ...one.path] }, subject));
  }
  const values = [...alternatives.flat(), issue].flatMap((one) => one.values ?? one.options ?? []);
  const types = alternatives.flat().filter((one) => one.values === undefined);
  const musts = new Set(types.flatMap((one) => mustOf(one) ?? []));
  if (values.length > 0) musts.add(mustOf({ ...issue, code: "invalid_value", values }) ?? "");
  const must = `be ${listed([...musts].map((one) => one.replace(/^be /, "")), "or")}`;
  return [refuse(path, must, { ...issue, errors: [types], values }, subject)];
}

/** What is wrong by each alternative; alternatives within one are put beside it. */
function alternativesOf(issue: Issue): readonly (readonly Issue[])[] {
  return (issue.errors ?? []).flatMap((issues) => {
    const [first] = issues;
    const isUnion = first?.code === "invalid_union" && first.path.length === 0;
    return isUnion && issues.length === 1 ? alternativesOf(first) : [issues];
  });
}

function isAboutType({ code, path }: Issue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function refuse(path: Path, must: string, issue: Issue, subject: Subject): Mistake {
  const saysAll = must.includes(": ") || must === NOT_EMPTY;
  const found = saysAll ? undefined : foundAt(path, issue, subject);
  const message = `Cannot use ${nameOf(path, subject)} as it must ${must}` +
    (found === undefined ? "" : `: ${found}`);
  return {
    path: [...subject.path, ...path],
    message: subject.filled.scrub(message),
    hint: hintOf(issue, path, subject),
  };
}

function nameOf(path: Path, { owner, noun }: Subject): string {
  return path.length === 0 ? owner : `${noun} "${pathText(path)}" of ${owner}`;
}

/** What must hold, to follow "must". A plugin's own words count, where they begin with "must". */
function mustOf(issue: Issue): string | undefined {
  const own = /^must (.+)/.exec(issue.message)?.[1];
  if (own !== undefined) return own;
  switch (issue.code) {
    case "invalid_type":
      return `be ${TYPES[issue.expected ?? ""] ?? issue.expected}`;
    case "invalid_value": {
      const values = (issue.values ?? []).map((one) => JSON.stringify(one));
      return `be ${values.length > 2 ? "one of " : ""}${listed(values, "or")}`;
    }
    case "too_small":
    case "too_big":
      return limitOf(issue);
    case "invalid_format":
      return formatOf(issue);
    case "not_multiple_of":
      return `be a multiple of ${issue.divisor}`;
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "empty",
};

function limitOf(issue: Issue): string {
  const { code, origin, minimum, maximum, inclusive, exact } = issue;
  const limit = code === "too_small" ? minimum : maximum;
  const unit = origin === "string" ? "character" : origin === "array" ? "item" : undefined;
  if (unit !== undefined) {
    if (code === "too_small" && limit === 1 && !exact) return NOT_EMPTY;
    const bound = exact ? "exactly" : code === "too_small" ? "at least" : "at most";
    return `have ${bound} ${limit} ${unit}${limit === 1 ? "" : "s"}`;
  }
  if (code === "too_small") return inclusive ? `be at least ${limit}` : `be more than ${limit}`;
  return inclusive ? `be at most ${limit}` : `be less than ${limit}`;
}

function formatOf({ format, pattern, prefix, suffix }: Issue): string {
  if (prefix !== undefined) return `start with ${JSON.stringify(prefix)}`;
  if (suffix !== undefined) return `end with ${JSON.stringify(suffix)}`;
  if (format === "url") return "be a URL";
  return format === "regex" ? `match ${pattern}` : `be of format "${format}"`;
}

/** What the file has there. Never a secret, nor what was filled in. */
function foundAt(path: Path, issue: Issue, subject: Subject): string | undefined {
  const value = valueAt(subject.value, path);
  const name = path.at(-1);
  const isSecret = isSecretAt(subject.schema(), path) ||
    (typeof name === "string" && looksSecret(name));
  if (isSecret) return `it is ${kindOf(value)}`;
  const written = subject.filled.written([...subject.path, ...path]);
  if (written !== undefined) return `${quote(written)} gives something else`;
  if (Array.isArray(value) && issue.origin === "array") return `it has ${value.length}`;
  if (typeof value === "string") return `it is ${quote(value)}`;
  if (typeof value === "number" || typeof value === "boolean") return `it is ${value}`;
  const isAboutParts = issue.code === "custom" && value !== null;
  return isAboutParts ? undefined : `it is ${kindOf(value)}`;
}

/** Quotes a text of the file; of a long one, its beginning. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "object") return isPlain(value) ? "a mapping" : "an object";
  return `a ${typeof value}`;
}

function hintOf(issue: Issue, path: Path, subject: Subject): string | undefined {
  if (subject.filled.written([...subject.path, ...path]) !== undefined) return undefined;
  const value = valueAt(subject.value, path);
  const wanted = [issue, ...(issue.errors ?? []).flat()].map((one) => one.expected);
  if (wanted.includes("array") && value !== null) {
    return typeof value === "object" ? "Start each item with `- `" : "Put it in brackets: `[…]`";
  }
  if (wanted.includes("string") && (typeof value === "number" || typeof value === "boolean")) {
    return "Put it in quotes";
  }
  if (typeof value !== "string") return undefined;
  const isNumber = value.trim() !== "" && Number.isFinite(Number(value));
  const isWanted = wanted.includes("number") && isNumber ||
    wanted.includes("boolean") && /^(true|false)$/.test(value);
  if (isWanted) return "Leave out the quotes";
  const names = (issue.values ?? []).filter((one) => typeof one === "string");
  const nearest = nearestName(value, names);
  return nearest === undefined ? undefined : `Did you mean ${JSON.stringify(nearest)}?`;
}

/** The value at the end of a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}
