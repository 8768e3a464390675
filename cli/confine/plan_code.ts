/**
 * Plans a confined process that has code of the user's in it. None of it runs here: it is asked in a
 * process that can reach nothing.
 *
 * @module
 */

import { basename, dirname, resolve } from "@std/path";
import { OptionsError } from "../../engine/errors.ts";
import { NO_REACH, reachOfStep, unite } from "../../engine/permissions.ts";
import type { KnownSteps } from "../../engine/pipeline_file/load.ts";
import type { Permissions } from "../../engine/plugin.ts";
import type { Handover, Simulated } from "../inputs.ts";
import { type Answer, parseTold, type Told } from "./claims.ts";
import { fillPlaceholders, placeholderOf } from "./fill.ts";
import { GrantError } from "./grant_error.ts";
import { type Asked, type Claims, compareGrants, readGrants } from "./grants.ts";
import { ask } from "./launch.ts";
import type { Confinement, Plan, Planning } from "./planning.ts";
import { reachOfCommand } from "./reach.ts";

/** What is known before that code is asked. */
export interface PlannedCode extends Pick<KnownSteps, "known" | "modules"> {
  /** What the command does with the pipeline. */
  readonly confinement: Confinement;
  /** What planning has to go by. */
  readonly planning: Planning;
  /** What the process is given. */
  readonly handover: Handover;
}

/**
 * Plans the process.
 *
 * @throws {OptionsError} If the code asks for more than was granted.
 * @throws {NoAnswerError} If it cannot be loaded; what is wrong was said.
 */
export async function planCode(
  { confinement, planning, modules, known, handover }: PlannedCode,
): Promise<Plan> {
  const { file, steps } = confinement;
  const folder = dirname(resolve(file));
  await planning.fetchCode?.(modules);
  const asked = await findClaims({ file, modules, handover, planning });
  const declared = () =>
    unite([
      ...known.filter(({ plugin }) => steps !== "dry" || plugin.kind !== "sink")
        .map((step) => reachOfStep(step, folder)),
      ...Object.values(asked.claims).map(asPermissions),
      { net: hostsOf(planning.simulator) },
    ]);
  return {
    reach: await reachOfCommand(confinement, asked.name, declared),
    modules,
    handover: asked.handover,
    claims: asked.claims,
  };
}

interface Asking {
  readonly file: string;
  readonly modules: readonly string[];
  readonly handover: Handover;
  readonly planning: Planning;
}

/** Asks the user's code what it must reach, and holds that against what was granted. */
async function findClaims(asking: Asking): Promise<{
  readonly name: string;
  readonly claims: Claims;
  readonly handover: Handover;
}> {
  const { file, planning } = asking;
  const granted = await readGrants(file);
  const whole = basename(file);
  let { handover } = asking;
  const fill: string[] = [];
  for (;;) {
    const told = await tell({ ...asking, handover });
    if ("missing" in told) {
      fill.push(...told.missing);
      refuseMore(file, { [whole]: { fill } }, granted, planning);
      const wanted = told.missing.map(placeholderOf);
      const values = await fillPlaceholders(wanted, dirname(resolve(file)));
      handover = { ...handover, values: { ...handover.values, ...values } };
      continue;
    }
    const claims = collect(told, fill.length > 0 ? { [whole]: { fill } } : {}, planning);
    refuseMore(file, claims, granted, planning);
    return { name: told.name, claims, handover };
  }
}

async function tell({ file, modules, handover }: Asking): Promise<Told> {
  const told = parseTold(
    await ask({ args: ["claims", file], reach: NO_REACH, modules, handover }),
  );
  if (told) return told;
  throw new OptionsError(`Cannot plan a run of "${file}" as its plugins must not print anything`, {
    hint: "Look for code in them that writes to standard output by itself",
  });
}

/** What each plugin asks for. The simulated exchange is ours: nobody has to ask for it. */
function collect(
  { claims }: Answer,
  first: Claims,
  { simulator }: Planning,
): Claims {
  const ours = new Set(hostsOf(simulator));
  const all: Record<string, Asked> = { ...first };
  for (const { plugin, ...claim } of claims) {
    const { net, ...rest } = unite([asPermissions(all[plugin] ?? {}), claim]);
    const asked = { ...all[plugin], ...rest, net: net.filter((host) => !ours.has(host)) };
    if (Object.values(asked).some((values) => (values ?? []).length > 0)) all[plugin] = asked;
  }
  return all;
}

function hostsOf(simulator: Simulated | undefined): string[] {
  return Object.values(simulator?.urls ?? {}).map((url) => new URL(url).host);
}

function asPermissions({ net = [], read = [], write = [], env = [] }: Asked): Permissions {
  return { net, read, write, env };
}

function refuseMore(file: string, claims: Claims, granted: Claims, { accepting }: Planning): void {
  if (accepting) return;
  const more = compareGrants(claims, granted).filter(({ sign }) => sign === "+");
  if (more.length === 0) return;
  throw new GrantError(file, more);
}
