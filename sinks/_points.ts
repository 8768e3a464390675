/**
 * What sinks check of points, whatever they write them as.
 *
 * A point is checked against what was declared for its measurement, and refused if it differs:
 * nothing is repaired, rounded or left out in silence.
 *
 * @module
 */

import { Decimal } from "../engine/decimal.ts";
import { OptionsError, RecordError } from "../engine/errors.ts";
import type { Encoding } from "../engine/plugin.ts";
import type { FieldType, FieldValue, Point, RecordShape } from "../engine/point.ts";

/** The time that stores can hold: int64 nanoseconds, in milliseconds. */
const LATEST_MS = 9_223_372_036_854;
const QUOTED_LENGTH = 60;

/** What was declared for the points of one measurement. */
export interface Declared {
  /** The measurement. */
  readonly measurement: string;
  /** Tags a point may have, in the order of the declaration. */
  readonly tags: readonly string[];
  /** Tags a point must have. */
  readonly required: readonly string[];
  /** Fields a point may have, in the order they are written. */
  readonly fields: ReadonlyMap<string, FieldType>;
}

/**
 * Collects what is declared, by measurement. Shapes that are no points are passed over.
 *
 * Several shapes of one measurement are joined: a point may have the fields of any.
 *
 * @throws {OptionsError} If two shapes give one field different types.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const declared = declare([
 *   { kind: "point", measurement: "price", tags: ["symbol"], fields: { close: "float" } },
 * ]);
 * assertEquals(declared.get("price")?.fields.get("close"), "float");
 * ```
 */
export function declare(shapes: readonly RecordShape[]): ReadonlyMap<string, Declared> {
  const declared = new Map<string, Declared>();
  for (const shape of shapes) {
    if (shape.kind !== "point") continue;
    const { measurement, tags } = shape;
    const earlier = declared.get(measurement) ?? { tags, required: tags, fields: new Map() };
    declared.set(measurement, {
      measurement,
      tags: [...new Set([...earlier.tags, ...tags])],
      required: earlier.required.filter((name) => tags.includes(name)),
      fields: joinFields(measurement, earlier.fields, Object.entries(shape.fields)),
    });
  }
  return declared;
}

function joinFields(
  measurement: string,
  earlier: ReadonlyMap<string, FieldType>,
  added: readonly (readonly [string, FieldType])[],
): ReadonlyMap<string, FieldType> {
  for (const [name, type] of added) {
    const other = earlier.get(name) ?? type;
    if (other === type) continue;
    throw new OptionsError(
      `Cannot write points of "${measurement}": field ${
        quote(name)
      } must have one type, and is declared as ${other} and as ${type}`,
    );
  }
  return new Map([...earlier, ...added]);
}

/**
 * Says whether records are points.
 *
 * @param shape What comes in.
 * @param format What they would be written as, for the message.
 * @param instead What else the user may do, for the hint.
 * @throws {OptionsError} If they are not.
 */
export function acceptPoints(shape: RecordShape, format: string, instead?: string): void {
  if (shape.kind === "point") return;
  const hint = "Add a transform that makes points of them";
  throw new OptionsError(
    `Cannot write records as ${format}: they must be points, found raw ${quote(shape.format)}`,
    { hint: instead === undefined ? hint : `${hint}, or ${instead}` },
  );
}

/** Whether a record has the parts of a point. What is in them is not looked at. */
export function isPoint(record: unknown): record is Point {
  return isObject(record) && typeof record.measurement === "string" && isObject(record.tags) &&
    isObject(record.fields) && "timeMs" in record;
}

/**
 * The point a record is, and what was declared for it.
 *
 * @throws {RecordError} If it is no point, or its measurement is not declared.
 */
export function pointOf(
  record: unknown,
  declared: ReadonlyMap<string, Declared>,
): readonly [Point, Declared] {
  if (!isPoint(record)) {
    throw new RecordError(
      `Cannot write a record: it must be a point, with measurement, tags, fields and timeMs, found ${
        quote(record)
      }`,
    );
  }
  const its = declared.get(record.measurement);
  if (its) return [record, its];
  const names = [...declared.keys()].map(quote).join(", ") || "none";
  throw refusal(record, `its measurement must be a declared one (${names})`);
}

/**
 * Checks names and values of the tags.
 *
 * @throws {RecordError} If a declared tag is missing or empty, or a tag is not declared.
 */
export function checkTags(point: Point, declared: Declared): void {
  for (const name of Object.keys(point.tags)) {
    if (!declared.tags.includes(name)) throw refusal(point, `tag ${quote(name)} is not declared`);
    const value: unknown = point.tags[name];
    if (typeof value === "string" && value !== "") continue;
    throw refusal(
      point,
      `tag ${quote(name)} must be text that is not empty, found ${quote(value)}`,
    );
  }
  for (const name of declared.required) {
    if (!Object.hasOwn(point.tags, name)) {
      throw refusal(point, `tag ${quote(name)} must be there, and is missing`);
    }
  }
}

/**
 * Checks the time.
 *
 * @throws {RecordError} If it is no whole number of milliseconds from the year 1677 to 2262.
 */
export function checkTime(point: Point): void {
  if (Number.isSafeInteger(point.timeMs) && Math.abs(point.timeMs) <= LATEST_MS) return;
  throw refusal(
    point,
    `its time must be whole milliseconds within ±${LATEST_MS}, found ${quote(point.timeMs)}`,
  );
}

/**
 * The fields that have a value, in the order of the declaration.
 *
 * @throws {RecordError} If a field is not declared, or there is none at all.
 */
export function* fieldsOf(
  point: Point,
  declared: Declared,
): Generator<readonly [name: string, type: FieldType, value: FieldValue]> {
  let count = 0;
  for (const [name, type] of declared.fields) {
    const value = Object.hasOwn(point.fields, name) ? point.fields[name] : undefined;
    if (value === undefined) continue;
    count++;
    yield [name, type, value];
  }
  for (const name of Object.keys(point.fields)) {
    if (!declared.fields.has(name)) throw refusal(point, `field ${quote(name)} is not declared`);
  }
  if (count === 0) throw refusal(point, "it must have at least one field");
}

/**
 * Works on records one after the other, without those that are refused.
 *
 * @param records The records.
 * @param encoding Where refused records go.
 * @param write Throws a {@linkcode RecordError} to refuse its record.
 * @returns What `write` gave for the others, in order.
 */
export function writeEach<T>(
  records: readonly unknown[],
  { reject }: Pick<Encoding<unknown>, "reject">,
  write: (record: unknown) => T,
): T[] {
  const written: T[] = [];
  for (const [index, record] of records.entries()) {
    try {
      written.push(write(record));
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      reject(index, error);
    }
  }
  return written;
}

/** The error of a field whose value is not of its declared type. */
export function fieldRefusal(point: Point, name: string, type: FieldType): RecordError {
  return refusal(
    point,
    `field ${quote(name)} must be ${DESCRIPTIONS[type]}, found ${quote(point.fields[name])}`,
  );
}

const DESCRIPTIONS: Readonly<Record<FieldType, string>> = {
  float: 'a finite number, or its decimal digits such as "0.10"',
  integer: "a whole number that is exact, or a bigint of 64 bits",
  boolean: "true or false",
  string: "text",
};

/** The error of a point that cannot be written: it names the point. */
export function refusal(point: Point, problem: string): RecordError {
  const { measurement, tags, timeMs } = point;
  const series = Object.entries(tags).map(([name, value]) => `${name}=${value}`).join(",");
  const time = Number.isSafeInteger(timeMs) && Math.abs(timeMs) <= LATEST_MS
    ? ` at ${new Date(timeMs).toISOString()}`
    : "";
  return new RecordError(
    `Cannot write point of ${quote(measurement)}${time} (${shorten(series)}): ${problem}`,
  );
}

/** A value as messages show it: strings quoted, long ones cut short. */
export function quote(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (value instanceof Decimal) return quote(String(value));
  if (Array.isArray(value)) return "an array";
  return isObject(value) ? "an object" : String(value);
}

function shorten(text: string): string {
  return text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
