import { assertEquals, assertRejects } from "@std/assert";
import { listSeries, readLast, readRange } from "../../../clients/influxdb/read_back.ts";
import { FatalError, OptionsError } from "../../../engine/errors.ts";
import type { Point, PointShape } from "../../../engine/point.ts";
import { startInfluxdb } from "../../servers/influxdb.ts";
import { testWith } from "../../servers/needs.ts";
import { clientOf, realContext } from "./_client.ts";
import { linesOf, type Store, testStores } from "./_stores.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const T0 = Date.UTC(2018, 0, 1);
const SHAPE: PointShape = {
  kind: "point",
  measurement: "kline",
  tags: ["symbol", "interval"],
  fields: { close: "float", avg: "float", trades: "integer", closed: "boolean" },
};
const WANTED = { measurement: "kline", fields: SHAPE.fields } as const;
const A = { interval: "1m", symbol: "A" };
const B = { interval: "1m", symbol: "B" };

function point(tags: Point["tags"], timeMs: number, fields: Point["fields"]): Point {
  return { measurement: "kline", tags, fields, timeMs };
}

function candles(tags: Point["tags"], fromMs: number, count: number): Point[] {
  return Array.from(
    { length: count },
    (_, n) => point(tags, fromMs + n * MINUTE, { close: n + 0.5, trades: n, closed: true }),
  );
}

async function range(
  { client, context }: Store,
  tags: Point["tags"],
  fromMs: number,
  toMs: number,
): Promise<(readonly Point[])[]> {
  return await Array.fromAsync(readRange(client, { ...WANTED, tags, fromMs, toMs }, context));
}

testStores("readLast() gives the last points of each series, asked once", async (store) => {
  await store.write(SHAPE, [
    ...candles(A, T0, 5),
    ...candles(B, T0, 2),
    ...candles({ interval: "1h", symbol: "A" }, T0, 9),
    ...candles({ interval: "1m", symbol: "A", source: "derived" }, T0, 9),
    point(A, T0 + 5 * MINUTE, { close: 5.5, closed: false }),
  ]);
  const series = [A, { interval: "1m", symbol: "Z" }, B];
  const query = { ...WANTED, series, count: 3, beforeMs: T0 + DAY };
  const before = store.requests();
  const [a, z, b] = await readLast(store.client, { ...query, series: [A, B], count: 2 }).then(
    ([a, b]) => [a, [], b],
  );
  assertEquals(store.requests() - before, 1);
  assertEquals(a, [
    point(A, T0 + 4 * MINUTE, { close: 4.5, trades: 4, closed: true }),
    point(A, T0 + 5 * MINUTE, { close: 5.5, closed: false }),
  ]);
  assertEquals(a?.every(({ tags }) => tags === A), true);
  assertEquals(b, candles(B, T0, 2));
  assertEquals(z, []);
  const found = await readLast(store.client, query);
  assertEquals(found.map((points) => points.map(({ timeMs }) => (timeMs - T0) / MINUTE)), [
    [3, 4, 5],
    [],
    [0, 1],
  ]);
});

testStores("readLast() finds a series that ended years before the others", async (store) => {
  await store.write(SHAPE, [...candles(A, T0, 5), ...candles(B, T0 + 2_000 * DAY, 5)]);
  const beforeMs = T0 + 2_001 * DAY;
  const found = await readLast(store.client, { ...WANTED, series: [A, B], count: 3, beforeMs });
  assertEquals(found.map((points) => points.map(({ timeMs }) => (timeMs - T0) / MINUTE)), [
    [2, 3, 4],
    [2_880_002, 2_880_003, 2_880_004],
  ]);
  const earlier = await readLast(store.client, {
    ...{ ...WANTED, series: [A], count: 3, beforeMs: T0 + 2 * MINUTE },
  });
  assertEquals(earlier, [candles(A, T0, 2)]);
});

testStores(
  "readRange() gives a series in order, page by page, across gaps of any length",
  async (store) => {
    const points = [
      ...candles(A, T0, 7_001),
      ...candles(A, T0 + 300 * DAY, 1),
      ...candles(A, T0 + 900 * DAY, 6_000),
    ];
    const others = candles(B, T0, 500);
    await store.write(SHAPE, [...points, ...others]);
    for (const fromMs of [0, T0]) {
      const pages = await range(store, A, fromMs, T0 + 5_000 * DAY);
      assertEquals(pages.flat(), points);
      assertEquals(pages.filter(({ length }) => length > 5_000 || length === 0), []);
    }
    assertEquals((await range(store, A, T0 + 7_000 * MINUTE, T0 + 900 * DAY)).flat(), [
      ...candles(A, T0, 7_001).slice(7_000),
      ...candles(A, T0 + 300 * DAY, 1),
    ]);
    assertEquals(await range(store, A, T0 + 1_000 * DAY, T0 + 5_000 * DAY), []);
    assertEquals(await range(store, { symbol: "Z", interval: "1m" }, T0, T0 + DAY), []);
    assertEquals(await range(store, A, T0, T0), []);
  },
);

testStores(
  "readRange() gives points that lack fields, and only those of the very series",
  async (store) => {
    const points = [
      point(A, T0, { close: 1 }),
      point(A, T0 + MINUTE, { trades: 2 }),
      point(A, T0 + 2 * MINUTE, { close: 3, avg: 0.25 }),
    ];
    await store.write(SHAPE, [...points, ...candles({ ...A, source: "derived" }, T0, 4)]);
    assertEquals((await range(store, A, T0, T0 + DAY)).flat(), points);
  },
);

testStores(
  "listSeries() lists series with all their tags, in order, filtered",
  async (store, kind) => {
    const odd = { interval: "1m", symbol: 'it\'s, "=B" 币', source: "x" };
    const isReal = kind === "v1" && store.client.connection.url.includes("127.0.0.1");
    await store.write(SHAPE, [
      ...candles(B, T0, 2),
      ...candles(A, T0, 2),
      ...(isReal ? candles(odd, T0, 1) : []),
    ]);
    const query = { ...WANTED, where: {}, fromMs: 0, toMs: T0 + DAY };
    assertEquals(await listSeries(store.client, query), [
      ...(isReal ? [odd] : []),
      A,
      B,
    ]);
    assertEquals(await listSeries(store.client, { ...query, where: { symbol: ["B", "C"] } }), [B]);
    assertEquals(await listSeries(store.client, { ...query, measurement: "none" }), []);
  },
);

testWith(
  "influxd",
  "readRange() gives floats and integers as they are stored, to the last bit",
  async () => {
    await using server = await startInfluxdb({ databases: ["market"] });
    const client = clientOf({ url: server.url, database: "market" });
    const fields: Point["fields"][] = [
      { close: 0.1 + 0.2, avg: 5e-324, trades: 9_007_199_254_740_993n },
      {
        close: 1.7976931348623157e308,
        avg: 1234.5678901234567,
        trades: -9_223_372_036_854_775_807n,
      },
      { close: 3, avg: -0.000012345678901234567, trades: 9_007_199_254_740_991 },
      { close: 1e21, avg: 123456789012345680000, trades: 0 },
    ];
    const points = fields.map((one, n) => point(A, T0 + n * MINUTE, one));
    await server.write("market", linesOf(SHAPE, points));
    const query = { ...WANTED, tags: A, fromMs: T0, toMs: T0 + DAY };
    const pages = await Array.fromAsync(readRange(client, query, realContext()));
    assertEquals(pages.flat(), points);
  },
);

testWith("influxd", "readRange() reads through a server's own limit of rows", async () => {
  await using server = await startInfluxdb({
    databases: ["market"],
    settings: { HTTP_MAX_ROW_LIMIT: "7" },
  });
  const client = clientOf({ url: server.url, database: "market" });
  const points = candles(A, T0, 100);
  await server.write("market", linesOf(SHAPE, points));
  const query = { ...WANTED, tags: A, fromMs: T0, toMs: T0 + DAY };
  const pages = await Array.fromAsync(readRange(client, query, realContext()));
  assertEquals(pages.flat(), points);
});

testWith(
  "influxd",
  "names and values of any kind are quoted: they cannot change the question",
  async () => {
    await using server = await startInfluxdb({ databases: ["market"] });
    const client = clientOf({ url: server.url, database: "market" });
    const tags = { 'sym"bol': "' OR '1'='1", interval: "1m" };
    const shape = {
      kind: "point",
      measurement: 'kline"; DROP MEASUREMENT "x',
      tags: Object.keys(tags),
      fields: { 'clo"se': "float", "a,b c": "float" },
    } as const;
    const points = [{
      ...{ measurement: shape.measurement, tags, timeMs: T0 },
      fields: { 'clo"se': 1.5, "a,b c": 2 },
    }];
    await server.write("market", linesOf(shape, points) + linesOf(SHAPE, candles(A, T0, 3)));
    const { measurement, fields } = shape;
    const query = { measurement, fields, tags, fromMs: T0, toMs: T0 + DAY };
    const found = await Array.fromAsync(readRange(client, query, realContext()));
    assertEquals(found.flat(), points);
    const series = { measurement, fields, where: { interval: ["1m"] }, fromMs: 0, toMs: T0 + DAY };
    assertEquals(await listSeries(client, series), [tags]);
    const none = { ...query, tags: { symbol: "' OR symbol = 'A", interval: "1m" }, ...WANTED };
    assertEquals(await Array.fromAsync(readRange(client, none, realContext())), []);
  },
);

testWith(
  "influxd",
  "what cannot be read is told: types, databases, retention policies",
  async () => {
    await using server = await startInfluxdb({ databases: ["market"] });
    await server.write("market", linesOf(SHAPE, candles(A, T0, 3)));
    const read = (database: string, fields: PointShape["fields"], more = {}) => {
      const client = clientOf({ url: server.url, database, ...more });
      const query = { measurement: "kline", fields, tags: A, fromMs: T0, toMs: T0 + DAY };
      return Array.fromAsync(readRange(client, query, realContext()));
    };
    await assertRejects(
      () => read("market", { close: "integer" }),
      FatalError,
      'Cannot read field "close" of "kline" as it must be of type integer: the store has "0.5"',
    );
    await assertRejects(() => read("market", { close: "boolean" }), FatalError, "of type boolean");
    assertEquals((await read("market", { trades: "float" })).flat()[1]?.fields, { trades: 1 });
    const missing = await assertRejects(() => read("nowhere", SHAPE.fields), OptionsError);
    assertEquals(missing.message.includes("database not found: nowhere"), true, missing.message);
    const policy = await read("market", SHAPE.fields, { retention_policy: "brief" }).catch((e) =>
      e
    );
    assertEquals(policy instanceof OptionsError, true, String(policy));
  },
);

testWith(
  "influxd",
  "readRange() says so where a millisecond holds more points than a page",
  async () => {
    await using server = await startInfluxdb({
      databases: ["market"],
      settings: { HTTP_MAX_ROW_LIMIT: "3" },
    });
    await server.query("SHOW DATABASES");
    const lines = [0, 1, 2, 3, 4].map((ns) => `kline,interval=1m,symbol=A close=1 ${T0}00000${ns}`);
    const url = `${server.url}/write?db=market`;
    await (await fetch(url, { method: "POST", body: lines.join("\n") })).body?.cancel();
    const client = clientOf({ url: server.url, database: "market" });
    const query = { ...WANTED, tags: A, fromMs: T0, toMs: T0 + DAY };
    await assertRejects(
      () => Array.fromAsync(readRange(client, query, realContext())),
      FatalError,
      "points must lie milliseconds apart: 3 lie at 2018-01-01T00:00:00.000Z",
    );
  },
);
