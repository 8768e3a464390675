/** Clients for tests of what is read back. */

import { z } from "zod";
import { InfluxClient } from "../../../clients/influxdb/client.ts";
import { checkConnection, connectionShape } from "../../../clients/influxdb/connection.ts";
import { systemClock } from "../../../engine/clock.ts";
import { type FakeContext, fakeContext } from "../../contracts/context.ts";

const schema = z.strictObject(connectionShape).superRefine(checkConnection);

/** A client that asks a real server. */
export function clientOf(options: z.input<typeof schema>, context?: FakeContext): InfluxClient {
  return new InfluxClient(schema.parse(options), context ?? realContext());
}

/** A context that reaches real servers, in real time. */
export function realContext(fetch: FakeContext["fetch"] = globalThis.fetch): FakeContext {
  return fakeContext({ fetch, clock: systemClock });
}
