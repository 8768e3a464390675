/**
 * What a confined process hears from the one that started it: first what it is given, then signals.
 * The end of that stream is the end of the other process.
 *
 * @module
 */

import type { Handover } from "../inputs.ts";
import { isStopSignal, type StopSignal } from "../signals.ts";

/** The way from the process that watches to the one that runs. */
export interface Lifeline {
  /** What was handed over. */
  readonly handover: Handover;
  /** Calls for each signal that the other process got. */
  onSignal(listener: (signal: StopSignal) => void): void;
}

/**
 * Takes what is handed over, and goes on listening.
 *
 * @param stream Where it comes from: standard input.
 * @param gone Told when the other process has ended.
 */
export async function openLifeline(
  stream: ReadableStream<Uint8Array>,
  gone: () => void,
): Promise<Lifeline> {
  const lines = linesOf(stream);
  const first = await lines.next();
  if (first.done) throw new Error("Cannot start: this program is started by `penstock` alone");
  const listeners: ((signal: StopSignal) => void)[] = [];
  const listen = async () => {
    for await (const line of lines) {
      if (isStopSignal(line)) { for (const listener of listeners) listener(line); }
    }
  };
  listen().then(gone, gone);
  return {
    handover: JSON.parse(first.value),
    onSignal: (listener) => void listeners.push(listener),
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
