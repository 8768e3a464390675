/**
 * Contract suites for plugins, and fakes to run them in: `penstock/testing`.
 *
 * A suite is called once per plugin, in a test file. It registers one test for each point of the
 * contract; a failure says which point is broken.
 *
 * @example A test file
 * ```ts ignore
 * import { fakeContext, testSource } from "penstock/testing";
 * import csvFile from "./csv_file.ts";
 *
 * testSource(csvFile, {
 *   options: { path: "prices.csv" },
 *   context: (signal) => fakeContext({ signal, files: new Map([["prices.csv", "close\n12.5\n"]]) }),
 *   records: [{ close: "12.5" }],
 * });
 * ```
 *
 * @module
 */

export { VirtualClock } from "../../engine/clock.ts";
export { type FakeContext, fakeContext, type FakeOptions, seededRandom } from "./context.ts";
export type { Check, PluginCase } from "./plugin.ts";
export { type SinkCase, sinkChecks, type SinkTarget, testSink } from "./sink.ts";
export { type FailingWorld, type SourceCase, sourceChecks, testSource } from "./source.ts";
export { testTransform, type TransformCase, transformChecks } from "./transform.ts";
