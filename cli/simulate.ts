/**
 * The simulated exchange behind `--simulate`: on loopback, in this process.
 *
 * @module
 */

import { systemClock } from "../engine/clock.ts";
import type { Clock } from "../engine/context.ts";
import type { SimulatorUrls } from "../engine/plugin.ts";

/** A simulator that runs. */
export interface RunningSimulator extends AsyncDisposable {
  /** Where it listens. */
  readonly urls: SimulatorUrls;
  /** The time it lives in, which the pipeline must share. */
  readonly clock: Clock;
}

/**
 * Starts the simulator.
 *
 * @param scenarioFile Its scenario; the default one for an empty text.
 */
export async function startSimulator(scenarioFile: string): Promise<RunningSimulator> {
  // Loaded on demand: a run against the real exchange has no use for it.
  const { createSimulator, loadScenario, serveSimulator } = await import("../simulator/mod.ts");
  const scenario = scenarioFile === "" ? {} : await loadScenario(scenarioFile);
  const clock = shiftedClock(scenario.now);
  const server = await serveSimulator(createSimulator(scenario, { clock }), {});
  return {
    urls: { rest: server.rest, stream: server.stream },
    clock,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** The machine's clock, set to another moment. */
function shiftedClock(startMs: number | undefined): Clock {
  if (startMs === undefined) return systemClock;
  const shiftMs = startMs - systemClock.now();
  return { now: () => systemClock.now() + shiftMs, sleep: systemClock.sleep };
}
