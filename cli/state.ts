/**
 * `penstock state show`, `state export` and `state reset`: what a pipeline remembers.
 *
 * @module
 */

import { join } from "@std/path";
import type { Checkpoint } from "../engine/checkpoint/body.ts";
import { fileCheckpoints, type Peek, peekCheckpoint } from "../engine/checkpoint/checkpoint.ts";
import { FatalError, OptionsError } from "../engine/errors.ts";
import { listed } from "../engine/nearest.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import { deliveryOf } from "../engine/plugin.ts";
import { describeState } from "../engine/checkpoint/describe.ts";
import { type Reset, resetCheckpoint, type ResetWish } from "../engine/checkpoint/reset.ts";
import { checkpointFolder } from "./checkpoints.ts";
import type { Inputs } from "./inputs.ts";
import { openPipeline } from "./open.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/** What `state` is given. */
export interface StateFlags extends ResetWish {
  /** What is done. */
  readonly action: "show" | "export" | "reset";
  /** The pipeline file. */
  readonly file: string;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
}

/**
 * Shows, exports or resets what a pipeline remembers.
 *
 * @returns The exit code.
 */
export async function state(
  flags: StateFlags,
  inputs: Inputs,
  terminal: Terminal,
): Promise<number> {
  const pipeline = await openPipeline(flags.file, inputs);
  terminal.hide(pipeline.secrets ?? []);
  const folder = checkpointFolder(pipeline, flags.state);
  const peek = await peekCheckpoint(folder);
  if (!peek) throw nothingThere(pipeline, folder);
  const print = (text: string) => terminal.print(new TextEncoder().encode(text));
  if (flags.action === "show") await print(describeState(pipeline, peek, Date.now()));
  else if (flags.action === "export") await print(`${JSON.stringify(peek.checkpoint, null, 2)}\n`);
  else terminal.say(await reset(pipeline, folder, flags));
  return 0;
}

/** Nobody is asked: what is removed is told, and the checkpoint as it was is kept. */
async function reset(pipeline: Pipeline, folder: string, flags: StateFlags): Promise<string> {
  const warnings: string[] = [];
  const store = await fileCheckpoints(folder, (warning) => void warnings.push(warning));
  try {
    const saved = await store.load();
    const peek = await peekCheckpoint(folder);
    if (!saved || !peek) throw nothingThere(pipeline, folder);
    const isPart = flags.step !== undefined || flags.series !== undefined;
    const part = isPart ? resetPart(saved, flags) : undefined;
    const backup = await keep(folder, peek);
    if (part) await store.save({ ...part.checkpoint, epoch: saved.epoch + 1 });
    else await removeCheckpoints(folder);
    return [
      ...warnings,
      ...part
        ? part.removed.map((what) => `removed ${what}`)
        : [`removed the checkpoint of pipeline ${pipeline.name}: it starts from the beginning`],
      ...whatFollows(pipeline, saved, part?.sources ?? Object.keys(saved.positions)),
      ...whatStays(pipeline, flags, part?.sources ?? []),
      `kept as it was: ${backup}`,
    ].map((line) => `${line}\n`).join("");
  } finally {
    store.close();
  }
}

/** A step or a series that is not there is a wrong argument, not a wrong pipeline file. */
function resetPart(saved: Checkpoint, wish: ResetWish): Reset {
  try {
    return resetCheckpoint(saved, wish);
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    throw new UsageError(error.message, { hint: error.hint });
  }
}

async function keep(folder: string, { path, checkpoint }: Peek): Promise<string> {
  const moment = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const backup = join(folder, `backup-${checkpoint.epoch}-${moment}`);
  await Deno.copyFile(path, backup);
  return backup;
}

async function removeCheckpoints(folder: string): Promise<void> {
  for (const name of ["checkpoint", "checkpoint.previous"]) {
    await Deno.remove(join(folder, name)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** What is delivered again is told by what each sink makes of it. */
function whatFollows(
  { sinks }: Pipeline,
  { tokens }: Checkpoint,
  sources: readonly string[],
): string[] {
  if (sources.length === 0) return [];
  const doubling = sinks.filter(({ id, plugin, options }) =>
    id in tokens && deliveryOf(plugin, options) !== "idempotent"
  );
  const again = `${listed(sources, "and")} will give again what was delivered already`;
  if (doubling.length === 0) return [`${again}; the sinks take it in the place of what they have`];
  return [
    `${again}: move away what ${
      listed(doubling.map(({ id }) => id), "and")
    } has written, or it will be there twice`,
  ];
}

/** A source that begins anew meets transforms that have gone on. */
function whatStays(
  { transforms }: Pipeline,
  { step }: ResetWish,
  sources: readonly string[],
): string[] {
  const stateful = transforms.filter(({ plugin }) => plugin.state).map(({ id }) => id);
  if (step === undefined || sources.length === 0 || stateful.length === 0) return [];
  return [
    `${
      listed(stateful, "and")
    } will remember what came later than that: leave out --step to reset both`,
  ];
}

function nothingThere({ name }: Pipeline, folder: string): FatalError {
  return new FatalError(`Cannot find a checkpoint of pipeline "${name}": "${folder}" has none`, {
    hint: "Run the pipeline first, or name the folder of its checkpoints with --state",
  });
}
