/**
 * Runs commands in processes that can reach what a pipeline names, and nothing else.
 *
 * @module
 */

import { describeReach, NO_REACH } from "../../engine/permissions.ts";
import { urlOfModule } from "../../engine/pipeline_file/modules.ts";
import type { Host } from "../host.ts";
import { handedInputs } from "../inputs.ts";
import { startSimulator } from "../simulate.ts";
import type { Terminal } from "../terminal.ts";
import type { Ahead } from "./ahead.ts";
import { keepReach } from "./last_reach.ts";
import { launch, NoAnswerError } from "./launch.ts";
import { planPipeline } from "./plan.ts";
import type { Confinement, Plan } from "./planning.ts";

/** What a command needs of a process of its own. */
export type Need =
  | Confinement & {
    /** The scenario of a simulated exchange; the default one for an empty text. */
    readonly simulate?: string | undefined;
  }
  /** A module of the user's is loaded, and nothing is reached. */
  | { readonly module: string };

/** How a command is run. */
export interface Confining {
  /** The arguments behind `penstock`. */
  readonly args: readonly string[];
  /** What the command needs. */
  readonly need: Need;
  /** Whether to say what it may reach. */
  readonly verbose?: boolean;
  /** Runs it in this process: where it needs nothing, and no code of the user's is loaded. */
  here(host: Host): Promise<number>;
}

/**
 * Runs a command as far as it may reach.
 *
 * @param ahead Its process, where that was started ahead.
 * @returns Its exit code.
 */
export async function confine(
  { args, need, verbose = false, here }: Confining,
  terminal: Terminal,
  ahead?: Ahead,
): Promise<number> {
  if ("module" in need) {
    const modules = [urlOfModule(need.module, Deno.cwd())];
    const handover = { file: { path: "", content: { text: "" } }, values: {} };
    const start = { args, reach: NO_REACH, modules };
    return await launch({ ...start, handover }, await ahead?.take(start));
  }
  await using simulator = need.simulate === undefined
    ? undefined
    : await startSimulator(need.simulate, ahead?.port);
  let plan: Plan;
  try {
    plan = await planPipeline(need, {
      simulator: simulator && { urls: simulator.urls, aheadMs: simulator.aheadMs },
      hide: terminal.hide,
    });
  } catch (error) {
    if (error instanceof NoAnswerError) return error.code;
    throw error;
  }
  if (need.steps === "none" && plan.modules.length === 0 && reachesNothing(plan)) {
    await ahead?.end();
    return await here({ inputs: handedInputs(plan.handover) });
  }
  if (verbose) terminal.say(`It may reach:\n  ${describeReach(plan.reach).join("\n  ")}\n`);
  const launching = { ...plan, args };
  const launched = launch(launching, await ahead?.take(launching));
  // Code of the user's has a process of its own to be asked in, and is never started ahead.
  if (plan.modules.length === 0) keepReach(args, { reach: plan.reach, port: simulator?.port });
  const [code] = await Promise.all([launched, simulator?.make()]);
  return code;
}

function reachesNothing({ reach }: Plan): boolean {
  return Object.values(reach).every((values) => values.length === 0);
}
