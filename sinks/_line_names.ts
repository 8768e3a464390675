/**
 * Names in line protocol: which can be written so that every server reads them alike, and how.
 *
 * @module
 */

import { OptionsError } from "../engine/errors.ts";
import type { PointShape } from "../engine/point.ts";
import { quote } from "./_points.ts";

const RESERVED = ["time", "_field", "_measurement"];
// deno-lint-ignore no-control-regex -- they are what is looked for
const UNPORTABLE = /[\\\u0000-\u001f\u007f]/;

/**
 * Checks the names of a shape.
 *
 * @throws {OptionsError} If one of them cannot be written, or there is no field.
 */
export function checkNames({ measurement, tags, fields }: PointShape): void {
  const refuse = (what: string, fault: string): never => {
    throw new OptionsError(
      `Cannot write points of ${quote(measurement)} as line protocol: ${what} ${fault}`,
    );
  };
  const fault = findNameFault(measurement) ??
    (/^[#\ufeff]/.test(measurement) ? 'must not begin with "#" or a byte order mark' : undefined);
  if (fault) refuse("the measurement", fault);
  for (const [kind, names] of [["tag", tags], ["field", Object.keys(fields)]] as const) {
    for (const name of names) {
      const fault = RESERVED.includes(name) ? "is reserved" : findNameFault(name);
      if (fault) refuse(`${kind} ${quote(name)}`, fault);
    }
  }
  const shared = tags.find((name) => Object.hasOwn(fields, name));
  if (shared !== undefined) refuse(`tag ${quote(shared)}`, "must not have the name of a field");
  if (Object.keys(fields).length === 0) refuse("its shape", "must have at least one field");
}

/** Why a name or tag value cannot be written so that every server reads it alike. */
export function findNameFault(text: string): string | undefined {
  if (text === "") return "must not be empty";
  if (!UNPORTABLE.test(text) && text.isWellFormed()) return undefined;
  return "must not hold a backslash, a control character or a lone surrogate";
}

/** Escapes the name of a measurement. */
export function escapeMeasurement(text: string): string {
  return text.replace(/[, ]/g, "\\$&");
}

/** Escapes the key of a tag or field, or the value of a tag. */
export function escapeKey(text: string): string {
  return text.replace(/[, =]/g, "\\$&");
}

/** Orders text by its UTF-8 bytes, which is not the order of UTF-16 that strings have. */
export function compareBytes(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text));
  if (!left || !right) return 0;
  const at = left.findIndex((byte, i) => byte !== right[i]);
  return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
}
