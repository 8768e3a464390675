/** Random troubles for `binance_websocket`, drawn from a seed. */

import { assert, assertEquals } from "@std/assert";
import type { Position } from "../../engine/plugin.ts";
import type { Point, RawCandle, Series } from "../../engine/point.ts";
import type { Scenario } from "../../simulator/mod.ts";
import { seededRandom } from "../contracts/context.ts";
import { Indicators, pointText } from "./_indicators.ts";
import {
  closedRows,
  type LiveOptions,
  type LiveWorld,
  liveWorld,
  orderOf,
  readLive,
} from "./_live.ts";

const MINUTE = 60_000;
const START = Date.UTC(2024, 4, 17, 9, 30, 20);
/** Troubles end here; after it, all that was missed has to come. */
const TROUBLE_MS = 30 * MINUTE;
const CALM_MS = 12 * MINUTE;
const WEIGHT = 600;

/** What a seed stands for. */
export interface Trouble {
  readonly scenario: Scenario;
  readonly options: LiveOptions;
  /** How far the clock of this machine is ahead. */
  readonly aheadMs: number;
  /** How long the consumer takes for a batch at the most. */
  readonly slowMs: number;
  /** When the process is killed, in milliseconds after the start. */
  readonly killsMs: readonly number[];
}

/** Draws troubles. */
export function troubleOf(seed: number): Trouble {
  const random = seededRandom(seed);
  const chance = (share: number) => random() < share;
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least));
  const at = (ms = between(0, TROUBLE_MS)) => START + ms;
  const pick = <T>(...choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  const symbols = ["BTCUSDT", "ETHUSDT", "WANBTC", "币安人生USDT"].slice(0, between(1, 5));
  const faults: NonNullable<Scenario["faults"]> = [];
  const streamFaults: NonNullable<Scenario["stream_faults"]> = [];
  const span = (most = 8 * MINUTE) => {
    const from = at();
    return { from, to: Math.min(from + between(1_000, most), START + TROUBLE_MS) };
  };
  for (let count = between(0, 7); count > 0; count--) {
    const symbol = chance(0.5) ? { symbol: pick(...(symbols as [string])) } : {};
    streamFaults.push(
      pick<() => NonNullable<Scenario["stream_faults"]>[number]>(
        () => ({ kind: "cut", at: at() }),
        () => ({ kind: "close", at: at(), code: pick(1001, 1006, 1008) }),
        () => ({ kind: "half_open", at: at(), times: 1 }),
        () => ({ kind: "shutdown", at: at(), close_after_ms: between(0, 120_000) }),
        () => ({ kind: "shutdown", at: at() }),
        () => ({ kind: "refuse", times: between(1, 6), from: at() }),
        () => ({ kind: "mute", ...symbol, ...span() }),
        () => ({ kind: "omit", ...symbol, from: at(), times: between(1, 4) }),
        () => ({ kind: "omit", ...symbol, from: at(), times: between(1, 20), events: "all" }),
        () => ({ kind: "late", ...symbol, ...span(), times: 3, delay_ms: between(1, 90_000) }),
        () => ({ kind: "repeat", ...symbol, from: at(), times: 5, gap_ms: between(0, 90_000) }),
        () => ({ kind: "reorder", ...symbol, from: at(), times: 3 }),
        () => ({ kind: "hold", ...symbol, from: at(), times: 2 }),
        () => ({ kind: "skew", skew_ms: between(-5_000, 5_000), ...span() }),
        () => ({ kind: "insert", frame: pick("unknown_event", "not_json", "binary"), from: at() }),
        () => ({ kind: "extra_fields", from: at(), times: 50 }),
      )(),
    );
  }
  for (let count = between(0, 4); count > 0; count--) {
    const path = "/api/v3/klines";
    faults.push(
      pick<() => NonNullable<Scenario["faults"]>[number]>(
        () => ({ kind: "status", status: 429, retry_after_s: between(1, 40), from: at() }),
        () => ({ kind: "status", status: 418, retry_after_s: between(60, 200), from: at() }),
        () => ({ kind: "status", status: 503, times: 3, path, from: at() }),
        () => ({ kind: "html", status: 403, path, from: at() }),
        () => ({ kind: "slow", delay_ms: between(100, 30_000), times: 3, path, from: at() }),
        () => ({ kind: "truncate", path, from: at() }),
        () => ({ kind: "reset", path, from: at() }),
        () => ({ kind: "rows", path, from: at(), rows: { change: "missing", row: -1 } }),
      )(),
    );
  }
  const halts = chance(0.3) ? [span(6 * MINUTE)] : [];
  const outages = chance(0.25) ? [span(12 * MINUTE)] : [];
  const from = chance(0.5) ? { from: START - between(1, 3_000) * MINUTE } : {};
  const trouble: Trouble = {
    scenario: {
      ...{ seed, faults, stream_faults: streamFaults, halts, outages },
      lag: chance(0.4) ? { absent_ms: between(0, 3_000), changing_ms: between(0, 2_500) } : {},
      limits: { weight_per_minute: WEIGHT },
      streams: { snapshot_ms: 20_000 },
    },
    options: {
      symbols,
      interval: chance(0.3) ? ["1m", "5m"] : "1m",
      streams_per_connection: between(1, 5),
      ...from,
    },
    aheadMs: chance(0.3) ? between(-20_000, 20_000) : 0,
    slowMs: chance(0.3) ? between(1, 20_000) : 0,
    killsMs: chance(0.4)
      ? [between(1, TROUBLE_MS), between(1, TROUBLE_MS)].sort((a, b) => a - b)
      : [],
  };
  const updates = chance(0.25) ? "all" : "closed";
  return { ...trouble, options: { ...trouble.options, updates } };
}

/** Reads through the troubles of a seed, and fails unless all came as it should. */
export async function playSeed(seed: number): Promise<void> {
  const trouble = troubleOf(seed);
  const world = liveWorld(trouble.scenario, START);
  try {
    await play(world, trouble, seed);
  } finally {
    world.simulator.close();
  }
}

async function play(world: LiveWorld, trouble: Trouble, seed: number): Promise<void> {
  const { records: all, points, beganMs, corrected } = await readThrough(world, trouble, seed);
  const records = latest(all);
  const again = all.filter(({ closed }) => closed === true).length - records.length;
  assert(again <= corrected, `${again} candles came twice, ${corrected} were announced`);
  const endMs = world.clock.now() - 2 * MINUTE;
  const { symbols, interval, from } = trouble.options;
  const fromMs = typeof from === "number" ? from : beganMs;
  const expected: { line: string; endMs: number; at: number }[] = [];
  const rows = closedRows(records);
  let at = 0;
  for (const symbol of symbols as string[]) {
    for (const one of [interval].flat() as ("1m" | "5m")[]) {
      const lengthMs = one === "1m" ? MINUTE : 5 * MINUTE;
      const first = typeof from === "number" ? fromMs : Math.floor(fromMs / lengthMs) * lengthMs;
      const truth = world.simulator.candles(symbol, one, first, endMs)
        .filter((row) => row[6] < endMs);
      assert(truth.length > (one === "1m" ? 5 : 0), "there must be something to compare");
      const key = `${symbol}@${one}`;
      const given = (rows[key] ?? []).slice(0, truth.length);
      assertEquals(given, truth.map((row) => row.slice(0, 11).map(String).join(" ")), key);
      const ofSeries = ({ tags, fields }: Point) =>
        `${tags.symbol}@${tags.interval}` === key && fields.closed === true;
      checkIndicators(points.filter(ofSeries), truth);
      for (const [openMs] of truth) {
        const line = `${key} ${new Date(openMs).toISOString()}`;
        expected.push({ line, endMs: Math.floor(openMs / lengthMs + 1) * lengthMs, at });
      }
      at++;
    }
  }
  expected.sort((a, b) => a.endMs - b.endMs || a.at - b.at);
  assertEquals(orderOf(records).slice(0, expected.length), expected.map(({ line }) => line));
  const { peakWeight, streams } = world.simulator.counters;
  assert(peakWeight <= WEIGHT, `weight ${peakWeight}`);
  assert(streams.peakHandshakes <= 120, `handshakes ${streams.peakHandshakes}`);
}

/** Reads, and is killed now and then: what came after the last checkpoint is lost and read again. */
async function readThrough(world: LiveWorld, trouble: Trouble, seed: number) {
  const random = seededRandom(seed + 1_000_000);
  const records: RawCandle[] = [];
  const points: Point[] = [];
  const indicators = new Indicators();
  let position: Position = {};
  let beganMs: number | undefined;
  let corrected = 0;
  for (const stopMs of [...trouble.killsMs, TROUBLE_MS + CALM_MS]) {
    const isLast = stopMs === TROUBLE_MS + CALM_MS;
    const untilMs = START + stopMs;
    const { batches, context } = await readLive(world, trouble.options, {
      untilMs,
      from: JSON.parse(JSON.stringify(position)),
      context: (signal) => world.context(signal, seed, trouble.aheadMs),
      each: async () => {
        const slowMs = world.clock.now() < START + TROUBLE_MS ? trouble.slowMs : 0;
        if (slowMs > 0) await world.clock.sleep(random() * slowMs);
      },
    });
    corrected += context.counters.get("corrected_candles") ?? 0;
    const saved = isLast ? batches.length : Math.floor(random() * (batches.length + 1));
    for (const batch of batches.slice(0, saved)) {
      if (beganMs === undefined) {
        const first = Object.values(batch.position)[0];
        beganMs = Number(Object(first).from);
      }
      records.push(...batch.records);
      points.push(...indicators.run(batch.records));
      position = { ...position, ...batch.position };
    }
    indicators.resume();
  }
  return { records, points, beganMs: beganMs ?? START, corrected };
}

/**
 * Compares the points of a series with those of an uninterrupted run over the truth, indicators
 * included.
 */
function checkIndicators(points: readonly Point[], truth: readonly (readonly unknown[])[]): void {
  const last = new Map<number, Point>();
  let lastMs = -Infinity;
  for (const point of points) {
    assert(
      point.timeMs >= lastMs,
      `${point.timeMs} after ${lastMs}: a correction came when indicators could not go back any more`,
    );
    lastMs = point.timeMs;
    last.set(lastMs, point);
  }
  const series = points[0]?.tags as Series | undefined;
  const candles = series ? truth.map((candle) => ({ series, candle, closed: true })) : [];
  const expected = new Indicators().run(candles).map(pointText);
  assertEquals([...last.values()].slice(0, expected.length).map(pointText), expected);
}

/** Records with each closed candle once, where it came first, with the values that came last. */
function latest(records: readonly RawCandle[]): RawCandle[] {
  const byName = new Map<string, RawCandle>();
  for (const record of records) {
    const { series, candle, closed } = record;
    // Snapshots come many times.
    if (closed !== true || !Array.isArray(candle)) continue;
    byName.set(`${series.symbol}@${series.interval} ${candle[0]}`, record);
  }
  return [...byName.values()];
}
