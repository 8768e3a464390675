/**
 * `penstock run` and `penstock dry-run`.
 *
 * @module
 */

import { unite } from "../../engine/permissions.ts";
import { keepsCheckpoints } from "../checkpoints.ts";
import { type Call, type Command, textOf, type Work } from "../command.ts";
import type { Need } from "../confine/mod.ts";
import type { RunFlags } from "../run.ts";
import { UsageError } from "../usage.ts";
import { LOG, reachOfState, SIMULATE, STATE, stateOf } from "./_flags.ts";

/** Runs a pipeline. */
export const run: Command = {
  usage: [["run FILE", "runs a pipeline; a later run goes on from the last checkpoint"]],
  flags: {
    simulate: SIMULATE,
    state: STATE,
    drain: {
      value: "SECONDS",
      help: "ends a stop that takes longer, and says what was not delivered (default: 30)",
    },
    metrics: {
      value: "PORT",
      help: "serves /metrics for Prometheus, /livez and /readyz on 127.0.0.1",
    },
    ...LOG,
  },
  need: (call) => needOf(flagsOf(call, false), call),
  load: () => load(false),
};

/** Runs a pipeline, but for its sinks. */
export const dryRun: Command = {
  usage: [["dry-run FILE", "prints what its sinks would be sent; writes nothing"]],
  flags: {
    simulate: SIMULATE,
    limit: { value: "N", help: "reads N records, then stops" },
    ...LOG,
  },
  need: (call) => needOf(flagsOf(call, true), call),
  load: () => load(true),
};

async function load(dry: boolean): Promise<Work> {
  const { run } = await import("../run.ts");
  return (call, host, terminal) => run(flagsOf(call, dry), host, terminal);
}

/** Whatever is wrong with the options is said before anything starts. */
function flagsOf(call: Call, dry: boolean): RunFlags {
  const { operand, flags } = call;
  return {
    file: operand,
    simulated: flags.simulate !== undefined,
    state: stateOf(call),
    drainMs: parseDrain(textOf(flags.drain)),
    limit: parseLimit(textOf(flags.limit)),
    metrics: parsePort(textOf(flags.metrics)),
    dry,
  };
}

function needOf(run: RunFlags, { flags }: Call): Need {
  return {
    file: run.file,
    steps: run.dry ? "dry" : "all",
    simulate: textOf(flags.simulate),
    extra: (pipeline) =>
      unite([
        keepsCheckpoints(run) ? reachOfState(pipeline, run.state) : {},
        run.metrics === undefined ? {} : { net: [`127.0.0.1:${run.metrics}`] },
      ]),
  };
}

function parseLimit(limit: string | undefined): number | undefined {
  if (limit === undefined) return undefined;
  const records = Number(limit);
  if (Number.isSafeInteger(records) && records > 0) return records;
  throw new UsageError(`Cannot use \`--limit ${limit}\` as it must be a whole number above 0`);
}

/** Milliseconds of a number of seconds. A timer of the system holds a day, and not much more. */
function parseDrain(drain: string | undefined): number | undefined {
  if (drain === undefined) return undefined;
  const seconds = drain === "" ? NaN : Number(drain);
  if (seconds >= 0 && seconds <= 86_400) return 1_000 * seconds;
  throw new UsageError(
    `Cannot use \`--drain ${drain}\` as it must be a number of seconds from 0 to 86,400`,
  );
}

function parsePort(port: string | undefined): number | undefined {
  if (port === undefined) return undefined;
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError(
    `Cannot use \`--metrics ${port}\` as it must be a port from 1 to 65535, or 0 for any free one`,
  );
}
