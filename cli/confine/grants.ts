/**
 * `penstock.lock`: what code of the user's was granted, in the folder of the pipeline files.
 *
 * What a pipeline file names is granted by being written there. What code asks for is not: a plugin
 * may ask for more after an update, and nobody would notice.
 *
 * @module
 */

import { basename, dirname, join, relative, resolve } from "@std/path";
import { z } from "zod";
import { describeError, OptionsError } from "../../engine/errors.ts";
import type { Difference } from "./grant_error.ts";

const KINDS = ["net", "read", "write", "env", "fill"] as const;

/** What code asks for: what it must reach, and the placeholders it wants filled in. */
export type Asked = Readonly<
  Partial<Record<typeof KINDS[number], readonly string[] | undefined>>
>;

/** What each plugin of a pipeline asks for, by the name the file has for it. Paths are absolute. */
export type Claims = Readonly<Record<string, Asked>>;

const list = z.array(z.string()).optional();
const asked = z.strictObject({ net: list, read: list, write: list, env: list, fill: list });
const lockSchema = z.strictObject({
  version: z.literal(1),
  pipelines: z.record(z.string(), z.record(z.string(), asked)),
});

type Lock = z.output<typeof lockSchema>;

const EMPTY: Lock = { version: 1, pipelines: {} };

/** The lock file beside a pipeline file. */
export function lockPathOf(file: string): string {
  return join(dirname(resolve(file)), "penstock.lock");
}

/**
 * What was granted to the plugins of a pipeline. Nothing, where there is no lock file.
 *
 * @param file The pipeline file.
 * @throws {OptionsError} If the lock file cannot be read.
 */
export async function readGrants(file: string): Promise<Claims> {
  const { pipelines } = await readLock(lockPathOf(file));
  const granted = Object.entries(pipelines[basename(file)] ?? {});
  const folder = dirname(resolve(file));
  return Object.fromEntries(
    granted.map(([plugin, one]) => [plugin, withPaths(one, (path) => resolve(folder, path))]),
  );
}

/**
 * The lock file with what the plugins of a pipeline ask for in place of what they were granted.
 *
 * @param file The pipeline file.
 * @param claims What its plugins ask for.
 * @returns The text of the file, in an order that hangs on its content alone.
 * @throws {OptionsError} If the lock file cannot be read.
 */
export async function withGrants(file: string, claims: Claims): Promise<string> {
  const lock = await readLock(lockPathOf(file));
  const folder = dirname(resolve(file));
  const short = (path: string) => {
    const below = relative(folder, path);
    return below.startsWith("..") ? path : below || ".";
  };
  const granted = Object.entries(claims).toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([plugin, one]) => [plugin, withPaths(one, short)] as const);
  const pipelines = { ...lock.pipelines, [basename(file)]: Object.fromEntries(granted) };
  const ordered = Object.entries(pipelines).filter(([, one]) => Object.keys(one).length > 0)
    .toSorted(([a], [b]) => a < b ? -1 : 1);
  return `${JSON.stringify({ version: 1, pipelines: Object.fromEntries(ordered) }, null, 2)}\n`;
}

/**
 * What is asked for beyond what was granted, and what was granted but is not asked for.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const claims = { "./a.ts": { net: ["new.test:443"], read: ["/data/a.csv"] } };
 * assertEquals(compareGrants(claims, { "./a.ts": { read: ["/data/a.csv"], env: ["HOME"] } }), [
 *   { plugin: "./a.ts", sign: "+", what: "net new.test:443" },
 *   { plugin: "./a.ts", sign: "-", what: "env HOME" },
 * ]);
 * ```
 */
export function compareGrants(claims: Claims, granted: Claims): Difference[] {
  const plugins = [...new Set([...Object.keys(claims), ...Object.keys(granted)])];
  return plugins.flatMap((plugin) =>
    KINDS.flatMap((kind) => {
      const now = claims[plugin]?.[kind] ?? [];
      const before = granted[plugin]?.[kind] ?? [];
      const differ = (sign: "+" | "-", all: readonly string[], others: readonly string[]) =>
        all.filter((one) => !others.includes(one))
          .map((one): Difference => ({ plugin, sign, what: `${kind} ${one}` }));
      return [...differ("+", now, before), ...differ("-", before, now)];
    })
  );
}

async function readLock(path: string): Promise<Lock> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return EMPTY;
    throw new OptionsError(`Cannot read "${path}": ${describeError(error)}`, { cause: error });
  }
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new OptionsError(`Cannot read "${path}" as it must be what \`penstock accept\` wrote`, {
      cause: error,
      hint: "Take the file from where it was right, or remove it and accept again",
    });
  }
}

function withPaths(one: Asked, change: (path: string) => string): Asked {
  const entries = KINDS.flatMap((kind) => {
    const values = one[kind] ?? [];
    const isPath = kind === "read" || kind === "write";
    return values.length > 0 ? [[kind, isPath ? values.map(change) : values] as const] : [];
  });
  return Object.fromEntries(entries);
}
