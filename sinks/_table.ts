/**
 * A table for the eye: columns in line, numbers to the right, all digits kept.
 *
 * A table has its own header. There is one for each run of points of one measurement in what is
 * encoded together, so that it says what it shows whenever it appears.
 *
 * @module
 */

import { columnsOf } from "../engine/columns.ts";
import type { Encoding } from "../engine/plugin.ts";
import type { FieldType } from "../engine/point.ts";
import {
  checkTags,
  checkTime,
  declare,
  type Declared,
  fieldRefusal,
  fieldsOf,
  pointOf,
  writeEach,
} from "./_points.ts";
import { valueText } from "./_values.ts";

const GAP = "  ";
// deno-lint-ignore no-control-regex -- they would move the cursor
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * Encodes points as tables.
 *
 * @param records Points of the declared shapes.
 * @param encoding The shapes, and where refused records go.
 * @returns The bytes, as UTF-8; an empty line follows each table.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const shapes = [
 *   { kind: "point", measurement: "price", tags: ["symbol"], fields: { close: "float" } },
 * ] as const;
 * const point = {
 *   measurement: "price",
 *   tags: { symbol: "BTCUSDT" },
 *   fields: { close: "0.10" },
 *   timeMs: 1_514_764_800_000,
 * };
 * const bytes = encodeTable([point], { shapes, reject: (_, error) => { throw error; } });
 * assertEquals(new TextDecoder().decode(bytes).split("\n"), [
 *   "time                      measurement  symbol   close",
 *   "2018-01-01T00:00:00.000Z  price        BTCUSDT   0.10",
 *   "",
 *   "",
 * ]);
 * ```
 */
export function encodeTable(
  records: readonly unknown[],
  encoding: Pick<Encoding<unknown>, "shapes" | "reject">,
): Uint8Array<ArrayBuffer> {
  const declared = declare(encoding.shapes);
  let text = "";
  let table: Row[] = [];
  for (const row of writeEach(records, encoding, (record) => rowOf(record, declared))) {
    if (table[0] && table[0].declared !== row.declared) {
      text += tableText(table);
      table = [];
    }
    table.push(row);
  }
  return new TextEncoder().encode(text + tableText(table));
}

interface Row {
  readonly declared: Declared;
  readonly cells: readonly string[];
}

function rowOf(record: unknown, all: ReadonlyMap<string, Declared>): Row {
  const [point, declared] = pointOf(record, all);
  checkTags(point, declared);
  checkTime(point);
  const values = new Map<string, string>();
  for (const [name, type, value] of fieldsOf(point, declared)) {
    const text = valueText(type, value);
    if (text === undefined) throw fieldRefusal(point, name, type);
    values.set(name, text);
  }
  return {
    declared,
    cells: [
      new Date(point.timeMs).toISOString(),
      point.measurement,
      ...declared.tags.map((name) => point.tags[name] ?? ""),
      ...[...declared.fields.keys()].map((name) => values.get(name) ?? ""),
    ].map(escapeControl),
  };
}

function tableText(rows: readonly Row[]): string {
  const declared = rows[0]?.declared;
  if (!declared) return "";
  const { tags, fields } = declared;
  const header = ["time", "measurement", ...tags, ...fields.keys()].map(escapeControl);
  const lines = [header, ...rows.map(({ cells }) => cells)];
  const widths = header.map((_, i) => Math.max(...lines.map((cells) => columnsOf(cells[i] ?? ""))));
  const isNumber = [...["", "", ...tags].map(() => false), ...[...fields.values()].map(isNumeric)];
  const texts = lines.map((cells) =>
    cells.map((cell, i) => pad(cell, widths[i] ?? 0, isNumber[i] ?? false)).join(GAP).trimEnd()
  );
  return `${texts.join("\n")}\n\n`;
}

function isNumeric(type: FieldType): boolean {
  return type === "float" || type === "integer";
}

function pad(text: string, width: number, toTheRight: boolean): string {
  const spaces = " ".repeat(width - columnsOf(text));
  return toTheRight ? spaces + text : text + spaces;
}

function escapeControl(text: string): string {
  return text.replace(
    CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
