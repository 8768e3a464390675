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

/** Where bytes come from, as those of standard input. */
export interface Input {
  /** Reads some bytes; gives how many, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/**
 * Takes what is handed over, and goes on listening.
 *
 * @param input Where it comes from: standard input. Read as it is, as streams take 15 ms to load.
 * @param end Told when this process has to end: the other one has ended, or has got a signal for
 * which nobody listens here, or not yet. A signal that is sent here ends the process then, too.
 * @returns Nothing, if the other one has ended before it handed anything over.
 */
export async function openLifeline(
  input: Input,
  end: (signal?: StopSignal) => void,
): Promise<Lifeline | undefined> {
  const lines = linesOf(input);
  const first = await lines.next();
  if (first.done) return undefined;
  const listeners: ((signal: StopSignal) => void)[] = [];
  const listen = async () => {
    for await (const line of lines) {
      if (!isStopSignal(line)) continue;
      if (listeners.length === 0) end(line);
      for (const listener of listeners) listener(line);
    }
  };
  listen().then(() => end(), () => end());
  return {
    handover: JSON.parse(first.value),
    onSignal: (listener) => void listeners.push(listener),
  };
}

async function* linesOf(input: Input): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(65_536);
  let rest = "";
  for (;;) {
    const length = await input.read(bytes);
    if (length === null) return;
    const lines = (rest + decoder.decode(bytes.subarray(0, length), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
