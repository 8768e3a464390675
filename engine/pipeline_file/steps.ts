/**
 * Checks one step of a pipeline file: its frame, its plugin, its options.
 *
 * @module
 */

import type { z } from "zod";
import { check, type Checked } from "./check.ts";
import { type Mistake, type Path, pathText } from "./diagnostics.ts";
import type { Filled } from "./interpolate.ts";
import { isPlain } from "./placeholders.ts";
import { quote, valueAt } from "./issues.ts";
import { jsonSchemaOf } from "./options_schema.ts";
import { type ImportModule, importPlugin, isSpecifier } from "./modules.ts";
import type { CheckedStep } from "../pipeline.ts";
import { deadLetterSchema, stepSchema } from "./pipeline_schema.ts";
import { isPlugin, type Plugin, type SimulatorUrls } from "../plugin.ts";
import type { RefusalLimit } from "../dead_letters/refusal_limit.ts";
import type { PluginKind, Registry } from "../registry.ts";

/** What plugins are found with. */
export interface Finding {
  /** The folder of the file: where paths of custom plugins start. */
  readonly folder: string;
  /** The plugins that come along. */
  readonly registry: Registry;
  /** Imports the others. */
  readonly importModule: ImportModule;
}

/** What steps are checked with. */
export interface Checking extends Finding {
  /** The pipeline file, its variables filled in. */
  readonly filled: Filled;
  /** Where the simulator listens, for a simulated run. */
  readonly simulator?: SimulatorUrls | undefined;
}

/** A step of the file, as far as it could be made out. */
export interface FoundStep {
  /** Where the file has it. */
  readonly path: Path;
  /** How messages call it: `source "binance_rest"`. */
  readonly name: string;
  /** Its plugin, where it was found. */
  readonly plugin: Plugin | undefined;
  /** The step, where nothing is wrong with it. */
  readonly checked: CheckedStep | undefined;
  /** Its id, where it has one or its plugin is known. */
  readonly id: string | undefined;
  /** How many records a step may refuse: of the step that keeps dead letters alone. */
  readonly limit?: RefusalLimit | undefined;
  /** What its `on_error` says, right or wrong. */
  readonly onError: unknown;
  /** All that is wrong with it. */
  readonly mistakes: readonly Mistake[];
}

/**
 * Checks one step.
 *
 * @param kind What its plugin must be.
 * @param path Where the file has it.
 */
export async function checkStep(
  kind: PluginKind,
  path: Path,
  checking: Checking,
): Promise<FoundStep> {
  const isDeadLetter = path[0] === "dead_letter";
  const schema: typeof stepSchema | typeof deadLetterSchema = isDeadLetter
    ? deadLetterSchema
    : stepSchema;
  const { filled } = checking;
  const raw = valueAt(filled.value, path);
  const step = withoutEmpty(raw);
  const found = await findPlugin(kind, step.use, [...path, "use"], checking);
  const plugin = isPlugin(found) ? found : undefined;
  const use = plugin?.id ?? filled.written([...path, "use"]) ?? step.use;
  const name = typeof use === "string" && use !== "" ? `${kind} ${quote(use)}` : pathText(path);
  const defaultId = isDeadLetter ? "dead_letter" : plugin?.id;
  const id = typeof step.id === "string" ? step.id : defaultId;
  const frame = check<z.output<typeof stepSchema> & { max?: RefusalLimit | undefined }>(schema, {
    owner: name,
    noun: "key",
    path,
    value: isPlain(raw) ? { ...step, ...(isPlugin(step.use) && { use: step.use.id }) } : raw,
    schema: () => jsonSchemaOf(schema),
    filled,
  });
  const mistakes = frame.ok ? [] : [...frame.mistakes];
  if (typeof raw === "string" && mistakes[0]) {
    mistakes[0] = { ...mistakes[0], hint: "Write `use:` before the name of the plugin" };
  }
  if (found && !isPlugin(found)) mistakes.push(found);
  const options = plugin && checkOptions(plugin, name, step.with ?? {}, path, checking);
  if (options && !options.ok) mistakes.push(...options.mistakes);
  const checked = plugin && id !== undefined && frame.ok && options?.ok
    ? { plugin, id, options: options.data, onError: frame.data.on_error, ...moduleOf(step.use) }
    : undefined;
  const limit = frame.ok ? frame.data.max : undefined;
  return { path, name, plugin, checked, id, limit, onError: step.on_error, mistakes };
}

function moduleOf(use: unknown): { readonly module?: string } {
  return typeof use === "string" && isSpecifier(use) ? { module: use } : {};
}

/** A key with nothing behind it, as when all below it is commented out, is as good as none. */
export function withoutEmpty(value: unknown): Readonly<Record<string, unknown>> {
  if (!isPlain(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));
}

async function findPlugin(
  kind: PluginKind,
  use: unknown,
  path: Path,
  { filled, folder, registry, importModule }: Checking,
): Promise<Plugin | Mistake | undefined> {
  if (isPlugin(use)) {
    if (use.kind === kind) return use;
    return { path, message: `Cannot use ${use.kind} "${use.id}" as a ${kind}` };
  }
  const failed = filled.mistakes.some((mistake) => pathText(mistake.path) === pathText(path));
  if (typeof use !== "string" || use === "" || failed) return undefined;
  const shown = quote(filled.written(path) ?? use);
  if (isSpecifier(use)) {
    const found = await importPlugin(use, kind, folder, importModule);
    if (isPlugin(found)) return found;
    const message = `Cannot load ${kind} ${shown}: ${filled.scrub(found.reason)}`;
    return { path, message, hint: found.hint };
  }
  const plugin = await registry.find(kind, use);
  if (plugin) return plugin;
  const hint = looksLikePath(use) ? `Did you mean ${quote(`./${use}`)}?` : registry.hint(kind, use);
  return { path, message: `Cannot use ${kind} ${shown}: it does not exist`, hint };
}

function looksLikePath(use: string): boolean {
  return /\.m?[jt]s$/.test(use) && !use.includes(":");
}

function checkOptions(
  plugin: Plugin,
  owner: string,
  given: unknown,
  path: Path,
  { filled, simulator }: Checking,
): Checked<unknown> | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
  const simulated = plugin.kind === "source" && simulator && plugin.simulated?.(simulator);
  return check(plugin.options, {
    owner,
    noun: "option",
    path: [...path, "with"],
    value: simulated ? { ...given, ...simulated } : given,
    schema: () => jsonSchemaOf(plugin.options),
    filled,
  });
}
