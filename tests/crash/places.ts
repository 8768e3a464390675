/**
 * Where a process is killed: a trap that counts how often a run passes each place, and springs.
 *
 * Nothing of this is in the engine: sources, transforms, sinks and the disk are wrapped from
 * outside, and the process that is killed has an entry of its own.
 *
 * @module
 */

import type { CheckpointDisk } from "../../engine/checkpoint/checkpoint.ts";
import type { Context } from "../../engine/context.ts";
import type { CheckedStep, Pipeline } from "../../engine/pipeline.ts";
import {
  defineSink,
  defineSource,
  defineTransform,
  type Plugin,
  type SinkPlugin,
  type SinkSpec,
  type SourcePlugin,
  type TransformPlugin,
} from "../../engine/plugin.ts";

/** The places of a run, in the order in which it passes them. */
export const PLACES = [
  "after opening a sink",
  "after a read",
  "after a step",
  "in a delivery",
  "after a delivery",
  "before a flush",
  "after a flush",
  "in the checkpoint",
  "before the renames",
  "between the renames",
  "before the folder's sync",
  "after the save",
] as const;

/** A place of a run. */
export type Place = typeof PLACES[number];

/** A place, and which of its passages is the last. */
export interface Kill {
  /** The place. */
  readonly place: Place;
  /** The passage at which the process dies, counted from 1. */
  readonly nth: number;
}

/** Counts passages, and kills its own process at one of them. */
export class Trap {
  readonly #passages = new Map<Place, number>();
  readonly #kill: Kill | undefined;

  /** Sets a trap; one that only counts where no kill is given. */
  constructor(kill: Kill | undefined) {
    this.#kill = kill;
  }

  /** How often each place was passed. */
  get passages(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#passages);
  }

  /** Passes a place, or dies there. */
  pass(place: Place): void {
    if (this.springs(place)) this.die();
  }

  /** Passes a place; tells whether the process is to die there. */
  springs(place: Place): boolean {
    const passed = (this.#passages.get(place) ?? 0) + 1;
    this.#passages.set(place, passed);
    return this.#kill?.place === place && this.#kill.nth === passed;
  }

  /** Ends this process as a power switch would: nothing more is done, nothing is closed. */
  die(): never {
    Deno.kill(Deno.pid, "SIGKILL");
    for (;;);
  }
}

/** The pipeline with a trap at every place of its steps. */
export function trapPipeline(pipeline: Pipeline, trap: Trap): Pipeline {
  return {
    ...pipeline,
    sources: pipeline.sources.map((step) => withPlugin(step, trapSource(step.plugin, trap))),
    transforms: pipeline.transforms.map((step) =>
      withPlugin(step, trapTransform(step.plugin, trap))
    ),
    sinks: pipeline.sinks.map((step) => withPlugin(step, trapSink(step.plugin, trap))),
    deadLetter: pipeline.deadLetter &&
      withPlugin(pipeline.deadLetter, trapSink(pipeline.deadLetter.plugin, trap)),
  };
}

/** A step with another plugin in the place of its own. */
export function withPlugin<P extends Plugin>(step: CheckedStep<P>, plugin: P): CheckedStep<P> {
  return { ...step, plugin };
}

function trapSource(plugin: SourcePlugin, trap: Trap): SourcePlugin {
  return defineSource({
    ...plugin,
    async *read(...given: Parameters<SourcePlugin["read"]>) {
      for await (const batch of plugin.read(...given)) {
        trap.pass("after a read");
        yield batch;
      }
    },
  });
}

function trapTransform(plugin: TransformPlugin, trap: Trap): TransformPlugin {
  return defineTransform({
    ...plugin,
    step(record, step) {
      const state = plugin.step(record, step);
      trap.pass("after a step");
      return state;
    },
  });
}

function trapSink(plugin: SinkPlugin, trap: Trap): SinkPlugin {
  const open: SinkSpec<unknown, unknown, unknown>["open"] = async (options, opening, context) => {
    const writer = await plugin.open(options, opening, trapWrites(context, trap));
    trap.pass("after opening a sink");
    return {
      async deliver(chunk) {
        const rejections = await writer.deliver(chunk);
        trap.pass("after a delivery");
        return rejections;
      },
      async flush() {
        trap.pass("before a flush");
        const token = await writer.flush();
        trap.pass("after a flush");
        return token;
      },
      close: () => writer.close(),
    };
  };
  return defineSink({ ...plugin, open });
}

/** What a sink does to the world: half of it is done, or it is done and nobody learns of it. */
function trapWrites(context: Context, trap: Trap): Context {
  const write = async (bytes: Uint8Array, whole: (part: Uint8Array) => Promise<void>) => {
    if (trap.springs("in a delivery")) {
      await whole(bytes.subarray(0, bytes.length >> 1));
      trap.die();
    }
    await whole(bytes);
  };
  return {
    ...context,
    print: (bytes) => write(bytes, (part) => context.print(part)),
    async fetch(url, init) {
      const response = await context.fetch(url, init);
      trap.pass("in a delivery");
      return response;
    },
    files: {
      ...context.files,
      async open(path) {
        const file = await context.files.open(path);
        return { ...file, append: (bytes) => write(bytes, (part) => file.append(part)) };
      },
    },
  };
}

/** The disk that checkpoints are saved to, with a trap at every step of a save. */
export function trapDisk(disk: CheckpointDisk, trap: Trap): CheckpointDisk {
  return {
    async create(path) {
      const file = await disk.create(path);
      return {
        async write(bytes) {
          if (trap.springs("in the checkpoint")) {
            await file.write(bytes.subarray(0, bytes.length >> 1));
            trap.die();
          }
          return await file.write(bytes);
        },
        sync: () => file.sync(),
        [Symbol.dispose]: () => file[Symbol.dispose](),
      };
    },
    async rename(from, to) {
      trap.pass(to.endsWith(".previous") ? "before the renames" : "between the renames");
      await disk.rename(from, to);
    },
    async syncFolder(folder) {
      trap.pass("before the folder's sync");
      await disk.syncFolder(folder);
      trap.pass("after the save");
    },
  };
}
