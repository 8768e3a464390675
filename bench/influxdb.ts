/**
 * Into a real InfluxDB: a whole run, from the answers of the exchange on, against bare `fetch` of lines
 * that are encoded already, with the same number of lines in a request, to the same server, in turns.
 *
 * @module
 */

import { z } from "zod";
import { memoryCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { defineSource } from "../engine/plugin.ts";
import { KLINE_SHAPE, type RawCandle } from "../engine/point.ts";
import { runPipeline } from "../engine/run/run.ts";
import { systemWorld } from "../engine/run/world.ts";
import { influxdb as sink } from "../sinks/influxdb/mod.ts";
import { encodeLineProtocol } from "../sinks/_line_protocol.ts";
import { parseRows } from "../sources/_binance/rows.ts";
import { type InfluxdbServer, startInfluxdb } from "../tests/servers/influxdb.ts";
import { hasProgram, installHint } from "../tests/servers/needs.ts";
import { kline, toPoint } from "../transforms/kline.ts";
import { type BenchRow, median, renderTable } from "./table.ts";

const POINTS = 100_000;
/** Candles of one answer. */
const BATCH = 1_000;
const LINES = 5_000;
const ROUNDS = 7;
const START_MS = Date.UTC(2024, 0, 1);
const EPOCH = { records: 50_000, ms: 5_000 };
const SERIES = {
  exchange: "binance",
  symbol: "BTCUSDT",
  base: "BTC",
  quote: "USDT",
  interval: "1m",
};

/** Answers as they come: points that are made beforehand would weigh on the heap of the run. */
const answers = Array.from(
  { length: POINTS / BATCH },
  (_, at) =>
    new TextEncoder().encode(
      JSON.stringify(Array.from({ length: BATCH }, (_, row) => rowOf(at * BATCH + row))),
    ),
);

function rowOf(at: number): unknown[] {
  const openMs = START_MS + 60_000 * at;
  return [
    ...[openMs, `${64_000 + at % 977}.25000000`, `${65_000 + at % 977}.50000000`],
    ...[`${63_000 + at % 977}.01000000`, `${64_000 + at % 877}.75000000`],
    ...[`${at % 5_417}.12345000`, openMs + 59_999, `${64_000 * (at % 541)}.98765432`, at % 4_001],
    ...[`${at % 2_417}.02345000`, `${32_000 * (at % 541)}.90765432`, "0"],
  ];
}

function candlesOf(answer: Uint8Array): RawCandle[] {
  const rows = parseRows(answer);
  if (!rows) throw new Error("Cannot read the rows");
  return rows.map((candle) => ({ series: SERIES, candle, closed: true }));
}

const repeated = defineSource({
  id: "repeated",
  summary: "Gives candles of answers that are there already",
  options: z.strictObject({}),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "candle" }),
  async *read() {
    for (const [at, answer] of answers.entries()) {
      yield { records: candlesOf(answer), position: { at } };
    }
  },
});

/** The rate of a run against that of bare requests. */
export async function influxdb(): Promise<BenchRow[]> {
  if (!hasProgram("influxd")) {
    const note = `not measured: needs influxd, ${installHint("influxd")}`;
    return [{ name: "into InfluxDB against bare fetch", value: NaN, unit: "×", note }];
  }
  await using server = await startInfluxdb();
  const bodies = encodeAll();
  const bareMs: number[] = [];
  const runMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bareMs.push(await timeOf(server, `bare_${round}`, (url, name) => sendAll(url, name, bodies)));
    runMs.push(await timeOf(server, `run_${round}`, runInto));
  }
  const [bare, run] = [median(bareMs), median(runMs)];
  const rate = (ms: number) => `${(POINTS / ms).toFixed(0)} k lines a second`;
  return [{
    name: "into InfluxDB against bare fetch",
    value: bare / run,
    unit: "×",
    bound: { atLeast: 0.9 },
    note: `${rate(run)} against ${rate(bare)}, ${LINES} lines in a request`,
  }];
}

/** Times work on a database of its own, and sees to it that all of it is stored. */
async function timeOf(
  server: InfluxdbServer,
  name: string,
  work: (url: string, name: string) => Promise<void>,
): Promise<number> {
  await server.query(`CREATE DATABASE ${name} WITH SHARD DURATION 52w`);
  const startMs = performance.now();
  await work(server.url, name);
  const elapsedMs = performance.now() - startMs;
  const [series] = await server.query("SELECT count(close) FROM kline", name);
  const stored = series?.values[0]?.[1];
  if (stored !== POINTS) {
    throw new Error(`Cannot measure: ${stored} points of ${POINTS} are stored`);
  }
  await server.query(`DROP DATABASE ${name}`);
  return elapsedMs;
}

function encodeAll(): Uint8Array<ArrayBuffer>[] {
  const encoding = {
    shapes: [KLINE_SHAPE],
    reject: (_: number, error: Error): never => {
      throw error;
    },
  };
  return Array.from({ length: POINTS / LINES }, (_, at) => {
    const its = answers.slice(at * LINES / BATCH, (at + 1) * LINES / BATCH);
    return encodeLineProtocol(its.flatMap(candlesOf).map(toPoint), encoding);
  });
}

async function sendAll(
  url: string,
  name: string,
  bodies: readonly Uint8Array<ArrayBuffer>[],
): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(`${url}/write?db=${name}&precision=ms`, { method: "POST", body });
    await response.body?.cancel();
    if (response.status !== 204) throw new Error(`Cannot measure: answered ${response.status}`);
  }
}

async function runInto(url: string, database: string): Promise<void> {
  const result = sink.options.safeParse({ url, database });
  if (!result.success) throw new Error("Cannot use the options of the sink");
  const shared = { onError: "stop" } as const;
  const pipeline: Pipeline = {
    name: "into_influxdb",
    folder: Deno.cwd(),
    sources: [{ plugin: repeated, id: "repeated", options: {}, ...shared }],
    transforms: [{ plugin: kline, id: "kline", options: {}, ...shared }],
    sinks: [{ plugin: sink, id: "influxdb", options: result.data, ...shared }],
    deadLetter: undefined,
    shapes: [KLINE_SHAPE],
    epoch: EPOCH,
  };
  await runPipeline(pipeline, { world: systemWorld("."), checkpoints: memoryCheckpoints() });
}

if (import.meta.main) {
  const table = renderTable(await influxdb());
  await Deno.stdout.write(new TextEncoder().encode(`${table}\n`));
}
