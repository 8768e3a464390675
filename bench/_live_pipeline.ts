/** The live pipeline that is measured: `binance_websocket`, `kline`, `rsi` and a sink. */

import type { Pipeline } from "../engine/pipeline.ts";
import type { Plugin, SinkPlugin } from "../engine/plugin.ts";
import { binanceWebsocket } from "../sources/binance_websocket.ts";
import { kline } from "../transforms/kline.ts";
import { rsi } from "../transforms/rsi.ts";

/** Makes it. */
export function livePipeline(
  parts: {
    readonly source: unknown;
    readonly sink: SinkPlugin;
    readonly sinkOptions?: unknown;
    readonly epoch?: Pipeline["epoch"];
  },
): Pipeline {
  const { source, sink, sinkOptions = {}, epoch = { records: 10_000, ms: 5_000 } } = parts;
  const indicators = stepOf(rsi, {});
  const shape = rsi.shape(kline.shape({ kind: "raw", format: "candle" }, {}), indicators.options);
  return {
    name: "live",
    folder: ".",
    sources: [stepOf(binanceWebsocket, source)],
    transforms: [stepOf(kline, {}), indicators],
    sinks: [stepOf(sink, sinkOptions)],
    deadLetter: undefined,
    shapes: [shape],
    epoch,
  };
}

function stepOf<P extends Plugin>(plugin: P, input: unknown) {
  const checked = plugin.options.safeParse(input);
  if (!checked.success) throw new Error(`Cannot use the options of ${plugin.id}`);
  return { plugin, id: plugin.id, options: checked.data, onError: "stop" } as const;
}
