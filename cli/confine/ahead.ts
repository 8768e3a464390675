/**
 * Starts a confined process ahead of its plan, to reach what the same command was last found to reach:
 * so it starts while the plan is made.
 *
 * It waits for what is handed over, and runs nothing of a pipeline before. It is handed that only if
 * the plan says that it may reach just this, and is ended if not. So what is known of the last time
 * may be old, or wrong.
 *
 * @module
 */

import { denoFlags } from "./flags.ts";
import { type LastReach, lastReachOf } from "./last_reach.ts";
import { spawn, type Start } from "./launch.ts";

/** A process that was started ahead of its plan. */
export interface Ahead extends Pick<LastReach, "port"> {
  /** The process, if it is just the one that was planned. If not, it is ended. */
  take(planned: Start): Promise<Deno.ChildProcess | undefined>;
  /** Ends it, unless it was taken. */
  end(): Promise<void>;
}

/**
 * Starts the process of a command ahead of its plan.
 *
 * @param args The arguments behind `penstock`.
 * @returns Nothing, where it is not known what it may reach.
 */
export function startAhead(args: readonly string[]): Ahead | undefined {
  try {
    const last = lastReachOf(args);
    return last && startWith(args, last);
  } catch {
    return undefined; // what is in the way is told when the plan is made
  }
}

function startWith(args: readonly string[], { reach, port }: LastReach): Ahead {
  const start = { args, reach };
  const started = textOf(start);
  let left: Deno.ChildProcess | undefined = spawn(start, "inherit");
  return {
    port,
    async take(planned) {
      if (textOf(planned) !== started) await this.end();
      const taken = left;
      left = undefined;
      return taken;
    },
    async end() {
      const child = left;
      left = undefined;
      if (child) await kill(child);
    },
  };
}

async function kill(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
  await Promise.all([child.status, child.stdin.abort()]);
}

/** All that a process is started with. */
function textOf(start: Start): string {
  return JSON.stringify([denoFlags(start), start.args]);
}
