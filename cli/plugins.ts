/**
 * `penstock plugins`, `penstock describe` and `penstock schema`.
 *
 * @module
 */

import { describePlugin, listPlugins } from "../engine/describe.ts";
import { pipelineJsonSchema } from "../engine/json_schema.ts";
import { hintForName } from "../engine/nearest.ts";
import { registry } from "./open.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/** Lists the plugins. */
export function plugins(terminal: Terminal): Promise<number> {
  return printText(listPlugins(registry), terminal);
}

/** Says all about one plugin. */
export function describe(name: string, terminal: Terminal): Promise<number> {
  const all = registry.list();
  const named = all.filter(({ id }) => id === name);
  if (named.length === 0) {
    throw new UsageError(`Cannot describe plugin "${name}": it does not exist`, {
      hint: hintForName(name, all.map(({ id }) => id), "The plugins"),
    });
  }
  return printText(named.map(describePlugin).join("\n"), terminal);
}

/** Prints the JSON schema of pipeline files. */
export function schema(terminal: Terminal): Promise<number> {
  return printText(`${JSON.stringify(pipelineJsonSchema(registry), null, 2)}\n`, terminal);
}

async function printText(text: string, terminal: Terminal): Promise<number> {
  await terminal.print(new TextEncoder().encode(text));
  return 0;
}
