/** Targets: what a run keeps and reads again. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fileCheckpoints } from "../../engine/checkpoint/checkpoint.ts";
import { FatalError } from "../../engine/errors.ts";
import { parseBody } from "../../engine/checkpoint/body.ts";
import { emptyStep, findImbalances } from "../../engine/run/ledger.ts";
import { json, must, mustBeMessage } from "./_cases.ts";
import { defineTarget, type FuzzTarget } from "./target.ts";

/** The checkpoint of an epoch. */
function checkpoint(epoch: number) {
  return {
    pipeline: "btc",
    epoch,
    steps: [{ step: 'source "feed"', plugin: "feed" }],
    positions: { feed: { "BTCUSDT@1m": { from: 1_704_067_200_000, after: 60_000 * epoch } } },
    states: { rsi: { "kline?symbol=BTCUSDT": { last: { t: 1, n: 15, close: 0.1 } } } },
    tokens: { file: { part: "", bytes: 1_234 } },
    deadLetterToken: null,
    refusals: {},
    counters: {},
    replayed: {},
    ledger: {
      sources: { feed: { ...emptyStep(), out: epoch } },
      transforms: {},
      sinks: { file: { ...emptyStep(), in: epoch, out: epoch } },
      deadLetter: emptyStep(),
      dropped: 0,
    },
  };
}

/** What is done to a file: a byte changed, its end cut off, something put in, or gone altogether. */
const harm = fc.oneof(
  fc.constant({ kind: "none" } as const),
  fc.constant({ kind: "gone" } as const),
  fc.record({ kind: fc.constant("flip" as const), at: fc.nat(900), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(900) }),
  fc.record({
    kind: fc.constant("put" as const),
    at: fc.nat(900),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
  }),
);

type Harm = typeof harm extends fc.Arbitrary<infer T> ? T : never;

function harmed(bytes: Uint8Array, harm: Harm): Uint8Array | undefined {
  if (harm.kind === "none") return bytes;
  if (harm.kind === "gone") return undefined;
  const at = harm.at % bytes.length;
  if (harm.kind === "cut") return bytes.slice(0, at);
  if (harm.kind === "put") {
    return new Uint8Array([...bytes.slice(0, at), ...harm.bytes, ...bytes.slice(at)]);
  }
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ (1 << harm.bit);
  return copy;
}

interface Saved {
  readonly folder: string;
  readonly current: Uint8Array;
  readonly previous: Uint8Array;
}

let saving: Promise<Saved> | undefined;

/** A folder with two checkpoints, for all cases of this process. */
async function save(): Promise<Saved> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-fuzz-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const store = await fileCheckpoints(folder, () => {});
  await store.save(checkpoint(1));
  await store.save(checkpoint(2));
  store.close();
  return {
    folder,
    current: await Deno.readFile(`${folder}/checkpoint`),
    previous: await Deno.readFile(`${folder}/checkpoint.previous`),
  };
}

const checkpoints = defineTarget({
  name: "checkpoints",
  promise:
    "A whole checkpoint is read or a FatalError tells of the damage, whatever became of the files",
  cases: 150,
  arbitrary: fc.tuple(harm, harm),
  async holds([first, second]) {
    const saved = await (saving ??= save());
    const [current, previous] = [harmed(saved.current, first), harmed(saved.previous, second)];
    await put(`${saved.folder}/checkpoint`, current);
    await put(`${saved.folder}/checkpoint.previous`, previous);
    await put(`${saved.folder}/checkpoint.damaged`, undefined);
    const warnings: string[] = [];
    const store = await fileCheckpoints(saved.folder, (message) => void warnings.push(message));
    try {
      const read = await store.load();
      if (first.kind === "none") assertEquals([read, warnings], [checkpoint(2), []]);
      else if (second.kind === "none") {
        assertEquals(read, checkpoint(1));
        assertEquals(warnings.length, current === undefined ? 0 : 1);
      } else assertEquals([read, current, previous], [undefined, undefined, undefined]);
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      mustBeMessage(error.message);
      must(error.hint !== undefined, "a word on what to do");
      must(first.kind !== "none", "a checkpoint that is whole to be read");
    } finally {
      store.close();
    }
  },
});

async function put(path: string, bytes: Uint8Array | undefined): Promise<void> {
  if (bytes !== undefined) return await Deno.writeFile(path, bytes);
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

const bodies = defineTarget({
  name: "checkpoint_bodies",
  promise: "A body with any of its values replaced is a checkpoint still, or is refused",
  cases: 500,
  arbitrary: fc.tuple(fc.array(fc.nat(20), { minLength: 1, maxLength: 5 }), json()),
  holds([way, value]) {
    const body = structuredClone(checkpoint(3));
    let at: unknown = body;
    for (const [depth, number] of way.entries()) {
      const keys = Object.keys(Object(at));
      const key = keys[number % keys.length];
      if (key === undefined) return;
      const next: unknown = Reflect.get(Object(at), key);
      if (depth === way.length - 1 || typeof next !== "object") {
        Reflect.set(Object(at), key, value);
        break;
      }
      at = next;
    }
    const read = parseBody(JSON.stringify(body));
    if (read === undefined) return;
    must(Number.isSafeInteger(read.epoch), "an epoch");
    must(findImbalances(read.ledger).every((fault) => !fault.includes("NaN")), "counts");
    must(Object.values(read.positions).every((one) => Object(one) === one), "positions");
  },
});

/** All targets of this file. */
export const CHECKPOINTS: readonly FuzzTarget[] = [checkpoints, bodies];
