/**
 * Answers and errors as the exchange words them.
 *
 * @module
 */

import type { Refusal } from "./limits.ts";

/** What a request is answered with, before it becomes a `Response`. */
export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** The body: a text, or the bytes of one. */
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Headers beside those of weight. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error of the exchange: thrown where a request is found wrong, answered as JSON. */
export class ApiError extends Error {
  /** HTTP status. */
  readonly status = 400;
  /** The exchange's number for the error. */
  readonly code: number;

  /** Makes an error with the exchange's number and text. */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The answer that tells an error. */
export function errorAnswer(
  error: { readonly status: number; readonly code: number; readonly message: string },
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status: error.status,
    body: JSON.stringify({ code: error.code, msg: error.message }),
    headers: { "content-type": "application/json;charset=UTF-8", ...headers },
  };
}

/** The text of an answer's body. */
export function textOf(answer: Answer): string {
  return typeof answer.body === "string" ? answer.body : new TextDecoder().decode(answer.body);
}

/** The answer with JSON as its body. */
export function jsonAnswer(body: Answer["body"]): Answer {
  return { status: 200, body, headers: { "content-type": "application/json;charset=UTF-8" } };
}

/** An error page from the network before the exchange. It knows nothing of weights. */
export function htmlAnswer(status: number): Answer {
  const body = `<!DOCTYPE html>
<html><head><title>ERROR: The request could not be satisfied</title></head>
<body><h1>${status} ERROR</h1><p>Request blocked.</p></body></html>
`;
  return { status, body, headers: { "content-type": "text/html", "x-cache": "Error" } };
}

/**
 * The answer to a client that used too much.
 *
 * @param refusal Why it is refused, and until when.
 * @param nowMs The moment, in epoch milliseconds.
 * @param limit The weight a minute allows.
 */
export function refusalAnswer(refusal: Refusal, nowMs: number, limit: number): Answer {
  const { status, untilMs } = refusal;
  const message = status === 418
    ? `Way too much request weight used; IP banned until ${untilMs}. Please use WebSocket Streams for live updates to avoid bans.`
    : `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`;
  const retryAfterS = Math.ceil((untilMs - nowMs) / 1_000);
  return errorAnswer({ status, code: -1003, message }, { "retry-after": String(retryAfterS) });
}
