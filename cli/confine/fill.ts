/**
 * Gets what placeholders stand for: done by the process that runs no code of the user's.
 *
 * @module
 */

import { resolve } from "@std/path";
import { OptionsError } from "../../engine/errors.ts";
import { NO_REACH } from "../../engine/permissions.ts";
import { keyOf, type Placeholder } from "../../engine/pipeline_file/placeholders.ts";
import { readTextFile } from "../../engine/pipeline_file/read_text.ts";
import { type Handed, handing } from "../inputs.ts";
import { denoFlags } from "./flags.ts";
import { denoPath } from "./launch.ts";

/**
 * Gets what placeholders stand for.
 *
 * @param placeholders As the pipeline file has them.
 * @param folder The folder of the file: where paths start.
 * @returns By key, with files by their absolute path.
 */
export async function fillPlaceholders(
  placeholders: readonly Placeholder[],
  folder: string,
): Promise<Record<string, Handed>> {
  const values: Record<string, Handed> = {};
  for (const placeholder of placeholders) {
    const absolute = withAbsolutePath(placeholder, folder);
    const key = keyOf(absolute);
    if (!Object.hasOwn(values, key)) values[key] = await fill(absolute, folder);
  }
  return values;
}

/** The placeholder of a key that {@linkcode fillPlaceholders} gives. */
export function placeholderOf(key: string): Placeholder {
  const [, kind, name = ""] = /^(env|file|command):(.*)$/s.exec(key) ?? [];
  if (kind === "env" || kind === "file" || kind === "command") return { kind, name };
  throw new OptionsError(`Cannot fill in ${JSON.stringify(key)}: there is no such placeholder`);
}

function withAbsolutePath(placeholder: Placeholder, folder: string): Placeholder {
  if (placeholder.kind !== "file") return placeholder;
  return { kind: "file", name: resolve(folder, placeholder.name) };
}

async function fill({ kind, name }: Placeholder, folder: string): Promise<Handed> {
  if (kind === "file") return await handing(() => readTextFile(name));
  if (kind === "command") return await handing(() => outputOf(name, folder));
  const value = Deno.env.get(name);
  return value === undefined ? { unset: true } : { text: value };
}

/**
 * What a program prints. There is no shell: words are split at spaces. It is started by a process
 * that may run this program alone.
 */
async function outputOf(line: string, folder: string): Promise<string> {
  const [program = "", ...args] = line.split(/\s+/);
  const path = program.includes("/") ? resolve(folder, program) : program;
  const helper = `const { code, stdout } = await new Deno.Command(${JSON.stringify(path)}, {
    args: Deno.args, cwd: ${JSON.stringify(folder)}, stdin: "inherit", stderr: "inherit",
  }).output();
  await Deno.stdout.write(stdout);
  Deno.exit(code);`;
  const { code, stdout } = await new Deno.Command(denoPath(), {
    args: [
      ...denoFlags({ reach: NO_REACH }),
      `--allow-run=${path}`,
      "--no-config",
      `data:text/javascript,${encodeURIComponent(helper)}`,
      ...args,
    ],
    stdin: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new OptionsError(`"${program}" ended with exit code ${code}`);
  return new TextDecoder().decode(stdout);
}
