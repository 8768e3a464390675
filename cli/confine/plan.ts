/**
 * Plans a confined process: what it may reach, and all that it is given. No code of the user's runs
 * here: what such code asks for is found out in a process that can reach nothing.
 *
 * @module
 */

import { dirname, resolve, toFileUrl } from "@std/path";
import { asDryRun } from "../../engine/run/dry_run.ts";
import { permissionsOf } from "../../engine/permissions.ts";
import { loadKnownSteps } from "../../engine/pipeline_file/load.ts";
import { findPlaceholders, type Placeholder } from "../../engine/pipeline_file/placeholders.ts";
import { isModuleFile, readPipeline } from "../../engine/pipeline_file/read_pipeline.ts";
import { readTextFile } from "../../engine/pipeline_file/read_text.ts";
import { secretsOfSinks } from "../../engine/pipeline_file/secrets.ts";
import { handedInputs, handing, type Handover } from "../inputs.ts";
import { loadingWith, registry } from "../open.ts";
import { fillPlaceholders } from "./fill.ts";
import type { PlannedCode } from "./plan_code.ts";
import type { Confinement, Plan, Planning } from "./planning.ts";
import { reachOfCommand } from "./reach.ts";

/**
 * Plans a confined process for a pipeline.
 *
 * @throws {PipelineFileError} If the file is wrong.
 * @throws {OptionsError} If code of the user's asks for more than was granted.
 * @throws {NoAnswerError} If that code cannot be loaded; what is wrong was said.
 */
export async function planPipeline(
  confinement: Confinement,
  planning: Planning = {},
): Promise<Plan> {
  const { file } = confinement;
  const handover = await prepare(confinement, planning);
  const planned = { confinement, planning, handover };
  if (isModuleFile(file)) {
    return await planCode({ ...planned, modules: [toFileUrl(resolve(file)).href], known: [] });
  }
  const steps = await loadKnownSteps(file, loadingWith(handedInputs(handover)));
  if (steps.modules.length > 0) return await planCode({ ...planned, ...steps });
  const pipeline = await steps.pipeline();
  planning.hide?.(pipeline.secrets ?? []);
  const dry = confinement.steps === "dry";
  return {
    reach: await reachOfCommand(
      confinement,
      pipeline.name,
      () => permissionsOf(dry ? asDryRun(pipeline, { reached: () => {} }) : pipeline),
    ),
    modules: [],
    handover,
    claims: {},
  };
}

/** Loaded where a pipeline has code of the user's: the others need not wait for it. */
async function planCode(code: PlannedCode): Promise<Plan> {
  return await (await import("./plan_code.ts")).planCode(code);
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
