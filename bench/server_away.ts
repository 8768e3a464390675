/**
 * Memory while the server of a sink is away for an hour, with live candles of 1,024 streams.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { V8_FLAGS } from "../cli/confine/flags.ts";
import type { BenchRow } from "./table.ts";

const SERVER_AWAY = fromFileUrl(new URL("_server_away.ts", import.meta.url));

/** What an hour without the server takes; it fails if a single candle is missing in the end. */
export async function serverAway(): Promise<BenchRow[]> {
  if (Deno.build.os !== "linux") {
    return [{ name: "server away", value: NaN, unit: "MB", note: "measured on Linux only" }];
  }
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", V8_FLAGS, SERVER_AWAY],
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  const { missing, series, peakMb, before, away } = JSON.parse(new TextDecoder().decode(stdout));
  if (missing !== 0) throw new Error(`Cannot measure: ${missing} candles are missing in the end`);
  return [{
    name: "peak memory, server away for an hour",
    value: peakMb,
    unit: "MB",
    bound: { below: 200 },
    note: `${series} streams, simulated exchange included; heap ${before.toFixed(0)} MB before, ${
      away.toFixed(0)
    } MB at the end of the hour; nothing lost`,
  }];
}
