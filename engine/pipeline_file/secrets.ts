/**
 * Which options of a pipeline are secrets.
 *
 * @module
 */

import type { Path } from "./diagnostics.ts";
import { looksSecret } from "./masking.ts";
import { importPlugin, isSpecifier } from "./modules.ts";
import { valueAt } from "./issues.ts";
import { hasSecret, isSecretAt, jsonSchemaOf, schemaAt } from "./options_schema.ts";
import { isOpen, isPlain } from "./placeholders.ts";
import { Secret } from "../options.ts";
import { isPlugin, type Plugin } from "../plugin.ts";
import { type Finding, withoutEmpty } from "./steps.ts";

/**
 * The secrets among the options of a step, and what may be one: a key that its plugin does not know
 * may be a misspelt secret.
 *
 * @param step Its plugin, and where the file has it.
 * @param value The pipeline.
 */
export function secretsOf(
  { path, plugin }: { readonly path: Path; readonly plugin: Plugin | undefined },
  value: unknown,
): Path[] {
  const schema = plugin && jsonSchemaOf(plugin.options);
  if (!schema || !hasSecret(schema)) return [];
  const find = (part: unknown, at: Path): Path[] => {
    const isUnknown = typeof at.at(-1) === "string" && !schemaAt(schema, at);
    if (isUnknown || isSecretAt(schema, at)) return [[...path, "with", ...at]];
    if (Array.isArray(part)) return part.flatMap((item, index) => find(item, [...at, index]));
    if (!isPlain(part)) return [];
    return Object.entries(part).flatMap(([key, item]) => find(item, [...at, key]));
  };
  return find(valueAt(value, [...path, "with"]), []);
}

/**
 * Where the secrets of sinks stand in a pipeline that is not filled in yet. Of a sink whose plugin
 * is not to be had, the names of its options tell.
 *
 * @param value The pipeline, as its file has it.
 * @param finding What plugins are found with.
 */
export async function secretsOfSinks(value: unknown, finding: Finding): Promise<Path[]> {
  const { sinks, dead_letter: deadLetter } = withoutEmpty(value);
  const paths: Path[] = Array.isArray(sinks) ? sinks.map((_, index) => ["sinks", index]) : [];
  if (deadLetter !== undefined) paths.push(["dead_letter"]);
  const found: Path[] = [];
  for (const path of paths) {
    // Nothing is looked up for a secret that is written out.
    if (!isOpen(valueAt(value, [...path, "with"]))) continue;
    const plugin = await findSink(valueAt(value, [...path, "use"]), finding);
    found.push(...plugin ? secretsOf({ path, plugin }, value) : guess(value, [...path, "with"]));
  }
  return found;
}

function guess(value: unknown, path: Path): Path[] {
  const options = valueAt(value, path);
  if (!isPlain(options)) return [];
  return Object.entries(options).flatMap(([name, option]) => {
    const at = [...path, name];
    return looksSecret(name) && typeof option === "string" ? [at] : guess(value, at);
  });
}

async function findSink(
  use: unknown,
  { folder, registry, importModule }: Finding,
): Promise<Plugin | undefined> {
  if (isPlugin(use)) return use;
  if (typeof use !== "string") return undefined;
  if (!isSpecifier(use)) return await registry.find("sink", use);
  const found = await importPlugin(use, "sink", folder, importModule);
  return isPlugin(found) ? found : undefined;
}

/** The secrets in the checked options of a step, however deep. */
export function secretsIn(options: unknown): Secret[] {
  const seen = new Set<unknown>();
  const find = (value: unknown): Secret[] => {
    if (value instanceof Secret) return [value];
    if (typeof value !== "object" || value === null || seen.has(value)) return [];
    seen.add(value);
    return Object.values(value).flatMap(find);
  };
  return find(options);
}
