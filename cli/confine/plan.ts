/**
 * Plans a confined process: what it may reach, and all that it is given. No code of the user's runs
 * here: what such code asks for is found out in a process that can reach nothing.
 *
 * @module
 */

import { basename, dirname, resolve, toFileUrl } from "@std/path";
import { asDryRun } from "../../engine/run/dry_run.ts";
import { OptionsError } from "../../engine/errors.ts";
import {
  NO_REACH,
  permissionsOf,
  type Reach,
  reachOfStep,
  unite,
} from "../../engine/permissions.ts";
import { loadKnownSteps } from "../../engine/pipeline_file/load.ts";
import { findPlaceholders, type Placeholder } from "../../engine/pipeline_file/placeholders.ts";
import { isModuleFile, readPipeline } from "../../engine/pipeline_file/read_pipeline.ts";
import { readTextFile } from "../../engine/pipeline_file/read_text.ts";
import { secretsOfSinks } from "../../engine/pipeline_file/secrets.ts";
import type { Secret } from "../../engine/options.ts";
import type { Permissions } from "../../engine/plugin.ts";
import { handedInputs, handing, type Handover, type Simulated } from "../inputs.ts";
import { loadingWith, openPipeline, registry } from "../open.ts";
import { type Answer, parseTold, type Told } from "./claims.ts";
import { fillPlaceholders, placeholderOf } from "./fill.ts";
import { GrantError } from "./grant_error.ts";
import { type Asked, type Claims, compareGrants, readGrants } from "./grants.ts";
import { ask } from "./launch.ts";

/** What a command does with a pipeline. */
export interface Confinement {
  /** The pipeline file. */
  readonly file: string;
  /** Whose permissions it takes: those of all steps, of all but the sinks, or of none. */
  readonly steps: "all" | "dry" | "none";
  /** What it must reach beyond what the steps declare. */
  extra?(pipeline: { readonly name: string; readonly folder: string }): Permissions;
}

/** A confined process that is about to be started. */
export interface Plan {
  /** What it may reach. */
  readonly reach: Reach;
  /** The user's code in it, by URL. None, where all plugins come along. */
  readonly modules: readonly string[];
  /** What it is given. */
  readonly handover: Handover;
  /** What the user's code asks for, and was granted. */
  readonly claims: Claims;
}

/** What planning has to go by. */
export interface Planning {
  /** The simulated exchange, for a simulated run. */
  readonly simulator?: Simulated | undefined;
  /** Whether code of the user's gets all that it asks for: the user is about to accept it. */
  readonly accepting?: boolean;
  /** Told of secrets before anything is done with them. */
  hide?(secrets: Iterable<Secret>): void;
  /** Fetches code by URL, without running it. Code that is not on this machine is refused without. */
  fetchCode?(modules: readonly string[]): Promise<void>;
}

/** The process that loads code of the user's has ended, and has said why. */
export class PlanningEnded extends Error {
  /** Its exit code. */
  readonly code: number;

  /** Makes an error of an exit code. */
  constructor(code: number) {
    super(`The pipeline could not be loaded: exit code ${code}`);
    this.code = code;
  }
}

/**
 * Plans a confined process for a pipeline.
 *
 * @throws {PipelineFileError} If the file is wrong.
 * @throws {OptionsError} If code of the user's asks for more than was granted.
 * @throws {PlanningEnded} If that code cannot be loaded; what is wrong was said.
 */
export async function planPipeline(
  confinement: Confinement,
  planning: Planning = {},
): Promise<Plan> {
  const { file } = confinement;
  const handover = await prepare(confinement, planning);
  const inputs = { ...handedInputs(handover), ...planning.hide ? { hide: planning.hide } : {} };
  const { modules, known } = isModuleFile(file)
    ? { modules: [toFileUrl(resolve(file)).href], known: [] }
    : await loadKnownSteps(file, loadingWith(inputs));
  const folder = dirname(resolve(file));
  if (modules.length === 0) {
    const pipeline = await openPipeline(file, inputs);
    const steps = confinement.steps === "dry"
      ? asDryRun(pipeline, { reached: () => {} })
      : pipeline;
    const own = confinement.steps === "none" ? NO_REACH : permissionsOf(steps);
    const extra = confinement.extra?.({ name: pipeline.name, folder }) ?? {};
    return {
      reach: unite([await withMissingFolders(own), extra]),
      modules,
      handover,
      claims: {},
    };
  }
  await planning.fetchCode?.(modules);
  const asked = await findClaims({ file, modules, handover, planning });
  const steps = known.filter(({ plugin }) =>
    confinement.steps === "all" || confinement.steps === "dry" && plugin.kind !== "sink"
  ).map((step) => reachOfStep(step, folder));
  const own = unite([
    ...steps,
    ...confinement.steps === "none"
      ? []
      : [...Object.values(asked.claims).map(asPermissions), { net: hostsOf(planning.simulator) }],
  ]);
  const extra = confinement.extra?.({ name: asked.name, folder }) ?? {};
  return {
    reach: unite([await withMissingFolders(own), extra]),
    modules,
    handover: asked.handover,
    claims: asked.claims,
  };
}

/** Reads the file and what it wants filled in, as far as that can be told without running code. */
async function prepare({ file, steps }: Confinement, { simulator }: Planning): Promise<Handover> {
  const content = await handing(() => readTextFile(file));
  const dry = steps === "dry";
  const handover = { file: { path: resolve(file), content }, values: {}, simulator, dry };
  if (isModuleFile(file)) return handover;
  const { readText } = handedInputs(handover);
  const importModule = () => Promise.reject(new Error("no module is loaded here"));
  const { value, yaml } = await readPipeline(file, { readText, importModule });
  const folder = dirname(resolve(file));
  const unset = dry ? await secretsOfSinks(value, { folder, registry, importModule }) : [];
  const left = new Set(unset.map((path) => JSON.stringify(path)));
  const wanted: Placeholder[] = findPlaceholders(value)
    .filter(({ path }) => !left.has(JSON.stringify(path)))
    .map(({ placeholder }) => placeholder);
  const values = await fillPlaceholders(wanted, folder);
  return { ...handover, file: { ...handover.file, yaml }, values };
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
  const { code, stdout } = await ask({
    args: ["claims", file],
    reach: NO_REACH,
    modules,
    handover,
  });
  if (code !== 0) throw new PlanningEnded(code);
  const told = parseTold(stdout);
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

/**
 * Lets a folder be made that is not there: a file cannot be written without its folder, and a folder
 * that is not there holds nothing to be harmed.
 */
async function withMissingFolders(reach: Reach): Promise<Reach> {
  const missing = await Promise.all(reach.write.map(missingFolderOf));
  const write = missing.flatMap((folder) => folder === undefined ? [] : [folder]);
  return unite([reach, { write }]);
}

async function missingFolderOf(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const isThere = await Deno.stat(folder).then(() => true, () => false);
  return isThere || folder === path ? undefined : folder;
}
