/**
 * The program `penstock`.
 *
 * @module
 */

import { startAhead } from "./cli/confine/ahead.ts";

// What is loaded while that process starts is not named by an import: Deno reads all that is named
// before it runs anything.
const PLANNER = new URL("./cli/planner.ts", import.meta.url).href;

const ahead = startAhead(Deno.args);
const { runPlanned }: typeof import("./cli/planner.ts") = await import(PLANNER);
Deno.exit(await runPlanned(Deno.args, ahead));
