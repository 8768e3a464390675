/**
 * The delivery to one sink: records are cut into chunks, encoded, queued and sent one at a time.
 *
 * @module
 */

import type { Context, Json } from "../context.ts";
import type { Refusal } from "./chain.ts";
import { asStepError, FatalError, RecordError } from "../errors.ts";
import type { StepLedger } from "./ledger.ts";
import type { CheckedStep } from "../pipeline.ts";
import type { Chunk, SinkPlugin, SinkWriter } from "../plugin.ts";
import type { RecordShape } from "../point.ts";

const MAX_RECORDS = 1_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** Chunks that may be under way before the run waits: more of them would only take memory. */
const MOST_UNDER_WAY = 1;
/** How many chunks' memory is kept to be used again: one is filled while the other is sent. */
const MOST_SPARE = 2;

/** What a delivery is made of. */
export interface DeliveryParts {
  /** The sink. */
  readonly step: CheckedStep<SinkPlugin>;
  /** What its records may look like. */
  readonly shapes: readonly RecordShape[];
  /** The sink, open. */
  readonly writer: SinkWriter<unknown>;
  /** Its context, for retries. */
  readonly context: Pick<Context, "retry" | "now">;
  /** Its ledger; counted in place. */
  readonly ledger: StepLedger;
  /** Told of each record that cannot be encoded or that the target refuses. */
  refuse(refusal: Refusal): void;
  /** Told of the first failure, so that the run can stop. */
  fail(error: unknown): void;
}

/** A chunk on its way, and the numbers of its records among all that reached the sink. */
interface NumberedChunk extends Chunk<unknown> {
  readonly numbers: readonly number[] | { readonly first: number };
}

/** The delivery to one sink. */
export interface Delivery {
  /** The sink. */
  readonly step: CheckedStep<SinkPlugin>;
  /** Takes records over; resolves once there is room for more. */
  add(records: readonly unknown[]): Promise<void>;
  /** Sends what is left over as soon as the sink has nothing else to do. */
  nudge(): void;
  /** Resolves once all that was taken is acknowledged. */
  drain(): Promise<void>;
  /** Makes all of it durable and gives the token for the checkpoint. Call after {@linkcode Delivery.drain}. */
  flush(): Promise<Json>;
  /** Records that were taken and are not acknowledged yet. */
  readonly pending: number;
  /** Bytes acknowledged in this run. */
  readonly bytes: number;
  /** Bytes that wait to be acknowledged. */
  readonly waitingBytes: number;
  /**
   * Since when the sink has acknowledged nothing although something waits for it, in epoch
   * milliseconds; undefined while nothing waits.
   */
  readonly waitingSinceMs: number | undefined;
}

/** Starts the delivery to a sink that is open. */
export function startDelivery(parts: DeliveryParts): Delivery {
  const { step, writer, ledger, context } = parts;
  const { plugin, options } = step;
  const limits = { maxRecords: MAX_RECORDS, maxBytes: MAX_BYTES, ...plugin.limits?.(options) };
  const maxRecords = Math.max(1, limits.maxRecords);
  /** Records that make a chunk, going by the size of those in the last one. */
  let enough = maxRecords;
  let waiting: unknown[] = [];
  let queue: NumberedChunk[] = [];
  let queuedBytes = 0;
  /** Chunks that wait or are being sent. */
  let underWay = 0;
  const spare: ArrayBuffer[] = [];
  let sending: Promise<void> | undefined;
  /** Whether what came in while the sink was busy is to be sent as soon as it is not. */
  let isNudged = false;
  let failure: { readonly error: unknown } | undefined;
  let deliveredBytes = 0;
  let waitingSinceMs: number | undefined;
  let roomier = Promise.withResolvers<void>();

  function refuse(record: unknown, number: number, error: RecordError): void {
    ledger.rejected++;
    parts.refuse({ step, record, number, error });
  }

  function encode(records: readonly unknown[], first: number): void {
    const refused = new Map<number, RecordError>();
    const reject = (index: number, error: RecordError) => {
      requireIndex(step, records, index);
      refused.set(index, error);
    };
    const bytes = requireBytes(
      step,
      plugin.encode(records, { options, shapes: parts.shapes, spare: spare.pop(), reject }),
    );
    enough = Math.min(maxRecords, Math.ceil(records.length * limits.maxBytes / bytes.length));
    if (bytes.length > limits.maxBytes && records.length > 1) {
      const half = Math.ceil(records.length / 2);
      encode(records.slice(0, half), first);
      encode(records.slice(half), first + half);
      return;
    }
    for (const [index, error] of refused) refuse(records[index], first + index, error);
    if (refused.size === records.length) return;
    queue.push({ bytes, ...without(refused, records, first) });
    queuedBytes += bytes.length;
    underWay++;
  }

  function cut(): void {
    try {
      for (let at = 0; at < waiting.length; at += maxRecords) {
        encode(waiting.slice(at, at + maxRecords), ledger.in - waiting.length + at + 1);
      }
    } catch (error) {
      throw asStepError(`Sink "${step.id}"`, error);
    }
    waiting = [];
    isNudged = false;
    if (!failure && queue.length > 0) sending ??= send();
  }

  async function send(): Promise<void> {
    // Lets the caller store the promise before anything can fail.
    await Promise.resolve();
    try {
      for (let chunk = nextChunk(); chunk; chunk = nextChunk()) await deliver(chunk);
    } catch (error) {
      failure = { error: asStepError(`Sink "${step.id}"`, error) };
      queue = [];
      queuedBytes = underWay = 0;
      parts.fail(failure.error);
    } finally {
      sending = undefined;
      if (waiting.length === 0) waitingSinceMs = undefined;
      sayRoomier();
    }
  }

  function nextChunk(): NumberedChunk | undefined {
    if (queue.length === 0 && isNudged) cut();
    return queue.shift();
  }

  async function deliver(chunk: NumberedChunk): Promise<void> {
    const rejected = await context.retry(
      `deliver ${chunk.records.length} records to sink "${step.id}"`,
      () => writer.deliver(chunk),
    ) ?? [];
    const reasons = new Map<number, string>();
    for (const { index, reason } of rejected) {
      requireIndex(step, chunk.records, index);
      reasons.set(index, reason);
    }
    for (const [index, reason] of reasons) {
      const error = new RecordError(`Sink "${step.id}" was told: ${reason}`);
      refuse(chunk.records[index], numberOf(chunk, index), error);
    }
    ledger.out += chunk.records.length - reasons.size;
    deliveredBytes += chunk.bytes.length;
    queuedBytes -= chunk.bytes.length;
    underWay--;
    if (spare.length < MOST_SPARE) spare.push(chunk.bytes.buffer);
    waitingSinceMs = context.now();
    sayRoomier();
  }

  function sayRoomier(): void {
    roomier.resolve();
    roomier = Promise.withResolvers();
  }

  function throwFailure(): void {
    if (failure) throw failure.error;
  }

  return {
    step,
    async add(records) {
      ledger.in += records.length;
      if (records.length > 0) waitingSinceMs ??= context.now();
      for (const record of records) waiting.push(record);
      if (waiting.length >= enough) cut();
      while (underWay > MOST_UNDER_WAY && !failure) await roomier.promise;
      throwFailure();
    },
    nudge() {
      if (waiting.length === 0) return;
      if (sending) isNudged = true;
      else cut();
    },
    async drain() {
      cut();
      await sending;
      throwFailure();
    },
    async flush() {
      waitingSinceMs ??= context.now();
      try {
        const token = await context.retry(`flush sink "${step.id}"`, () => writer.flush());
        waitingSinceMs = undefined;
        return requireToken(step, token);
      } catch (error) {
        throw asStepError(`Sink "${step.id}"`, error);
      }
    },
    get pending() {
      return ledger.in - ledger.out - ledger.rejected;
    },
    get bytes() {
      return deliveredBytes;
    },
    get waitingBytes() {
      return queuedBytes;
    },
    get waitingSinceMs() {
      return waitingSinceMs;
    },
  };
}

/** The records that are left, with their numbers. */
function without(
  refused: ReadonlyMap<number, RecordError>,
  records: readonly unknown[],
  first: number,
): Pick<NumberedChunk, "records" | "numbers"> {
  if (refused.size === 0) return { records, numbers: { first } };
  const kept = Array.from(records.keys()).filter((index) => !refused.has(index));
  return {
    records: kept.map((index) => records[index]),
    numbers: kept.map((index) => first + index),
  };
}

function numberOf({ numbers }: NumberedChunk, index: number): number {
  return "first" in numbers ? numbers.first + index : numbers[index] ?? NaN;
}

/** A record that is refused by an index it does not have would be lost from the count. */
function requireIndex(step: CheckedStep, records: readonly unknown[], index: number): void {
  if (index in records) return;
  throw new FatalError(
    `Cannot go on with sink "${step.id}" as it may refuse only records it was given: it refused number ${index} of ${records.length}`,
    { hint: "This is a fault of the plugin: records are counted from 0" },
  );
}

function requireBytes(step: CheckedStep, bytes: unknown): Uint8Array<ArrayBuffer> {
  if (isOwnBytes(bytes)) return bytes;
  const found = bytes instanceof Uint8Array ? "shared memory" : typeof bytes;
  throw new FatalError(
    `Cannot send records to sink "${step.id}" as \`encode\` must return a Uint8Array: it returned ${found}`,
    { hint: "This is a fault of the plugin: make bytes of text with a TextEncoder" },
  );
}

/** Memory that is shared with other threads could change while it is sent. */
function isOwnBytes(bytes: unknown): bytes is Uint8Array<ArrayBuffer> {
  return bytes instanceof Uint8Array && bytes.buffer instanceof ArrayBuffer;
}

/** A token that is missing in the checkpoint would open the sink as if nothing had been sent. */
function requireToken(step: CheckedStep, token: Json | undefined): Json {
  if (token !== undefined) return token;
  throw new FatalError(
    `Cannot flush sink "${step.id}" as it must return a token: it returned nothing`,
    { hint: "This is a fault of the plugin: where there is nothing to keep, it returns null" },
  );
}
