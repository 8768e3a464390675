// Daily candles of three years as JSON lines: a pipeline in TypeScript, checked while you write it.

import { definePipeline } from "../mod.ts";
import { file } from "../sinks/file/mod.ts";
import { binanceRest } from "../sources/binance_rest.ts";
import { kline } from "../transforms/kline.ts";
import { rsi } from "../transforms/rsi.ts";

export default definePipeline({
  name: "history_typed",
  sources: [binanceRest({ symbols: ["BTCUSDT", "ETHUSDT"], interval: "1d", from: "3 years ago" })],
  transforms: [kline({}), rsi({ period: 14 })],
  sinks: [file({ path: "daily.jsonl" })],
});
