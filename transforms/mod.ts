/**
 * The transforms that come with penstock: a list that is written out.
 *
 * @module
 */

import type { Loaders } from "../engine/registry.ts";
import type { TransformPlugin } from "../engine/plugin.ts";

/** All transforms, by id. */
export const TRANSFORMS: Loaders<TransformPlugin> = {
  kline: async () => (await import("./kline.ts")).kline,
  rsi: async () => (await import("./rsi.ts")).rsi,
  keep_fields: async () => (await import("./keep_fields.ts")).keepFields,
};
