/**
 * What the sink has stored, read back.
 *
 * Floats come back as they were stored, and stores give the shortest digits that mean the same float:
 * written again they are equal, though their digits may be fewer than the exchange's. VictoriaMetrics
 * keeps about 15 digits, and no texts.
 *
 * @module
 */

import { InfluxClient } from "../../clients/influxdb/client.ts";
import { type Connection, kindOf } from "../../clients/influxdb/connection.ts";
import { readLast, readRange } from "../../clients/influxdb/read_back.ts";
import type { SinkStore } from "../../engine/plugin.ts";
import { storedTypes } from "./field_types.ts";

/**
 * What 15 digits, fewer beside much larger values, make of averages of small differences between
 * large prices.
 */
const ROUNDED = 1e-6;
/** VictoriaMetrics shows new samples about a second after it has acknowledged them. */
const UNSEEN_MS = 3_000;
/** The clock of the exchange may be ahead of that of this machine. */
const AHEAD_MS = 86_400_000;

/** The store of the `influxdb` sink. */
export function storeOf<Options extends Connection>(): SinkStore<Options> {
  return {
    last(options, { shape: { measurement, fields }, series, count }, context) {
      const client = new InfluxClient(options, context);
      const beforeMs = context.now() + AHEAD_MS;
      return readLast(client, { measurement, fields, series, count, beforeMs });
    },
    read(options, { shape: { measurement, fields }, tags, fromMs = 0, toMs }, context) {
      const client = new InfluxClient(options, context);
      return readRange(client, { measurement, fields, tags, fromMs, toMs }, context);
    },
    async types(options, shape, context) {
      const client = new InfluxClient(options, context);
      const found = await context.retry(
        `read the types of the fields of "${shape.measurement}"`,
        () => storedTypes(client, shape),
      );
      // Where it cannot be asked, opening the sink has said so.
      if (found === undefined || typeof found === "string") return {};
      return Object.fromEntries(Array.from(found, ([name, types]) => [name, [...types]]));
    },
    tolerance: (options) => kindOf(options) === "victoria_metrics" ? ROUNDED : 0,
    settleMs: (options) => kindOf(options) === "victoria_metrics" ? UNSEEN_MS : 0,
  };
}
