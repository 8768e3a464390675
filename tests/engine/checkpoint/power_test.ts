/** A power cut at any step of a save: whatever the disk has kept by then, a checkpoint is whole. */

import { assert, assertEquals } from "@std/assert";
import { basename } from "@std/path";
import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import {
  type CheckpointDisk,
  fileCheckpoints,
  type NewFile,
} from "../../../engine/checkpoint/checkpoint.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";
import { inFolder } from "../_folder.ts";

/** A file: what was written, and what of it a power cut leaves for sure. */
interface Data {
  written: Uint8Array;
  synced: Uint8Array;
}

type Names = Map<string, Data>;

/** A disk that keeps only what was synced for sure: of names, and of what is in files. */
class UnsureDisk implements CheckpointDisk {
  #durable: Names = new Map();
  #pending: ((names: Names) => void)[] = [];
  #stepsLeft = Infinity;

  /** Steps since it was asked last. */
  steps = 0;

  cutAfter(steps: number): void {
    this.#stepsLeft = steps;
  }

  create(path: string): Promise<NewFile> {
    const data: Data = { written: new Uint8Array(), synced: new Uint8Array() };
    this.#change((names) => void names.set(basename(path), data));
    const step = () => this.#step();
    return Promise.resolve({
      write(bytes) {
        step();
        data.written = new Uint8Array([...data.written, ...bytes]);
        return Promise.resolve(bytes.length);
      },
      sync() {
        step();
        data.synced = data.written;
        return Promise.resolve();
      },
      [Symbol.dispose]: () => {},
    });
  }

  rename(from: string, to: string): Promise<void> {
    const move = (names: Names) => {
      const data = names.get(basename(from));
      if (!data) return;
      names.delete(basename(from));
      names.set(basename(to), data);
    };
    if (!this.#now().has(basename(from))) return Promise.reject(new Deno.errors.NotFound());
    this.#change(move);
    return Promise.resolve();
  }

  syncFolder(): Promise<void> {
    this.#step();
    this.#durable = this.#now();
    this.#pending = [];
    return Promise.resolve();
  }

  /** All that a power cut may leave: some of the names' changes, in order, and parts of files. */
  *leavings(): Generator<Map<string, Uint8Array>> {
    for (let kept = 0; kept <= this.#pending.length; kept++) {
      const names = new Map(this.#durable);
      for (const change of this.#pending.slice(0, kept)) change(names);
      for (const share of [0, 0.5, 1]) {
        yield new Map(
          Array.from(names, ([name, { written, synced }]) => {
            const size = Math.floor(written.length * share);
            return [name, synced.length > size ? synced : written.slice(0, size)];
          }),
        );
      }
    }
  }

  #now(): Names {
    const names = new Map(this.#durable);
    for (const change of this.#pending) change(names);
    return names;
  }

  #change(change: (names: Names) => void): void {
    this.#step();
    this.#pending.push(change);
  }

  #step(): void {
    this.steps++;
    if (this.#stepsLeft-- <= 0) throw new Error("The power is gone");
  }
}

function checkpoint(epoch: number): Checkpoint {
  return {
    pipeline: "btc",
    epoch,
    steps: [],
    positions: {},
    states: {},
    tokens: {},
    deadLetterToken: null,
    refusals: {},
    replayed: {},
    ledger: { sources: {}, transforms: {}, sinks: {}, deadLetter: emptyStep(), dropped: 0 },
    counters: {},
  };
}

/** The epoch that a run goes on from. */
async function epochOf(files: ReadonlyMap<string, Uint8Array>): Promise<number | undefined> {
  let epoch: number | undefined;
  await inFolder(async (folder) => {
    for (const [name, bytes] of files) await Deno.writeFile(`${folder}/${name}`, bytes);
    const store = await fileCheckpoints(folder, (message) => {
      throw new Error(message);
    });
    try {
      epoch = (await store.load())?.epoch;
    } finally {
      store.close();
    }
  });
  return epoch;
}

for (const done of [0, 1, 2, 3]) {
  Deno.test(`fileCheckpoints() leaves a whole checkpoint when the power is cut in save ${done + 1}, whatever the disk has kept`, async () => {
    const seen = new Set<number | undefined>();
    let whole = false;
    for (let steps = 0; !whole; steps++) {
      await inFolder(async (folder) => {
        const disk = new UnsureDisk();
        const store = await fileCheckpoints(folder, () => {}, disk);
        for (let epoch = 1; epoch <= done; epoch++) await store.save(checkpoint(epoch));
        disk.cutAfter(steps);
        whole = await store.save(checkpoint(done + 1)).then(() => true, () => false);
        store.close();
        for (const files of disk.leavings()) {
          const epoch = await epochOf(files);
          seen.add(epoch);
          const before = done === 0 ? undefined : done;
          assert(epoch === done + 1 || (!whole && epoch === before), `${steps} steps: ${epoch}`);
        }
      });
      assert(steps < 20, "a save must end");
    }
    assertEquals(seen, new Set([done === 0 ? undefined : done, done + 1]));
  });
}
