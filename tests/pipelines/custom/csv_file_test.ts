import { assertEquals, assertRejects } from "@std/assert";
import { FatalError, type FieldType, OptionsError, type Point } from "../../../mod.ts";
import csvFile from "../../../pipelines/custom/csv_file.ts";
import { fakeContext, testSource } from "../../contracts/mod.ts";

const FIELDS: Record<string, FieldType> = {
  close: "float",
  trades: "integer",
  closed: "boolean",
  note: "string",
};
const options = { path: "prices.csv", measurement: "price", tags: ["symbol"], fields: FIELDS };

/** As the schema gives them. */
const checked = {
  path: "prices.csv",
  measurement: "price",
  time: "time",
  tags: ["symbol"],
  fields: { close: "float" as const },
  delimiter: ",",
};

const HEADER = "time,symbol,close,trades,closed,note";

function contextOf(...lines: string[]): (signal: AbortSignal) => ReturnType<typeof fakeContext> {
  const text = [...lines, ""].join("\n");
  return (signal) => fakeContext({ signal, files: new Map([["prices.csv", text]]) });
}

testSource(csvFile, {
  options,
  badOptions: [
    { ...options, path: "" },
    { ...options, delimiter: ", " },
    { ...options, fields: { close: "decimal" } },
    { ...options, measurement: undefined },
  ],
  permissions: { read: ["prices.csv"] },
  context: contextOf(
    HEADER,
    "1709251200000,TULIP,412.50,7,true,open",
    "2024-03-01T00:01:00Z,TULIP,412.5000000000000000001,0,false,",
    "2024-03-01,PEPPER,,9007199254740993,,",
  ),
  records: [
    {
      measurement: "price",
      tags: { symbol: "TULIP" },
      fields: { close: "412.50", trades: 7n, closed: true, note: "open" },
      timeMs: 1_709_251_200_000,
    },
    {
      measurement: "price",
      tags: { symbol: "TULIP" },
      fields: { close: "412.5000000000000000001", trades: 0n, closed: false },
      timeMs: 1_709_251_260_000,
    },
    {
      measurement: "price",
      tags: { symbol: "PEPPER" },
      fields: { trades: 9_007_199_254_740_993n },
      timeMs: 1_709_251_200_000,
    },
  ],
  empty: { context: contextOf(HEADER) },
  failing: [
    {
      name: "the file is not there",
      context: (signal) => fakeContext({ signal }),
      error: FatalError,
      message: '"prices.csv"',
    },
    {
      name: "the file has no such column",
      context: contextOf("time,symbol,price,trades,closed,note"),
      error: OptionsError,
      message: 'must have the columns "close": it has "time", "symbol", "price"',
    },
    ...[
      ["a line is too short", "1709251200000,TULIP", "It must have 6 cells: it has 2"],
      ["a line has a quoted cell", '1709251200000,"T",1,1,true,', "It must have no quoted cells"],
      ["a tag is empty", "1709251200000,,1,1,true,", 'Its tag "symbol" must not be empty'],
      [
        "a number has text",
        "1709251200000,T,1.5 EUR,1,true,",
        'must be of type float: it is "1.5 EUR"',
      ],
      ["a number is NaN", "1709251200000,T,NaN,1,true,", 'must be of type float: it is "NaN"'],
      [
        "an integer has digits behind the point",
        "1709251200000,T,1,1.5,true,",
        'must be of type integer: it is "1.5"',
      ],
      ["a boolean is a number", "1709251200000,T,1,1,1,", 'must be of type boolean: it is "1"'],
      [
        "a time is in seconds",
        "1709251200,T,1,1,true,",
        'milliseconds or ISO 8601 in UTC: it is "17',
      ],
      ["a time has no zone", "2024-03-01T00:00:00,T,1,1,true,", "ISO 8601 in UTC"],
      ["a day does not exist", "2024-02-31,T,1,1,true,", "ISO 8601 in UTC"],
    ].map(([name = "", line = "", message = ""]) => ({
      name,
      context: contextOf(HEADER, line),
      error: FatalError,
      message,
    })),
  ],
});

const MANY = 1_700;

testSource(csvFile, {
  name: "of several batches, with another delimiter",
  options: { path: "prices.csv", measurement: "price", fields: { n: "float" }, delimiter: ";" },
  context: contextOf("n;time", ...Array.from({ length: MANY }, (_, n) => `${n};${1e12 + n}`)),
  records: Array.from({ length: MANY }, (_, n): Point => ({
    measurement: "price",
    tags: {},
    fields: { n: `${n}` },
    timeMs: 1e12 + n,
  })),
});

Deno.test("csv_file gives 500 lines at a time, and points of one series share their tags", async () => {
  const lines = Array.from({ length: 1_001 }, (_, n) => `${1e12 + n},TULIP,1`);
  const context = contextOf("time,symbol,close", ...lines)(new AbortController().signal);
  const batches = await Array.fromAsync(csvFile.read(checked, {}, context));
  assertEquals(batches.map(({ records }) => records.length), [500, 500, 1]);
  assertEquals(
    batches.map(({ position }) => position),
    [{ line: 501 }, { line: 1001 }, { line: 1002 }],
  );
  const tags = batches.flatMap(({ records }) => records.map((point) => point.tags));
  assertEquals(new Set(tags).size, 1);
});

Deno.test("csv_file goes on with lines that were added since", async () => {
  const context = contextOf("time,symbol,close", "1000000000000,T,1", "1000000060000,T,2")(
    new AbortController().signal,
  );
  const batches = await Array.fromAsync(csvFile.read(checked, { line: 2 }, context));
  assertEquals(batches.map(({ position }) => position), [{ line: 3 }]);
  assertEquals(
    batches.flatMap(({ records }) => records.map(({ fields }) => fields)),
    [{ close: "2" }],
  );
});

Deno.test("csv_file says so when the file is shorter than it was", async () => {
  const context = contextOf("time,symbol,close", "1000000000000,T,1")(new AbortController().signal);
  await assertRejects(
    () => Array.fromAsync(csvFile.read(checked, { line: 3 }, context)),
    FatalError,
    'Cannot go on after line 3 of "prices.csv": it has 2 lines',
  );
});
