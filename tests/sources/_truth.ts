/** Reading `binance_websocket` from the simulator, and comparing with what the exchange has. */

import { assertEquals } from "@std/assert";
import type { Scenario } from "../../simulator/mod.ts";
import {
  closedRows,
  type LiveOptions,
  type LiveReading,
  type LiveRun,
  type LiveWorld,
  liveWorld,
  orderOf,
  readLive,
} from "./_live.ts";

/** Milliseconds. */
export const MINUTE = 60_000;
/** When the tests begin. */
export const NOW = Date.UTC(2024, 4, 17, 9, 30, 20);
const SYMBOLS = ["BTCUSDT", "ETHUSDT"];

/** What was read, and in which world. */
export interface Played extends LiveReading {
  readonly world: LiveWorld;
}

/** Reads for some minutes, and compares with what the exchange has, candle by candle, in order. */
export async function playTruth(
  scenario: Scenario,
  minutes = 12,
  options: LiveOptions = {},
  run: Partial<LiveRun> = {},
): Promise<Played> {
  const world = liveWorld({ streams: { snapshot_ms: 10_000 }, ...scenario }, NOW);
  try {
    const untilMs = NOW + minutes * MINUTE;
    const given = { symbols: SYMBOLS, interval: "1m", ...options };
    const reading = await readLive(world, given, { untilMs, ...run });
    checkTruth(world, reading, given);
    return { ...reading, world };
  } finally {
    world.simulator.close();
  }
}

/** Compares what was read with what the exchange has. */
export function checkTruth(
  { clock, simulator }: LiveWorld,
  { records }: LiveReading,
  { symbols, from }: { readonly symbols: readonly string[]; readonly from?: unknown },
): void {
  const endMs = clock.now() - 30_000;
  const rows = closedRows(records);
  const expected: string[] = [];
  const first = typeof from === "number" ? from : Math.floor(NOW / MINUTE) * MINUTE;
  for (const symbol of symbols) {
    const truth = simulator.candles(symbol, "1m", first, endMs).filter((row) => row[6] < endMs);
    const given = rows[`${symbol}@1m`]?.slice(0, truth.length);
    assertEquals(given, truth.map((row) => row.slice(0, 11).map(String).join(" ")), symbol);
    expected.push(...truth.map(([openMs]) => `${openMs} ${symbol}`));
  }
  const rank = (line: string) => symbols.indexOf(line.split(" ")[1] ?? "");
  expected.sort((a, b) => parseInt(a) - parseInt(b) || rank(a) - rank(b));
  const order = orderOf(records).map((line) => {
    const [key = "", time = ""] = line.split(" ");
    return `${Date.parse(time)} ${key.split("@")[0]}`;
  });
  assertEquals(order.slice(0, expected.length), expected);
}

/** A moment, counted from the minute in which the tests begin. */
export function at(minute: number, second = 0): number {
  return Math.floor(NOW / MINUTE) * MINUTE + minute * MINUTE + second * 1_000;
}
