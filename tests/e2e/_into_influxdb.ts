/**
 * Candles go into a real InfluxDB in processes that are killed, or while the server is, and what is
 * stored in the end is compared with what the source gives.
 *
 * As a program it does so with a year of candles: see {@linkcode USAGE}.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { seededRandom } from "../contracts/context.ts";
import { type InfluxdbServer, startInfluxdb } from "../servers/influxdb.ts";
import { start as startRsi } from "../transforms/_rsi.ts";
import { end, killRun, start, temporaryFolder, writePipeline } from "./_penstock.ts";
import { rowOf, SUMMED } from "./_generated_candles.ts";

const USAGE =
  "deno run -A tests/e2e/_into_influxdb.ts [MINUTES] [KILLS OF PENSTOCK] [KILLS OF INFLUXD]";
const SOURCE = fromFileUrl(new URL("./_generated_candles.ts", import.meta.url));
const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
/** The columns of a row. */
const COLUMNS = [
  ...[
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trades",
  ],
  ...["taker_buy_volume", "taker_buy_quote_volume"],
];
const NAME = "into_influxdb";
const PERIOD = 14;
const POLL_MS = 15;
const MOST_DELAY_MS = 100;

/** What is stored of a series: how many points, the sum of each field, and the last RSI. */
export interface Totals {
  readonly count: number;
  readonly closed: number;
  readonly sums: Readonly<Record<string, number>>;
  readonly lastRsi: number;
}

/** What the source gives; its RSI step by step in memory, without batches, kills and stores. */
export function totalsOf(symbol: string, minutes: number): Totals {
  const sums: Record<string, number> = Object.fromEntries(SUMMED.map((name) => [name, 0]));
  const rsi = startRsi({ period: PERIOD });
  const tags = { symbol };
  let lastRsi = NaN;
  for (let minute = 0; minute < minutes; minute++) {
    const row = rowOf(symbol, minute);
    for (const name of SUMMED) sums[name] = (sums[name] ?? 0) + Number(row[COLUMNS.indexOf(name)]);
    const fields = { close: Number(row[COLUMNS.indexOf("close")]), closed: true };
    const timeMs = Number(row[0]);
    lastRsi = Number(
      rsi.step({ measurement: "kline", tags, fields, timeMs }).fields[`rsi_${PERIOD}`],
    );
  }
  return { count: minutes, closed: minutes, sums, lastRsi };
}

/** What the server has of a series. */
export async function storedTotals(server: InfluxdbServer, symbol: string): Promise<Totals> {
  const where = `FROM kline WHERE symbol = '${symbol}'`;
  const one = async (what: string) => {
    const [series] = await server.query(`SELECT ${what} ${where}`, "market");
    return series?.values[0] ?? [];
  };
  const [, count = 0] = await one("count(close)");
  const [closed] = await server.query(
    `SELECT count(close) FROM (SELECT close, closed ${where}) WHERE closed = true`,
    "market",
  );
  const sums = await one(SUMMED.map((name) => `sum(${name})`).join(", "));
  const [, lastRsi] = await one(`last(rsi_${PERIOD})`);
  return {
    count: Number(count),
    closed: Number(closed?.values[0]?.[1]),
    sums: Object.fromEntries(SUMMED.map((name, at) => [name, Number(sums[at + 1])])),
    lastRsi: Number(lastRsi),
  };
}

/** An experiment. */
export interface Experiment {
  /** Candles of each of three symbols. */
  readonly minutes: number;
  /** How often penstock is killed. */
  readonly processKills: number;
  /** How often the server is killed, and started again, while penstock runs. */
  readonly serverKills: number;
  /** How often a checkpoint is due, in records. */
  readonly epochRecords: number;
  /** Told how far it is. */
  tell?(text: string): void;
}

/** Runs an experiment, then everything once more from the beginning, and compares after each. */
export async function runIntoInfluxdb(experiment: Experiment): Promise<void> {
  const { minutes, processKills, serverKills, tell = () => {} } = experiment;
  await using server = await startInfluxdb();
  await using folder = await temporaryFolder();
  const file = await writePipeline(folder.path, pipelineOf(server.url, experiment));
  const expected = SYMBOLS.map((symbol) => totalsOf(symbol, minutes));
  const compare = async (when: string) => {
    for (const [at, symbol] of SYMBOLS.entries()) {
      assertEquals(await storedTotals(server, symbol), expected[at], `${symbol} ${when}`);
    }
    tell(`the same ${when}\n`);
  };
  const random = seededRandom(7);
  for (let kill = 1; kill <= processKills; kill++) {
    const child = start(["run", file]);
    const ended = end(child);
    await reached(folder.path, minutes * kill / (processKills + 2), ended);
    await delay(random() * MOST_DELAY_MS);
    await killRun(child);
    assertEquals((await ended).signal, "SIGKILL", "penstock must still run when it is killed");
    tell(`killed penstock ${kill} times\n`);
  }
  const last = end(start(["run", file]));
  for (let kill = 1; kill <= serverKills; kill++) {
    await reached(folder.path, minutes * kill / (serverKills + 2), last);
    await delay(random() * MOST_DELAY_MS);
    await server.kill();
    await delay(random() * MOST_DELAY_MS);
    await server.start();
    tell(`killed influxd ${kill} times\n`);
  }
  const startMs = performance.now();
  const { code, stderr } = await last;
  assertEquals(code, 0, stderr);
  assert(stderr.includes("the ledger balances"), stderr);
  tell(`${stderr}${Math.round(performance.now() - startMs)} ms\n`);
  await compare(`after ${processKills} kills of penstock and ${serverKills} of influxd`);
  await Deno.remove(join(folder.path, ".penstock"), { recursive: true });
  const again = await end(start(["run", file]));
  assertEquals(again.code, 0, again.stderr);
  tell(again.stderr);
  await compare("when all of it is written once more");
}

function pipelineOf(url: string, { minutes, epochRecords }: Experiment): unknown {
  return {
    name: NAME,
    sources: [{ use: SOURCE, with: { symbols: SYMBOLS, minutes } }],
    transforms: [{ use: "kline" }, { use: "rsi", with: { period: PERIOD } }],
    sinks: [{ use: "influxdb", with: { url, database: "market", create: true } }],
    epoch: { records: epochRecords },
  };
}

/** Waits until the checkpoint is as far as a minute; fails if the process has ended by then. */
async function reached(
  folder: string,
  minute: number,
  ended: Promise<{ readonly stderr: string }>,
): Promise<void> {
  let end: { readonly stderr: string } | undefined;
  ended.then((result) => end = result);
  for (;;) {
    if (end) throw new Error(`penstock ended too early: ${end.stderr}`);
    if (await savedMinute(folder) >= minute) return;
    await delay(POLL_MS);
  }
}

/** How far the last checkpoint is. Its file is not there while one is being saved. */
async function savedMinute(folder: string): Promise<number> {
  try {
    const text = await Deno.readTextFile(join(folder, ".penstock", NAME, "checkpoint"));
    return Number(/"minute":(\d+)/.exec(text)?.[1] ?? 0);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return 0;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const numbers = Deno.args.map(Number);
  const [minutes = 525_600, processKills = 20, serverKills = 10] = numbers;
  const write = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(text));
  if (numbers.some(Number.isNaN)) {
    write(`usage: ${USAGE}\n`);
    Deno.exit(2);
  }
  const epochRecords = 20_000;
  const shared = { minutes, epochRecords, tell: write };
  await runIntoInfluxdb({ ...shared, processKills, serverKills: 0 });
  await runIntoInfluxdb({ ...shared, processKills: 0, serverKills });
}
