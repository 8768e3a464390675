/**
 * Reading a source under watch, as the suite of sources does.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Context } from "../../engine/context.ts";
import type { PenstockError } from "../../engine/errors.ts";
import {
  type Position,
  replayOf,
  type ReplayPromise,
  type SourceBatch,
  type SourcePlugin,
} from "../../engine/plugin.ts";
import { optionsOf, type PluginCase } from "./plugin.ts";
import { assertSame, failWith, frozenCopy, soon, throughJson } from "./pure.ts";
import { type Fault, watch, type Watched } from "./watch.ts";

/** A world to read in, and how reading in it must fail. */
export interface FailingWorld<Input> {
  /** What is wrong there, to follow "when": `the file is not there`. */
  readonly name: string;
  /** Other options than those of the case. */
  readonly options?: Input;
  /** Makes the world. */
  context(signal: AbortSignal): Context;
  /** The class of the error that must be thrown. */
  readonly error: abstract new (...args: never[]) => PenstockError;
  /** A part of its message, or of those of its causes. */
  readonly message?: string;
}

/** A test case of a source. */
export interface SourceCase<Input, Out> extends PluginCase<Input> {
  /**
   * Makes the world to read, anew for each reading and always the same.
   *
   * @param signal The signal the context must carry: `fakeContext({ signal, … })`.
   */
  context(signal: AbortSignal): Context;
  /** The records it must give. */
  readonly records: readonly Out[];
  /** Names the series of a record, where order holds within a series only. */
  series?(record: Out): string;
  /** A world in which there is nothing to read. */
  readonly empty?: { readonly options?: Input; context(signal: AbortSignal): Context };
  /** Worlds in which reading fails. */
  readonly failing?: readonly FailingWorld<Input>[];
}

/** How to read, where it is not from the start and in the world of the case. */
export interface ReadingParts {
  /** The position to read on from. */
  readonly from?: Position;
  /** How many records came before that position. */
  readonly before?: number;
  /** The world to read in. */
  readonly world?: Watched;
  /** Called with each batch as it comes. */
  each?(batch: SourceBatch<unknown>): void;
}

/** What was read, and in which world. */
export interface Reading {
  /** The batches. */
  readonly batches: readonly SourceBatch<unknown>[];
  /** The records in them. */
  readonly records: readonly unknown[];
  /** The world. */
  readonly world: Watched;
}

/** Reads a source as its test case says. */
export class Reader {
  /** The source. */
  readonly plugin: SourcePlugin;
  /** Its test case. */
  readonly given: SourceCase<unknown, unknown>;
  /** How messages call it. */
  readonly name: string;

  /** Makes a reader of a source. */
  constructor(plugin: SourcePlugin, given: SourceCase<unknown, unknown>) {
    this.plugin = plugin;
    this.given = given;
    this.name = `Source "${plugin.id}"`;
  }

  /** What reading again gives, with the options of the case. */
  get replay(): ReplayPromise {
    return replayOf(this.plugin, this.options());
  }

  /** Pulls until the end. */
  async read(parts: ReadingParts = {}): Promise<Reading> {
    const { from = {}, world = this.watch(), before = 0 } = parts;
    const batches: SourceBatch<unknown>[] = [];
    const records: unknown[] = [];
    const iterator = this.iterate(from, world);
    while (!this.isEnough(before + records.length)) {
      const { done, value } = await iterator.next();
      if (done) break;
      batches.push(value);
      for (const record of value.records) records.push(record);
      parts.each?.(value);
    }
    await iterator.return?.();
    return { batches, records, world };
  }

  /** What came, and what comes when it is read on from there, as a later run would. */
  async readOn(before: readonly SourceBatch<unknown>[]): Promise<unknown[]> {
    const position: Position = Object.assign({}, ...before.map(({ position }) => position));
    const from = frozenCopy(throughJson(position));
    const records = before.flatMap(({ records }) => records);
    const rest = await this.read({ from, before: records.length });
    return [...records, ...rest.records];
  }

  /** Whether a source that does not end by itself has given all that is expected. */
  isEnough(count: number): boolean {
    return this.plugin.endless === true && count >= this.given.records.length;
  }

  /** Begins to read. */
  iterate(from: Position, world: Watched): AsyncIterator<SourceBatch<unknown>> {
    return this.plugin.read(this.options(), from, world.context)[Symbol.asyncIterator]();
  }

  /** The options of the case, as the source gets them. */
  options(): unknown {
    return optionsOf(this.plugin, this.given.options);
  }

  /** Makes the world of the case, under watch. */
  watch(fault?: Fault, stopping: AbortController = new AbortController()): Watched {
    const context = this.given.context(stopping.signal);
    assert(
      context.signal === stopping.signal,
      "The test case must make its context with the signal it is given: `fakeContext({ signal })`",
    );
    return watch(context, fault);
  }

  /** Pulls once; says whether a batch came, or whether it ended as an abort may end it. */
  async endOf(
    batches: AsyncIterator<SourceBatch<unknown>>,
    signal: AbortSignal,
    when: string,
  ): Promise<"batch" | "ended"> {
    const next = batches.next();
    try {
      const { done } = await soon(next, `${this.name} must end soon ${when}`);
      if (!done) return "batch";
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) {
        failWith(`${this.name} must end or throw the signal's reason ${when}`, error);
      }
    }
    return "ended";
  }

  /** Fails if the source left anything open. */
  nothingOpen(world: Watched, when: string): void {
    assertEquals(world.open(), [], `${this.name} must leave nothing open ${when}`);
  }

  /** Fails unless the records are the expected ones, in order within each series. */
  same(actual: readonly unknown[], expected: readonly unknown[], message: string): void {
    const { series } = this.given;
    if (!series) return assertSame(actual, expected, message);
    const sorted = (records: readonly unknown[]) =>
      [...Map.groupBy(records, series)].sort(([a], [b]) => a < b ? -1 : 1);
    assertSame(sorted(actual), sorted(expected), message);
  }
}
