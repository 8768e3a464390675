/**
 * Deliberate bugs, put into a run from outside, which the crash matrix must find.
 *
 * @module
 */

import type { Checkpoint } from "../../engine/checkpoint/body.ts";
import type { CheckpointStore } from "../../engine/checkpoint/checkpoint.ts";
import type { Pipeline } from "../../engine/pipeline.ts";
import { defineSource, type SourcePlugin } from "../../engine/plugin.ts";
import { withPlugin } from "./places.ts";

/** A bug: states are not saved, or a position is saved before its records are flushed. */
export type Bug = "states are lost" | "positions go first";

/** A pipeline and its checkpoints. */
export interface Parts {
  readonly pipeline: Pipeline;
  readonly checkpoints: CheckpointStore;
}

/** The same with a bug in it. */
export const BUGS: Readonly<Record<Bug, (parts: Parts) => Parts>> = {
  "states are lost": ({ pipeline, checkpoints }) => ({
    pipeline,
    checkpoints: {
      ...checkpoints,
      save: (checkpoint) => checkpoints.save({ ...checkpoint, states: {} }),
    },
  }),
  "positions go first": ({ pipeline, checkpoints }) => {
    const eager = new EagerCheckpoints(checkpoints);
    const sources = pipeline.sources.map((step) =>
      withPlugin(step, eager.saveReads(step.id, step.plugin))
    );
    return { pipeline: { ...pipeline, sources }, checkpoints: eager };
  },
};

/** Saves each position as soon as its records are read, with all else as it was. */
class EagerCheckpoints implements CheckpointStore {
  readonly #inner: CheckpointStore;
  #last: Checkpoint | undefined;

  constructor(inner: CheckpointStore) {
    this.#inner = inner;
  }

  async load(): Promise<Checkpoint | undefined> {
    return this.#last = await this.#inner.load();
  }

  async save(checkpoint: Checkpoint): Promise<void> {
    // A copy: the ledger goes on counting.
    this.#last = structuredClone(checkpoint);
    await this.#inner.save(checkpoint);
  }

  close(): void {
    this.#inner.close();
  }

  saveReads(id: string, plugin: SourcePlugin): SourcePlugin {
    // deno-lint-ignore no-this-alias -- a generator has a `this` of its own
    const store = this;
    return defineSource({
      ...plugin,
      async *read(...given: Parameters<SourcePlugin["read"]>) {
        for await (const batch of plugin.read(...given)) {
          const last = store.#last;
          if (last) {
            const position = { ...last.positions[id], ...batch.position };
            await store.save({ ...last, positions: { ...last.positions, [id]: position } });
          }
          yield batch;
        }
      },
    });
  }
}
