/**
 * A scripted Binance on loopback: candles that a seed decides or that were recorded, on a virtual
 * or a real clock, with the limits and the failures of the exchange.
 *
 * @module
 */

export type { Connection, Peer } from "./connection.ts";
export type {
  Counters,
  KlineRow,
  RequestInfo,
  RequestRecord,
  Simulator,
  SimulatorOptions,
} from "./contract.ts";
export type { Frame } from "./delivery.ts";
export type { FaultRule } from "./fault_rule.ts";
export { type CheckedScenario, loadScenario, parseScenario } from "./scenario.ts";
export { type Scenario, scenarioSchema } from "./scenario.ts";
export { type ServedSimulator, serveSimulator } from "./serve.ts";
export { createSimulator } from "./simulator.ts";
export type { StreamFaultRule } from "./stream_fault_rule.ts";
export type { ConnectionRecord, SentClose, StreamCounters } from "./stream_records.ts";
export type { Handshake } from "./streams.ts";
