/**
 * The command line: arguments in, exit code out.
 *
 * @module
 */

import { type Call, choiceOf, type Command, parseCall, unknown } from "./cli/command.ts";
import { COMMANDS, CONFINED_COMMANDS } from "./cli/commands/mod.ts";
import { GrantError, renderDifferences } from "./cli/confine/grant_error.ts";
import type { Host } from "./cli/host.ts";
import { machineInputs } from "./cli/inputs.ts";
import { machineTerminal, type Terminal } from "./cli/terminal.ts";
import { UsageError } from "./cli/usage.ts";
import { PipelineFileError, renderDiagnostics } from "./engine/pipeline_file/diagnostics.ts";
import { describeError, OptionsError, PenstockError } from "./engine/errors.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_PIPELINE_FILE = 78;
const EXIT_PIPE = 141;

/**
 * Runs one command: confined, in a process of its own, where it loads what is the user's.
 *
 * @param args The arguments behind `penstock`.
 * @param terminal What the user sees.
 * @param host What surrounds the command, in a process that is confined already.
 * @returns The exit code.
 */
export async function main(
  args: readonly string[],
  terminal: Terminal,
  host?: Host,
): Promise<number> {
  let told = terminal;
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "help" || name === "--help") {
      return await help(COMMANDS[rest[0] ?? ""], terminal, name === undefined ? EXIT_USAGE : 0);
    }
    const command = COMMANDS[name] ?? (host && CONFINED_COMMANDS[name]);
    if (!command) throw unknown("command", name, Object.keys(COMMANDS), "The commands");
    if (rest.includes("--help")) return await help(command, terminal, 0);
    const call = parseCall(name, command, rest);
    const log = await logTo(terminal, call, command, host);
    told = log.error;
    const { flags } = call;
    const need = host ? undefined : command.need?.(call);
    const here = ({ inputs, ...rest }: Host) =>
      command.run(call, { ...rest, inputs: { ...inputs, hide: terminal.hide } }, log.info);
    if (!need) return await here(host ?? { inputs: machineInputs() });
    const { confine } = await import("./cli/confine/mod.ts");
    return await confine({ args, need, verbose: flags.verbose === true, here }, log.info);
  } catch (error) {
    return report(error, told);
  }
}

/** Says how a command is called, or how all of them are. */
async function help(
  command: Command | undefined,
  terminal: Terminal,
  exitCode: number,
): Promise<number> {
  const { describeCommand, describeCommands } = await import("./cli/help.ts");
  terminal.say(command ? describeCommand(command) : describeCommands(COMMANDS));
  return exitCode;
}

/** Where a command says what it says: on the terminal, or, for machines, in the log. */
async function logTo(
  terminal: Terminal,
  call: Call,
  command: Command,
  host: Host | undefined,
): Promise<{ readonly info: Terminal; readonly error: Terminal }> {
  const format = choiceOf(call, "log", ["text", "json"]);
  const plain = { info: terminal, error: terminal };
  // The process that watches has nothing to log but what it says itself.
  if (!command.flags?.log || format === "text" && !host) return plain;
  const { configureLog, loggingTerminal } = await import("./cli/log.ts");
  configureLog({ format, verbose: call.flags.verbose === true, write: terminal.say });
  if (format === "text") return plain;
  return { info: loggingTerminal(terminal, "info"), error: loggingTerminal(terminal, "error") };
}

function report(error: unknown, terminal: Terminal): number {
  // Whoever read our output has gone, as `head` does: that is no failure of ours.
  if (isBrokenPipe(error)) return EXIT_PIPE;
  if (error instanceof PipelineFileError) {
    terminal.say(renderDiagnostics(error.diagnostics, { color: terminal.colors }));
    return EXIT_PIPELINE_FILE;
  }
  const lines = [`error: ${nameStep(error)}`];
  if (error instanceof GrantError) lines.push(renderDifferences(error.differences));
  if (error instanceof PenstockError) lines.push(...error.hint ? [`  hint: ${error.hint}`] : []);
  else if (error instanceof Error && error.stack) lines.push(error.stack);
  terminal.say(`${lines.join("\n")}\n`);
  if (error instanceof UsageError) return EXIT_USAGE;
  // What only the exchange can tell, such as a symbol that does not exist, is wrong in the file, too.
  return error instanceof OptionsError ? EXIT_PIPELINE_FILE : EXIT_FAILED;
}

/** The engine's own messages name the step already. */
function nameStep(error: unknown): string {
  const text = describeError(error);
  const step = error instanceof PenstockError ? error.step : undefined;
  const id = step?.match(/".*"/)?.[0];
  return step === undefined || (id !== undefined && text.includes(id)) ? text : `${step}: ${text}`;
}

function isBrokenPipe(error: unknown): boolean {
  if (error instanceof Deno.errors.BrokenPipe) return true;
  return error instanceof Error && error.cause !== undefined && isBrokenPipe(error.cause);
}

if (import.meta.main) Deno.exit(await main(Deno.args, machineTerminal()));
