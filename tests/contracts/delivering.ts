/**
 * Delivering to a sink as the engine does, and dying while at it.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { Context, Json } from "../../engine/context.ts";
import { PenstockError, RecordError, RetryableError } from "../../engine/errors.ts";
import {
  deliveryOf,
  type DeliveryPromise,
  type Encoding,
  type SinkPlugin,
  type SinkWriter,
} from "../../engine/plugin.ts";
import type { RecordShape } from "../../engine/point.ts";
import { optionsOf, type PluginCase } from "./plugin.ts";
import { copyOf, failWith, findJsonFault, frozenCopy, throughJson } from "./pure.ts";
import { type Fault, watch, type Watched } from "./watch.ts";

/** Something to write to. It outlives the processes that write to it. */
export interface SinkTarget {
  /**
   * Makes the context of one process.
   *
   * @param signal The signal the context must carry: `fakeContext({ signal, … })`.
   */
  context(signal: AbortSignal): Context;
  /** What is stored now, as lines. A store that sorts gives them sorted. */
  stored(): string | Promise<string>;
}

/** A test case of a sink. */
export interface SinkCase<Input, In> extends PluginCase<Input> {
  /** What the records look like. */
  readonly shapes: readonly RecordShape[];
  /** What it must refuse to write. */
  readonly badShapes?: readonly RecordShape[];
  /** The records to write: a dozen or more, so that there is something to interrupt. */
  readonly records: readonly In[];
  /** Records it must refuse to encode. */
  readonly rejects?: readonly unknown[];
  /** The text of the bytes of all records. Compared, where it is given. */
  readonly encoded?: string;
  /** What must be stored in the end. Compared, where it is given. */
  readonly stored?: string;
  /** Why encoding in parts may give other bytes than encoding at once: `each part has a header`. */
  readonly wholeOnly?: string;
  /** Makes an empty target. */
  target(): SinkTarget;
}

/** What a process has saved: how many records it delivered, and the token. */
export interface Saved {
  /** Records that are delivered and flushed. */
  readonly at: number;
  /** What `flush` gave. */
  readonly token: Json | undefined;
}

/** How a process ended. */
export interface Ending {
  /** By itself, by a failure of the sink, or by the fault that was asked for. */
  readonly how: "done" | "failed" | "killed";
  /** What the sink threw. */
  readonly error: unknown;
  /** What it had saved by then. */
  readonly saved: Saved;
  /** Its world. */
  readonly world: Watched;
}

/** What a process starts with, where it is not with nothing in a sound world. */
export interface ProcessParts {
  /** What an earlier process saved. */
  readonly saved?: Saved;
  /** What goes wrong. */
  readonly fault?: Fault;
  /** Stops it. */
  readonly stopping?: AbortController;
  /** Called when the fault has happened. */
  struck?(): void;
}

/** How many parts the records are delivered in. */
/** `#`: what memory holds that is used again. */
const USED_AGAIN = 0x23;
const CHUNKS = 6;
/** How many chunks there are between two flushes. */
const FLUSH_AFTER = 2;
/** How often something is tried that asks for it. */
const ATTEMPTS = 3;
const FIRST: Saved = { at: 0, token: undefined };

/** Delivers to a sink as its test case says. */
export class Deliverer {
  /** The sink. */
  readonly plugin: SinkPlugin;
  /** Its test case. */
  readonly given: SinkCase<unknown, unknown>;
  /** How messages call it. */
  readonly name: string;
  /** The shapes, as one object throughout. */
  readonly shapes: readonly RecordShape[];

  /** Makes a deliverer to a sink. */
  constructor(plugin: SinkPlugin, given: SinkCase<unknown, unknown>) {
    this.plugin = plugin;
    this.given = given;
    this.name = `Sink "${plugin.id}"`;
    this.shapes = frozenCopy(given.shapes);
  }

  /** What the sink promises with the options of the case. */
  get delivery(): DeliveryPromise {
    return deliveryOf(this.plugin, this.options());
  }

  /** The options of the case, as the sink gets them. */
  options(): unknown {
    return optionsOf(this.plugin, this.given.options);
  }

  /** The records, in a copy of their own. */
  records(): unknown[] {
    return copyOf([...this.given.records]);
  }

  /** Encodes records, none of which may be refused; the bytes may lie in spare memory. */
  encode(records: readonly unknown[], spare?: ArrayBuffer): Uint8Array<ArrayBuffer> {
    return this.encodeSome(
      records,
      (index, error) =>
        failWith(`${this.name} must encode record ${index} of ${records.length}`, error),
      spare,
    );
  }

  /** Encodes records. */
  encodeSome(
    records: readonly unknown[],
    reject: Encoding<unknown>["reject"],
    spare?: ArrayBuffer,
  ): Uint8Array<ArrayBuffer> {
    const encoding = { options: this.options(), shapes: this.shapes, reject, spare };
    return this.plugin.encode(records, encoding);
  }

  /** Opens the sink. */
  open(world: Watched, token: Json | undefined): Promise<SinkWriter<unknown>> {
    return this.#again(() =>
      this.plugin.open(
        this.options(),
        { token: throughJson(token), shapes: this.shapes },
        world.context,
      )
    );
  }

  /** Makes the context of a process, under watch. */
  watch(target: SinkTarget, parts: ProcessParts = {}): Watched {
    const { signal } = parts.stopping ?? new AbortController();
    const context = target.context(signal);
    assert(
      context.signal === signal,
      "The test case must make its context with the signal it is given: `fakeContext({ signal })`",
    );
    return watch(context, parts.fault);
  }

  /** Runs one process: opens, delivers what is left in chunks, flushes now and then, closes. */
  async run(target: SinkTarget, parts: ProcessParts = {}): Promise<Ending> {
    const world = this.watch(target, parts);
    let saved = parts.saved ?? FIRST;
    const save = (next: Saved) => void (saved = next);
    const ways = [this.#work(world, saved, save)];
    world.struck.then(() => parts.struck?.());
    if (parts.fault?.how === "kill") ways.push(world.struck.then(() => "killed"));
    try {
      const how = await Promise.race(ways);
      return { how, error: undefined, saved, world };
    } catch (error) {
      return { how: "failed", error, saved, world };
    }
  }

  /** Runs processes, each from what the one before it saved, until one is done. */
  async runOn(target: SinkTarget, saved: Saved): Promise<void> {
    const { how, error } = await this.run(target, { saved });
    if (how !== "done") failWith(`${this.name} must go on from what was saved`, error);
  }

  /** Fails unless a failure is of penstock's classes. */
  ownError(error: unknown, when: string): void {
    if (error instanceof PenstockError) return;
    failWith(`${this.name} must throw an error of penstock's classes ${when}`, error);
  }

  async #work(
    world: Watched,
    from: Saved,
    save: (saved: Saved) => void,
  ): Promise<Ending["how"]> {
    const writer = await this.open(world, from.token);
    try {
      await this.#deliverRest(writer, from, save);
    } catch (error) {
      await this.#close(writer);
      throw error;
    }
    await this.#close(writer);
    return "done";
  }

  async #deliverRest(
    writer: SinkWriter<unknown>,
    from: Saved,
    save: (saved: Saved) => void,
  ): Promise<void> {
    const records = this.records();
    const size = Math.ceil(records.length / CHUNKS);
    if (from === FIRST) save({ at: 0, token: await this.flush(writer) });
    for (let at = from.at, sent = 1; at < records.length; at += size, sent++) {
      const chunk = records.slice(at, at + size);
      const bytes = this.encode(chunk);
      const rejected = await this.#again(() => writer.deliver({ bytes, records: chunk })) ?? [];
      // As the next chunk may: what was delivered must no longer be read.
      bytes.fill(USED_AGAIN);
      for (const { index, reason } of rejected) {
        failWith(`${this.name} must store record ${at + index}`, new RecordError(reason));
      }
      const done = Math.min(at + size, records.length);
      if (sent % FLUSH_AFTER === 0 || done === records.length) {
        save({ at: done, token: await this.flush(writer) });
      }
    }
  }

  /** Flushes; the token is as it will be loaded. */
  async flush(writer: SinkWriter<unknown>): Promise<Json> {
    const token = await this.#again(() => writer.flush());
    const fault = findJsonFault(token, "token");
    if (fault) failWith(`${this.name} must give tokens of plain JSON: ${fault}`);
    return throughJson(token);
  }

  async #close(writer: SinkWriter<unknown>): Promise<void> {
    try {
      await writer.close();
    } catch (error) {
      failWith(`${this.name} must close without failing, also after a failure`, error);
    }
  }

  /** Tries again what asks for it, as the engine does. */
  async #again<T>(attempt: () => Promise<T>): Promise<T> {
    for (let failures = 1;; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof RetryableError) || failures === ATTEMPTS) throw error;
      }
    }
  }
}
