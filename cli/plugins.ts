/**
 * `penstock plugins`, `penstock describe` and `penstock schema`.
 *
 * @module
 */

import { resolve, toFileUrl } from "@std/path";
import { describePlugin, listPlugins } from "../engine/explain/plugins.ts";
import { pipelineJsonSchema } from "../engine/pipeline_file/json_schema.ts";
import { importByRuntime, importSafely, isSpecifier } from "../engine/pipeline_file/modules.ts";
import { hintForName } from "../engine/nearest.ts";
import { isPlugin, type Plugin } from "../engine/plugin.ts";
import { registry } from "./open.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/** Lists the plugins. */
export async function plugins(terminal: Terminal): Promise<number> {
  return await printText(listPlugins(await registry.list()), terminal);
}

/** Says all about one plugin: one that comes along, by its id, or one of a module, by its path. */
export async function describe(name: string, terminal: Terminal): Promise<number> {
  const found = isSpecifier(name) ? await pluginsOf(name) : await pluginsNamed(name);
  return printText(found.map(describePlugin).join("\n"), terminal);
}

async function pluginsNamed(name: string): Promise<Plugin[]> {
  const all = await registry.list();
  const named = all.filter(({ id }) => id === name);
  if (named.length > 0) return named;
  throw new UsageError(`Cannot describe plugin "${name}": it does not exist`, {
    hint: hintForName(name, all.map(({ id }) => id), "The plugins"),
  });
}

async function pluginsOf(specifier: string): Promise<Plugin[]> {
  const isPath = /^[./]/.test(specifier);
  const url = isPath ? toFileUrl(resolve(specifier)).href : specifier;
  const module = await importSafely(url, importByRuntime);
  if (!("exports" in module)) {
    throw new UsageError(`Cannot describe "${specifier}" as ${module.reason}`, module);
  }
  const plugins = [...new Set(Object.values(module.exports).filter(isPlugin))];
  if (plugins.length > 0) return plugins;
  throw new UsageError(`Cannot describe "${specifier}" as it exports no plugin`);
}

/** Prints the JSON schema of pipeline files. */
export async function schema(terminal: Terminal): Promise<number> {
  const schema = pipelineJsonSchema(await registry.list());
  return await printText(`${JSON.stringify(schema, null, 2)}\n`, terminal);
}

async function printText(text: string, terminal: Terminal): Promise<number> {
  await terminal.print(new TextEncoder().encode(text));
  return 0;
}
