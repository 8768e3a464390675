/**
 * Asks in InfluxQL, as versions 1 and 3 understand it, and version 2 where the bucket is mapped.
 *
 * @module
 */

import { z } from "zod";
import { FatalError } from "../../engine/errors.ts";
import type { InfluxClient } from "./client.ts";
import { nameOf, wordsOf } from "./failure.ts";

/** One series of an answer. */
export interface InfluxqlSeries {
  /** The measurement, where there is one. */
  readonly name?: string | undefined;
  /** The tags it was grouped by. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** The names of the columns. */
  readonly columns: readonly string[];
  /** The rows: what JSON holds, and a `bigint` for an integer beyond 2^53. */
  readonly values: readonly (readonly unknown[])[];
  /** Whether the server left rows out, by a limit of its own. */
  readonly partial?: boolean | undefined;
}

/** One statement. */
export interface InfluxqlStatement {
  /** What it is for, to follow "Cannot" in messages. */
  readonly action: string;
  /** The statement, alone. Quote names with {@linkcode quoteName}, texts with {@linkcode quoteText}. */
  readonly q: string;
  /** The database it works on. */
  readonly db?: string | undefined;
  /** The unit of times in the answer; RFC 3339 where it is left out. */
  readonly epoch?: "ms" | "ns" | undefined;
  /** `POST` for what changes something. `GET` where it is left out. */
  readonly method?: "GET" | "POST";
}

const seriesSchema = z.object({
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  columns: z.array(z.string()),
  values: z.array(z.array(z.unknown())).default([]),
  partial: z.boolean().optional(),
});
const answerSchema = z.object({
  results: z.array(z.object({
    series: z.array(seriesSchema).default([]),
    error: z.string().optional(),
  })).length(1),
});

/**
 * Asks one statement and reads the whole answer, which must be small.
 *
 * @returns The series; none where there is nothing, which is no error.
 * @throws {PenstockError} As {@linkcode InfluxClient.request}, and for an error inside an answer of
 * status 200, by what it says.
 */
export async function askInfluxql(
  client: InfluxClient,
  { action, q, db, epoch, method = "GET" }: InfluxqlStatement,
): Promise<readonly InfluxqlSeries[]> {
  const { connection } = client;
  const answer = await client.request({ action, method, path: "/query", query: { q, db, epoch } });
  const parsed = answerSchema.safeParse(parseJson(answer.body));
  const [result] = parsed.data?.results ?? [];
  if (!result) {
    throw new FatalError(
      `Cannot ${action}: ${nameOf(connection)} must answer InfluxQL with one result: it answered "${
        wordsOf(answer, connection)
      }"`,
      { hint: "Check `url`, `server` and `version`" },
    );
  }
  if (result.error === undefined) return result.series;
  throw client.failure(
    action,
    { ...answer, body: JSON.stringify({ error: result.error }) },
    meaningOf(result.error),
  );
}

/**
 * A name, such as that of a database, measurement or field, as InfluxQL takes any.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(quoteName('a"b'), '"a\\"b"');
 * ```
 */
export function quoteName(name: string): string {
  return `"${name.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/**
 * A text, such as the value of a tag, as InfluxQL takes any.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(quoteText("it's"), "'it\\'s'");
 * ```
 */
export function quoteText(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&").replaceAll("\n", "\\n")}'`;
}

/** The status code that a failure would have that comes with a 200. */
function meaningOf(error: string): number {
  if (/not found/i.test(error)) return 404;
  if (/not authorized|requires? (admin|\w+ on)/i.test(error)) return 403;
  if (/timeout|timed out|interrupted|max-concurrent-queries/i.test(error)) return 503;
  return 400;
}

/** Integers of more digits than a float holds are rare: looking for them costs less than a reviver. */
const LONG_INTEGER = /[[,]-?\d{16,}[,\]]/;

function parseJson(body: string): unknown {
  try {
    return LONG_INTEGER.test(body) ? JSON.parse(body, exactly) : JSON.parse(body);
  } catch {
    return undefined;
  }
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isRounded = typeof value === "number" && Number.isInteger(value) &&
    !Number.isSafeInteger(value);
  const { source = "" } = context ?? {};
  return isRounded && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
