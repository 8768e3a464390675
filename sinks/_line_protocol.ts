/**
 * Line protocol, as every server of the InfluxDB family reads it alike.
 *
 * What one of them would misread is refused, never repaired: names and tag values that are empty
 * or hold a backslash, a control character or a lone surrogate, a measurement that begins with `#`
 * or a byte order mark, reserved names, a tag that shares the name of a field, numbers such as
 * `5.`, `.5`, `+1` or NaN, integers beyond 64 bits, line breaks in text, and time 0, which
 * VictoriaMetrics takes for "now". Decimals in text are written with exactly their digits; a
 * negative zero that is a number is written `0`, as JavaScript prints it.
 *
 * @module
 */

import { Decimal } from "../engine/decimal.ts";
import { RecordError } from "../engine/errors.ts";
import type { Encoding } from "../engine/plugin.ts";
import type { FieldType, FieldValue, Point, RecordShape } from "../engine/point.ts";
import { ByteBuffer, type Label, makeLabel } from "./_byte_buffer.ts";
import {
  checkNames,
  compareBytes,
  escapeKey,
  escapeMeasurement,
  findNameFault,
} from "./_line_names.ts";
import { NUMBER_BYTES, writeValue } from "./_line_values.ts";
import {
  acceptPoints,
  checkTags,
  checkTime,
  declare,
  type Declared,
  fieldRefusal,
  fieldsOf,
  isPoint,
  pointOf,
  quote,
  refusal,
} from "./_points.ts";

const SPACE = 0x20;
const LINE_FEED = 0x0a;

/**
 * Says whether points of a shape can be written as line protocol.
 *
 * @param shape What comes in.
 * @param instead What the user may do instead if it is no point, for the hint.
 * @throws {OptionsError} If they are no points, or one of the names cannot be written.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { OptionsError } from "../engine/errors.ts";
 *
 * const shape = { kind: "point", measurement: "a", tags: [], fields: { time: "float" } } as const;
 * assertThrows(() => acceptLineProtocol(shape), OptionsError, '"time" is reserved');
 * ```
 */
export function acceptLineProtocol(shape: RecordShape, instead?: string): void {
  acceptPoints(shape, "line protocol", instead);
  if (shape.kind === "point") checkNames(shape);
}

/**
 * Encodes points, one line each, in order.
 *
 * Tags are sorted by the bytes of their keys, fields are in the order of their declaration. What is
 * prepared for a series is kept for as long as its tags object and the shapes live.
 *
 * @param records Points of the declared shapes.
 * @param encoding The shapes, where refused records go, and memory that the bytes may lie in.
 * @param precision The unit of the times. In seconds, a time that is not a whole one is refused.
 * @returns The bytes; each line ends with a line feed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const shapes = [{
 *   kind: "point",
 *   measurement: "price",
 *   tags: ["symbol"],
 *   fields: { close: "float", trades: "integer" },
 * }] as const;
 * const point = {
 *   measurement: "price",
 *   tags: { symbol: "BTCUSDT" },
 *   fields: { close: "13715.65000000", trades: 3 },
 *   timeMs: 1_514_764_800_000,
 * };
 * const bytes = encodeLineProtocol([point], { shapes, reject: (_, error) => { throw error; } });
 * assertEquals(
 *   new TextDecoder().decode(bytes),
 *   "price,symbol=BTCUSDT close=13715.65000000,trades=3i 1514764800000\n",
 * );
 * ```
 */
export function encodeLineProtocol(
  records: readonly unknown[],
  { shapes, reject, spare }: Pick<Encoding<unknown>, "shapes" | "reject" | "spare">,
  precision: "ms" | "s" = "ms",
): Uint8Array<ArrayBuffer> {
  const known = encoders[precision];
  let encoder = known.get(shapes);
  if (!encoder) known.set(shapes, encoder = new LineEncoder(shapes, UNIT_MS[precision]));
  return encoder.encode(records, reject, spare);
}

/** A run has one array of shapes: what is prepared for it is made once. */
const encoders = {
  ms: new WeakMap<readonly RecordShape[], LineEncoder>(),
  s: new WeakMap<readonly RecordShape[], LineEncoder>(),
};
const UNIT_MS = { ms: 1, s: 1_000 };

class LineEncoder {
  readonly #declared: ReadonlyMap<string, Declared>;
  readonly #measurements: ReadonlyMap<string, MeasurementEncoder>;
  readonly #buffer = new ByteBuffer();

  constructor(shapes: readonly RecordShape[], unitMs: number) {
    this.#declared = declare(shapes);
    this.#measurements = new Map(
      [...this.#declared].map((
        [name, its],
      ) => [name, new MeasurementEncoder(its, this.#buffer, unitMs)]),
    );
  }

  encode(
    records: readonly unknown[],
    reject: Encoding<unknown>["reject"],
    spare: ArrayBuffer | undefined,
  ): Uint8Array<ArrayBuffer> {
    const buffer = this.#buffer;
    buffer.end = 0;
    for (let index = 0; index < records.length; index++) {
      const start = buffer.end;
      try {
        this.#write(records[index]);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        buffer.end = start;
        reject(index, error);
      }
    }
    return buffer.copy(spare);
  }

  #write(record: unknown): void {
    const encoder = isPoint(record) ? this.#measurements.get(record.measurement) : undefined;
    if (isPoint(record) && encoder) encoder.write(record);
    else pointOf(record, this.#declared);
  }
}

interface Column {
  readonly name: string;
  readonly type: FieldType;
  /** `,name=`. */
  readonly label: Label;
}

class MeasurementEncoder {
  readonly #declared: Declared;
  readonly #buffer: ByteBuffer;
  readonly #unitMs: number;
  readonly #columns: readonly Column[];
  readonly #columnOf: ReadonlyMap<string, Column>;
  /** Room for a line without its measurement, tags and text. */
  readonly #fixedBytes: number;
  readonly #prefixes = new WeakMap<Point["tags"], Label>();
  #lastTags: Point["tags"] | undefined;
  #lastPrefix = makeLabel("");

  constructor(declared: Declared, buffer: ByteBuffer, unitMs: number) {
    const { measurement, tags, fields } = declared;
    checkNames({ kind: "point", measurement, tags, fields: Object.fromEntries(fields) });
    this.#declared = declared;
    this.#buffer = buffer;
    this.#unitMs = unitMs;
    this.#columns = [...fields].map(([name, type]) => ({
      name,
      type,
      label: makeLabel(`,${escapeKey(name)}=`),
    }));
    this.#columnOf = new Map(this.#columns.map((column) => [column.name, column]));
    this.#fixedBytes = this.#columns.reduce(
      (sum, { label }) => sum + label.length + NUMBER_BYTES,
      NUMBER_BYTES,
    );
  }

  write(point: Point): void {
    const buffer = this.#buffer;
    const prefix = this.#prefixOf(point);
    buffer.reserve(prefix.length + this.#fixedBytes);
    buffer.label(prefix);
    const start = buffer.end;
    if (!this.#writeInOrder(point)) {
      buffer.end = start;
      this.#writeByName(point);
    }
    // Each field begins with a comma; before the first there has to be a space.
    buffer.replace(start, SPACE);
    buffer.byte(SPACE);
    this.#writeTime(point);
    buffer.byte(LINE_FEED);
  }

  #writeTime(point: Point): void {
    checkTime(point);
    const time = point.timeMs / this.#unitMs;
    if (time === 0) throw refusal(point, "its time must not be 0");
    if (!Number.isInteger(time)) throw refusal(point, "its time must be whole seconds");
    if (time > 0) this.#buffer.integer(time);
    else this.#buffer.ascii(String(time));
  }

  /** Points mostly come in runs of one series. */
  #prefixOf(point: Point): Label {
    const { tags } = point;
    if (tags !== this.#lastTags) {
      this.#lastPrefix = this.#prefixes.get(tags) ?? this.#makePrefix(point);
      this.#lastTags = tags;
    }
    return this.#lastPrefix;
  }

  #makePrefix(point: Point): Label {
    checkTags(point, this.#declared);
    let text = escapeMeasurement(point.measurement);
    for (const name of Object.keys(point.tags).sort(compareBytes)) {
      const value = point.tags[name] ?? "";
      const fault = findNameFault(value);
      if (fault) throw refusal(point, `tag ${quote(name)} ${fault}, found ${quote(value)}`);
      text += `,${escapeKey(name)}=${escapeKey(value)}`;
    }
    const prefix = makeLabel(text);
    this.#prefixes.set(point.tags, prefix);
    return prefix;
  }

  /** Writes the fields of a point that has them in declared order; false if it has not. */
  #writeInOrder(point: Point): boolean {
    const { fields } = point;
    const columns = this.#columns;
    let next = 0;
    let isEmpty = true;
    // `for in` reads fields several times as fast as looking up each declared name.
    for (const name in fields) {
      let column = columns[next++];
      while (column && column.name !== name) column = columns[next++];
      const value = fields[name];
      if (!column || value === undefined) return false;
      // What most values are: short cut here, where V8 puts all of it in line.
      if (value instanceof Decimal && column.type === "float" && value.length <= NUMBER_BYTES) {
        this.#buffer.label(column.label);
        this.#buffer.checked(value);
      } else {
        this.#writeField(point, column, value);
      }
      isEmpty = false;
    }
    return !isEmpty;
  }

  /** Writes the fields of any other point. */
  #writeByName(point: Point): void {
    for (const [name, , value] of fieldsOf(point, this.#declared)) {
      const column = this.#columnOf.get(name);
      if (column) this.#writeField(point, column, value);
    }
  }

  #writeField(point: Point, { name, type, label }: Column, value: FieldValue): void {
    this.#buffer.label(label);
    if (writeValue(this.#buffer, type, value, this.#fixedBytes)) return;
    if (type !== "string" || typeof value !== "string") throw fieldRefusal(point, name, type);
    const problem = "must not hold a line break or a lone surrogate";
    throw refusal(point, `field ${quote(name)} ${problem}, found ${quote(value)}`);
  }
}
