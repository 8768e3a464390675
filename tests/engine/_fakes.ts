/** A source, a transform and a sink of a few lines each, and a world for them. */

import { z } from "zod";
import { VirtualClock } from "../../engine/clock.ts";
import type { Json } from "../../engine/context.ts";
import { RecordError } from "../../engine/errors.ts";
import type { CheckedStep, Pipeline } from "../../engine/pipeline.ts";
import {
  defineSink,
  defineSource,
  defineTransform,
  type Plugin,
  type Rejection,
} from "../../engine/plugin.ts";
import type { World } from "../../engine/run/world.ts";
import { fakeContext, type FakeOptions } from "../contracts/context.ts";

export interface Item {
  readonly key: string;
  readonly n: number;
}

const none = z.strictObject({});

/** Gives the numbers 1 to `to`, `size` at a time, alternating between the keys a and b. */
export const numbers = defineSource({
  id: "numbers",
  summary: "Counts",
  options: z.strictObject({
    to: z.int().describe("Last number"),
    size: z.int().default(3).describe("Records in a batch"),
  }),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "item" }),
  async *read({ to, size }, from) {
    for (let next = Number(from.next ?? 1); next <= to; next += size) {
      const records: Item[] = [];
      for (let n = next; n < next + size && n <= to; n++) {
        records.push({ key: n % 2 ? "a" : "b", n });
      }
      yield { records, position: { next: next + size }, progress: Math.min(1, next / to) };
    }
  },
});

/** Adds up the numbers of each key; refuses the unlucky one, leaves out the quiet one, doubles the loud one. */
export const total = defineTransform({
  id: "total",
  summary: "Adds up",
  options: z.strictObject({
    unlucky: z.int().optional().describe("Refused"),
    quiet: z.int().optional().describe("Left out"),
    loud: z.int().optional().describe("Given twice"),
  }),
  shape: (input) => input,
  key: (record: Item) => record.key,
  state: { version: 1, initial: () => ({ sum: 0 }) },
  step(record, { options, state, emit }) {
    const sum = state.sum + record.n;
    if (record.n !== options.quiet) emit({ ...record, sum });
    if (record.n === options.loud) emit({ ...record, sum });
    // Too late on purpose: what was given must be taken back.
    if (record.n === options.unlucky) throw new RecordError(`Cannot add ${record.n}`);
    return { sum };
  },
});

/** What a sink keeps beyond its process: as a file does. */
export class Disk {
  lines: string[] = [];
  deliveries = 0;
  flushes = 0;
  /** Called before each delivery: may throw, wait, or name refused records. */
  onDeliver: (lines: readonly string[]) => Promise<readonly Rejection[] | void> = () =>
    Promise.resolve();
  onFlush: () => Promise<void> = () => Promise.resolve();
}

/** A transactional sink that keeps JSON lines on a disk. */
export function diskSink(disk: Disk, id = "disk") {
  return defineSink({
    id,
    summary: "Keeps lines",
    options: none,
    delivery: "transactional",
    accept: () => {},
    limits: () => ({ maxRecords: 4 }),
    encode: (records: readonly unknown[]) =>
      new TextEncoder().encode(records.map((record) => JSON.stringify(record) + "\n").join("")),
    open: (_options, { token }) => {
      disk.lines.length = Math.min(disk.lines.length, typeof token === "number" ? token : 0);
      return Promise.resolve({
        async deliver(chunk) {
          disk.deliveries++;
          const lines = new TextDecoder().decode(chunk.bytes).trimEnd().split("\n");
          const rejected = await disk.onDeliver(lines) ?? [];
          const refused = new Set(rejected.map(({ index }) => index));
          disk.lines.push(...lines.filter((_, index) => !refused.has(index)));
          return rejected;
        },
        async flush(): Promise<Json> {
          disk.flushes++;
          await disk.onFlush();
          return disk.lines.length;
        },
        close: () => Promise.resolve(),
      });
    },
  });
}

export function step<P extends Plugin>(
  plugin: P,
  options: unknown = {},
  rest: Partial<CheckedStep<P>> = {},
): CheckedStep<P> {
  const checked = plugin.options.safeParse(options);
  if (!checked.success) throw new Error(JSON.stringify(checked.error.issues));
  return { plugin, id: plugin.id, options: checked.data, onError: "stop", ...rest };
}

export function pipelineOf(
  parts: Partial<Pipeline> & Pick<Pipeline, "sources" | "sinks">,
): Pipeline {
  return {
    name: "test",
    folder: ".",
    transforms: [],
    deadLetter: undefined,
    shapes: [{ kind: "raw", format: "item" }],
    epoch: { records: 6, ms: 5_000 },
    ...parts,
  };
}

export function fakeWorld(
  options: FakeOptions = {},
): World & { readonly clock: VirtualClock } {
  const clock = new VirtualClock(Date.UTC(2024, 0, 1));
  const context = fakeContext({ clock, ...options });
  return {
    clock,
    files: context.files,
    random: context.random,
    fetch: context.fetch,
    webSocket: context.webSocket,
    print: context.print,
  };
}
