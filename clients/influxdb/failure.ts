/**
 * What an answer that is no success means: wrong options, try again, or stop.
 *
 * @module
 */

import { hostOf } from "../../engine/address.ts";
import {
  FatalError,
  OptionsError,
  type PenstockError,
  RetryableError,
} from "../../engine/errors.ts";
import { authorizationOf, type Connection, kindOf } from "./connection.ts";

/** The longest text of a server that is passed on: it may quote what it was sent. */
const LONGEST_WORDS = 300;
/** Taking out what is shorter would garble a text, and tell what was taken out. */
const SHORTEST_SECRET = 4;
const LATER = [408, 425, 429, 499, 500, 502, 503, 504];

/** An answer, read to its end. */
export interface Answer {
  /** The status code. */
  readonly status: number;
  /** The headers. */
  readonly headers: Headers;
  /** The body. */
  readonly body: string;
}

/** What was asked. */
export interface Asked {
  /** What it is for, to follow "Cannot". */
  readonly action: string;
  /** Of whom. */
  readonly connection: Connection;
  /** The time of the answer, in epoch milliseconds. */
  readonly nowMs: number;
}

/** How messages call a server. */
export function nameOf(connection: Connection): string {
  const product = connection.server === "victoria_metrics" ? "VictoriaMetrics" : "InfluxDB";
  return `${product} at ${hostOf(connection.url)}`;
}

/**
 * The error that an unexpected answer amounts to.
 *
 * @param asked What was asked.
 * @param answer What was answered.
 * @param meaning The status code it would have, where the server hides a failure behind a 200.
 * @returns An `OptionsError` with the option in its message or hint, a `RetryableError` with the
 * time the server asks to wait, or a `FatalError`.
 */
export function failureOf(
  asked: Asked,
  answer: Answer,
  meaning: number = answer.status,
): PenstockError {
  const { action, connection, nowMs } = asked;
  const words = wordsOf(answer, connection);
  const said = `${nameOf(connection)} answered ${answer.status}${words ? `, "${words}"` : ""}`;
  const hint = configurationHint(connection, meaning, words, answer.headers);
  if (hint !== undefined) return new OptionsError(`Cannot ${action}: ${said}`, { hint });
  if (/no space left/i.test(words)) {
    return new FatalError(`Cannot ${action}: ${said}`, { hint: fullDiskHint(connection) });
  }
  if (LATER.includes(meaning) || meaning > 505) {
    return new RetryableError(said, {
      retryAfterMs: retryAfterMs(answer.headers, nowMs),
      hint: laterHint(words),
    });
  }
  return new FatalError(`Cannot ${action}: ${said}`);
}

/**
 * What a server said of a failure, on one line, cut to {@linkcode LONGEST_WORDS} and without the
 * credentials of the connection. Empty where it said nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const answer = { status: 400, headers: new Headers(), body: '{"error":"partial write"}' };
 * assertEquals(wordsOf(answer, { url: "http://localhost:8086", server: "influxdb", timeout_ms: 1 }), "partial write");
 * ```
 */
export function wordsOf(answer: Answer, connection: Connection): string {
  const text = textOf(answer);
  // deno-lint-ignore no-control-regex -- they are what is taken out
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
  const safe = secretsOf(connection).reduce((rest, secret) => rest.replaceAll(secret, "***"), line);
  return safe.length > LONGEST_WORDS ? `${safe.slice(0, LONGEST_WORDS).toWellFormed()}…` : safe;
}

/** What a server said of a failure, as it stands. Empty where it said nothing. */
export function textOf({ headers, body }: Answer): string {
  if (isHtml(headers, body)) return "a page of HTML";
  return errorOf(body) ?? headers.get("x-influxdb-error") ?? body;
}

/**
 * How long a server asks to wait, in milliseconds: `Retry-After` in seconds or as a date.
 *
 * @returns Nothing if it does not say, or not in a way that can be understood.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(retryAfterMs(new Headers({ "retry-after": "2" }), 0), 2_000);
 * const date = new Headers({ "retry-after": "Thu, 01 Jan 1970 00:00:05 GMT" });
 * assertEquals(retryAfterMs(date, 1_000), 4_000);
 * ```
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(1_000 * Number(text));
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/**
 * What to change in the options, where an answer says that they are wrong.
 *
 * @returns Nothing if it says no such thing.
 */
function configurationHint(
  connection: Connection,
  status: number,
  words: string,
  headers: Headers,
): string | undefined {
  if (/parquet files?/i.test(words)) {
    return "InfluxDB 3 Core looks back some 72 hours: set `from`, or let the server read more files by `--query-file-limit`";
  }
  if (status < 300) return "Check `url`, `server` and `version`: no such server answers so";
  if (status < 400) {
    return `Set \`url\` to where it really is: it sends elsewhere${locationOf(headers)}`;
  }
  if (status === 401) return credentialsHint(connection);
  if (status === 403) return permissionHint(connection);
  if (status === 404) return missingHint(connection, words, headers);
  if (status === 405 || status === 415 || status === 501) {
    return "Check `url`, `server` and `version`: the server does not know such requests";
  }
  if (/retention policy not found/.test(words)) return missingHint(connection, words, headers);
  if (status === 400 && /database is required/.test(words)) return "Set `database`";
  if (status === 400 && /invalid (precision|consistency level)/.test(words)) {
    return "Check `server` and `version`: the server does not know the words they use";
  }
  return undefined;
}

function credentialsHint(connection: Connection): string {
  const { token, username } = connection;
  const kind = kindOf(connection);
  if (token) return "Check `token`, and that `version` is that of the server";
  if (username !== undefined) {
    return "Check `username` and `password`, and that `version` is that of the server";
  }
  return kind === "v2" || kind === "v3" ? "Set `token`" : "Set `username` and `password`";
}

function permissionHint(connection: Connection): string {
  const { username, database, bucket } = connection;
  if (username !== undefined) {
    return `Let the user do it: GRANT ALL ON "${database}" TO "${username}", or name another \`username\``;
  }
  return `Give the token the right to do it in "${bucket ?? database}", or name another \`token\``;
}

function missingHint(
  { database, bucket, org, retention_policy }: Connection,
  words: string,
  headers: Headers,
): string {
  if (/retention policy/i.test(words)) return `Check \`retention_policy\`: "${retention_policy}"`;
  if (/\borg/i.test(words)) return `Check \`org\`: "${org}"`;
  if (/bucket/i.test(words)) return `Check \`bucket\`: "${bucket}"`;
  if (/database/i.test(words)) return `Check \`database\`: "${database}"`;
  const version = headers.get("x-influxdb-version");
  const says = version === null ? "" : `, and says that it is of version ${version}`;
  return `Check \`url\`, \`server\` and \`version\`: the server has nothing at that path${says}`;
}

/**
 * Version 1 goes on refusing until it is started anew. The start cuts the log that was torn, but
 * what is written then comes behind a gap, and is lost at the next start: measured with 1.6.7, which
 * kept all that was written after a second start.
 */
function fullDiskHint(connection: Connection): string {
  const restart = kindOf(connection) === "v1" ? "restart it twice" : "see whether it runs";
  return `Free some space on the disk of the server, ${restart}, then run it again: nothing is lost`;
}

function laterHint(words: string): string | undefined {
  if (/cache-max-memory-size/.test(words)) {
    return "The server takes points in slower than they come: give it time, or memory";
  }
  return undefined;
}

/** Where a redirect leads to, without what may be secret in it. */
function locationOf(headers: Headers): string {
  const location = URL.parse(headers.get("location") ?? "");
  return location ? `, to ${location.origin}` : "";
}

function isHtml(headers: Headers, body: string): boolean {
  return headers.get("content-type")?.includes("html") === true ||
    /^\s*<(!doctype|html)/i.test(body);
}

/** The error in a body of JSON, as the versions name it. Bodies may be plain text whatever they are labelled. */
function errorOf(body: string): string | undefined {
  try {
    const { error, message, data } = Object(JSON.parse(body));
    const words = [error, message].find((text) => typeof text === "string" && text !== "");
    // Version 3 says what is wrong with each line beside what went wrong at all.
    const { error_message: reason } = Object(Array.isArray(data) ? data[0] : data);
    return words !== undefined && typeof reason === "string" ? `${words}: ${reason}` : words;
  } catch {
    return undefined;
  }
}

function secretsOf(connection: Connection): string[] {
  const { token, password } = connection;
  const [scheme = "", credentials = ""] = (authorizationOf(connection).authorization ?? "").split(
    " ",
  );
  return [token?.reveal(), password?.reveal(), scheme && credentials]
    .filter((secret): secret is string => (secret ?? "").length >= SHORTEST_SECRET);
}
