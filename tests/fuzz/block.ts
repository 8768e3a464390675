/**
 * Blocks of cases in a worker, which may hang.
 *
 * @module
 */

import type { FuzzOutcome, FuzzParameters } from "./target.ts";

/** A block of cases of one target. */
export interface Block extends FuzzParameters {
  /** The target. */
  readonly target: string;
}

/** A worker, as far as it is used here. */
export type BlockWorker = Pick<Worker, "onmessage" | "onerror" | "postMessage">;

/**
 * Runs a block in a worker.
 *
 * @param worker It answers with the outcome. One that hangs is to be ended.
 * @param block The cases.
 * @param hangMs How long it may take, in milliseconds.
 * @returns The outcome; a failure, where it did not end in time.
 */
export function runBlock(worker: BlockWorker, block: Block, hangMs: number): Promise<FuzzOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<FuzzOutcome>();
  const hang = setTimeout(() => {
    const { target, seed, cases } = block;
    const reason = `one of ${cases} cases of this seed did not end within ${hangMs / 1_000} s`;
    resolve({ cases: 0, failure: { target, seed, path: "0", example: "unknown", reason } });
  }, hangMs);
  worker.onmessage = ({ data }: MessageEvent<FuzzOutcome>) => resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(`The worker of target "${block.target}" ended: ${event.message}`));
  };
  worker.postMessage(block);
  return promise.finally(() => clearTimeout(hang));
}
