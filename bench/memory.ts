/**
 * Peak memory of a backfill to a file, for a short and a long history.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { V8_FLAGS } from "../cli/confine/flags.ts";
import { systemClock } from "../engine/clock.ts";
import { createSimulator, serveSimulator } from "../simulator/mod.ts";
import type { BenchRow } from "./table.ts";

const BACKFILL = fromFileUrl(new URL("_backfill.ts", import.meta.url));

/** One symbol, 1m candles, with RSI, to a file. The simulated exchange is another process. */
export async function memory(): Promise<BenchRow[]> {
  if (Deno.build.os !== "linux") {
    return [{ name: "peak memory", value: NaN, unit: "MB", note: "measured on Linux only" }];
  }
  const month = await backfill("2024-12-01", "2025-01-01");
  const years = await backfill("2020-01-01", "2025-01-01");
  const rate = years.lines / years.seconds;
  return [
    {
      name: "peak memory, 1 month of 1m",
      value: month.peakMb,
      unit: "MB",
      note: `${month.lines} candles`,
    },
    {
      name: "peak memory, 5 years of 1m",
      value: years.peakMb,
      unit: "MB",
      bound: { below: 150 },
      note: `${years.lines} candles, ${rate.toFixed(0)} a second`,
    },
    {
      name: "5 years against 1 month",
      value: years.peakMb / month.peakMb,
      unit: "×",
      bound: { below: 1.1 },
    },
  ];
}

interface Backfill {
  readonly peakMb: number;
  readonly lines: number;
  readonly seconds: number;
}

async function backfill(from: string, to: string): Promise<Backfill> {
  const scenario = { limits: { weight_per_minute: 1_000_000 } };
  const server = serveSimulator(createSimulator(scenario, { clock: systemClock }));
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  try {
    const file = join(folder, "backfill.json");
    const pipeline = {
      name: "backfill",
      sources: [{
        use: "binance_rest",
        with: { symbols: ["BTCUSDT"], interval: "1m", from, to, base_url: server.rest },
      }],
      transforms: [{ use: "kline" }, { use: "rsi" }],
      sinks: [{ use: "file", with: { path: "out.lp" } }],
    };
    await Deno.writeTextFile(file, JSON.stringify(pipeline));
    const startMs = performance.now();
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", V8_FLAGS, BACKFILL, file],
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const { peakMb, records } = JSON.parse(new TextDecoder().decode(stdout));
    return { peakMb, lines: records, seconds: (performance.now() - startMs) / 1_000 };
  } finally {
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
}
