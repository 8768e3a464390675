/** What the `influxdb` sink has stored, read back as the engine does it. */

import { assertEquals } from "@std/assert";
import type { Point, PointShape } from "../../../engine/point.ts";
import { influxdb } from "../../../sinks/influxdb/mod.ts";
import { testStores } from "../../clients/influxdb/_stores.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2024, 0, 1, 12, 30);
const SHAPE: PointShape = {
  kind: "point",
  measurement: "kline",
  tags: ["symbol"],
  fields: { close: "float", trades: "integer", closed: "boolean" },
};

function candle(symbol: string, hour: number, fields: Point["fields"] = {}): Point {
  return {
    measurement: "kline",
    tags: { symbol },
    fields: { close: 0.1 + hour / 4, trades: hour, closed: true, ...fields },
    timeMs: NOW - 30 * 60_000 + hour * HOUR,
  };
}

testStores("the store of influxdb gives the last points and ranges", async (store) => {
  const { url, server, database, org, bucket, token, version } = store.client.connection;
  const given = { url, server, database, org, bucket, version, token: token?.reveal() };
  const checked = influxdb.options.safeParse(JSON.parse(JSON.stringify(given)));
  const { store: stored } = influxdb;
  if (!checked.success || !stored) throw new Error("Wrong options, or no store");
  const context = { ...store.context, now: () => NOW };
  // The clock of the exchange is half an hour ahead: its open candle lies in the future.
  const a = [-3, -2, -1, 0, 1].map((hour) =>
    candle("A", hour, hour === 1 ? { closed: false } : {})
  );
  const b = [-2_000, -1_999].map((hour) => candle("B", hour));
  await store.write(SHAPE, [...a, ...b]);
  const series = ["B", "C", "A"].map((symbol) => ({ symbol }));
  const query = { shape: SHAPE, series, count: 3 };
  assertEquals(await stored.last(checked.data, query, context), [b, [], a.slice(-3)]);
  const range = async (fromMs: number | undefined, toMs: number) => {
    const asked = { shape: SHAPE, tags: { symbol: "A" }, fromMs, toMs };
    return (await Array.fromAsync(stored.read(checked.data, asked, context))).flat();
  };
  assertEquals(await range(undefined, NOW), a.slice(0, 4));
  assertEquals(await range(NOW - 90 * 60_000, NOW - 30 * 60_000), [a[2]]);
});
