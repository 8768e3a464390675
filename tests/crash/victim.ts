/**
 * The process that is killed: runs a pipeline file, and dies where it is told to.
 *
 * Called with one argument, its order in JSON. A run that ends well leaves how often it passed each
 * place beside its checkpoints.
 *
 * @module
 */

import { join } from "@std/path";
import { openPipeline } from "../../cli/open.ts";
import { fileCheckpoints, systemDisk } from "../../engine/checkpoint/checkpoint.ts";
import { describeError } from "../../engine/errors.ts";
import type { Pipeline } from "../../engine/pipeline.ts";
import { defineSource, type Position, type SourcePlugin } from "../../engine/plugin.ts";
import { runPipeline } from "../../engine/run/run.ts";
import { systemWorld } from "../../engine/run/world.ts";
import { type Bug, BUGS } from "./bugs.ts";
import { fastClock, type FastTime } from "./clock.ts";
import { type Kill, Trap, trapDisk, trapPipeline, withPlugin } from "./places.ts";

/** What a process is to do. */
export interface Order {
  /** The pipeline file. */
  readonly file: string;
  /** The folder of its checkpoints. */
  readonly state: string;
  /** The time it lives in; that of the machine where it is left out. */
  readonly time?: FastTime | undefined;
  /** Where a source that never ends is left. */
  readonly until?: Until | undefined;
  /** Where it dies. */
  readonly kill?: Kill | undefined;
  /** What is wrong with it. */
  readonly bug?: Bug | undefined;
}

/** A live source is left once each of its series has given the candle of a moment. */
export interface Until {
  /** How many series it has. */
  readonly series: number;
  /** Open time of the last candle, in epoch milliseconds. */
  readonly openMs: number;
}

/** The file with the passages, beside the checkpoints. */
export const PASSAGES = "passages.json";

async function run({ file, state, time, until, kill, bug }: Order): Promise<void> {
  const trap = new Trap(kill);
  const whole = await openPipeline(file);
  const ending = until ? endAt(whole, until) : whole;
  const disk = trapDisk(systemDisk, trap);
  const warn = (message: string) => {
    throw new Error(`No checkpoint may be damaged: ${message}`);
  };
  const parts = {
    pipeline: trapPipeline(ending, trap),
    checkpoints: await fileCheckpoints(state, warn, disk),
  };
  const { pipeline, checkpoints } = bug ? BUGS[bug](parts) : parts;
  const world = systemWorld(pipeline.folder);
  await runPipeline(pipeline, {
    world: time ? { ...world, clock: fastClock(time) } : world,
    checkpoints,
  });
  checkpoints.close();
  await Deno.writeTextFile(join(state, PASSAGES), JSON.stringify(trap.passages));
}

function endAt(pipeline: Pipeline, until: Until): Pipeline {
  const sources = pipeline.sources.map((step) => withPlugin(step, limit(step.plugin, until)));
  return { ...pipeline, sources };
}

function limit(plugin: SourcePlugin, { series, openMs }: Until): SourcePlugin {
  return defineSource({
    ...plugin,
    endless: false,
    async *read(options, from, context) {
      let position: Position = from;
      const isOver = () => {
        const places = Object.values(position);
        return places.length === series &&
          places.every((place) => Number(Object(place).after) >= openMs);
      };
      if (isOver()) return;
      for await (const batch of plugin.read(options, from, context)) {
        yield batch;
        position = { ...position, ...batch.position };
        if (isOver()) return;
      }
    },
  });
}

if (import.meta.main) {
  try {
    await run(JSON.parse(Deno.args[0] ?? ""));
  } catch (error) {
    await Deno.stderr.write(new TextEncoder().encode(`${describeError(error)}\n`));
    Deno.exit(1);
  }
}
