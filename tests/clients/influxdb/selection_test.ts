import { assertEquals, assertRejects } from "@std/assert";
import { readLast, readRange } from "../../../clients/influxdb/read_back.ts";
import { queryOf } from "../../../clients/influxdb/select_flux.ts";
import { selectorOf } from "../../../clients/influxdb/select_export.ts";
import { statementOf } from "../../../clients/influxdb/select_influxql.ts";
import type { Selection } from "../../../clients/influxdb/selection.ts";
import type { ServerKind } from "../../../clients/influxdb/connection.ts";
import { FatalError, OptionsError, RetryableError } from "../../../engine/errors.ts";
import { retry } from "../../../engine/retry.ts";
import type { Point } from "../../../engine/point.ts";
import { clientOf, realContext } from "./_client.ts";
import { imitate, type Imitated, type Imitation } from "./_imitated.ts";
import { OPTIONS } from "./_stores.ts";

const T0 = Date.UTC(2018, 0, 1);
const HOUR = 3_600_000;
const A = { interval: "1m", symbol: "A" };
const FIELDS = { close: "float", trades: "integer" } as const;

const ODD: Selection = {
  action: "read",
  measurement: 'k"line\\',
  fields: { 'clo"se': "float", "a.b": "float" },
  where: { 'sym"bol': ["it's", 'a"b\\', "x\n"] },
  fromMs: T0,
  toMs: T0 + HOUR,
  limit: 5,
  end: "first",
};

Deno.test("statementOf() quotes whatever names and values hold", () => {
  assertEquals(
    statementOf(ODD, "for ever"),
    'SELECT "clo\\"se", "a.b" FROM "for ever"."k\\"line\\\\" WHERE time >= 1514764800000ms AND ' +
      `time < 1514768400000ms AND ("sym\\"bol" = 'it\\'s' OR "sym\\"bol" = 'a"b\\\\' OR ` +
      `"sym\\"bol" = 'x\\n') GROUP BY * LIMIT 5`,
  );
});

Deno.test("queryOf() quotes whatever names and values hold", () => {
  assertEquals(
    queryOf('mar"ket', { ...ODD, end: "last" }).split("\n").map((line) => line.trim()),
    [
      'from(bucket: "mar\\"ket")',
      '|> range(start: time(v: "2018-01-01T00:00:00.000Z"), stop: time(v: "2018-01-01T01:00:00.000Z"))',
      '|> filter(fn: (r) => (r["_measurement"] == "k\\"line\\\\") and (r["_field"] == "clo\\"se" or ' +
      'r["_field"] == "a.b") and (r["sym\\"bol"] == "it\'s" or r["sym\\"bol"] == "a\\"b\\\\" or ' +
      'r["sym\\"bol"] == "x\\n"))',
      "|> tail(n: 5)",
      '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
    ],
  );
});

Deno.test("selectorOf() takes names and values for what they are, not for patterns", () => {
  const selector = selectorOf(undefined, { ...ODD, where: { symbol: ["A+B", "C.D"] } });
  assertEquals(
    selector,
    String.raw`{__name__=~"k\"line\\\\_(clo\"se|a\\.b)",db="",symbol=~"(A\\+B|C\\.D)"}`,
  );
});

Deno.test("selectorOf() leaves out texts, which VictoriaMetrics does not keep", () => {
  const fields = { close: "float", note: "string" } as const;
  const selector = selectorOf("market", { measurement: "kline", fields, where: {} });
  assertEquals(selector, '{__name__=~"kline_(close)",db="market"}');
});

function setUp(kind: ServerKind, more: Omit<Imitation, "kind">) {
  const server: Imitated = imitate({ kind, ...more });
  const context = realContext(server.fetch);
  return { ...server, context, client: clientOf(OPTIONS[kind], context) };
}

function point(timeMs: number, fields: Point["fields"]): Point {
  return { measurement: "kline", tags: A, fields, timeMs };
}

const RANGE = { measurement: "kline", fields: FIELDS, tags: A, fromMs: T0, toMs: T0 + HOUR };

Deno.test("a page of Flux ends where the first field reaches its limit", async () => {
  const points = [
    ...Array.from({ length: 5_500 }, (_, n) => point(T0 + n, { close: n })),
    ...Array.from({ length: 5_500 }, (_, n) => point(T0 + 3_000 + 2 * n, { trades: n })),
  ];
  const merged = Map.groupBy(points, ({ timeMs }) => timeMs);
  const expected = Array.from(
    merged,
    ([timeMs, parts]) => point(timeMs, Object.assign({}, ...parts.map(({ fields }) => fields))),
  )
    .sort((a, b) => a.timeMs - b.timeMs);
  const { client, context } = setUp("v2", { points: expected, types: FIELDS });
  const pages = await Array.fromAsync(readRange(client, RANGE, context));
  assertEquals(pages.flat(), expected);
  assertEquals(pages[0]?.length, 4_999);
});

Deno.test("Flux gives integers beyond 2^53 and texts as they are", async () => {
  const given = point(T0, { trades: 9_007_199_254_740_993n, note: "a" });
  const fields = { trades: "integer", note: "string" } as const;
  const { client, context } = setUp("v2", { points: [given], types: fields });
  const pages = await Array.fromAsync(readRange(client, { ...RANGE, fields }, context));
  assertEquals(pages.flat(), [given]);
});

Deno.test("a failure in the middle of an answer of Flux is no end of it", async () => {
  const { client } = setUp("v2", {
    points: [],
    instead: () =>
      new Response(
        "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n" +
          ",engine: context deadline exceeded,897\r\n\r\n",
      ),
  });
  const query = { measurement: "kline", fields: FIELDS, series: [A], count: 1, beforeMs: T0 };
  await assertRejects(() => readLast(client, query), RetryableError, "context deadline exceeded");
});

Deno.test("InfluxDB 3 that will not look so far back is told of, with what to do", async () => {
  const { client } = setUp("v3", {
    points: [],
    instead: (_request, count) =>
      count === 0 ? undefined : new Response(
        "Query would scan 1000 Parquet files, exceeding the file limit. InfluxDB 3 Core caps file access",
        { status: 500 },
      ),
  });
  const query = { measurement: "kline", fields: FIELDS, series: [A], count: 1, beforeMs: T0 };
  const error = await readLast(client, query).catch((error) => error);
  assertEquals(error instanceof OptionsError, true, String(error));
  assertEquals(
    error.hint,
    "InfluxDB 3 Core looks back some 72 hours: set `from`, or let the server read more files by `--query-file-limit`",
  );
});

for (const kind of ["v1", "v2", "v3", "victoria_metrics"] as const) {
  Deno.test(`readRange() asks for a page again that fails for a while: ${kind}`, async () => {
    const points = Array.from({ length: 200 }, (_, n) => point(T0 + 60_000 * n, { close: n }));
    const { client, context, asked } = setUp(kind, {
      points,
      instead: (_request, count) =>
        count % 2 === 0 ? new Response("busy", { status: 503 }) : undefined,
    });
    const log = { debug: () => {}, info: () => {}, warn: () => {} };
    const patient = {
      retry: <T>(action: string, attempt: () => Promise<T>) =>
        retry(action, attempt, { sleep: () => Promise.resolve(), random: context.random, log }),
    };
    const pages = await Array.fromAsync(
      readRange(client, { ...RANGE, toMs: T0 + 4 * HOUR }, patient),
    );
    assertEquals(pages.flat(), points);
    assertEquals(asked.length, 2 * new Set(asked).size);
  });

  Deno.test(`what is no answer of such a server is refused: ${kind}`, async () => {
    const { client, context } = setUp(kind, {
      points: [],
      instead: () => new Response("<html>Welcome</html>"),
    });
    await assertRejects(
      () => Array.fromAsync(readRange(client, RANGE, context)),
      FatalError,
      'Cannot read "kline"',
    );
  });
}
