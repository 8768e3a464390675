/** What candles with RSI look like in a store, as the plugins declare it. */

import type { RecordShape } from "../../engine/point.ts";
import { kline } from "../../transforms/kline.ts";
import { rsi } from "../../transforms/rsi.ts";
import { step } from "../engine/_fakes.ts";

const shape: RecordShape = [step(kline), step(rsi)].reduce<RecordShape>(
  (input, { plugin, options }) => plugin.shape(input, options as never),
  { kind: "raw", format: "candle" },
);
if (shape.kind !== "point") throw new Error("Candles must become points");

export const STORED = {
  measurement: shape.measurement,
  tags: shape.tags,
  fields: Object.keys(shape.fields),
};
