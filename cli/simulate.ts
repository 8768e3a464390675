/**
 * The simulated exchange behind `--simulate`: on loopback, in the process that watches the run.
 *
 * @module
 */

import { systemClock } from "../engine/clock.ts";
import { OptionsError } from "../engine/errors.ts";
import type { Simulated } from "./inputs.ts";
import { UsageError } from "./usage.ts";

/**
 * Starts the simulator.
 *
 * @param scenarioFile Its scenario; the default one for an empty text.
 */
export async function startSimulator(scenarioFile: string): Promise<Simulated & AsyncDisposable> {
  // Loaded on demand: a run against the real exchange has no use for it.
  const { createSimulator, loadScenario, serveSimulator } = await import("../simulator/mod.ts");
  const simulator = await loading(async () => {
    const scenario = scenarioFile === "" ? {} : await loadScenario(scenarioFile);
    return createSimulator(scenario, { clock: systemClock });
  });
  const server = serveSimulator(simulator);
  return {
    urls: { rest: server.rest, stream: server.stream },
    aheadMs: simulator.clock.now() - systemClock.now(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** A scenario that is wrong is a wrong value of `--simulate`, not a wrong pipeline file. */
async function loading<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    throw new UsageError(error.message, { cause: error.cause, hint: error.hint });
  }
}
