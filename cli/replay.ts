/**
 * `penstock replay`: puts dead letters through again.
 *
 * @module
 */

import { relative, resolve } from "@std/path";
import { fileCheckpoints } from "../engine/checkpoint/checkpoint.ts";
import { OptionsError } from "../engine/errors.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { LetterFile } from "../engine/dead_letters/replay.ts";
import { systemFiles } from "../engine/run/world.ts";
import { checkpointFolder } from "./checkpoints.ts";
import { execute } from "./execute.ts";
import type { Host } from "./host.ts";
import { logOf } from "./log.ts";
import { openPipeline } from "./open.ts";
import { describeReplay } from "./report.ts";
import { listenForStop } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** What `replay` is given. */
export interface ReplayFlags {
  /** The pipeline file. */
  readonly file: string;
  /** A file of dead letters; those that the dead-letter sink has written, where it is left out. */
  readonly letters: string | undefined;
  /** Where checkpoints are kept. */
  readonly state: string | undefined;
}

/**
 * Puts dead letters through the step that refused them and all that follows it.
 *
 * What was put through is part of the pipeline's checkpoint, together with the states and the sinks'
 * tokens: each letter is put through once, also when it is killed in between.
 *
 * @returns The exit code.
 */
export async function replay(
  flags: ReplayFlags,
  host: Host,
  terminal: Terminal,
): Promise<number> {
  const pipeline = await openPipeline(flags.file, host.inputs);
  const letters = () => letterFiles(pipeline, flags.letters);
  if (flags.letters === undefined) requireReadable(pipeline);
  using stop = listenForStop(terminal, host.relay);
  const folder = checkpointFolder(pipeline, flags.state);
  const checkpoints = await fileCheckpoints(folder, logOf(pipeline.name).warn);
  // They have counted for the limit when they were refused first.
  const unlimited = { ...pipeline, deadLetterLimit: undefined };
  return await execute(
    unlimited,
    checkpoints,
    { terminal, stop, letters },
    (report) => terminal.say(describeReplay(report, pipeline)),
  );
}

function requireReadable({ deadLetter }: Pipeline): void {
  if (deadLetter?.plugin.jsonLines) return;
  const hint = "Name a file that has them with --file";
  throw new OptionsError(
    deadLetter
      ? `Cannot replay dead letters as sink "${deadLetter.plugin.id}" must keep them in files that can be read again: it does not`
      : "Cannot replay dead letters as the pipeline must have `dead_letter`: it has none",
    { hint },
  );
}

async function letterFiles(pipeline: Pipeline, named: string | undefined): Promise<LetterFile[]> {
  const { deadLetter, folder } = pipeline;
  const files = systemFiles(folder);
  const paths = named === undefined
    ? await deadLetter?.plugin.jsonLines?.(deadLetter.options, { files }) ?? []
    : [resolve(named)];
  return paths.map((path) => ({
    // A pipeline may be moved with all its files: what was done of them is still done.
    name: relative(folder, resolve(folder, path)),
    lines: () => files.readLines(path),
  }));
}
