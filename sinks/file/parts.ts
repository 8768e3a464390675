/**
 * How output is cut into files: which part a record belongs to, and how parts are called.
 *
 * The part of a record depends on the records before it and on nothing else, neither on how they
 * were batched nor on the clock, so that a run that is resumed cuts as one that was not.
 *
 * @module
 */

import { basename, dirname, extname, join } from "@std/path";
import { FatalError } from "../../engine/errors.ts";
import type { Chunk } from "../../engine/plugin.ts";
import { isPoint } from "../_points.ts";

const DAY_MS = 86_400_000;
const LINE_FEED = 0x0a;
const INDEX_DIGITS = 6;

/** When a new file is begun. */
export interface Rotation {
  /** Before a line that would make the file larger than so many bytes. */
  readonly size?: number | undefined;
  /** At the first record of a later UTC day. */
  readonly every?: "day" | undefined;
}

/** How far the output has come: a part by name, none before the first, and its size in bytes. */
export interface Place {
  /** The part. */
  readonly part: string | undefined;
  /** Bytes in it. */
  readonly bytes: number;
}

/** What goes to one part. */
export interface Piece {
  /** The part. */
  readonly part: string;
  /** Whole lines. */
  readonly bytes: Uint8Array;
}

interface Part {
  /** Days since 1970-01-01, 0 where files are not rotated by day. */
  readonly day: number;
  /** Counts the parts of a day, or all of them, from 1. */
  readonly index: number;
}

/**
 * Cuts a chunk into what goes to one part each.
 *
 * A line is never split: one that is larger than a part gets a part of its own. A record that comes
 * late stays in the part that is open.
 *
 * @param chunk Records and their lines, one each.
 * @param place How far the output has come.
 * @param rotation When a new part is begun.
 * @returns The pieces, in order; none is empty.
 * @throws {FatalError} If there would be more parts than names that sort in order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const chunk = { bytes: new TextEncoder().encode("a 1\nb 2\nc 3\n"), records: ["a", "b", "c"] };
 * const pieces = cutIntoParts(chunk, { part: undefined, bytes: 0 }, { size: 9 });
 * assertEquals(
 *   pieces.map(({ part, bytes }) => [part, new TextDecoder().decode(bytes)]),
 *   [["000001", "a 1\nb 2\n"], ["000002", "c 3\n"]],
 * );
 * ```
 */
export function cutIntoParts(
  { bytes, records }: Chunk<unknown>,
  place: Place,
  rotation: Rotation,
): Piece[] {
  const pieces: Piece[] = [];
  let part = place.part === undefined ? undefined : parsePart(place.part);
  let size = place.bytes;
  let start = 0;
  let end = 0;
  const finish = () => {
    if (part && end > start) {
      pieces.push({ part: nameOf(part, rotation), bytes: bytes.subarray(start, end) });
    }
  };
  for (const record of records) {
    const lineEnd = bytes.indexOf(LINE_FEED, end) + 1;
    const next = partOf(record, lineEnd - end, { part, size }, rotation);
    if (next !== part) {
      finish();
      [part, size, start] = [next, 0, end];
    }
    size += lineEnd - end;
    end = lineEnd;
  }
  finish();
  return pieces;
}

function partOf(
  record: unknown,
  length: number,
  { part, size }: { readonly part: Part | undefined; readonly size: number },
  rotation: Rotation,
): Part {
  const day = rotation.every === "day" && isPoint(record) ? Math.floor(record.timeMs / DAY_MS) : 0;
  if (!part || (rotation.every === "day" && day > part.day)) return { day, index: 1 };
  const isFull = rotation.size !== undefined && size > 0 && size + length > rotation.size;
  return isFull ? { day: part.day, index: part.index + 1 } : part;
}

function nameOf({ day, index }: Part, { size, every }: Rotation): string {
  const number = String(index).padStart(INDEX_DIGITS, "0");
  if (number.length > INDEX_DIGITS) {
    throw new FatalError(`Cannot begin part ${index} of the output: names end at ${index - 1}`, {
      hint: "Make `rotate.size` larger",
    });
  }
  const date = new Date(DAY_MS * day).toISOString().slice(0, 10);
  return [...every ? [date] : [], ...size === undefined ? [] : [number]].join(".");
}

function parsePart(name: string): Part {
  const [, date, index] = /^(\d{4}-\d{2}-\d{2})?\.?(\d+)?$/.exec(name) ?? [];
  return { day: date ? Date.parse(date) / DAY_MS : 0, index: Number(index ?? 1) };
}

/**
 * Whether a name is one that parts get. Among such names, later parts sort after earlier ones.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert(isPartName("2024-01-31.000002", { size: 1_000, every: "day" }));
 * assert(!isPartName("2024-01-31.000002", { size: 1_000 }));
 * ```
 */
export function isPartName(name: string, { size, every }: Rotation): boolean {
  const date = every ? String.raw`\d{4}-\d{2}-\d{2}` : "";
  const index = size === undefined ? "" : String.raw`\d{${INDEX_DIGITS}}`;
  const dot = date && index ? String.raw`\.` : "";
  return new RegExp(`^${date}${dot}${index}$`).test(name);
}

/**
 * The path of a part: its name goes before the extension.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(partPath("out/candles.lp", "000001"), "out/candles.000001.lp");
 * assertEquals(partPath("out/candles.lp", ""), "out/candles.lp");
 * ```
 */
export function partPath(path: string, part: string): string {
  if (part === "") return path;
  const [before, after] = affixes(path);
  return join(dirname(path), `${before}${part}${after}`);
}

/**
 * The parts among the names in a folder.
 *
 * @param names Sorted names of files in the folder of `path`.
 * @param path The path that is rotated.
 * @param rotation When new parts are begun.
 * @returns The parts, in order.
 */
export function partsAmong(names: readonly string[], path: string, rotation: Rotation): string[] {
  const [before, after] = affixes(path);
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .map((name) => name.slice(before.length, name.length - after.length))
    .filter((part) => isPartName(part, rotation));
}

function affixes(path: string): [string, string] {
  const extension = extname(path);
  return [`${basename(path, extension)}.`, extension];
}
