/**
 * Holes that are known: asked of the exchange once, and never again.
 *
 * They are kept in a file beside the checkpoint. It is no secret and no harm is done when it is
 * lost: the next repair asks again.
 *
 * @module
 */

import { dirname } from "@std/path";
import { describeError, FatalError } from "../errors.ts";
import type { Point } from "../point.ts";
import { syncFolder } from "../run/world.ts";
import { writeAll } from "../write_all.ts";
import type { SlotRange } from "./grid.ts";

/** Raised when an older penstock could not read what this one writes. */
const FORMAT = 1;

/** Holes by source and series. */
export interface KnownHoles {
  /** The holes of a series, in order. */
  of(source: string, tags: Point["tags"]): readonly SlotRange[];
  /** Adds holes of a series. */
  add(source: string, tags: Point["tags"], holes: readonly SlotRange[]): void;
  /** Keeps what was added: once it resolves, it is kept whatever happens. */
  save(): Promise<void>;
}

type Holes = Record<string, readonly SlotRange[]>;

/**
 * Holes that are gone with the process.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const holes = memoryHoles();
 * holes.add("feed", { symbol: "BTCUSDT" }, [{ fromMs: 60_000, toMs: 120_000, slots: 1 }]);
 * assertEquals(holes.of("feed", { symbol: "BTCUSDT" }).length, 1);
 * assertEquals(holes.of("feed", { symbol: "ETHUSDT" }), []);
 * ```
 */
export function memoryHoles(): KnownHoles {
  return knownHoles({}, () => Promise.resolve());
}

/**
 * Holes in a file.
 *
 * @param path The file; made with its folder by the first save.
 * @throws {FatalError} If it cannot be read, or does not hold holes.
 */
export async function fileHoles(path: string): Promise<KnownHoles> {
  return knownHoles(await load(path), (holes) => write(path, holes));
}

function knownHoles(holes: Holes, keep: (holes: Holes) => Promise<void>): KnownHoles {
  return {
    of: (source, tags) => holes[keyOf(source, tags)] ?? [],
    add(source, tags, added) {
      if (added.length === 0) return;
      const key = keyOf(source, tags);
      holes[key] = join([...holes[key] ?? [], ...added]);
    },
    save: () => keep(holes),
  };
}

/** The name of a series, whatever the order of its tags. */
function keyOf(source: string, tags: Point["tags"]): string {
  const named = new URLSearchParams(tags);
  named.sort();
  return `${source}?${named}`;
}

/** Sorts ranges, and makes one of those that touch. */
function join(ranges: readonly SlotRange[]): SlotRange[] {
  const joined: SlotRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (!last || last.toMs < range.fromMs) joined.push(range);
    else if (last.toMs === range.fromMs) {
      const { fromMs, slots } = last;
      joined[joined.length - 1] = { fromMs, toMs: range.toMs, slots: slots + range.slots };
    }
  }
  return joined;
}

async function load(path: string): Promise<Holes> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new FatalError(`Cannot read the known holes "${path}": ${describeError(error)}`, {
      cause: error,
    });
  }
  const holes = parse(text);
  if (holes) return holes;
  throw new FatalError(
    `Cannot read the known holes "${path}" as they must be those an audit wrote: they are not`,
    { hint: "Remove the file: the next repair asks for them again" },
  );
}

function parse(text: string): Holes | undefined {
  try {
    const { format, holes } = JSON.parse(text);
    const isRight = format === FORMAT &&
      Object.values(holes).every((ranges) => Array.isArray(ranges) && ranges.every(isRange));
    return isRight ? holes : undefined;
  } catch {
    // Not JSON, or no object.
    return undefined;
  }
}

function isRange(value: unknown): value is SlotRange {
  const { fromMs, toMs, slots } = Object(value);
  return [fromMs, toMs, slots].every(Number.isSafeInteger) && fromMs < toMs;
}

/** A new file beside the old one, synced and renamed: at every instant there is one that is whole. */
async function write(path: string, holes: Holes): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const unfinished = `${path}.tmp`;
    {
      using file = await Deno.open(unfinished, { write: true, create: true, truncate: true });
      const text = `${JSON.stringify({ format: FORMAT, holes }, undefined, 2)}\n`;
      await writeAll(file, new TextEncoder().encode(text));
      await file.sync();
    }
    await Deno.rename(unfinished, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw new FatalError(`Cannot keep the known holes "${path}": ${describeError(error)}`, {
      cause: error,
      hint: "Make the folder writable; what was repaired is stored, and holes are asked for again",
    });
  }
}
