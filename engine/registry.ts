/**
 * The plugins there are, by kind and id. The engine knows none of them by name: it is given lists.
 *
 * A list has the names of plugins, and what loads each of them: a pipeline loads those it uses.
 *
 * @module
 */

import { FatalError } from "./errors.ts";
import { hintForName } from "./nearest.ts";
import type { Plugin, SinkPlugin, SourcePlugin, TransformPlugin } from "./plugin.ts";

/** What loads each plugin of a kind, by its id. */
export type Loaders<P extends Plugin> = Readonly<Record<string, () => Promise<P>>>;

/** Plugins by kind. */
export interface PluginLists {
  /** Where records may come from. */
  readonly sources: Loaders<SourcePlugin>;
  /** What may happen to them. */
  readonly transforms: Loaders<TransformPlugin>;
  /** Where they may go. */
  readonly sinks: Loaders<SinkPlugin>;
}

/** Which of the three contracts a plugin fulfils. */
export type PluginKind = Plugin["kind"];

/** The plugins there are. */
export interface Registry {
  /** Loads all of one kind, or of all kinds: sources first, sinks last. */
  list(kind?: PluginKind): Promise<readonly Plugin[]>;
  /** Loads one plugin; undefined where there is none of that kind and id. */
  find(kind: PluginKind, id: string): Promise<Plugin | undefined>;
  /** What to say to someone who asks for a plugin that is not there. Nothing is loaded. */
  hint(kind: PluginKind, id: string): string | undefined;
}

const PLUGIN_ID = /^[a-z][a-z0-9_]*$/;
const KINDS = ["source", "transform", "sink"] as const;

/**
 * Makes a registry of written-out lists of plugins. Nothing is loaded.
 *
 * @throws {FatalError} If an id is not `snake_case`; when a plugin is loaded, if it has another id or
 * is of another kind than the list says.
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
 * const transforms = { keep: () => Promise.resolve(keep) };
 * const registry = createRegistry({ sources: {}, transforms, sinks: {} });
 * assertEquals(await registry.find("transform", "keep"), keep);
 * assertEquals(registry.hint("transform", "kep"), 'Did you mean "keep"?');
 * ```
 */
export function createRegistry({ sources, transforms, sinks }: PluginLists): Registry {
  const byKind: Readonly<Record<PluginKind, ReadonlyMap<string, () => Promise<Plugin>>>> = {
    source: byId("source", sources),
    transform: byId("transform", transforms),
    sink: byId("sink", sinks),
  };
  return {
    async list(kind) {
      const kinds = kind === undefined ? KINDS : [kind];
      return await Promise.all(
        kinds.flatMap((one) => [...byKind[one].values()].map((load) => load())),
      );
    },
    find: async (kind, id) => await byKind[kind].get(id)?.(),
    hint(kind, id) {
      const other = KINDS.find((one) => byKind[one].has(id));
      if (other) return `There is a ${other} of this name, but no ${kind}`;
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

function byId(
  kind: PluginKind,
  loaders: Loaders<Plugin>,
): ReadonlyMap<string, () => Promise<Plugin>> {
  return new Map(
    Object.entries(loaders).map(([id, load]) => {
      const name = JSON.stringify(id);
      if (!isPluginId(id)) {
        throw new FatalError(`Cannot use ${name} as the id of a ${kind} as it must be snake_case`);
      }
      return [id, async () => {
        const plugin = await load();
        if (plugin.kind === kind && plugin.id === id) return plugin;
        const found = `${plugin.kind} ${JSON.stringify(plugin.id)}`;
        throw new FatalError(
          `Cannot load ${kind} ${name} as its file must have it: it has ${found}`,
        );
      }];
    }),
  );
}
