import { assertEquals, assertThrows } from "@std/assert";
import { OptionsError } from "../../engine/errors.ts";
import { stdout } from "../../sinks/stdout.ts";
import { type FakeContext, fakeContext } from "../contracts/context.ts";
import { type SinkTarget, testSink } from "../contracts/sink.ts";
import { QUOTE, quotePoint, TIME_MS } from "./_fixtures.ts";

const POINTS = Array.from(
  { length: 14 },
  (_, i) => quotePoint({ fields: { price: `${i}.50`, trades: i }, timeMs: TIME_MS + i }),
);
const RAW = { kind: "raw", format: "candle" } as const;

function terminal(): SinkTarget {
  const contexts: FakeContext[] = [];
  return {
    context(signal) {
      const context = fakeContext({ signal });
      contexts.push(context);
      return context;
    },
    stored: () => contexts.map((context) => context.printed()).join(""),
  };
}

const LINES = POINTS.map((_, i) =>
  `quote,exchange=binance,symbol=BTCUSDT price=${i}.50,trades=${i}i ${TIME_MS + i}\n`
).join("");

testSink(stdout, {
  name: "line protocol",
  options: {},
  badOptions: [{ format: "csv" }, { format: null }],
  permissions: {},
  shapes: [QUOTE],
  badShapes: [RAW, { ...QUOTE, fields: { time: "float" } }],
  records: POINTS,
  rejects: [quotePoint({ fields: { price: NaN } }), quotePoint({ timeMs: 0 }), null],
  encoded: LINES,
  stored: LINES,
  target: terminal,
});

testSink(stdout, {
  name: "json",
  options: { format: "json" },
  shapes: [QUOTE, RAW],
  records: [...POINTS, { any: "0.10" }, [1]],
  rejects: [quotePoint({ fields: { price: NaN } })],
  target: terminal,
});

testSink(stdout, {
  name: "table",
  options: { format: "table" },
  shapes: [QUOTE],
  badShapes: [RAW],
  records: POINTS,
  rejects: [quotePoint({ fields: { price: NaN } }), null],
  wholeOnly: "each table has a header",
  target: terminal,
});

Deno.test("stdout says which format takes any record", () => {
  const error = assertThrows(
    () => stdout.accept(RAW, { format: "table" }),
    OptionsError,
    'Cannot write records as a table: they must be points, found raw "candle"',
  );
  assertEquals(
    error.hint,
    "Add a transform that makes points of them, or use `format: json`",
  );
});
