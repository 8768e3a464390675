/**
 * penstock: describe a flow of market data in a short file, and run it for years without losing,
 * doubling or bending a value.
 *
 * This is what plugins and pipelines in TypeScript import. Plugin authors find the contract suites
 * in `penstock/testing`, and option types such as times and secrets in `penstock/options`.
 *
 * @example A transform of your own
 * ```ts
 * import { z } from "zod";
 *
 * export default defineTransform({
 *   id: "keep_symbol",
 *   summary: "Keeps the points of one symbol",
 *   options: z.strictObject({ symbol: z.string().describe("Symbol to keep, upper case") }),
 *   shape: (input) => input,
 *   step(point: Point, { options, emit }) {
 *     if (point.tags.symbol === options.symbol) emit(point);
 *   },
 * });
 * ```
 *
 * @module
 */

export type {
  Clock,
  Context,
  Files,
  Json,
  Labels,
  Log,
  LogDetails,
  Metrics,
  OpenFile,
  SeriesStatus,
  StoredEnd,
} from "./engine/context.ts";
export { Decimal } from "./engine/decimal.ts";
export {
  type ErrorDetails,
  FatalError,
  OptionsError,
  PenstockError,
  RecordError,
  RetryableError,
  type RetryDetails,
} from "./engine/errors.ts";
export {
  floorToInterval,
  type Interval,
  intervalMs,
  INTERVALS,
  missingBetween,
  nextOpen,
} from "./engine/interval.ts";
export { type Schema, type SchemaIssue, Secret } from "./engine/options.ts";
export { type DeadLetterStep, definePipeline, type PipelineFile } from "./engine/pipeline.ts";
export {
  type Chunk,
  defineSink,
  defineSource,
  defineTransform,
  type DeliveryPromise,
  type Doubt,
  type Encoding,
  type LastQuery,
  type OnError,
  type Opening,
  type Permissions,
  type Plugin,
  type PluginSpec,
  type Position,
  type RangeQuery,
  type Rejection,
  type ReplayPromise,
  type SeriesPlace,
  type SeriesRange,
  type SimulatorUrls,
  type SinkPlugin,
  type SinkSpec,
  type SinkStore,
  type SinkWriter,
  type SourceBatch,
  type SourceCost,
  type SourceHistory,
  type SourcePlugin,
  type SourceSpec,
  type Step,
  type StepContext,
  type TransformPlugin,
  type TransformSpec,
} from "./engine/plugin.ts";
export type {
  FieldType,
  FieldValue,
  Point,
  PointShape,
  RawCandle,
  RawShape,
  RecordShape,
  Series,
} from "./engine/point.ts";
export { resolveTime, type Time, type TimeUnit } from "./engine/time.ts";
