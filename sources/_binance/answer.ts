/**
 * What an answer of the exchange means: a value, or an error that says what happens next.
 *
 * @module
 */

import { FatalError, type PenstockError, RetryableError } from "../../engine/errors.ts";
import { oneLine } from "../../engine/text.ts";

/** An answer as it came in. */
export interface RawAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Its headers. */
  readonly headers: Headers;
  /** Its body. */
  readonly body: string;
}

/** The exchange refused a request and said why by a code: asking again gives the same. */
export class RefusedError extends FatalError {
  /** The exchange's code, such as -1121 for a symbol it does not know. */
  readonly code: number;

  /** Makes an error with the code the exchange gave. */
  constructor(message: string, code: number, hint?: string) {
    super(message, { hint });
    this.code = code;
  }
}

/** The code for a symbol that the exchange does not know. */
export const UNKNOWN_SYMBOL = -1121;
/** The code for characters that no parameter of this name can have. */
export const ILLEGAL_CHARACTERS = -1100;
const TOO_MANY_REQUESTS = -1003;
/** Faults on the exchange's side: unknown, disconnected, unexpected, timed out, overloaded. */
const PASSING_CODES: readonly number[] = [-1000, -1001, -1006, -1007, -1008];

/** The longest ban the exchange knows: a longer wait is not to be believed. */
const LONGEST_MS = 3 * 86_400_000;
/** The wait after a firewall's page, which tells none: it may stand for a limit. */
const FIREWALL_MS = 30_000;
/** The wait after a 429 that tells none: the counters start afresh within a minute. */
const LIMITED_MS = 60_000;
/** The wait after a 418 that tells none: the shortest ban. */
const BANNED_MS = 120_000;

/**
 * The value of an answer.
 *
 * @param action What was tried, to follow "Cannot", for messages.
 * @param answer The answer.
 * @param nowMs Epoch milliseconds, to tell how long a ban lasts.
 * @returns The parsed JSON.
 * @throws {RetryableError} If it may work later.
 * @throws {RefusedError} If the exchange refused it with a code.
 * @throws {FatalError} If it can never work.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const answer = { status: 200, headers: new Headers(), body: "[]" };
 * assertEquals(valueOf("read candles", answer, 0), []);
 * ```
 */
export function valueOf(action: string, answer: RawAnswer, nowMs: number): unknown {
  const { status } = answer;
  if (status === 429) throw limited(answer);
  if (status === 418) throw banned(answer, nowMs);
  if (status === 451) throw blocked(action);
  if (status === 403 || isPage(answer)) throw firewall(action, answer);
  const value = parsed(answer);
  const refusal = refusalIn(value);
  if (refusal) throw refused(action, refusal, answer);
  if (status === 200) return value;
  if (status >= 500 || status === 408) {
    throw new RetryableError(`The exchange answered with status ${status}`, retryAfter(answer));
  }
  throw new FatalError(
    `Cannot ${action} as the exchange must answer with status 200: it was ${status}`,
    { hint: "Check that `base_url` is the address of the exchange itself" },
  );
}

function limited(answer: RawAnswer): RetryableError {
  return new RetryableError("The exchange says that too much was asked of it (429)", {
    retryAfterMs: retryAfterMs(answer) ?? LIMITED_MS,
    hint: "Lower `weight_share` if other programs use this address",
  });
}

function banned(answer: RawAnswer, nowMs: number): RetryableError {
  const untilMs = Number(/\buntil (\d{13})\b/.exec(answer.body)?.[1] ?? NaN);
  const waitMs = retryAfterMs(answer) ??
    (Number.isNaN(untilMs) ? BANNED_MS : within(untilMs - nowMs));
  return new RetryableError(
    `The exchange has banned this address for ${Math.ceil(waitMs / 1_000)} s (418)`,
    {
      retryAfterMs: waitMs,
      hint: "Lower `weight_share`, and look for other programs at this address",
    },
  );
}

function blocked(action: string): FatalError {
  return new FatalError(
    `Cannot ${action} as the exchange does not serve the country of this address (451)`,
    {
      hint: "Try `base_url: https://data-api.binance.vision`, or `https://api.binance.us` in the " +
        "United States",
    },
  );
}

/** A page instead of JSON comes from what stands before the exchange. */
function firewall(action: string, answer: RawAnswer): PenstockError {
  const { status } = answer;
  if (status >= 300 && status < 500 && status !== 403 && status !== 408) {
    return new FatalError(`Cannot ${action}: a page came back instead of JSON (${status})`, {
      hint: "Check that `base_url` is the address of the exchange itself",
    });
  }
  const what = status === 403 ? "The exchange's firewall refused it" : "A page came back, not JSON";
  return new RetryableError(`${what} (${status})`, {
    retryAfterMs: Math.max(FIREWALL_MS, retryAfterMs(answer) ?? 0),
  });
}

function refused(action: string, refusal: Refusal, answer: RawAnswer): PenstockError {
  const { code, message } = refusal;
  if (code === TOO_MANY_REQUESTS) return limited(answer);
  if (PASSING_CODES.includes(code) || answer.status >= 500) {
    return new RetryableError(
      `The exchange has a fault of its own (${code}: ${message})`,
      retryAfter(answer),
    );
  }
  return new RefusedError(`Cannot ${action}: the exchange refuses it (${code}: ${message})`, code);
}

interface Refusal {
  readonly code: number;
  readonly message: string;
}

function refusalIn(value: unknown): Refusal | undefined {
  if (typeof value !== "object" || value === null || !("code" in value)) return undefined;
  if (typeof value.code !== "number") return undefined;
  const message = "msg" in value && typeof value.msg === "string" ? value.msg : "no reason given";
  return { code: value.code, message: oneLine(message, 200) };
}

function isPage({ headers, body }: RawAnswer): boolean {
  return isHtml(headers) || /^\s*</.test(body);
}

/** Whether an answer says of itself that it is a page. */
export function isHtml(headers: Headers): boolean {
  return (headers.get("content-type") ?? "").includes("html");
}

function parsed({ status, body }: RawAnswer): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (status !== 200) return undefined;
    // The parser's own message quotes the body.
    throw new RetryableError(
      `The answer must be whole JSON: it breaks off or is broken (${body.length} characters)`,
      { cause: error instanceof SyntaxError ? undefined : error },
    );
  }
}

function retryAfter(answer: RawAnswer): { readonly retryAfterMs?: number } {
  const waitMs = retryAfterMs(answer);
  return waitMs === undefined ? {} : { retryAfterMs: waitMs };
}

/** What `Retry-After` asks for: seconds here, never a date. */
function retryAfterMs({ headers }: RawAnswer): number | undefined {
  const told = headers.get("retry-after")?.trim() ?? "";
  return /^\d+$/.test(told) ? within(1_000 * Number(told)) : undefined;
}

function within(waitMs: number): number {
  return Math.min(LONGEST_MS, Math.max(1_000, waitMs));
}
