/**
 * The sources that come with penstock: a list that is written out.
 *
 * @module
 */

import type { SourcePlugin } from "../engine/plugin.ts";
import { binanceRest } from "./binance_rest.ts";
import { binanceWebsocket } from "./binance_websocket.ts";
import { influxdb } from "./influxdb.ts";

/** All sources. */
export const SOURCES: readonly SourcePlugin[] = [binanceRest, binanceWebsocket, influxdb];
