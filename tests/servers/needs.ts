/**
 * Tests that need a program which may not be installed: they are ignored where it is missing, under
 * a name that says so.
 *
 * @module
 */

import { join } from "@std/path";

/** The programs, and the Debian packages that have them. */
export const PROGRAMS = {
  influxd: "influxdb",
  "victoria-metrics": "victoria-metrics",
} as const;

/** A program that tests need. */
export type Program = keyof typeof PROGRAMS;

/** How to get a program. */
export function installHint(program: Program): string {
  return `apt-get install --no-install-recommends ${PROGRAMS[program]}`;
}

/** Whether a program is on the path. */
export function hasProgram(program: Program): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  return folders.some((folder) => isFile(join(folder, program)));
}

/**
 * Registers a test that needs a program.
 *
 * @param program What it needs.
 * @param name What holds. Where the program is missing, how to get it is added.
 * @param fn The test.
 */
export function testWith(
  program: Program,
  name: string,
  fn: (context: Deno.TestContext) => Promise<void>,
): void {
  const ignore = !hasProgram(program);
  const why = ignore ? ` (needs ${program}: ${installHint(program)})` : "";
  Deno.test({ name: `${name}${why}`, ignore, fn });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
