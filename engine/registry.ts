/**
 * The plugins there are, by kind and id. The engine knows none of them by name: it is given lists.
 *
 * @module
 */

import { FatalError } from "./errors.ts";
import { hintForName } from "./nearest.ts";
import type { Plugin, SinkPlugin, SourcePlugin, TransformPlugin } from "./plugin.ts";

/** Plugins by kind. */
export interface PluginLists {
  /** Where records may come from. */
  readonly sources: readonly SourcePlugin[];
  /** What may happen to them. */
  readonly transforms: readonly TransformPlugin[];
  /** Where they may go. */
  readonly sinks: readonly SinkPlugin[];
}

/** Which of the three contracts a plugin fulfils. */
export type PluginKind = Plugin["kind"];

/** The plugins there are. */
export interface Registry extends PluginLists {
  /** All of one kind, or of all kinds: sources first, sinks last. */
  list(kind?: PluginKind): readonly Plugin[];
  /** One plugin; undefined where there is none of that kind and id. */
  find(kind: PluginKind, id: string): Plugin | undefined;
  /** What to say to someone who asks for a plugin that is not there. */
  hint(kind: PluginKind, id: string): string | undefined;
}

const PLUGIN_ID = /^[a-z][a-z0-9_]*$/;

/**
 * Makes a registry of written-out lists of plugins.
 *
 * @throws {FatalError} If two plugins of a kind have one id, or an id is not `snake_case`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 * import { defineTransform } from "./plugin.ts";
 *
 * const keep = defineTransform({
 *   id: "keep",
 *   summary: "Keeps everything",
 *   options: z.strictObject({}),
 *   shape: (input) => input,
 *   step: (record, { emit }) => emit(record),
 * });
 * const registry = createRegistry({ sources: [], transforms: [keep], sinks: [] });
 * assertEquals(registry.find("transform", "keep"), keep);
 * assertEquals(registry.hint("transform", "kep"), 'Did you mean "keep"?');
 * ```
 */
export function createRegistry({ sources, transforms, sinks }: PluginLists): Registry {
  const byKind: Readonly<Record<PluginKind, ReadonlyMap<string, Plugin>>> = {
    source: byId("source", sources),
    transform: byId("transform", transforms),
    sink: byId("sink", sinks),
  };
  const all = [...sources, ...transforms, ...sinks];
  return {
    sources,
    transforms,
    sinks,
    list: (kind) => kind === undefined ? all : [...byKind[kind].values()],
    find: (kind, id) => byKind[kind].get(id),
    hint(kind, id) {
      const other = all.find((plugin) => plugin.id === id);
      if (other) return `There is a ${other.kind} of this name, but no ${kind}`;
      return hintForName(id, [...byKind[kind].keys()], `The ${kind}s`);
    },
  };
}

/**
 * Whether a plugin may be called so: `snake_case`, as its file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isPluginId("csv_file"), true);
 * assertEquals(isPluginId("CSV file"), false);
 * ```
 */
export function isPluginId(id: string): boolean {
  return PLUGIN_ID.test(id);
}

function byId(kind: PluginKind, plugins: readonly Plugin[]): ReadonlyMap<string, Plugin> {
  const found = new Map<string, Plugin>();
  for (const plugin of plugins) {
    const name = JSON.stringify(plugin.id);
    if (plugin.kind !== kind) {
      throw new FatalError(`Cannot list ${name} with the ${kind}s: it is a ${plugin.kind}`);
    }
    if (!isPluginId(plugin.id)) {
      throw new FatalError(`Cannot use ${name} as the id of a ${kind} as it must be snake_case`);
    }
    if (found.has(plugin.id)) {
      throw new FatalError(`Cannot use ${name} as the id of two ${kind}s`);
    }
    found.set(plugin.id, plugin);
  }
  return found;
}
