/**
 * A scripted Binance on loopback: candles that a seed decides or that were recorded, on a virtual
 * or a real clock, with the limits and the failures of the exchange.
 *
 * @module
 */

export type { FaultRule } from "./fault_rule.ts";
export { type CheckedScenario, loadScenario, parseScenario } from "./scenario.ts";
export { type Scenario, scenarioSchema } from "./scenario.ts";
export type { Connection, Frame, Peer } from "./connection.ts";
export { type ServedSimulator, serveSimulator } from "./serve.ts";
export {
  type Counters,
  createSimulator,
  type KlineRow,
  type RequestInfo,
  type RequestRecord,
  type Simulator,
  type SimulatorOptions,
} from "./simulator.ts";
export type { Handshake } from "./streams.ts";
