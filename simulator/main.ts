/**
 * Runs the simulator by itself: `deno run -A simulator/main.ts [--port N] [--scenario FILE]`.
 *
 * Prints its URLs as one line of JSON once it listens, and ends on SIGINT or SIGTERM.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { systemClock } from "../engine/clock.ts";
import { describeError, OptionsError } from "../engine/errors.ts";
import { createSimulator, loadScenario, serveSimulator } from "./mod.ts";

const USAGE = "Usage: deno run -A simulator/main.ts [--port N] [--scenario FILE]";

async function main(args: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const { port, scenario } = parseArgs([...args], {
    string: ["port", "scenario"],
    default: { port: "0" },
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  if (unknown.length > 0 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    return fail(2, USAGE);
  }
  try {
    return await serve(Number(port), scenario);
  } catch (error) {
    return fail(error instanceof OptionsError ? 78 : 1, describeError(error));
  }
}

async function serve(port: number, path: string | undefined): Promise<number> {
  const scenario = path === undefined ? {} : await loadScenario(path);
  const simulator = createSimulator(scenario, { clock: systemClock });
  const { close, ...urls } = serveSimulator(simulator, { port });
  const stopped = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, stopped.resolve);
  }
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(urls)}\n`));
  await stopped.promise;
  await close();
  return 0;
}

async function fail(code: number, message: string): Promise<number> {
  await Deno.stderr.write(new TextEncoder().encode(`${message}\n`));
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
