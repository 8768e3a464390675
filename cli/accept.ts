/**
 * `penstock accept`: fetches the code that a pipeline names, shows what it asks for, and grants it.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { FatalError } from "../engine/errors.ts";
import { NO_REACH, unite } from "../engine/permissions.ts";
import { isModuleFile } from "../engine/pipeline_file/read_pipeline.ts";
import { compareGrants, lockPathOf, readGrants, withGrants } from "./confine/grants.ts";
import { renderDifferences } from "./confine/grant_error.ts";
import { denoPath, launch, NoAnswerError } from "./confine/launch.ts";
import { planPipeline } from "./confine/plan.ts";
import type { Host } from "./host.ts";
import type { Terminal } from "./terminal.ts";

const CONFIG = new URL("../deno.json", import.meta.url);

/**
 * Grants the code of a pipeline all that it asks for.
 *
 * @returns The exit code.
 */
export async function accept(file: string, terminal: Terminal): Promise<number> {
  const granted = await readGrants(file);
  let claims, modules;
  try {
    ({ claims, modules } = await planPipeline({ file, steps: "all" }, {
      accepting: true,
      fetchCode,
    }));
  } catch (error) {
    if (error instanceof NoAnswerError) return error.code;
    throw error;
  }
  if (modules.length === 0) {
    terminal.say(`${file} has no code of its own: nothing is to be accepted\n`);
    return 0;
  }
  const differences = compareGrants(claims, granted);
  if (differences.length === 0) {
    terminal.say("Its code asks for what it was granted: nothing has changed\n");
    return 0;
  }
  const path = lockPathOf(file);
  const code = await launch({
    args: ["keep"],
    reach: unite([NO_REACH, { write: [path] }]),
    handover: { file: { path, content: { text: await withGrants(file, claims) } }, values: {} },
  });
  if (code !== 0) return code;
  const whose = isModuleFile(file) ? "the code of the pipeline" : "its plugins";
  terminal.say(
    `Granted to ${whose}, and kept in ${path}:\n${renderDifferences(differences)}\n`,
  );
  return 0;
}

/** Writes what was handed over to where it belongs: the only thing this process may write. */
export async function keep({ handover }: Host): Promise<number> {
  if (!handover || !("text" in handover.file.content)) throw new FatalError("Nothing to keep");
  await Deno.writeTextFile(handover.file.path, handover.file.content.text);
  return 0;
}

/** Fetches code without running any of it, and writes it down in the lock file of the packages. */
async function fetchCode(modules: readonly string[]): Promise<void> {
  const config = CONFIG.protocol === "file:" ? [`--config=${fromFileUrl(CONFIG)}`] : [];
  const { code } = await new Deno.Command(denoPath(), {
    args: ["cache", "--quiet", "--frozen=false", ...config, ...modules],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new FatalError("Cannot fetch the code that the pipeline names");
}
