/**
 * A command line: arguments in, exit code out.
 *
 * @module
 */

import { type Call, choiceOf, type Command, parseCall, unknown } from "./command.ts";
import { COMMANDS, findCommand } from "./commands/mod.ts";
import { GrantError, renderDifferences } from "./confine/grant_error.ts";
import type { Confining } from "./confine/mod.ts";
import type { Host } from "./host.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage.ts";
import { PipelineFileError, renderDiagnostics } from "../engine/pipeline_file/diagnostics.ts";
import { describeError, OptionsError, PenstockError } from "../engine/errors.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_PIPELINE_FILE = 78;
const EXIT_PIPE = 141;

/** Runs a command in a process of its own, and gives its exit code. */
export type Confine = (confining: Confining, terminal: Terminal) => Promise<number>;

/**
 * Runs one command.
 *
 * @param args The arguments behind `penstock`.
 * @param terminal What the user sees.
 * @param host What surrounds the command.
 * @param confine Runs it where it loads what is the user's. Left out in a process that was made so.
 * @returns The exit code.
 */
export async function main(
  args: readonly string[],
  terminal: Terminal,
  host: Host,
  confine?: Confine,
): Promise<number> {
  let told = terminal;
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "help" || name === "--help") {
      const asked = findCommand(rest[0] ?? "", "user");
      return await help(asked, terminal, name === undefined ? EXIT_USAGE : 0);
    }
    const command = findCommand(name, confine ? "user" : "confined");
    if (!command) throw unknown("command", name, Object.keys(COMMANDS), "The commands");
    if (rest.includes("--help")) return await help(command, terminal, 0);
    const call = parseCall(name, command, rest);
    const log = await logTo(terminal, call, command, confine !== undefined);
    told = log.error;
    const here = async ({ inputs, ...rest }: Host) => {
      const work = await command.load();
      return await work(call, { ...rest, inputs: { ...inputs, hide: terminal.hide } }, log.info);
    };
    const need = confine && command.need?.(call);
    if (!confine || !need) return await here(host);
    return await confine({ args, need, verbose: call.flags.verbose === true, here }, log.info);
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
  const { describeCommand, describeCommands } = await import("./help.ts");
  terminal.say(command ? describeCommand(command) : describeCommands(COMMANDS));
  return exitCode;
}

/** Where a command says what it says: on the terminal, or, for machines, in the log. */
async function logTo(
  terminal: Terminal,
  call: Call,
  command: Command,
  watches: boolean,
): Promise<{ readonly info: Terminal; readonly error: Terminal }> {
  const format = choiceOf(call, "log", ["text", "json"]);
  const plain = { info: terminal, error: terminal };
  // The process that watches has nothing to log but what it says itself.
  if (!command.flags?.log || format === "text" && watches) return plain;
  const { configureLog, loggingTerminal } = await import("./log.ts");
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
