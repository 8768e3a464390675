/**
 * Writes to a file, as line protocol or JSON lines, whole or in parts.
 *
 * A checkpoint keeps how far the file had come. A run that goes on from it cuts off what came
 * later, so that the file is in the end, byte for byte, as if nothing had happened.
 *
 * With `rotate`, `candles.lp` becomes `candles.000001.lp`, `candles.000002.lp` and so on by size,
 * `candles.2024-01-31.lp` by day, `candles.2024-01-31.000001.lp` by both; the names sort in order.
 * The day is the UTC day of the records' time, not of the clock: a file begins with the first record
 * of a later day, and a record that comes late stays in the file that is open. Files that are
 * finished are never touched again and may be moved away.
 *
 * @module
 */

import { dirname, extname } from "@std/path";
import { z } from "zod";
import { RecordError } from "../../engine/errors.ts";
import { defineSink } from "../../engine/plugin.ts";
import { encodeJson } from "../_json.ts";
import { acceptLineProtocol, encodeLineProtocol } from "../_line_protocol.ts";
import { acceptPoints, checkTime, isPoint } from "../_points.ts";
import { listOutput, openOutput } from "./writer.ts";

const JSON_EXTENSIONS = [".json", ".jsonl", ".ndjson"];
const SIZE = /^(\d+) ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?$/;
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
/** Smaller ones are units that were forgotten. */
const LEAST_BYTES = 1e3;

/** The `file` sink. */
export const file = defineSink({
  id: "file",
  summary: "Writes to a file, as line protocol or JSON lines, rotated by size or day",
  options: z.strictObject({
    path: z.string().min(1).describe("File to write. It is made, with its folder, if need be")
      .meta({ examples: ["candles.lp"] }),
    format: z.enum(["line_protocol", "json"]).optional().describe(
      "`json` writes one record on a line, and any record. By default `json` where the path ends in .json, .jsonl or .ndjson, else `line_protocol`",
    ),
    rotate: z.strictObject({
      size: z.union([z.int(), z.string()]).transform((value, context) => {
        const bytes = parseSize(value);
        if (bytes !== undefined) return bytes;
        const message = "must be a size of 1 kB or more, such as `100MB`, `64MiB` or bytes";
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }).optional().describe("Largest size of a file, such as `100MB` or `64MiB`"),
      every: z.enum(["day"]).optional().describe("One file for each UTC day of the records' time"),
    }).refine(({ size, every }) => size !== undefined || every !== undefined, {
      message: "must have `size`, `every` or both",
    }).optional().describe("When a new file is begun. One file for all by default"),
  }),
  permissions({ path, rotate }) {
    const paths = [rotate ? dirname(path) : path];
    return { read: paths, write: paths };
  },
  delivery: "transactional",
  accept(shape, options) {
    if (formatOf(options) === "line_protocol") acceptLineProtocol(shape, "use `format: json`");
    if (options.rotate?.every) acceptPoints(shape, "one file for each day", "rotate by size");
  },
  encode(records: readonly unknown[], encoding) {
    const { options } = encoding;
    if (formatOf(options) === "line_protocol") return encodeLineProtocol(records, encoding);
    return encodeJson(records, encoding, options.rotate?.every ? requireTime : undefined);
  },
  jsonLines: (options, { files }) =>
    formatOf(options) === "json"
      ? listOutput({ path: options.path, rotation: options.rotate }, files)
      : Promise.resolve([]),
  open: ({ path, rotate }, { token }, context) =>
    openOutput({ path, rotation: rotate }, token, context),
});

function formatOf(
  { path, format }: {
    readonly path: string;
    readonly format?: "line_protocol" | "json" | undefined;
  },
): "line_protocol" | "json" {
  return format ?? (JSON_EXTENSIONS.includes(extname(path)) ? "json" : "line_protocol");
}

/**
 * The bytes of a size as users write it.
 *
 * @returns Nothing if it is no size, or one below 1 kB.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSize("100MB"), 100_000_000);
 * assertEquals(parseSize("64 MiB"), 67_108_864);
 * assertEquals(parseSize(100), undefined);
 * ```
 */
export function parseSize(value: string | number): number | undefined {
  const [, digits, unit = "B"] = SIZE.exec(String(value)) ?? [];
  const bytes = Number(digits) * (UNIT_BYTES[unit] ?? NaN);
  return Number.isSafeInteger(bytes) && bytes >= LEAST_BYTES ? bytes : undefined;
}

function requireTime(record: unknown): void {
  if (isPoint(record)) checkTime(record);
  else {
    throw new RecordError(
      "Cannot write a record to the file of its day: it must be a point, which has a time",
      { hint: "Rotate by size" },
    );
  }
}
