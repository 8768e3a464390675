/**
 * The sinks that come with penstock: a list that is written out.
 *
 * @module
 */

import type { Loaders } from "../engine/registry.ts";
import type { SinkPlugin } from "../engine/plugin.ts";

/** All sinks, by id. */
export const SINKS: Loaders<SinkPlugin> = {
  file: async () => (await import("./file/mod.ts")).file,
  influxdb: async () => (await import("./influxdb/mod.ts")).influxdb,
  stdout: async () => (await import("./stdout.ts")).stdout,
};
