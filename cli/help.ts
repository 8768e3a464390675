/**
 * `penstock --help`, and `penstock COMMAND --help`.
 *
 * @module
 */

import type { Command } from "./command.ts";

const INDENT = "  ";
const GAP = "  ";

/**
 * All commands in a list.
 *
 * @param commands The commands by name.
 */
export function describeCommands(commands: Readonly<Record<string, Command>>): string {
  const usage = Object.values(commands).flatMap((command) => command.usage);
  return [
    "penstock runs pipelines of market data.",
    "",
    "usage:",
    ...table(usage.map(([call, does]) => [`penstock ${call}`, does])),
    "",
    "`penstock COMMAND --help` lists the options of a command.",
    "",
    "Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed,",
    "2 wrong usage, 78 wrong pipeline file, 130 or 143 stopped by a signal.",
    "",
  ].join("\n");
}

/** One command, with its options. */
export function describeCommand({ usage, flags = {} }: Command): string {
  const options = Object.entries(flags).map(([name, { value, alone, help }]) => {
    const shown = value === undefined ? "" : alone === undefined ? ` ${value}` : `[=${value}]`;
    return [`--${name}${shown}`, help] as const;
  });
  return [
    "usage:",
    ...table(usage.map(([call, does]) => [`penstock ${call}`, does])),
    ...options.length > 0 ? ["", "options:", ...table(options)] : [],
    "",
  ].join("\n");
}

function table(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${INDENT}${left.padEnd(width)}${GAP}${right}`);
}
