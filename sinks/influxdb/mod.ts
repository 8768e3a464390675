/**
 * Writes points to InfluxDB 1, 2 or 3, or to VictoriaMetrics.
 *
 * **Acknowledged** means that the server answered 204, and nothing else. One request is under way at
 * a time, so that of two points of one series and time the later one stays.
 *
 * **Refused lines.** When a server refuses a request because of its lines, it is halved and sent
 * again until the bad lines stand alone. They are refused with the server's own words, and all
 * others are stored.
 *
 * **Before the first point** the sink looks whether the database or bucket is there, whether it may
 * write to it, and whether its fields have the types that the pipeline declares. With `create` it
 * makes what is missing.
 *
 * **Failures.** What may pass is tried again, for as long as it takes; an error inside the server
 * that stays stops the run. Wrong credentials, rights, names and addresses stop it at once.
 *
 * @module
 */

import { z } from "zod";
import { InfluxClient } from "../../clients/influxdb/client.ts";
import {
  checkConnection,
  connectionShape,
  kindOf,
  permissionsOf,
} from "../../clients/influxdb/connection.ts";
import { defineSink } from "../../engine/plugin.ts";
import { acceptLineProtocol, encodeLineProtocol } from "../_line_protocol.ts";
import { checkCreation, creationShape } from "./creation.ts";
import { storeOf } from "./store.ts";
import { prepareTarget, probeTarget } from "./target.ts";
import { LineWriter } from "./write.ts";

/** What every version takes in one request: version 3 takes 10 MiB, before and after compression. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_LINES = 5_000;
/** Version 3 acknowledges once a second: more lines go into a request. */
const MAX_LINES_V3 = 10_000;

const options = z.strictObject({
  ...connectionShape,
  precision: z.enum(["ms", "s"]).default("ms").describe(
    "Unit of the times that are sent: `s` only where all are whole seconds",
  ),
  ...creationShape,
}).superRefine((given, context) => {
  checkConnection(given, context);
  checkCreation(given, context);
}).meta({
  examples: [{ url: "http://localhost:8086", database: "market", create: true }],
});

type Options = z.output<typeof options>;

/** The `influxdb` sink. */
export const influxdb = defineSink({
  id: "influxdb",
  summary: "Writes points to InfluxDB 1, 2 or 3, or to VictoriaMetrics",
  options,
  permissions: (options: Options) => permissionsOf(options),
  delivery: (options) => kindOf(options) === "victoria_metrics" ? "append" : "idempotent",
  caveat: (options) => CAVEATS[kindOf(options)],
  accept: (shape) => acceptLineProtocol(shape),
  limits: (options) => ({
    maxRecords: kindOf(options) === "v3" ? MAX_LINES_V3 : MAX_LINES,
    maxBytes: MAX_BYTES,
  }),
  encode: (records: readonly unknown[], encoding) =>
    encodeLineProtocol(records, encoding, encoding.options.precision),
  async open(options, { shapes }, context) {
    const client = new InfluxClient(options, context);
    await prepareTarget(client, options, shapes, context.log);
    return new LineWriter(client, options.precision, context.metrics);
  },
  store: storeOf<Options>(),
  probe: (options, shapes, context) =>
    probeTarget(new InfluxClient(options, context), options, shapes),
});

const CAVEATS = {
  v1: undefined,
  v2: undefined,
  v3:
    "InfluxDB 3 Core does not say which of two versions of a point stays, so a corrected one may be lost",
  victoria_metrics:
    "VictoriaMetrics acknowledges before points are on its disk, so a crash of the server may lose those of the last seconds; of points of one time it keeps each sample, or with deduplication the biggest value",
};
