import { assertThrows } from "@std/assert";
import type { Checkpoint } from "../../../engine/checkpoint/body.ts";
import type { Json } from "../../../engine/context.ts";
import { FatalError } from "../../../engine/errors.ts";
import { refuseKeptSecrets } from "../../../engine/checkpoint/kept_secrets.ts";
import { emptyStep } from "../../../engine/run/ledger.ts";
import { Secret } from "../../../engine/options.ts";
import type { Pipeline } from "../../../engine/pipeline.ts";
import { Disk, diskSink, numbers, pipelineOf, step, total } from "../_fakes.ts";

const secrets = [new Secret("hunter2-hunter2")];

function savedWith(kept: { position?: Json; state?: Json; token?: Json }): Checkpoint {
  return {
    pipeline: "test",
    epoch: 1,
    steps: [],
    positions: { numbers: { at: kept.position ?? null } },
    states: { total: { a: kept.state ?? null } },
    tokens: { disk: kept.token ?? null },
    deadLetterToken: null,
    refusals: {},
    replayed: {},
    counters: {},
    ledger: { sources: {}, transforms: {}, sinks: {}, deadLetter: emptyStep(), dropped: 0 },
  };
}

function pipelineWith(module: string | undefined): Pipeline {
  const own = module === undefined ? {} : { module };
  return pipelineOf({
    sources: [step(numbers, { to: 1 }, own)],
    transforms: [step(total, {}, own)],
    sinks: [step(diskSink(new Disk()), {}, own)],
    secrets,
  });
}

for (
  const [kept, name] of [
    [{ position: "hunter2-hunter2" }, 'source "numbers"'],
    [{ state: { sum: "aHVudGVyMi1odW50ZXIy" } }, 'transform "total"'],
    [{ token: ["x hunter2-hunter2 y"] }, 'sink "disk"'],
  ] as const
) {
  Deno.test(`refuseKeptSecrets() refuses a secret that ${name} of the user's keeps`, () => {
    assertThrows(
      () => refuseKeptSecrets(pipelineWith("./own.ts"), savedWith(kept)),
      FatalError,
      `${name} must keep no secret`,
    );
  });
}

Deno.test("refuseKeptSecrets() lets names pass that are also a password, in what comes along", () => {
  refuseKeptSecrets(pipelineWith(undefined), savedWith({ position: "hunter2-hunter2" }));
  refuseKeptSecrets(pipelineWith("./own.ts"), savedWith({ position: "another" }));
});
