import { assertEquals, assertRejects } from "@std/assert";
import type { Context } from "../../engine/context.ts";
import { OptionsError } from "../../engine/errors.ts";
import type { Point } from "../../engine/point.ts";
import { noStore } from "../../engine/run/stored.ts";
import { rowsFrom } from "./_binance/scripted_exchange.ts";
import { liveWorld, readLive } from "./_live.ts";
import { opensOf, read, worldOf } from "./_reading.ts";

const MINUTE = 60_000;
const T0 = Date.UTC(2024, 0, 1);
const NOW = T0 + 5_000 * MINUTE + 10_000;
const ROWS = {
  BTCUSDT: rowsFrom(T0, 5_000),
  ETHUSDT: rowsFrom(T0, 5_000),
  BNBUSDT: rowsFrom(T0, 5_000),
};
const OPTIONS = {
  symbols: ["BTCUSDT", "ETHUSDT", "BNBUSDT"],
  interval: "1m",
  from: T0 + 4_998 * MINUTE,
  start: "stored",
} as const;

function at(slot: number): number {
  return T0 + slot * MINUTE;
}

function tagsOf(symbol: string): Point["tags"] {
  return {
    exchange: "binance",
    symbol,
    base: symbol.slice(0, 3),
    quote: symbol.slice(3),
    interval: "1m",
  };
}

function stored(symbol: string, slot: number): Point {
  return {
    measurement: "kline",
    tags: tagsOf(symbol),
    fields: { close: 1.5, avg_gain_14: 0.5, avg_loss_14: 0.25 },
    timeMs: at(slot),
  };
}

/** Stores that hold the series up to a slot; notes what they are asked. */
function storesThatEnd(
  slots: Readonly<Record<string, number>>,
  asked: unknown[] = [],
): Context["storedEnds"] {
  return (series) => {
    asked.push(series);
    return Promise.resolve(series.map(({ symbol = "" }) => {
      const slot = slots[symbol];
      return slot === undefined
        ? undefined
        : { lastMs: at(slot), before: stored(symbol, slot - 1) };
    }));
  };
}

Deno.test("binance_rest goes on from where the stores end, asked once, whatever the gap", async () => {
  const { context, exchange } = worldOf({ rows: ROWS }, NOW);
  const asked: unknown[] = [];
  const storedEnds = storesThatEnd({ BTCUSDT: 100, ETHUSDT: 4_999 }, asked);
  const { batches, records } = await read({ context: { ...context, storedEnds } }, OPTIONS);
  const opens = opensOf(records);
  assertEquals(opens.BTCUSDT?.length, 4_900);
  assertEquals(opens.BTCUSDT?.[0], at(100));
  assertEquals(opens.ETHUSDT, [at(4_999)]);
  assertEquals(opens.BNBUSDT, [at(4_998), at(4_999)]);
  assertEquals(asked, [[tagsOf("BTCUSDT"), tagsOf("ETHUSDT"), tagsOf("BNBUSDT")]]);
  // Pages of a thousand, and one for each series that says there is no more.
  assertEquals(exchange.klines().length, 5 + 1 + 1 + 3);
  assertEquals(batches.map(({ before }) => before), [
    [stored("BTCUSDT", 99), stored("ETHUSDT", 4_998)],
    ...batches.slice(1).map(() => undefined),
  ]);
  assertEquals(batches[0]?.position, {
    "BTCUSDT@1m": { from: at(100), after: at(1_099) },
    "ETHUSDT@1m": { from: at(4_999) },
    "BNBUSDT@1m": { from: at(4_998) },
  });
});

Deno.test("binance_rest asks no store for series that have a position, nor unless it is told to", async () => {
  const asked: unknown[] = [];
  const { context } = worldOf({ rows: ROWS }, NOW);
  const world = { context: { ...context, storedEnds: storesThatEnd({ BNBUSDT: 4_990 }, asked) } };
  const position = {
    "BTCUSDT@1m": { from: T0, after: at(4_998) },
    "ETHUSDT@1m": { from: T0, after: at(4_998) },
  };
  const { records, batches } = await read(world, OPTIONS, position);
  assertEquals(asked, [[tagsOf("BNBUSDT")]]);
  assertEquals(opensOf(records).BNBUSDT?.length, 10);
  assertEquals(batches[0]?.before, [stored("BNBUSDT", 4_989)]);
  const rest = await read(world, { ...OPTIONS, start: "from" });
  assertEquals(asked.length, 1);
  assertEquals(rest.records.length, 3 * 2);
  assertEquals(rest.batches.some((batch) => "before" in batch), false);
  const full = { ...position, "BNBUSDT@1m": { from: T0, after: at(4_998) } };
  await read(world, OPTIONS, full);
  assertEquals(asked.length, 1);
});

Deno.test("binance_rest does not warn of a moved `from` once it went on from a store", async () => {
  const { context } = worldOf({ rows: ROWS }, NOW);
  const place = { from: at(4_990), after: at(4_998) };
  const position = { "BTCUSDT@1m": place, "ETHUSDT@1m": place, "BNBUSDT@1m": place };
  await read({ context }, { ...OPTIONS, from: T0 }, position);
  assertEquals(context.said.filter(({ level }) => level === "warn"), []);
});

Deno.test("binance_rest says so where there is no store to go on from", async () => {
  const { context } = worldOf({ rows: ROWS }, NOW);
  const storedEnds = () => Promise.reject(noStore());
  await assertRejects(
    () => read({ context: { ...context, storedEnds } }, OPTIONS),
    OptionsError,
    "no sink can be read back",
  );
});

Deno.test("binance_websocket goes on from where the stores end, and from now where nothing is stored", async () => {
  const world = liveWorld({ streams: { snapshot_ms: "never" } }, NOW);
  const asked: unknown[] = [];
  const { batches, records } = await readLive(world, {
    symbols: ["BTCUSDT", "ETHUSDT"],
    interval: "1m",
    start: "stored",
  }, {
    untilMs: at(5_002) + 20_000,
    context: (signal) => ({
      ...world.context(signal),
      storedEnds: storesThatEnd({ BTCUSDT: 1_200 }, asked),
    }),
  });
  world.simulator.close();
  const opens = opensOf(records);
  assertEquals(opens.BTCUSDT, Array.from({ length: 3_802 }, (_, index) => at(1_200 + index)));
  assertEquals(opens.ETHUSDT, [at(5_000), at(5_001)]);
  assertEquals(asked, [[tagsOf("BTCUSDT"), tagsOf("ETHUSDT")]]);
  assertEquals(batches[0], {
    records: [],
    position: { "BTCUSDT@1m": { from: at(1_200) }, "ETHUSDT@1m": { from: at(5_000) } },
    before: [stored("BTCUSDT", 1_199)],
  });
  assertEquals(batches.slice(1).some((batch) => "before" in batch), false);
});
