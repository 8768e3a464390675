/** The live pipeline that is measured: `binance_websocket`, `kline`, `rsi` and a sink. */

import type { Pipeline } from "../engine/pipeline.ts";
import { defineSink, type Plugin, type SinkPlugin, type SinkWriter } from "../engine/plugin.ts";
import type { Point } from "../engine/point.ts";
import { encodeLineProtocol } from "../sinks/_line_protocol.ts";
import { binanceWebsocket } from "../sources/binance_websocket.ts";
import { kline } from "../transforms/kline.ts";
import { rsi } from "../transforms/rsi.ts";

/** Makes it. */
export function livePipeline(
  parts: {
    readonly source: unknown;
    readonly sink: SinkPlugin;
    readonly sinkOptions?: unknown | undefined;
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

/** A sink that encodes, and acknowledges at once. */
export function nowhere(): SinkPlugin {
  return defineSink({
    id: "nowhere",
    summary: "Takes line protocol",
    options: kline.options,
    delivery: "idempotent",
    accept: () => {},
    encode: encodeLineProtocol,
    open: () =>
      Promise.resolve({
        deliver: () => Promise.resolve(),
        flush: () => Promise.resolve(null),
        close: () => Promise.resolve(),
      }),
  });
}

/** The same sink, that tells of what it has acknowledged. */
export function watchAcknowledged(
  sink: SinkPlugin,
  acknowledged: (points: readonly Point[]) => void,
): SinkPlugin {
  const open: SinkPlugin["open"] = async (options, opening, context) => {
    const writer: SinkWriter<Point> = await sink.open(options, opening, context);
    return {
      flush: () => writer.flush(),
      close: () => writer.close(),
      async deliver(chunk) {
        const rejected = await writer.deliver(chunk);
        acknowledged(chunk.records);
        return rejected;
      },
    };
  };
  return Object.assign((options: unknown) => sink(options), sink, { open });
}

function stepOf<P extends Plugin>(plugin: P, input: unknown) {
  const checked = plugin.options.safeParse(input);
  if (!checked.success) throw new Error(`Cannot use the options of ${plugin.id}`);
  return { plugin, id: plugin.id, options: checked.data, onError: "stop" } as const;
}
