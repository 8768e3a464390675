/**
 * Faults: which request is hit by which, and what they do to an answer.
 *
 * @module
 */

import { resolveTime, type Time } from "../engine/time.ts";
import { type Answer, textOf } from "./answer.ts";
import type { FaultRule, RowChange } from "./fault_rule.ts";

/** What a fault is chosen by. */
export interface FaultTarget {
  /** Path of the request, without the query. */
  readonly path: string;
  /** Its query. */
  readonly query: URLSearchParams;
  /** The moment, in epoch milliseconds. */
  readonly nowMs: number;
}

/** The faults of a scenario, and how often each was due. */
export class Faults {
  readonly #rules: readonly FaultRule[];
  readonly #seen: number[];
  readonly #at: (time: Time) => number;

  /** Starts with no request seen; spans such as `1 hour ago` count back from `startMs`. */
  constructor(rules: readonly FaultRule[], startMs: number) {
    this.#rules = rules;
    this.#seen = rules.map(() => 0);
    this.#at = (time) => resolveTime(time, startMs);
  }

  /** Counts a request for every rule it matches, and gives the first that is due. */
  next(target: FaultTarget): FaultRule | undefined {
    let due: FaultRule | undefined;
    this.#rules.forEach((rule, index) => {
      if (!this.#matches(rule, target)) return;
      const seen = (this.#seen[index] ?? 0) + 1;
      this.#seen[index] = seen;
      const isOver = rule.times !== "always" && seen > rule.after + rule.times;
      if (seen > rule.after && !isOver) due ??= rule;
    });
    return due;
  }

  #matches(rule: FaultRule, target: FaultTarget): boolean {
    const { path, query, nowMs } = target;
    return (rule.path === undefined || rule.path === path) &&
      (rule.symbol === undefined || rule.symbol === query.get("symbol")) &&
      (rule.interval === undefined || rule.interval === query.get("interval")) &&
      (rule.from === undefined || nowMs >= this.#at(rule.from)) &&
      (rule.to === undefined || nowMs < this.#at(rule.to));
  }
}

/** The exchange's number and text for an error status. */
export function errorOf(status: number): { readonly code: number; readonly message: string } {
  return ERRORS[status] ??
    { code: -1000, message: "An unknown error occurred while processing the request." };
}

const ERRORS: Readonly<Record<number, { readonly code: number; readonly message: string }>> = {
  403: { code: 0, message: "Request blocked." },
  429: { code: -1003, message: "Too many requests queued." },
  451: { code: 0, message: "Service unavailable from a restricted location." },
  502: { code: -1006, message: "An unexpected response was received from the message bus." },
  503: { code: -1008, message: "Server is currently overloaded. Please try again." },
  504: { code: -1007, message: "Timeout waiting for response from backend server." },
};

/** The answer with its text cut off. */
export function truncated(answer: Answer, share: number): Answer {
  const text = textOf(answer);
  return { ...answer, body: text.slice(0, Math.floor(text.length * share)) };
}

/**
 * The answer with one row changed; unchanged when it holds no such row.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const answer = { status: 200, body: "[[1],[2]]" };
 * assertEquals(withRowChanged(answer, { change: "repeated", row: 0 }).body, "[[1],[1],[2]]");
 * ```
 */
export function withRowChanged(answer: Answer, change: RowChange): Answer {
  const rows: unknown = answer.status === 200 ? JSON.parse(textOf(answer)) : undefined;
  if (!Array.isArray(rows)) return answer;
  const index = change.row < 0 ? rows.length + change.row : change.row;
  const row: unknown = rows[index];
  if (!Array.isArray(row)) return answer;
  rows.splice(index, 1, ...changed(row, change));
  if (change.change === "swapped") rows.splice(index, 2, ...rows.slice(index, index + 2).reverse());
  return { ...answer, body: JSON.stringify(rows) };
}

/** The rows that take the place of one. */
function changed(row: readonly unknown[], change: RowChange): unknown[][] {
  const [open, first, high, low, last, volume, close, ...rest] = row;
  switch (change.change) {
    case "short":
      return [row.slice(0, 11)];
    case "value":
      return [row.with(change.column, change.value)];
    case "crossed":
      return [[open, first, low, high, last, volume, close, ...rest]];
    case "seconds":
      return [[seconds(open), first, high, low, last, volume, seconds(close), ...rest]];
    case "repeated":
      return [[...row], [...row]];
    case "missing":
      return [];
    case "swapped":
      return [[...row]];
  }
}

function seconds(ms: unknown): number {
  return Math.floor(Number(ms) / 1_000);
}
