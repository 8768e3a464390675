/**
 * The sources that come with penstock: a list that is written out.
 *
 * @module
 */

import type { Loaders } from "../engine/registry.ts";
import type { SourcePlugin } from "../engine/plugin.ts";

/** All sources, by id. */
export const SOURCES: Loaders<SourcePlugin> = {
  binance_rest: async () => (await import("./binance_rest.ts")).binanceRest,
  binance_websocket: async () => (await import("./binance_websocket.ts")).binanceWebsocket,
  influxdb: async () => (await import("./influxdb.ts")).influxdb,
};
