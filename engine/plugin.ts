// deno-lint-ignore-file no-explicit-any -- a registry holds plugins of all options and records
/**
 * The three contracts: source, transform and sink.
 *
 * Batches move on asynchronous edges, logic sees single records. Whatever must survive a crash is
 * returned as data (position, state, token) and kept by the engine, never hidden in a closure.
 *
 * @module
 */

import type { Context, Json } from "./context.ts";
import type { RecordError } from "./errors.ts";
import type { Schema } from "./options.ts";
import type { FieldValue, Point, PointShape, RecordShape } from "./point.ts";

/** What a plugin must be allowed to reach. Exact: no wildcards. */
export interface Permissions {
  /** Hosts with port, such as `api.binance.com:443`. */
  readonly net?: readonly string[];
  /** Files or folders it reads. */
  readonly read?: readonly string[];
  /** Files or folders it writes. */
  readonly write?: readonly string[];
  /** Environment variables that a library it uses reads. */
  readonly env?: readonly string[];
}

/** One step of a pipeline: a plugin and its options, as a pipeline file writes it. */
export interface Step {
  /** The plugin: its id, a path or specifier of a custom one, or the plugin itself. */
  readonly use: string | Plugin;
  /** Its options. */
  readonly with?: unknown;
  /** Names the step and what is kept for it. The plugin's id by default. */
  readonly id?: string;
  /** What happens to a record the step refuses. `stop` by default. */
  readonly on_error?: OnError;
}

/** What happens to a record that a step refuses. */
export type OnError = "stop" | "dead_letter" | "drop";

/** What every plugin says of itself. */
export interface PluginSpec<Options, Input> {
  /** Its name in pipeline files, equal to its file name: `snake_case`. */
  readonly id: string;
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /** Its options: a strict zod object with every field described. */
  readonly options: Schema<Options, Input>;
  /** What it must be allowed to reach with these options. Pure. Nothing, where it is left out. */
  permissions?(options: Options): Permissions;
}

/**
 * Where a source resumes: a JSON object. The entries of a batch's position replace those of the
 * same name in what is kept, so that a source of many series gives only those that moved.
 */
export type Position = { readonly [key: string]: Json };

/** Records that a source gives together. */
export interface SourceBatch<Out> {
  /** The records, in order. May be empty, to move the position alone. */
  readonly records: readonly Out[];
  /** Where to resume after these records. */
  readonly position: Position;
  /** How much of finite work is done after these records, from 0 to 1. */
  readonly progress?: number;
  /**
   * Points that are stored already, each the last of its series before these records: transforms
   * that know nothing of that series yet go on from them, see {@linkcode TransformSpec.state}.
   */
  readonly before?: readonly Point[];
}

/** A range of one series. */
export interface SeriesRange {
  /** The tags that name the series. */
  readonly tags: Point["tags"];
  /** The first time, in epoch milliseconds; the first there is, where it is left out. */
  readonly fromMs?: number | undefined;
  /** The end, exclusive, in epoch milliseconds. */
  readonly toMs: number;
}

/** Range by range, what a source has of its series: for audits and repairs. */
export interface SourceHistory<Options, Out> {
  /**
   * The range of each series that must be stored: all that the options ask for, and all that was
   * read before a position. It ends right where the position stands; for a series without one, at
   * what is final now.
   *
   * @param from The position of the last checkpoint; an empty object where there is none.
   */
  ranges(options: Options, from: Position, context: Context): Promise<readonly SeriesRange[]>;
  /** Reads one range of one series, in order: final records only. */
  read(options: Options, range: SeriesRange, context: Context): AsyncIterable<readonly Out[]>;
}

/** Where one series of a source stands, for people. */
export interface SeriesPlace {
  /** The series, as the source calls it. */
  readonly series: string;
  /** The time of the last record it gave, in epoch milliseconds. Absent before the first. */
  readonly lastMs?: number | undefined;
  /** How many records it should have given beyond that one by now. */
  readonly behind?: number | undefined;
  /** What these are called. `records` by default. */
  readonly unit?: string | undefined;
}

/**
 * What reading again from a position gives: the same records (`exact`); the same final ones, but not
 * those that were still to change, such as candles that are open (`final`); the same for a while
 * (`bounded`); or only what is new (`none`).
 */
export type ReplayPromise = "exact" | "final" | "bounded" | "none";

/** What it takes to read all that a source's options ask for, from the beginning up to now. */
export interface SourceCost {
  /** Series. */
  readonly series: number;
  /** Records of all series: at most so many, as there may be holes. */
  readonly records: number;
  /** Requests. */
  readonly requests: number;
  /** Bytes of the answers, about. */
  readonly bytes: number;
  /** How long it takes at least, in milliseconds: what limits allow, and answers need. */
  readonly ms: number;
  /** What else it uses up, by name, such as `weight` of a rate limit. */
  readonly uses?: Readonly<Record<string, number>>;
}

/** What a source is made of. */
export interface SourceSpec<Options, Input, Out> extends PluginSpec<Options, Input> {
  /** What reading again gives; a function where that depends on the options. */
  readonly replay: ReplayPromise | ((options: Options) => ReplayPromise);
  /** Whether it goes on until it is told to stop: that it ends by itself is then a failure. */
  readonly endless?: boolean;
  /** What its records look like. */
  shape(options: Options): RecordShape;
  /**
   * Reads. The end of the iteration is the end of the input; the engine pulls, one batch at a time.
   * Once the context's signal has aborted, the next pull ends or throws its reason.
   *
   * @param options The checked options.
   * @param from The position of an earlier run; an empty object at the first.
   * @param context The world.
   */
  read(options: Options, from: Position, context: Context): AsyncIterable<SourceBatch<Out>>;
  /**
   * Says where a position stands, series by series, for `state show`. Pure. Positions are shown as
   * they are, where it is left out.
   *
   * @param options The checked options.
   * @param position A position that it has given.
   * @param nowMs Epoch milliseconds.
   */
  describePosition?(options: Options, position: Position, nowMs: number): readonly SeriesPlace[];
  /**
   * What reading from the beginning up to now costs, for `explain`. Pure, without a question to
   * anyone. Only where it can be told.
   *
   * @param options The checked options.
   * @param nowMs Epoch milliseconds.
   */
  cost?(options: Options, nowMs: number): SourceCost;
  /** Options that turn it to a simulated exchange, for `--simulate`. Only where it has one. */
  simulated?(urls: SimulatorUrls): Partial<Input>;
  /** Its history, for audits and repairs. Only where it can be asked for by series and range. */
  readonly history?: SourceHistory<Options, Out>;
  /**
   * Tries whether it could be read, changing nothing: for `check --probe`.
   *
   * @returns What was found, in words.
   * @throws {PenstockError} If not; the message says what must hold.
   */
  probe?(options: Options, context: Context): Promise<string>;
}

/** Where a simulator listens. */
export interface SimulatorUrls {
  /** REST, such as `http://127.0.0.1:40001`. */
  readonly rest: string;
  /** Websocket, such as `ws://127.0.0.1:40001`. */
  readonly stream: string;
}

/** What a transform's step works with. Valid during the call only. */
export interface StepContext<Options, State, Out> {
  /** The checked options. */
  readonly options: Options;
  /** The state of the record's key. Never changed in place: return a new one. */
  readonly state: State;
  /** Gives a record on. Called any number of times. What was given is taken back if the step throws. */
  emit(record: Out): void;
}

/** What a transform doubts about a stored point. */
export interface Doubt {
  /** In words that follow "points": `without "close"`. The same for the same fault. */
  readonly what: string;
  /** Points in a row below which it is nothing. 1 where it is left out. */
  readonly least?: number;
  /** Whether the point is not whole: it then counts as missing, and a repair fetches it. */
  readonly isUnfinished?: boolean;
}

/** What a transform is made of. */
export interface TransformSpec<Options, Input, State, In, Out> extends PluginSpec<Options, Input> {
  /**
   * What its records look like, given what comes in.
   *
   * @throws {OptionsError} If it cannot work with what comes in; the message says what must hold.
   */
  shape(input: RecordShape, options: Options): RecordShape;
  /** Names the state a record belongs to; one state for all where it is left out. */
  key?(record: In, options: Options): string;
  /** The state at the start of a key: plain JSON. Left out by a transform that remembers nothing. */
  readonly state?: {
    /** Raised when an older state can no longer be read. */
    readonly version: number;
    /** The state before the first record of a key. */
    initial(options: Options): State;
    /**
     * The state right after a point that this very transform gave, read back from a store.
     *
     * @returns Nothing if the point does not hold enough to go on from.
     */
    restore?(point: Point, options: Options): State | undefined;
  };
  /**
   * Works on one record: synchronous, no clock, no network, no randomness, no memory of its own.
   *
   * @returns The state after this record. The engine keeps the old one if the step throws.
   * @throws {RecordError} To refuse the record.
   */
  step(record: In, step: StepContext<Options, State, Out>): State;
  /**
   * Values that say as much as no value, for fields that a point no longer has when it is computed
   * anew: a store cannot take a field away.
   */
  blanks?(options: Options): Readonly<Record<string, FieldValue>>;
  /** What is odd about a point that it gave once and that is final by now: for audits. Pure. */
  doubts?(point: Point, options: Options): readonly Doubt[];
}

/** What a sink's encoding works with. */
export interface Encoding<Options> {
  /** The checked options. */
  readonly options: Options;
  /** What the records may look like. The same object throughout a run. */
  readonly shapes: readonly RecordShape[];
  /**
   * Memory of bytes that were delivered and that nobody needs any more: those that are given may lie
   * in it, whatever it holds. Fresh memory takes longer than to fill it.
   */
  readonly spare?: ArrayBuffer | undefined;
  /** Refuses one record by its index; the rest is encoded. */
  reject(index: number, error: RecordError): void;
}

/** What a sink's writer is given to deliver. */
export interface Chunk<In> {
  /** What `encode` made of the records. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The records in it, in order. */
  readonly records: readonly In[];
}

/** A record that the target refused. */
export interface Rejection {
  /** Its index in the chunk. */
  readonly index: number;
  /** The target's own words. */
  readonly reason: string;
}

/** An open sink. */
export interface SinkWriter<In> {
  /**
   * Sends a chunk. One call at a time. Its bytes are needed no longer than that: their memory may
   * then be used again.
   *
   * @returns Once the target has acknowledged it; the records it refused, where it refused some.
   * @throws {RetryableError} If none of it may be counted as stored; the engine sends it again.
   */
  deliver(chunk: Chunk<In>): Promise<readonly Rejection[] | void>;
  /**
   * Makes all that was delivered durable.
   *
   * @returns A token for the checkpoint: what `open` needs to go on from this very moment.
   */
  flush(): Promise<Json>;
  /** Frees what is held, also after a failure. A second call does nothing. */
  close(): Promise<void>;
}

/** What a sink is opened with. */
export interface Opening {
  /**
   * The token of the last checkpoint: what was written after it is taken back where the sink can.
   * Undefined at the first run.
   */
  readonly token: Json | undefined;
  /** What the records may look like. The same object throughout a run. */
  readonly shapes: readonly RecordShape[];
}

/** What is asked of a store for the last points of some series. */
export interface LastQuery {
  /** What the points look like: their measurement, and the type of each field. */
  readonly shape: PointShape;
  /** The tags that name each series. */
  readonly series: readonly Point["tags"][];
  /** How many points of each series, at most. */
  readonly count: number;
}

/** What is asked of a store for the points of one series. */
export interface RangeQuery extends SeriesRange {
  /** What the points look like: their measurement, and the type of each field. */
  readonly shape: PointShape;
}

/** A store, read back: to resume from it, and for audits and repairs. */
export interface SinkStore<Options> {
  /**
   * The last points of each series, oldest first: one list for each series asked for, in the order
   * asked; an empty one where nothing is stored.
   */
  last(
    options: Options,
    query: LastQuery,
    context: Context,
  ): Promise<readonly (readonly Point[])[]>;
  /** The points of one series in a range, in order of time, page by page. */
  read(options: Options, query: RangeQuery, context: Context): AsyncIterable<readonly Point[]>;
  /**
   * The types as which the store has each field, in its own words where they are none of ours: more
   * than one, or another than the declared one, are for audits to find. Nothing where it has none.
   */
  types?(
    options: Options,
    shape: PointShape,
    context: Context,
  ): Promise<Readonly<Record<string, readonly string[]>>>;
  /** The relative error with which numbers come back. None, where it is left out. */
  tolerance?(options: Options): number;
  /** For how long what was acknowledged may not be seen, in milliseconds. 0, where it is left out. */
  settleMs?(options: Options): number;
}

/**
 * What delivering again does: nothing new (`idempotent`), nothing as the token takes it back
 * (`transactional`), or doubles (`append`).
 */
export type DeliveryPromise = "idempotent" | "transactional" | "append";

/** What a sink is made of. */
export interface SinkSpec<Options, Input, In> extends PluginSpec<Options, Input> {
  /** What delivering again does; a function where that depends on the options. */
  readonly delivery: DeliveryPromise | ((options: Options) => DeliveryPromise);
  /**
   * What weakens that promise with these options, as a clause: `a crash of the server may lose …`.
   * It becomes part of the guarantee. Nothing, where nothing does.
   */
  caveat?(options: Options): string | undefined;
  /**
   * Says whether it can write such records.
   *
   * @throws {OptionsError} If not; the message says what must hold.
   */
  accept(shape: RecordShape, options: Options): void;
  /** The largest chunk it wants. The engine's own limits where it is left out. */
  limits?(options: Options): { readonly maxRecords?: number; readonly maxBytes?: number };
  /**
   * The exact bytes that are sent for these records. Pure: a dry run prints just them. Bytes that
   * were given are left alone, as they may still wait to be sent.
   */
  encode(records: readonly In[], encoding: Encoding<Options>): Uint8Array<ArrayBuffer>;
  /**
   * Opens the target.
   *
   * @param options The checked options.
   * @param opening Where to go on, and what is to come.
   * @param context The world.
   */
  open(options: Options, opening: Opening, context: Context): Promise<SinkWriter<In>>;
  /** What is stored, read back. Only where it can be. */
  readonly store?: SinkStore<Options>;
  /**
   * The files it has written, in order, each with one record as JSON on a line: from these, dead
   * letters are put through again. Only where it writes such files.
   */
  jsonLines?(options: Options, context: Pick<Context, "files">): Promise<readonly string[]>;
  /**
   * Tries whether it could be written to, changing nothing: for `check --probe`.
   *
   * @returns What was found, in words.
   * @throws {PenstockError} If not; the message says what must hold.
   */
  probe?(
    options: Options,
    shapes: readonly RecordShape[],
    context: Context,
  ): Promise<string>;
}

/** A source: call it with options to get a step. */
export type SourcePlugin<Options = any, Input = any, Out = any> =
  & SourceSpec<Options, Input, Out>
  & { readonly kind: "source"; (options: Input): Step };

/** A transform: call it with options to get a step. */
export type TransformPlugin<
  Options = any,
  Input = any,
  State = any,
  In = any,
  Out = any,
> =
  & TransformSpec<Options, Input, State, In, Out>
  & { readonly kind: "transform"; (options: Input): Step };

/** A sink: call it with options to get a step. */
export type SinkPlugin<Options = any, Input = any, In = any> =
  & SinkSpec<Options, Input, In>
  & { readonly kind: "sink"; (options: Input): Step };

/** Any plugin, as the registry and pipeline files hold it. */
export type Plugin = SourcePlugin | TransformPlugin | SinkPlugin;

/**
 * Makes a source.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * export const count = defineSource({
 *   id: "count",
 *   summary: "Counts",
 *   options: z.strictObject({ to: z.int().describe("Last number") }),
 *   replay: "exact",
 *   shape: () => ({ kind: "raw", format: "number" }),
 *   async *read({ to }, from) {
 *     for (let n = Number(from.next ?? 1); n <= to; n++) {
 *       yield { records: [n], position: { next: n + 1 } };
 *     }
 *   },
 * });
 * ```
 */
export function defineSource<Options, Input, Out>(
  spec: SourceSpec<Options, Input, Out>,
): SourcePlugin<Options, Input, Out> {
  return definePlugin("source", spec);
}

/**
 * Makes a transform.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * export const double = defineTransform({
 *   id: "double",
 *   summary: "Doubles numbers",
 *   options: z.strictObject({}),
 *   shape: (input) => input,
 *   step: (record: number, { emit }) => emit(2 * record),
 * });
 * ```
 */
export function defineTransform<Options, Input, State, In, Out>(
  spec: TransformSpec<Options, Input, State, In, Out>,
): TransformPlugin<Options, Input, State, In, Out> {
  return definePlugin("transform", spec);
}

/**
 * Makes a sink.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * export const nowhere = defineSink({
 *   id: "nowhere",
 *   summary: "Forgets all it is given",
 *   options: z.strictObject({}),
 *   delivery: "idempotent",
 *   accept: () => {},
 *   encode: () => new Uint8Array(),
 *   open: () =>
 *     Promise.resolve({
 *       deliver: () => Promise.resolve(),
 *       flush: () => Promise.resolve(null),
 *       close: () => Promise.resolve(),
 *     }),
 * });
 * ```
 */
export function defineSink<Options, Input, In>(
  spec: SinkSpec<Options, Input, In>,
): SinkPlugin<Options, Input, In> {
  return definePlugin("sink", spec);
}

/** What reading a source again gives, with these options. */
export function replayOf(plugin: SourcePlugin, options: unknown): ReplayPromise {
  return typeof plugin.replay === "function" ? plugin.replay(options) : plugin.replay;
}

/** What delivering again to a sink does, with these options. */
export function deliveryOf(plugin: SinkPlugin, options: unknown): DeliveryPromise {
  return typeof plugin.delivery === "function" ? plugin.delivery(options) : plugin.delivery;
}

/** Whether a value is a plugin made by one of the three functions here. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === "function" && "kind" in value && "id" in value && "options" in value;
}

function definePlugin<Spec extends object, Kind extends string>(
  kind: Kind,
  spec: Spec,
): Spec & { readonly kind: Kind; (options: unknown): Step } {
  const plugin = Object.assign(
    (options: unknown): Step => ({ use: plugin as unknown as Plugin, with: options }),
    spec,
    { kind },
  );
  return plugin;
}
