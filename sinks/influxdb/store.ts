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
import type { Connection } from "../../clients/influxdb/connection.ts";
import { readLast, readRange } from "../../clients/influxdb/read_back.ts";
import type { SinkStore } from "../../engine/plugin.ts";

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
  };
}
