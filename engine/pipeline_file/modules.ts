/**
 * Pipelines and plugins that are modules of the user's own.
 *
 * @module
 */

import { resolve, toFileUrl } from "@std/path";
import { listed } from "../nearest.ts";
import { isPlugin, type Plugin } from "../plugin.ts";
import { isPluginId, type PluginKind } from "../registry.ts";

/** Imports a module by its URL or specifier. */
export type ImportModule = (specifier: string) => Promise<unknown>;

/** Why something of a module cannot be used, to follow a colon or "as". */
export interface Refusal {
  /** What follows "Cannot …". */
  readonly reason: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Where in the module it is, where that is known. */
  readonly line?: number | undefined;
  /** Where in the line. */
  readonly column?: number | undefined;
}

/** Imports as the runtime does. */
export const importByRuntime: ImportModule = (specifier) => import(specifier);

const SPECIFIER = /^(?:\.{0,2}\/|(?:jsr|npm|https|file):)/;

/**
 * Whether `use` names a module rather than a plugin that comes along.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isSpecifier("./my_source.ts"), true);
 * assertEquals(isSpecifier("jsr:@me/plugins"), true);
 * assertEquals(isSpecifier("binance_rest"), false);
 * ```
 */
export function isSpecifier(use: string): boolean {
  return SPECIFIER.test(use);
}

/**
 * Loads a plugin of a module: its default export, else the only one of the kind.
 *
 * @param specifier As the pipeline writes it. A path is relative to the folder of its file.
 * @param kind The kind that is wanted.
 * @param folder The folder of the pipeline file.
 * @param importModule What imports.
 */
export async function importPlugin(
  specifier: string,
  kind: PluginKind,
  folder: string,
  importModule: ImportModule,
): Promise<Plugin | Refusal> {
  const module = await importSafely(urlOfModule(specifier, folder), importModule);
  if ("exports" in module) return choosePlugin(module.exports, kind);
  const { line, column } = module;
  if (line === undefined) return module;
  return { reason: `${module.reason} (line ${line}, column ${column})` };
}

/** The URL of a module: a path is relative to a folder. */
export function urlOfModule(specifier: string, folder: string): string {
  const isPath = /^[./]/.test(specifier);
  return isPath ? toFileUrl(resolve(folder, specifier)).href : specifier;
}

/** What a module exports by name, or why it cannot be imported. */
export async function importSafely(
  url: string,
  importModule: ImportModule,
): Promise<{ readonly exports: Readonly<Record<string, unknown>> } | Refusal> {
  try {
    return { exports: { ...(await importModule(url)) as object } };
  } catch (error) {
    return refusalOf(error, url);
  }
}

function choosePlugin(
  exports: Readonly<Record<string, unknown>>,
  kind: PluginKind,
): Plugin | Refusal {
  const all = Object.entries(exports).filter((entry): entry is [string, Plugin] =>
    isPlugin(entry[1])
  );
  const wanted = all.filter(([, plugin]) => plugin.kind === kind);
  const [[, chosen] = []] = wanted.length === 1
    ? wanted
    : wanted.filter(([name]) => name === "default");
  if (chosen) {
    if (isPluginId(chosen.id)) return chosen;
    return { reason: `its id must be snake_case: it is ${JSON.stringify(chosen.id)}` };
  }
  const names = listed(wanted.map(([name]) => JSON.stringify(name)), "and");
  if (wanted.length > 1) {
    return { reason: `it exports ${names}`, hint: "Make one of them the default export" };
  }
  const [[, other] = []] = all;
  if (other) return { reason: `it exports a ${other.kind}, but no ${kind}` };
  const define = `define${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
  return { reason: "it exports no plugin", hint: `Export what \`${define}\` gives` };
}

/** The runtime's message is meant for a terminal: colours, several lines, the place at the end. */
function refusalOf(error: unknown, url: string): Refusal {
  const text = plain(error instanceof Error ? error.message : String(error));
  if (text.startsWith(`Module not found "${url}"`)) return { reason: "it is not there" };
  const trace = plain(error instanceof Error ? `${text}\n${error.stack}` : text);
  const [, line, column] = trace.split(`${url}:`)[1]?.match(/^(\d+):(\d+)/) ?? [];
  const [reason = ""] = text.replace(/^\w*Error: /, "").split(/\.?(?:\s*\n|\. |$)/);
  return {
    reason,
    line: line === undefined ? undefined : Number(line),
    column: column === undefined ? undefined : Number(column),
  };
}

function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- colours begin with a control character
  return text.replace(/\x1b\[[\d;]*m/g, "");
}
