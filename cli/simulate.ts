/**
 * The simulated exchange behind `--simulate`: on loopback, in the process that watches the run.
 *
 * @module
 */

import { systemClock } from "../engine/clock.ts";
import { OptionsError } from "../engine/errors.ts";
import type { Simulator } from "../simulator/contract.ts";
import type { Simulated } from "./inputs.ts";
import { UsageError } from "./usage.ts";

/** A simulated exchange that listens. */
export interface SimulatedExchange extends Simulated, AsyncDisposable {
  /** Makes what answers, if that was put off. Requests wait for it. */
  make(): Promise<void>;
  /** The port it listens on. */
  readonly port: number;
}

/**
 * Lets the simulator listen.
 *
 * @param scenarioFile Its scenario; the default one for an empty text.
 * @param port Where it listens if it can; else at any port that is free.
 */
export async function startSimulator(
  scenarioFile: string,
  port = 0,
): Promise<SimulatedExchange> {
  const { serveSimulator } = await import("../simulator/serve.ts");
  const simulator = Promise.withResolvers<Simulator>();
  const make = async () => simulator.resolve(await makeSimulator(scenarioFile));
  // A scenario may be wrong, or set in another time. The default one is neither: what answers by it
  // is made while the process starts that will ask.
  const isDefault = scenarioFile === "";
  if (!isDefault) await make();
  const aheadMs = isDefault ? 0 : (await simulator.promise).clock.now() - systemClock.now();
  const server = serveAt(port, (free) => serveSimulator(simulator.promise, { port: free }));
  return {
    port: Number(new URL(server.rest).port),
    urls: { rest: server.rest, stream: server.stream },
    aheadMs,
    make: isDefault ? make : () => Promise.resolve(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Another one may listen there by now, or the system keeps the port for itself. */
function serveAt<Server>(port: number, serve: (port: number) => Server): Server {
  try {
    return serve(port);
  } catch (error) {
    if (port === 0) throw error;
    return serve(0);
  }
}

/** A scenario that is wrong is a wrong value of `--simulate`, not a wrong pipeline file. */
async function makeSimulator(scenarioFile: string): Promise<Simulator> {
  const { createSimulator, loadScenario } = await import("../simulator/mod.ts");
  try {
    const scenario = scenarioFile === "" ? {} : await loadScenario(scenarioFile);
    return createSimulator(scenario, { clock: systemClock });
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    throw new UsageError(error.message, { cause: error.cause, hint: error.hint });
  }
}
