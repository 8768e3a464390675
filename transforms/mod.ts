/**
 * The transforms that come with penstock: the list of them.
 *
 * @module
 */

import type { TransformPlugin } from "../engine/plugin.ts";
import { keepFields } from "./keep_fields.ts";
import { kline } from "./kline.ts";
import { rsi } from "./rsi.ts";

/** All of them. A new one is added here. */
export const TRANSFORMS: readonly TransformPlugin[] = [kline, rsi, keepFields];
