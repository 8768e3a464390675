/**
 * Control frames: what a client may ask on a connection, and what it is answered.
 *
 * @module
 */

import { isPossibleName } from "./stream_names.ts";

/** What control frames act on. */
export interface Subscriptions {
  /** Names of streams. */
  readonly names: ReadonlySet<string>;
  /** The most streams. */
  readonly limit: number;
  /** Whether events come wrapped. */
  combined: boolean;
  /** Adds a stream. */
  add(name: string): void;
  /** Takes one away. */
  remove(name: string): void;
}

/** How errors are shaped: as documented, or as they were seen on the wire. */
export type ErrorShape = "flat" | "nested";

class ControlError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const METHODS: Readonly<
  Record<string, (params: readonly unknown[], subscriptions: Subscriptions) => unknown>
> = {
  SUBSCRIBE(params, subscriptions) {
    const names = readNames(params);
    const all = new Set([...subscriptions.names, ...names]);
    if (all.size > subscriptions.limit) {
      throw new ControlError(4, `Too many subscriptions; the limit is ${subscriptions.limit}`);
    }
    for (const name of names) subscriptions.add(name);
    return null;
  },
  UNSUBSCRIBE(params, subscriptions) {
    for (const name of readNames(params)) subscriptions.remove(name);
    return null;
  },
  LIST_SUBSCRIPTIONS: (_params, subscriptions) => [...subscriptions.names],
  SET_PROPERTY([name, value, ...rest], subscriptions) {
    checkProperty(name, rest);
    if (typeof value !== "boolean") {
      throw new ControlError(1, "Invalid value type: expected Boolean");
    }
    subscriptions.combined = value;
    return null;
  },
  GET_PROPERTY([name, ...rest], subscriptions) {
    checkProperty(name, rest);
    return subscriptions.combined;
  },
};

/**
 * Answers a control frame, and does what it asks for.
 *
 * @param frame The frame's text; nothing for a binary one.
 * @param subscriptions What it acts on.
 * @param shape How errors are shaped.
 * @returns The reply in JSON.
 */
export function answerFrame(
  frame: string | undefined,
  subscriptions: Subscriptions,
  shape: ErrorShape,
): string {
  let id: unknown;
  try {
    const request = readRequest(frame);
    if (isId(request.id)) id = request.id;
    const { method: name = "", params = [] } = request;
    const method = Object.hasOwn(METHODS, String(name)) ? METHODS[String(name)] : undefined;
    if (id === undefined && "id" in request) throw malformed("invalid request ID");
    if (!method || !Array.isArray(params)) throw malformed("unknown method or malformed params");
    return JSON.stringify({ result: method(params, subscriptions), id: id ?? null });
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    const told = { code: error.code, msg: error.message };
    return JSON.stringify(shape === "flat" ? { ...told, id } : { error: told, id: id ?? null });
  }
}

function readRequest(frame: string | undefined): Readonly<Record<string, unknown>> {
  let request: unknown;
  try {
    request = JSON.parse(frame ?? "");
  } catch {
    throw new ControlError(3, "Invalid JSON: expected value at line 1 column 1");
  }
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    throw malformed("expected an object");
  }
  return { ...request };
}

function isId(id: unknown): boolean {
  return id === null || Number.isSafeInteger(id) ||
    (typeof id === "string" && /^[A-Za-z0-9]{1,36}$/.test(id));
}

function readNames(params: readonly unknown[]): string[] {
  const names = params.filter((name) => typeof name === "string" && isPossibleName(name));
  if (names.length === 0 || names.length < params.length) throw malformed("invalid stream name");
  return names.map(String);
}

function checkProperty(name: unknown, rest: readonly unknown[]): void {
  if (typeof name !== "string" || rest.length > 0) throw malformed("expected a property");
  if (name !== "combined") throw new ControlError(0, `Unknown property: ${name}`);
}

function malformed(what: string): ControlError {
  return new ControlError(2, `Invalid request: ${what}`);
}
