/**
 * The sources and sinks of the matrix: one line each in a table.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { systemClock } from "../../engine/clock.ts";
import type { PipelineFile } from "../../engine/pipeline.ts";
import type { Step } from "../../engine/plugin.ts";
import { createSimulator, serveSimulator } from "../../simulator/mod.ts";
import { type InfluxdbServer, startInfluxdb } from "../servers/influxdb.ts";
import { hasProgram, type Program } from "../servers/needs.ts";
import { fastClock, type FastTime } from "./clock.ts";
import type { Until } from "./victim.ts";

const MINUTE_MS = 60_000;
const PRICES_FROM_MS = Date.UTC(2024, 0, 1);
const PRICES_MINUTES = 2_000;
const PRICES = "prices";
const CSV_FILE = fromFileUrl(new URL("../../pipelines/custom/csv_file.ts", import.meta.url));
const REFUSING = fromFileUrl(new URL("./refusing.ts", import.meta.url));

/** A source in the world of one experiment. */
export interface SourceWorld extends AsyncDisposable {
  /** The source, and what makes points of its records. */
  readonly steps: { readonly source: Step; readonly transforms: readonly Step[] };
  /** Records of an epoch. */
  readonly epochRecords: number;
  /** The time it lives in. */
  readonly time?: FastTime;
  /** Where a run leaves it. */
  readonly until?: Until;
}

/** A sink in the world of one experiment. */
export interface SinkWorld extends AsyncDisposable {
  /** The sink. */
  readonly step: Step;
  /** What it holds beyond the files in the folder, as text. */
  stored(): Promise<string>;
}

/** A source of the matrix. */
export interface SourceRow {
  /** Its name. */
  readonly name: string;
  /** A program that must be installed. */
  readonly needs?: Program;
  /** Makes a world for one experiment. The same records each time. */
  open(folder: string, servers: Servers): Promise<SourceWorld>;
}

/** A sink of the matrix. */
export interface SinkRow {
  /** Its name. */
  readonly name: string;
  /** Whether what it was sent cannot be taken back: it may hold it twice after a crash. */
  readonly appends?: boolean;
  /** A program that must be installed. */
  readonly needs?: Program;
  /** Makes a world for one experiment, empty. */
  open(folder: string, servers: Servers): Promise<SinkWorld>;
}

/** A source and a sink. */
export interface Pair {
  /** The source. */
  readonly source: SourceRow;
  /** The sink. */
  readonly sink: SinkRow;
}

/** The servers that experiments share, each started when it is first asked for. */
export class Servers implements AsyncDisposable {
  #influxdb: Promise<InfluxdbServer> | undefined;

  /** An InfluxDB with a database of prices. */
  influxdb(): Promise<InfluxdbServer> {
    return this.#influxdb ??= startWithPrices();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#influxdb)?.[Symbol.asyncDispose]();
  }
}

/** The sources. */
export const SOURCES: readonly SourceRow[] = [
  { name: "csv_file (custom)", open: openCsv },
  { name: "binance_rest", open: openRest },
  { name: "binance_websocket", open: openLive },
  { name: "influxdb", needs: "influxd", open: openInfluxSource },
];

/** The sinks. */
export const SINKS: readonly SinkRow[] = [
  { name: "file", open: () => inFolder({ path: "out.lp" }) },
  {
    name: "file, rotated",
    open: () => inFolder({ path: "parts/out.lp", rotate: { size: "20kB", every: "day" } }),
  },
  { name: "file, json", open: () => inFolder({ path: "out.jsonl" }) },
  { name: "stdout", appends: true, open: () => Promise.resolve(nothingElse({ use: "stdout" })) },
  { name: "influxdb", needs: "influxd", open: openInfluxSink },
];

/** Every source with every sink whose programs are installed. */
export function allPairs(): Pair[] {
  const sinks = SINKS.filter(isThere);
  return SOURCES.filter(isThere).flatMap((source) => sinks.map((sink) => ({ source, sink })));
}

/** The names of what is left out as a program is missing. */
export function leftOut(): string[] {
  const gone = [...SOURCES, ...SINKS].filter((row) => !isThere(row));
  return gone.map(({ name, needs }) => `${name} (needs ${needs})`);
}

function isThere({ needs }: SourceRow | SinkRow): boolean {
  return needs === undefined || hasProgram(needs);
}

/** The pipeline of a pair. */
export function pipelineOf({ steps, epochRecords }: SourceWorld, { step }: SinkWorld) {
  return {
    name: "crash",
    sources: [steps.source],
    transforms: [
      ...steps.transforms,
      { use: REFUSING, on_error: "dead_letter" },
      { use: "rsi", with: { period: 3 } },
    ],
    sinks: [{ ...step, id: "sink" }],
    dead_letter: { use: "file", with: { path: "rejected.jsonl" } },
    epoch: { records: epochRecords },
  } satisfies PipelineFile;
}

/** A file with prices of two symbols, each minute. */
async function openCsv(folder: string): Promise<SourceWorld> {
  const lines = [
    "time,symbol,close",
    ...prices().map(({ timeMs, symbol, close }) => `${timeMs},${symbol},${close}`),
  ];
  const path = join(folder, "prices.csv");
  await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
  const source: Step = {
    use: CSV_FILE,
    with: { path, measurement: "price", tags: ["symbol"], fields: { close: "float" } },
  };
  return {
    steps: { source, transforms: [] },
    epochRecords: 500,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** The prices of two symbols, minute by minute. */
function prices(): { readonly timeMs: number; readonly symbol: string; readonly close: string }[] {
  return Array.from({ length: PRICES_MINUTES }, (_, minute) => minute).flatMap((minute) =>
    ["A", "B"].map((symbol) => ({
      timeMs: PRICES_FROM_MS + minute * MINUTE_MS,
      symbol,
      close: `${10_000 + (minute * 7_919 + symbol.charCodeAt(0)) % 997}.50`,
    }))
  );
}

/** The history of two symbols, three pages each. */
function openRest(): Promise<SourceWorld> {
  const served = serveSimulator(createSimulator({}, { clock: systemClock }));
  const from = Date.UTC(2024, 2, 1);
  const source: Step = {
    use: "binance_rest",
    with: {
      symbols: ["BTCUSDT", "ETHUSDT"],
      interval: "1m",
      from,
      to: from + 2_500 * MINUTE_MS,
      base_url: served.rest,
    },
  };
  return Promise.resolve({
    steps: { source, transforms: [{ use: "kline" }] },
    epochRecords: 1_000,
    [Symbol.asyncDispose]: served.close,
  });
}

const LIVE_START_MS = Date.UTC(2024, 4, 17, 9, 30, 20);
const LIVE_END_MS = Date.UTC(2024, 4, 17, 9, 37);

/** An hour of history, then some minutes live on a fast clock, until the exchange halts. */
function openLive(): Promise<SourceWorld> {
  const time = { startMs: LIVE_START_MS, machineMs: Date.now(), speed: 240 };
  const simulator = createSimulator({
    halts: [{ from: LIVE_END_MS, to: LIVE_END_MS + 1e11 }],
    streams: { snapshot_ms: 20_000 },
  }, { clock: fastClock(time) });
  const served = serveSimulator(simulator);
  const source: Step = {
    use: "binance_websocket",
    with: {
      symbols: ["BTCUSDT", "ETHUSDT"],
      interval: "1m",
      from: LIVE_START_MS - 60 * MINUTE_MS,
      base_url: served.stream,
      rest_url: served.rest,
    },
  };
  return Promise.resolve({
    steps: { source, transforms: [{ use: "kline" }] },
    epochRecords: 10,
    time,
    until: { series: 2, openMs: LIVE_END_MS - MINUTE_MS },
    async [Symbol.asyncDispose]() {
      simulator.close();
      await served.close();
    },
  });
}

function inFolder(options: unknown): Promise<SinkWorld> {
  return Promise.resolve(nothingElse({ use: "file", with: options }));
}

/** The world of a sink that holds nothing outside the folder. */
function nothingElse(step: Step): SinkWorld {
  return {
    step,
    stored: () => Promise.resolve(""),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function startWithPrices(): Promise<InfluxdbServer> {
  const server = await startInfluxdb({ databases: [PRICES] });
  const lines = prices().map(({ timeMs, symbol, close }) =>
    `price,symbol=${symbol} close=${close} ${timeMs}`
  );
  await server.write(PRICES, lines.join("\n"));
  return server;
}

/** The prices of two symbols, read back. */
async function openInfluxSource(_folder: string, servers: Servers): Promise<SourceWorld> {
  const { url } = await servers.influxdb();
  const source: Step = {
    use: "influxdb",
    with: {
      url,
      database: PRICES,
      measurement: "price",
      tags: ["symbol"],
      fields: { close: "float" },
      from: PRICES_FROM_MS,
      to: PRICES_FROM_MS + PRICES_MINUTES * MINUTE_MS,
    },
  };
  return {
    steps: { source, transforms: [] },
    epochRecords: 500,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A database of its own. */
async function openInfluxSink(_folder: string, servers: Servers): Promise<SinkWorld> {
  const server = await servers.influxdb();
  const database = `crash_${crypto.randomUUID()}`;
  await server.query(`CREATE DATABASE "${database}"`);
  return {
    step: { use: "influxdb", with: { url: server.url, database } },
    async stored() {
      const all = await server.query("SELECT * FROM /.*/ GROUP BY *", database);
      return all.flatMap(({ name, tags, columns, values }) =>
        values.map((row) => JSON.stringify({ name, ...tags, columns, row }))
      ).join("\n");
    },
    async [Symbol.asyncDispose]() {
      await server.query(`DROP DATABASE "${database}"`);
    },
  };
}
