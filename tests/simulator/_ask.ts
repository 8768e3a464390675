/**
 * Asks a simulator within the process.
 *
 * @module
 */

import { VirtualClock } from "../../engine/clock.ts";
import {
  createSimulator,
  type KlineRow,
  type Scenario,
  type Simulator,
  type SimulatorOptions,
} from "../../simulator/mod.ts";

/** Half a minute past midnight, so that a candle of every interval is under way. */
export const NOW = Date.UTC(2024, 5, 1, 0, 0, 30);
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** A simulator on a clock that moves only when told to. */
export function simulate(
  scenario: Scenario = {},
  options: Omit<SimulatorOptions, "clock"> = {},
): { readonly simulator: Simulator; readonly clock: VirtualClock } {
  const clock = new VirtualClock(NOW, { manual: true });
  return { simulator: createSimulator(scenario, { clock, ...options }), clock };
}

/** One request. */
export function ask(
  simulator: Simulator,
  pathAndQuery: string,
  init: RequestInit = {},
): Promise<Response> {
  return simulator.handle(new Request(`http://localhost${pathAndQuery}`, init));
}

/** The rows of a request for candles. */
export async function askRows(simulator: Simulator, query: string): Promise<KlineRow[]> {
  const response = await ask(simulator, `/api/v3/klines?${query}`);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return await response.json();
}

/** The open times of a request for candles, as text. */
export async function askTimes(simulator: Simulator, query: string): Promise<string[]> {
  return (await askRows(simulator, query)).map((row) => isoMinute(row[0]));
}

/** A moment without seconds, unless it has some. */
export function isoMinute(ms: number): string {
  return new Date(ms).toISOString().replace(/(?::00)?\.000Z$/, "");
}

/** Status, code and message of an error. */
export async function askError(
  simulator: Simulator,
  pathAndQuery: string,
): Promise<readonly [number, number, string]> {
  const response = await ask(simulator, pathAndQuery);
  const body: { readonly code: number; readonly msg: string } = await response.json();
  return [response.status, body.code, body.msg];
}
