/**
 * The path of history: the bytes of a REST answer to the bytes of line protocol, with RSI.
 *
 * Compared with bare `JSON.parse` of the same bytes, and with the same candles through the `Point` of
 * InfluxDB's own client. Recorded candles are used where they lie beside the project, else those of
 * the simulator.
 *
 * @module
 */

import { Point as ClientPoint } from "@influxdata/influxdb-client";
import { VirtualClock } from "../engine/clock.ts";
import type { StepContext, TransformPlugin } from "../engine/plugin.ts";
import type { RecordShape } from "../engine/point.ts";
import { createSimulator } from "../simulator/mod.ts";
import { parseRows } from "../sources/_binance/rows.ts";
import { encodeLineProtocol } from "../sinks/_line_protocol.ts";
import { advance, rsiOf, START } from "../transforms/_wilder.ts";
import { kline } from "../transforms/kline.ts";
import { rsi } from "../transforms/rsi.ts";
import { type BenchRow, medianTimes, renderTable } from "./table.ts";

const RECORDED = new URL("../../shared/data/rest-BTCUSDT-15m-2024-12-30.json", import.meta.url);
const FROM_MS = Date.UTC(2024, 11, 30);
const TO_MS = Date.UTC(2025, 0, 6);
const PERIOD = 14;
const ROUNDS = 40;
const SERIES = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "15m",
};

/** The path's ratios to bare `JSON.parse` and to the client's `Point`, and what its steps cost. */
export function historyPath(): BenchRow[] {
  const { bytes, origin } = readCandles();
  const path = makePath(bytes);
  const count = path.parse().length;
  for (const made of [path.toLines(), path.throughClient()]) checkLines(made, count);
  const times = medianTimes(
    [path.parse, path.toRows, path.toCandles, path.toIndicators, path.toLines, path.throughClient],
    ROUNDS,
  );
  const [parseNs = NaN, rowsNs = NaN, klineNs = NaN, rsiNs = NaN, pathNs = NaN, clientNs = NaN] =
    times
      .map((ms) => 1e6 * ms / count);
  const steps = [
    ["rows", rowsNs],
    ["kline", klineNs - rowsNs],
    ["rsi", rsiNs - klineNs],
    ["line protocol", pathNs - rsiNs],
  ] as const;
  return [
    {
      name: "history path against JSON.parse",
      value: parseNs / pathNs,
      unit: "×",
      bound: { atLeast: 0.35 },
      note: `${count} ${origin} candles`,
    },
    {
      name: "history path against Point",
      value: clientNs / pathNs,
      unit: "×",
      bound: { atLeast: 3 },
      note: `Point: ${clientNs.toFixed(0)} ns per candle`,
    },
    {
      name: "history path",
      value: pathNs,
      unit: "ns per candle",
      note: `${
        steps.map(([name, ns]) => `${name} ${ns.toFixed(0)}`).join(", ")
      }; JSON.parse alone ${parseNs.toFixed(0)}`,
    },
  ];
}

/** The path up to each of its steps, from the bytes on: text is only as fresh as this once. */
function makePath(bytes: Uint8Array) {
  const decoder = new TextDecoder();
  const candles = start(kline, {}, { kind: "raw", format: "candle" });
  const indicators = start(rsi, { period: PERIOD }, candles.shape);
  const encoding = { shapes: [indicators.shape], reject };
  let spare: ArrayBuffer | undefined;
  const parse = (): unknown[] => JSON.parse(decoder.decode(bytes));
  const toRows = () => parseRows(bytes) ?? reject(0, new Error("Cannot read the rows"));
  const toCandles = () =>
    candles.run(toRows().map((candle) => ({ series: SERIES, candle, closed: true })));
  const toIndicators = () => indicators.run(toCandles());
  const toLines = () => {
    const lines = encodeLineProtocol(toIndicators(), { ...encoding, spare });
    // As of a chunk that was delivered.
    spare = lines.buffer;
    return lines;
  };
  return {
    parse,
    toRows,
    toCandles,
    toIndicators,
    toLines,
    throughClient: () => throughClient(parse()),
  };
}

/** Starts a transform, to be run as the engine does, from an empty state each time. */
function start(plugin: TransformPlugin, input: unknown, from: RecordShape) {
  const result = plugin.options.safeParse(input);
  if (!result.success) throw new Error(`Cannot use the options of ${plugin.id}`);
  const options = result.data;
  const run = (records: readonly unknown[]): unknown[] => {
    const given: unknown[] = [];
    const slots = new Map<string, { state: unknown }>();
    const context: StepContext<unknown, unknown, unknown> & { state: unknown } = {
      options,
      state: undefined,
      emit: (record) => void given.push(record),
    };
    for (const record of records) {
      const key = plugin.key?.(record, options) ?? "";
      let slot = slots.get(key);
      if (!slot) slots.set(key, slot = { state: plugin.state?.initial(options) });
      context.state = slot.state;
      slot.state = plugin.step(record, context);
    }
    return given;
  };
  return { run, shape: plugin.shape(from, options) };
}

function reject(_: number, error: Error): never {
  throw error;
}

/** The same candles as its users would write them: one `Point` each, then its line. */
function throughClient(rows: readonly unknown[]): Uint8Array {
  let averages = START;
  const lines: string[] = [];
  for (const row of rows) {
    if (!Array.isArray(row)) throw new Error("Cannot use a row that is no array");
    const [time, open, high, low, close, volume, , quote, trades, takerBase, takerQuote] = row;
    averages = advance(averages, time, Number(close), PERIOD);
    const point = new ClientPoint("kline")
      .tag("exchange", SERIES.exchange).tag("symbol", SERIES.symbol).tag("base", SERIES.base)
      .tag("quote", SERIES.quote).tag("interval", SERIES.interval)
      .floatField("open", open).floatField("high", high).floatField("low", low)
      .floatField("close", close).floatField("volume", volume).floatField("quote_volume", quote)
      .floatField("taker_buy_volume", takerBase).floatField("taker_buy_quote_volume", takerQuote)
      .intField("trades", trades).booleanField("closed", true).timestamp(time);
    const { gain, loss } = averages;
    const value = averages.n > PERIOD ? rsiOf(gain, loss, "neutral") : null;
    if (value !== null) {
      point.floatField(`rsi_${PERIOD}`, value).floatField(`avg_gain_${PERIOD}`, gain)
        .floatField(`avg_loss_${PERIOD}`, loss);
    }
    lines.push(point.toLineProtocol() ?? "");
  }
  return new TextEncoder().encode(lines.join("\n") + "\n");
}

/** A path that loses candles would be fast. */
function checkLines(bytes: Uint8Array, count: number): void {
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  const indicated = lines.filter((line) => line.includes(`,rsi_${PERIOD}=`)).length;
  if (lines.length === count && indicated === count - PERIOD) return;
  throw new Error(`Cannot measure: ${lines.length} lines of ${count}, ${indicated} with RSI`);
}

function readCandles(): { bytes: Uint8Array; origin: string } {
  try {
    const rows: unknown = JSON.parse(Deno.readTextFileSync(RECORDED));
    // The recorded file has line breaks that an answer of the exchange has not.
    return { bytes: encode(rows), origin: "recorded" };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const simulator = createSimulator({}, { clock: new VirtualClock(TO_MS) });
  return {
    bytes: encode(simulator.candles("BTCUSDT", "15m", FROM_MS, TO_MS)),
    origin: "simulated",
  };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

if (import.meta.main) {
  const table = renderTable(historyPath());
  await Deno.stdout.write(new TextEncoder().encode(`${table}\n`));
}
