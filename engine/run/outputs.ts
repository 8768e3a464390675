/**
 * The sinks of a run, the dead-letter sink among them: opened, given records, flushed and closed.
 *
 * @module
 */

import type { Checkpoint } from "../checkpoint/body.ts";
import { letterToken } from "../checkpoint/identity.ts";
import type { Context, Json, Log } from "../context.ts";
import { DEAD_LETTER_SHAPES } from "../dead_letters/dead_letter.ts";
import type { Refusals } from "../dead_letters/refusals.ts";
import { asStepError, describeError } from "../errors.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import type { SinkPlugin, SinkWriter } from "../plugin.ts";
import { type Delivery, startDelivery } from "./delivery.ts";
import { type Ledger, ledgerOf, type StepLedger } from "./ledger.ts";

/** What the sinks of a run need. */
export interface OutputParts {
  /** The pipeline. */
  readonly pipeline: Pipeline;
  /** Counted in place. */
  readonly ledger: Ledger;
  /** What becomes of records that are refused. */
  readonly refusals: Refusals;
  /** The engine's own messages. */
  readonly log: Log;
  /** Makes the context of a sink. */
  contextOf(step: CheckedStep<SinkPlugin>): Context;
  /** Told of the first failure of a delivery. */
  fail(error: unknown): void;
}

/** Where the sinks go on, for the checkpoint. */
export type Tokens = Pick<Checkpoint, "tokens" | "deadLetterToken">;

interface OpenSink {
  readonly delivery: Delivery;
  readonly writer: SinkWriter<unknown>;
}

/** The sinks of a run. */
export class Outputs {
  readonly #parts: OutputParts;
  #sinks: OpenSink[] = [];
  #deadLetter: OpenSink | undefined;
  /** The sink that is being flushed. */
  #waitsFor: CheckedStep | undefined;

  /** Makes them; none is open yet. */
  constructor(parts: OutputParts) {
    this.#parts = parts;
  }

  /** Opens all of them where the last checkpoint left them. */
  async open(saved: Checkpoint | undefined): Promise<void> {
    const { pipeline, ledger } = this.#parts;
    const { sinks, deadLetter, shapes } = pipeline;
    if (deadLetter) {
      const token = letterToken(pipeline, saved);
      this.#deadLetter = await this.#open(deadLetter, token, ledger.deadLetter, DEAD_LETTER_SHAPES);
    }
    for (const step of sinks) {
      const its = ledgerOf(ledger.sinks, step.id);
      this.#sinks.push(await this.#open(step, saved?.tokens[step.id], its, shapes));
    }
  }

  /** The deliveries to the sinks that are open, without that of dead letters. */
  get deliveries(): readonly Delivery[] {
    return this.#sinks.map(({ delivery }) => delivery);
  }

  /** Gives records to every sink; resolves once there is room for more. */
  async push(records: readonly unknown[]): Promise<void> {
    for (const { delivery } of this.#sinks) {
      await delivery.add(records);
      delivery.nudge();
    }
    await this.#keepRefused();
  }

  /** Gives records to one sink. */
  async pushTo(id: string, records: readonly unknown[]): Promise<void> {
    await this.#sinks.find(({ delivery }) => delivery.step.id === id)?.delivery.add(records);
    await this.#keepRefused();
  }

  /** Delivers all that was given, and makes it durable. */
  async flush(): Promise<Tokens> {
    for (const { delivery } of this.#sinks) await delivery.drain();
    await this.#keepRefused();
    await this.#deadLetter?.delivery.drain();
    const tokens: Record<string, Json> = {};
    for (const sink of this.#sinks) tokens[sink.delivery.step.id] = await this.#flush(sink);
    return {
      tokens,
      deadLetterToken: this.#deadLetter ? await this.#flush(this.#deadLetter) : null,
    };
  }

  /** What was not delivered yet, in words. */
  describeUndelivered(): string {
    const waiting = this.#all().flatMap(({ delivery: { step, pending } }) =>
      pending > 0 ? [`sink "${step.id}" has not acknowledged ${pending} records`] : []
    );
    if (waiting.length > 0) return waiting.join("; ");
    return this.#waitsFor
      ? `sink "${this.#waitsFor.id}" has not made what it was sent durable`
      : "the checkpoint is not saved";
  }

  /** Closes all of them; says so where one cannot be. */
  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.#all().map(({ writer }) => writer.close()));
    for (const result of closed) {
      if (result.status === "rejected") {
        this.#parts.log.warn(`Cannot close a sink: ${describeError(result.reason)}`);
      }
    }
  }

  async #open(
    step: CheckedStep<SinkPlugin>,
    token: Json | undefined,
    ledger: StepLedger,
    shapes: Pipeline["shapes"],
  ): Promise<OpenSink> {
    const { contextOf, refusals, fail } = this.#parts;
    const context = contextOf(step);
    const writer: SinkWriter<unknown> = await context.retry(
      `open sink "${step.id}"`,
      () => step.plugin.open(step.options, { token, shapes }, context),
    ).catch((error) => {
      throw asStepError(`Sink "${step.id}"`, error);
    });
    const refuse = (refusal: Parameters<Refusals["take"]>[0]) => refusals.take(refusal);
    const delivery = startDelivery({ step, shapes, writer, context, ledger, refuse, fail });
    return { delivery, writer };
  }

  async #flush({ delivery }: OpenSink): Promise<Json> {
    this.#waitsFor = delivery.step;
    const token = await delivery.flush();
    this.#waitsFor = undefined;
    return token;
  }

  async #keepRefused(): Promise<void> {
    const letters = this.#parts.refusals.letters();
    if (letters.length > 0) await this.#deadLetter?.delivery.add(letters);
  }

  #all(): readonly OpenSink[] {
    return this.#deadLetter ? [...this.#sinks, this.#deadLetter] : this.#sinks;
  }
}
