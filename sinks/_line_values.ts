/**
 * Values of fields as line protocol has them, straight to bytes.
 *
 * @module
 */

import type { FieldType, FieldValue } from "../engine/point.ts";
import { type ByteBuffer, makeLabel } from "./_byte_buffer.ts";
import { writeFloat } from "./_float.ts";
import { floatText, integerText } from "./_values.ts";

/** Room for the longest number. */
export const NUMBER_BYTES = 32;
const INTEGER_SUFFIX = 0x69;
const TRUE = makeLabel("true");
const FALSE = makeLabel("false");

/**
 * Writes a value. What most values are has a path of its own, without text in between.
 *
 * @param buffer Where to, with room for {@linkcode NUMBER_BYTES}.
 * @param type The declared type of the field.
 * @param value Its value.
 * @param room How much room must still be there behind a longer value.
 * @returns False, and nothing is written, if the value is not of the type, or is text that cannot
 * be written: with a line break or a lone surrogate.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ByteBuffer } from "./_byte_buffer.ts";
 *
 * const buffer = new ByteBuffer();
 * assertEquals(writeValue(buffer, "integer", 3, 0), true);
 * assertEquals(writeValue(buffer, "integer", 1.5, 0), false);
 * assertEquals(new TextDecoder().decode(buffer.copy()), "3i");
 * ```
 */
export function writeValue(
  buffer: ByteBuffer,
  type: FieldType,
  value: FieldValue,
  room: number,
): boolean {
  switch (type) {
    case "float":
      if (typeof value === "number" && writeFloat(buffer, value)) return true;
      if (typeof value === "string" && value.length <= NUMBER_BYTES && buffer.decimal(value)) {
        return true;
      }
      return writeText(buffer, floatText(value), room);
    case "integer":
      if (typeof value === "number" && value >= 0 && Number.isSafeInteger(value)) {
        buffer.integer(value);
      } else if (!writeText(buffer, integerText(value), room)) {
        return false;
      }
      buffer.byte(INTEGER_SUFFIX);
      return true;
    case "boolean":
      if (typeof value !== "boolean") return false;
      buffer.label(value ? TRUE : FALSE);
      return true;
    case "string":
      return typeof value === "string" && writeString(buffer, value, room);
  }
}

function writeText(buffer: ByteBuffer, text: string | undefined, room: number): boolean {
  if (text === undefined) return false;
  if (text.length > NUMBER_BYTES) buffer.reserve(text.length + room);
  buffer.ascii(text);
  return true;
}

function writeString(buffer: ByteBuffer, text: string, room: number): boolean {
  if (/[\r\n]/.test(text) || !text.isWellFormed()) return false;
  const quoted = `"${text.replace(/["\\]/g, "\\$&")}"`;
  buffer.reserve(3 * quoted.length + room);
  buffer.utf8(quoted);
  return true;
}
