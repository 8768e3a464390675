/**
 * The sinks that come with penstock.
 *
 * @module
 */

import type { SinkPlugin } from "../engine/plugin.ts";
import { file } from "./file/mod.ts";
import { influxdb } from "./influxdb/mod.ts";
import { stdout } from "./stdout.ts";

/** All sinks, by name. */
export const SINKS: readonly SinkPlugin[] = [file, influxdb, stdout];
