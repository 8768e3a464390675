/**
 * How a confined process is started: what Deno is told on its command line.
 *
 * @module
 */

import { OptionsError } from "../../engine/errors.ts";
import type { Reach } from "../../engine/permissions.ts";

/**
 * How the engine runs best: room from the start for what lives for a moment, so that records under
 * way die there and need not be copied, a heap for the rest that grows slowly, and hot loops that are
 * inlined as a whole.
 *
 * All processes of penstock are started with the same ones, those of the tasks in `deno.json` too:
 * code that was compiled with others is compiled anew, and takes the place of what others left.
 */
export const V8_FLAGS =
  "--v8-flags=--max-semi-space-size=16,--min-semi-space-size=16,--heap-growing-percent=10,--no-allocation-site-pretenuring,--max-inlined-bytecode-size-cumulative=4000";

/**
 * How the allocator of the C library runs best: it keeps what was freed, up to 8 MB, instead of giving
 * it back to the system after each batch. Fresh pages cost more than to write lines to them.
 */
export const ALLOCATOR = {
  MALLOC_MMAP_THRESHOLD_: `${2 * 1024 ** 2}`,
  MALLOC_TRIM_THRESHOLD_: `${8 * 1024 ** 2}`,
};

/**
 * Where confined processes are, for Deno: it keeps what code leaves in `localStorage` and in caches by
 * this address, apart from what the planner keeps.
 */
const LOCATION = "http://confined.penstock.invalid/";

/** What a confined process may reach, and the code of the user's that it is to run. */
export interface Confined {
  /** All that it may reach. */
  readonly reach: Reach;
  /** Modules of the user's, by URL: loaded with the program, run when they are imported. */
  readonly modules?: readonly string[];
}

/**
 * The arguments of `deno` before the program. What is not named here is refused: nobody is asked,
 * nothing is fetched, no program is run, no library is loaded.
 *
 * @throws {OptionsError} If a path has a comma.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const reach = { net: ["db.test:8086"], read: [], write: ["/data/a.lp"], env: [] };
 * assertEquals(denoFlags({ reach }).slice(-2), [
 *   "--allow-net=db.test:8086",
 *   "--allow-write=/data/a.lp",
 * ]);
 * ```
 */
export function denoFlags({ reach, modules = [] }: Confined): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--cached-only",
    `--location=${LOCATION}`,
    V8_FLAGS,
    ...modules.length > 0 ? ["--frozen", `--preload=${moduleNaming(modules)}`] : [],
    ...allow("net", reach.net),
    ...allow("read", reach.read),
    ...allow("write", reach.write),
    ...allow("env", reach.env),
  ];
}

function allow(name: string, values: readonly string[]): string[] {
  const wrong = values.find((value) => value.includes(","));
  // Deno would take what follows the comma for something else that is allowed.
  if (wrong !== undefined) {
    throw new OptionsError(`Cannot allow "${wrong}" to be reached as it must have no comma`, {
      hint: "Give the file, or its folder, another name",
    });
  }
  return values.length === 0 ? [] : [`--allow-${name}=${values.join(",")}`];
}

/**
 * A module that names others without running them: what is named in the text of a program is read
 * as a part of it, so that no permission to read is needed.
 */
function moduleNaming(urls: readonly string[]): string {
  const imports = urls.map((url) => `()=>import(${JSON.stringify(url)})`).join(",");
  return `data:text/javascript,${encodeURIComponent(`void [${imports}];`)}`;
}
