/**
 * What the engine costs: per record, and per epoch.
 *
 * @module
 */

import { z } from "zod";
import { fileCheckpoints, memoryCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { defineSink, defineSource, defineTransform } from "../engine/plugin.ts";
import { runPipeline } from "../engine/run/run.ts";
import { systemWorld } from "../engine/run/world.ts";
import { type BenchRow, median } from "./table.ts";

const BATCH_RECORDS = 1_000;
const BATCHES = 1_000;
const EPOCHS = 200;
const ROUNDS = 5;

interface Item {
  readonly key: string;
  readonly value: number;
}

const NOTHING = new Uint8Array();
const none = z.strictObject({});
const records: readonly Item[] = Array.from(
  { length: BATCH_RECORDS },
  (_, index) => ({ key: "a", value: index }),
);

const repeated = defineSource({
  id: "repeated",
  summary: "Gives the same batch many times",
  options: none,
  replay: "exact",
  shape: () => ({ kind: "raw", format: "item" }),
  async *read() {
    for (let batch = 0; batch < BATCHES; batch++) yield { records, position: { batch } };
  },
});

const sum = defineTransform({
  id: "sum",
  summary: "Adds up",
  options: none,
  shape: (input) => input,
  key: (record: Item) => record.key,
  state: { version: 1, initial: () => ({ total: 0 }) },
  step: (record, { state, emit }) => addUp(record, state, emit),
});

const nowhere = defineSink({
  id: "nowhere",
  summary: "Forgets",
  options: none,
  delivery: "idempotent",
  accept: () => {},
  encode: () => NOTHING,
  open: () =>
    Promise.resolve({
      deliver: () => Promise.resolve(),
      flush: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    }),
});

/** Engine overhead per record, and what an epoch costs beside the bare file work in it. */
export async function engine(): Promise<BenchRow[]> {
  const bareMs: number[] = [];
  const runMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bareMs.push(await timeOf(() => Promise.resolve(bare())));
    runMs.push(
      await timeOf(() =>
        runPipeline(pipelineOf(Infinity), {
          world: systemWorld("."),
          checkpoints: memoryCheckpoints(),
        })
      ),
    );
  }
  const total = BATCHES * BATCH_RECORDS;
  const overheadNs = (median(runMs) - median(bareMs)) * 1e6 / total;
  return [
    {
      name: "engine overhead",
      value: overheadNs,
      unit: "ns per record",
      note: `source → one transform → sink, beyond the bare steps (${
        (median(bareMs) * 1e6 / total).toFixed(1)
      } ns)`,
    },
    await epochs(),
  ];
}

async function epochs(): Promise<BenchRow> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  try {
    const epochMs: number[] = [];
    const fileMs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const checkpoints = await fileCheckpoints(`${folder}/${round}`, () => {});
      const pipeline = pipelineOf(BATCHES * BATCH_RECORDS / EPOCHS);
      epochMs.push(
        await timeOf(() => runPipeline(pipeline, { world: systemWorld("."), checkpoints })),
      );
      checkpoints.close();
      fileMs.push(await timeOf(() => bareCommits(`${folder}/${round}.bare`)));
    }
    return {
      name: "epoch",
      value: median(epochMs) / EPOCHS,
      unit: "ms",
      note: `drain, flush, save and sync, ${
        (median(epochMs) / median(fileMs)).toFixed(1)
      } × writing, syncing and renaming a file of that size`,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function bareCommits(path: string): Promise<void> {
  const bytes = new Uint8Array(1_000);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    {
      using file = await Deno.open(`${path}.tmp`, { write: true, create: true, truncate: true });
      await file.write(bytes);
      await file.sync();
    }
    await Deno.rename(`${path}.tmp`, path);
  }
}

function bare(): number {
  let state = { total: 0 };
  const given: Item[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    given.length = 0;
    for (const record of records) {
      state = addUp(record, state, (item) => void given.push(item));
    }
  }
  return state.total;
}

function addUp(
  record: Item,
  state: { readonly total: number },
  emit: (record: Item) => void,
): { total: number } {
  emit(record);
  return { total: state.total + record.value };
}

function pipelineOf(epochRecords: number): Pipeline {
  const step = { options: {}, onError: "stop" } as const;
  return {
    name: "bench",
    folder: ".",
    sources: [{ ...step, plugin: repeated, id: "repeated" }],
    transforms: [{ ...step, plugin: sum, id: "sum" }],
    sinks: [{ ...step, plugin: nowhere, id: "nowhere" }],
    deadLetter: undefined,
    shapes: [{ kind: "raw", format: "item" }],
    epoch: { records: epochRecords, ms: 1e9 },
  };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
