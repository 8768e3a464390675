/**
 * A pipeline: as a file writes it, and as it is once loaded and checked.
 *
 * @module
 */

import type { Secret } from "./options.ts";
import type { Placeholder } from "./pipeline_file/placeholders.ts";
import type { OnError, Plugin, SinkPlugin, SourcePlugin, Step, TransformPlugin } from "./plugin.ts";
import type { RecordShape } from "./point.ts";
import type { RefusalLimit } from "./dead_letters/refusal_limit.ts";

/** A pipeline as a file writes it. */
export interface PipelineFile {
  /** Names the pipeline and what is kept for it: letters, digits, `_` and `-`. */
  readonly name: string;
  /** Where records come from. Several are merged. */
  readonly sources: readonly Step[];
  /** What happens to records, in this order. */
  readonly transforms?: readonly Step[];
  /** Where records go. Each sink gets every record. */
  readonly sinks: readonly Step[];
  /** Where records go that a step with `on_error: dead_letter` refuses. */
  readonly dead_letter?: DeadLetterStep;
  /** When a checkpoint is due: whichever comes first. */
  readonly epoch?: {
    /** Records read since the last one. 50,000 by default. */
    readonly records?: number;
    /** Milliseconds since the last one. 5,000 by default. */
    readonly ms?: number;
  };
}

/** Where refused records go, and how many there may be. */
export interface DeadLetterStep extends Step {
  /**
   * The run fails once a step has refused more: `10 in 1000` is 10 of 1,000 records in a row that
   * reach it. `100 in 1000` by default; `none` for no limit.
   */
  readonly max?: string;
}

/** A step that was found, with options that were checked. */
export interface CheckedStep<P extends Plugin = Plugin> {
  /** The plugin. */
  readonly plugin: P;
  /** Its name, unique in the pipeline. */
  readonly id: string;
  /** The options as its schema gives them. */
  readonly options: unknown;
  /** What happens to a record it refuses. */
  readonly onError: OnError;
  /** The module its plugin is of, as the file writes it: a path or specifier. None of penstock's. */
  readonly module?: string;
}

/** A pipeline that was loaded and checked: it can run. */
export interface Pipeline {
  /** Its name. */
  readonly name: string;
  /** The folder of its file, absolute: relative paths in it start here. */
  readonly folder: string;
  /** Where records come from: one at least. */
  readonly sources: readonly CheckedStep<SourcePlugin>[];
  /** What happens to them. */
  readonly transforms: readonly CheckedStep<TransformPlugin>[];
  /** Where they go: one at least. */
  readonly sinks: readonly CheckedStep<SinkPlugin>[];
  /** Where refused records go. */
  readonly deadLetter: CheckedStep<SinkPlugin> | undefined;
  /** How many records a step may refuse. No limit, where there is none. */
  readonly deadLetterLimit?: RefusalLimit | undefined;
  /** What reaches the sinks, each shape once. */
  readonly shapes: readonly RecordShape[];
  /** When a checkpoint is due. */
  readonly epoch: { readonly records: number; readonly ms: number };
  /** Where texts came from that the file does not hold itself: variables, files, programs. */
  readonly placeholders?: readonly Placeholder[];
  /** The secrets in its options: no text that leaves the run may hold one. */
  readonly secrets?: readonly Secret[];
}

/**
 * Types a pipeline written in TypeScript.
 *
 * @example
 * ```ts
 * const pipeline = definePipeline({
 *   name: "candles",
 *   sources: [{ use: "binance_rest", with: { symbols: ["BTCUSDT"], interval: "1h", from: "2024-01-01" } }],
 *   transforms: [{ use: "kline" }],
 *   sinks: [{ use: "stdout" }],
 * });
 * ```
 */
export function definePipeline(pipeline: PipelineFile): PipelineFile {
  const caller: { stack?: string } = {};
  Error.captureStackTrace(caller, definePipeline);
  const [, url, line, column] = CALL_SITE.exec(caller.stack ?? "") ?? [];
  if (url !== undefined) {
    callSites.set(pipeline, { url, line: Number(line), column: Number(column) });
  }
  return pipeline;
}

/** Where in a module a pipeline was defined. */
export interface CallSite {
  /** The URL of the module. */
  readonly url: string;
  /** Line, counted from 1. */
  readonly line: number;
  /** Column, counted from 1. */
  readonly column: number;
}

/**
 * Where {@linkcode definePipeline} was called: mistakes in a pipeline are told there.
 *
 * @param pipeline The very object that it gave back.
 * @returns The place; undefined for an object that never went through it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const pipeline = definePipeline({ name: "none", sources: [], sinks: [] });
 * assertEquals(callSiteOf(pipeline)?.url, import.meta.url);
 * ```
 */
export function callSiteOf(pipeline: object): CallSite | undefined {
  return callSites.get(pipeline);
}

const CALL_SITE = /([a-z]+:\/\/[^\s()]+):(\d+):(\d+)/;
const callSites = new WeakMap<object, CallSite>();
