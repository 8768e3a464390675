/**
 * What the suites use to see whether logic is pure and data is data.
 *
 * @module
 */

import { delay } from "@std/async";
import { assert, assertEquals, AssertionError } from "@std/assert";
import { Decimal } from "../../engine/decimal.ts";

/** How often the suites look again before they say that something does not end. */
const TURNS = 200;

/** What pure logic does not call. */
const IMPURE: readonly (readonly [owner: object, name: string, label: string])[] = [
  [Math, "random", "Math.random()"],
  [performance, "now", "performance.now()"],
  [crypto, "getRandomValues", "crypto.getRandomValues()"],
  [crypto, "randomUUID", "crypto.randomUUID()"],
  [globalThis, "setTimeout", "setTimeout()"],
  [globalThis, "queueMicrotask", "queueMicrotask()"],
  [globalThis, "fetch", "fetch()"],
];

/**
 * Why a value is not plain JSON.
 *
 * @param value Anything.
 * @param name How the value is called in the answer.
 * @returns The first place that JSON would not give back as it is, or nothing when all is well.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(findJsonFault({ next: [1, "a", null] }, "position"), undefined);
 * assertEquals(findJsonFault({ next: NaN }, "position"), "position.next is NaN");
 * ```
 */
export function findJsonFault(value: unknown, name: string): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${name} is ${value}`;
  if (Array.isArray(value)) {
    return firstFault(value.map((part, index) => findJsonFault(part, `${name}[${index}]`)));
  }
  if (isPlainObject(value)) {
    return firstFault(
      Object.entries(value).map(([key, part]) => findJsonFault(part, `${name}.${key}`)),
    );
  }
  const kind = typeof value === "object" ? `a ${value.constructor.name}` : typeof value;
  return `${name} is ${kind}`;
}

/** A value as it is after it was saved and loaded; undefined stays undefined. */
export function throughJson<T>(value: T): T {
  return value === undefined ? value : JSON.parse(JSON.stringify(value));
}

/** A deep copy that nothing can change. Values that were shared are shared in the copy as well. */
export function frozenCopy<T>(value: T): T {
  return deepFreeze(copyOf(value));
}

/**
 * A deep copy. Values that were shared are shared in the copy as well; decimals, which cannot
 * change, stay as they are.
 */
export function copyOf<T>(value: T): T;
export function copyOf(value: unknown): unknown {
  return copyEach(value, new Map(), (decimal) => decimal);
}

/**
 * A deep copy in which decimals are text, to compare it: decimals of the same digits are different
 * objects.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Decimal } from "../../engine/decimal.ts";
 *
 * assertEquals(inText({ close: Decimal.of("0.10") }), { close: "0.10" });
 * ```
 */
export function inText(value: unknown): unknown {
  return copyEach(value, new Map(), String);
}

/** Fails unless the two are equal, decimals by their digits. */
export function assertSame(actual: unknown, expected: unknown, message: string): void {
  assertEquals(inText(actual), inText(expected), message);
}

function copyEach(
  value: unknown,
  copies: Map<unknown, unknown>,
  ofDecimal: (decimal: Decimal) => unknown,
): unknown {
  if (value instanceof Decimal) return ofDecimal(value);
  if (copies.has(value)) return copies.get(value);
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    copies.set(value, copy);
    for (const part of value) copy.push(copyEach(part, copies, ofDecimal));
    return copy;
  }
  if (!isPlainObject(value)) return structuredClone(value);
  const copy: Record<string, unknown> = {};
  copies.set(value, copy);
  for (const [name, part] of Object.entries(value)) copy[name] = copyEach(part, copies, ofDecimal);
  return copy;
}

/** Makes plain objects and arrays unchangeable, all the way down. */
export function deepFreeze<T>(value: T): T {
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  if (!Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

/**
 * Runs synchronous work and notes each use of clock, chance, timers and network.
 *
 * @param work Called at once.
 * @param used Takes the names of what was used, such as `Date.now()`.
 */
export function noteWorldUse<T>(work: () => T, used: Set<string>): T {
  const restore = [
    replace(globalThis, "Date", notingDate(used)),
    ...IMPURE.map(([owner, name, label]) =>
      replace(owner, name, noting(label, owner, Reflect.get(owner, name), used))
    ),
  ];
  try {
    return work();
  } finally {
    for (const undo of restore) undo();
  }
}

/** Whole numbers from 0 to `last`: all of them, or `most` of them spread evenly with both ends. */
export function spread(last: number, most: number): number[] {
  if (last < most) return Array.from({ length: last + 1 }, (_, index) => index);
  return Array.from({ length: most }, (_, index) => Math.round(index * last / (most - 1)));
}

/**
 * What comes of a promise, if it settles soon. Nothing is waited for but the event loop.
 *
 * @returns The promise itself once it has settled.
 * @throws {AssertionError} With the message, if it does not settle.
 */
export async function soon<T>(promise: Promise<T>, message: string): Promise<T> {
  let settled = false;
  const note = () => void (settled = true);
  promise.then(note, note);
  for (let turn = 0; turn < TURNS && !settled; turn++) await delay(0);
  assert(settled, message);
  return await promise;
}

/** Fails with a message that says which point of the contract is broken, and what was thrown. */
export function failWith(message: string, cause?: unknown): never {
  if (cause === undefined) throw new AssertionError(message);
  const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  throw new AssertionError(`${message}\n  ${text}`, { cause });
}

function firstFault(faults: readonly (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Puts a value in the place of a property; gives what undoes it. */
function replace(owner: object, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  return () => {
    if (own) Object.defineProperty(owner, name, own);
    else Reflect.deleteProperty(owner, name);
  };
}

function noting(label: string, owner: object, original: unknown, used: Set<string>): unknown {
  if (typeof original !== "function") return original;
  return (...args: unknown[]) => {
    used.add(label);
    return Reflect.apply(original, owner, args);
  };
}

function notingDate(used: Set<string>): DateConstructor {
  return new Proxy(Date, {
    construct(target, args) {
      if (args.length === 0) used.add("new Date()");
      return Reflect.construct(target, args);
    },
    apply(target) {
      used.add("Date()");
      return Reflect.apply(target, undefined, []);
    },
    get(target, name) {
      if (name === "now") used.add("Date.now()");
      return Reflect.get(target, name);
    },
  });
}
