/**
 * Writes what is made from the plugins themselves: the table in the README, and the JSON schema
 * that editors check pipeline files with.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";
import { registry } from "../cli/open.ts";
import { pipelineJsonSchema } from "../engine/pipeline_file/json_schema.ts";

const PLUGINS = await registry.list();
const BEGIN = "<!-- plugins -->";
const END = "<!-- /plugins -->";

/** The files, relative to the root, and what they must hold, given what they hold now. */
export const GENERATED: Readonly<Record<string, (now: string) => string>> = {
  "README.md": (now) => {
    const [before = "", rest = ""] = now.split(BEGIN);
    const [, after = ""] = rest.split(END);
    return `${before}${BEGIN}\n\n${pluginTable()}\n${END}${after}`;
  },
  "schema/pipeline.json": () => `${JSON.stringify(pipelineJsonSchema(PLUGINS), null, 2)}\n`,
};

/** The path of a generated file. */
export function generatedPath(name: string): string {
  return fromFileUrl(new URL(`../${name}`, import.meta.url));
}

function pluginTable(): string {
  const rows = [
    ["Plugin", "Kind", "What it does"],
    ...PLUGINS.map(({ id, kind, summary }) => [`\`${id}\``, kind, summary]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[], fill = " ") =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(" | ")} |\n`;
  const [head = [], ...body] = rows.map((row) => line(row));
  return `${head}${line(["", "", ""], "-")}${body.join("")}`;
}

if (import.meta.main) {
  for (const [name, generate] of Object.entries(GENERATED)) {
    const path = generatedPath(name);
    const now = await Deno.readTextFile(path).catch(() => "");
    await Deno.writeTextFile(path, generate(now));
  }
}
