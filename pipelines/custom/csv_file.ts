/**
 * Reads points from a CSV file with a header line. An example of a source of your own.
 *
 * Lines are read one at a time, so memory does not grow with the file. A run that is resumed goes on
 * after the last line that was read: between runs, lines may be added to the file, but not changed.
 * An empty cell is a field without a value. Quoted cells are not supported.
 *
 * @module
 */

import { z } from "zod";
import { type Context, defineSource, FatalError, OptionsError, type Point } from "../../mod.ts";

const BATCH_LINES = 500;
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/;

const options = z.strictObject({
  path: z.string().min(1).describe("File to read, relative to the pipeline file"),
  measurement: z.string().min(1).describe("Measurement of the points"),
  time: z.string().default("time").describe(
    "Column with the time: epoch milliseconds or ISO 8601 in UTC, such as `2024-01-31T12:00:00Z`",
  ),
  tags: z.array(z.string()).default([]).describe("Columns that name the series, such as `symbol`"),
  fields: z.record(z.string(), z.enum(["float", "integer", "boolean", "string"]))
    .describe("Columns with values, each with the type of its values"),
  delimiter: z.string().length(1).default(",").describe("What stands between cells"),
});

type Options = z.output<typeof options>;

/** The `csv_file` source. */
export default defineSource({
  id: "csv_file",
  summary: "Reads points from a CSV file with a header line",
  options,
  replay: "exact",
  permissions: ({ path }) => ({ read: [path] }),
  shape: ({ measurement, tags, fields }) => ({ kind: "point", measurement, tags, fields }),
  async *read(options: Options, from, { files, signal }: Context) {
    const doneLines = Number(from.line ?? 0);
    let toPoint: ((cells: string[], line: number) => Point) | undefined;
    let line = 0;
    let records: Point[] = [];
    signal.throwIfAborted();
    for await (const text of files.readLines(options.path)) {
      line++;
      const cells = text.split(options.delimiter);
      if (!toPoint) toPoint = pointReader(cells, options);
      else if (line > doneLines) records.push(toPoint(cells, line));
      if (records.length < BATCH_LINES) continue;
      yield { records, position: { line } };
      signal.throwIfAborted();
      records = [];
    }
    if (line < doneLines) {
      throw new FatalError(
        `Cannot go on after line ${doneLines} of "${options.path}": it has ${line} lines`,
        { hint: "Put the file back, or remove the checkpoint to read it from the beginning" },
      );
    }
    if (records.length > 0) yield { records, position: { line } };
  },
});

/** Looks up the columns once, and gives what makes points of lines. */
function pointReader(
  header: readonly string[],
  { path, measurement, time, tags, fields, delimiter }: Options,
): (cells: readonly string[], line: number) => Point {
  const missing = [time, ...tags, ...Object.keys(fields)].filter((name) => !header.includes(name));
  if (missing.length > 0) {
    throw new OptionsError(
      `Cannot read "${path}" as it must have the columns "${missing.join('", "')}": it has "${
        header.join('", "')
      }"`,
      {
        hint: `Check \`time\`, \`tags\` and \`fields\`, and \`delimiter\`, which is "${delimiter}"`,
      },
    );
  }
  const seriesTags = new Map<string, Point["tags"]>();

  return (cells, line) => {
    const cellOf = (column: string) => cells[header.indexOf(column)] ?? "";
    try {
      checkCells(cells, header.length);
      const key = JSON.stringify(tags.map(cellOf));
      // Points of one series share their tags, so that sinks encode them once.
      const known = seriesTags.get(key) ?? readTags(tags, cellOf);
      seriesTags.set(key, known);
      const timeMs = readTime(time, cellOf(time));
      return { measurement, tags: known, fields: readFields(fields, cellOf), timeMs };
    } catch (error) {
      throw new FatalError(`Cannot read line ${line} of "${path}"`, { cause: error });
    }
  };
}

function checkCells(cells: readonly string[], count: number): void {
  if (cells.length !== count) {
    throw new Error(`It must have ${count} cells: it has ${cells.length}`);
  }
  if (cells.some((cell) => cell.includes('"'))) throw new Error("It must have no quoted cells");
}

function readTags(tags: readonly string[], cellOf: (column: string) => string): Point["tags"] {
  const empty = tags.find((tag) => cellOf(tag) === "");
  if (empty !== undefined) throw new Error(`Its tag "${empty}" must not be empty`);
  return Object.fromEntries(tags.map((tag) => [tag, cellOf(tag)]));
}

function readFields(
  fields: Options["fields"],
  cellOf: (column: string) => string,
): Point["fields"] {
  const present = Object.entries(fields).filter(([name]) => cellOf(name) !== "");
  return Object.fromEntries(present.map(([name, type]) => {
    const value = readValue(cellOf(name), type);
    if (value !== undefined) return [name, value];
    throw new Error(`Its "${name}" must be of type ${type}: it is "${cellOf(name)}"`);
  }));
}

/** A cell as a value of its type. A float stays text, so that no digit is lost. */
function readValue(
  cell: string,
  type: Options["fields"][string],
): Point["fields"][string] | undefined {
  switch (type) {
    case "float":
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(cell) ? cell : undefined;
    case "integer":
      return /^-?\d+$/.test(cell) ? BigInt(cell) : undefined;
    case "boolean":
      return cell === "true" || cell === "false" ? cell === "true" : undefined;
    case "string":
      return cell;
  }
}

/** A cell as epoch milliseconds. */
function readTime(column: string, cell: string): number {
  if (/^\d{13}$/.test(cell)) return Number(cell);
  const timeMs = ISO.test(cell) ? Date.parse(cell) : NaN;
  // `Date.parse` takes 31 February for 2 March.
  const day = Number.isNaN(timeMs) ? "" : new Date(timeMs).toISOString().slice(0, 10);
  if (day !== "" && cell.startsWith(day)) return timeMs;
  throw new Error(`Its "${column}" must be epoch milliseconds or ISO 8601 in UTC: it is "${cell}"`);
}
