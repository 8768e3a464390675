/**
 * The command line: arguments in, exit code out.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { createTerminal, type Terminal } from "./cli/terminal.ts";
import { UsageError } from "./cli/usage.ts";
import { PipelineFileError, renderDiagnostics } from "./engine/pipeline_file/diagnostics.ts";
import { describeError, OptionsError, PenstockError } from "./engine/errors.ts";
import { writeAll } from "./engine/world.ts";
import { hintForName } from "./engine/nearest.ts";

const USAGE = `penstock runs pipelines of market data.

usage:
  penstock run FILE        runs a pipeline; a later run goes on from the last checkpoint
  penstock dry-run FILE    prints what its sinks would be sent; writes nothing
  penstock check FILE      says what a pipeline does, or all that is wrong with its file
  penstock plugins         lists sources, transforms and sinks
  penstock describe NAME   says all about a plugin and its options; NAME may be the path of your own
  penstock schema          prints the JSON schema of pipeline files, for editors

options of run and dry-run:
  --simulate[=FILE]        reads from a simulated exchange on loopback; FILE is its scenario
  --state DIR              keeps checkpoints there (default: .penstock beside the pipeline file)
  --limit N                reads N records, then stops (dry-run)
  --metrics PORT           serves /metrics for Prometheus, /livez and /readyz on 127.0.0.1 (run)
  --log text|json          how to log to standard error (default: text)
  --verbose                shows debug messages

Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed,
2 wrong usage, 78 wrong pipeline file, 130 or 143 stopped by a signal.
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_PIPELINE_FILE = 78;
const EXIT_PIPE = 141;

/** Each command: which flags it takes, how many arguments, and what it does. Loaded when it is called. */
const COMMANDS: Readonly<Record<string, Command>> = {
  "run": {
    flags: ["simulate", "state", "metrics", "log", "verbose"],
    operand: "FILE",
    run: runFile(false),
  },
  "dry-run": {
    flags: ["simulate", "limit", "log", "verbose"],
    operand: "FILE",
    run: runFile(true),
  },
  "check": {
    flags: [],
    operand: "FILE",
    run: async ({ operand }, terminal) => (await import("./cli/check.ts")).check(operand, terminal),
  },
  "plugins": {
    flags: [],
    run: async (_, terminal) => (await import("./cli/plugins.ts")).plugins(terminal),
  },
  "describe": {
    flags: [],
    operand: "NAME",
    run: async ({ operand }, terminal) =>
      (await import("./cli/plugins.ts")).describe(operand, terminal),
  },
  "schema": {
    flags: [],
    run: async (_, terminal) => (await import("./cli/plugins.ts")).schema(terminal),
  },
};

interface Command {
  readonly flags: readonly string[];
  readonly operand?: string;
  run(call: Call, terminal: Terminal): Promise<number>;
}

interface Call {
  readonly operand: string;
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/**
 * Runs one command.
 *
 * @param args The arguments behind `penstock`.
 * @returns The exit code.
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "help" || args.includes("--help")) {
      terminal.say(USAGE);
      return name === undefined ? EXIT_USAGE : 0;
    }
    const command = COMMANDS[name];
    if (!command) throw unknown("command", name, Object.keys(COMMANDS), "The commands");
    return await command.run(parseCall(name, command, rest), terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

function parseCall(name: string, command: Command, args: readonly string[]): Call {
  // Without a value it stands for itself, so it must not take the file as its value.
  const given = args.map((arg) => arg === "--simulate" ? "--simulate=" : arg);
  const flags = parseArgs(given, {
    string: ["simulate", "state", "limit", "metrics", "log"],
    boolean: ["verbose"],
  });
  for (const [key, value] of Object.entries(flags)) {
    if (key === "_" || command.flags.includes(key) || value === false) continue;
    const names = command.flags.map((flag) => `--${flag}`);
    throw unknown(`option of \`${name}\``, `--${key}`, names, "Its options");
  }
  const operands = flags._.map(String);
  const wanted = command.operand ? 1 : 0;
  if (operands.length !== wanted) {
    throw new UsageError(
      `Cannot run \`penstock ${name}\` as it must have ${
        command.operand ? `one ${command.operand}` : "no argument"
      }: it has ${operands.length}`,
      { hint: "See `penstock --help`" },
    );
  }
  return { operand: operands[0] ?? "", flags };
}

function runFile(dry: boolean): Command["run"] {
  return async ({ operand, flags }, terminal) => {
    const log = flags.log ?? "text";
    if (log !== "text" && log !== "json") {
      throw new UsageError(`Cannot use \`--log ${log}\` as it must be text or json`);
    }
    if (flags.state === "") throw new UsageError("Cannot use `--state` as it must name a folder");
    const runFlags = {
      file: operand,
      simulate: textOf(flags.simulate),
      state: textOf(flags.state),
      limit: parseLimit(textOf(flags.limit)),
      metrics: parsePort(textOf(flags.metrics)),
      dry,
    };
    const { configureLog, loggingTerminal } = await import("./cli/log.ts");
    configureLog({ format: log, verbose: flags.verbose === true, write: terminal.say });
    const { run } = await import("./cli/run.ts");
    if (log === "text") return run(runFlags, terminal);
    return await run(runFlags, loggingTerminal(terminal, "info"))
      .catch((error) => report(error, loggingTerminal(terminal, "error")));
  };
}

function textOf(flag: string | boolean | undefined): string | undefined {
  return flag === undefined ? undefined : String(flag);
}

function parseLimit(limit: string | undefined): number | undefined {
  if (limit === undefined) return undefined;
  const records = Number(limit);
  if (Number.isSafeInteger(records) && records > 0) return records;
  throw new UsageError(`Cannot use \`--limit ${limit}\` as it must be a whole number above 0`);
}

function parsePort(port: string | undefined): number | undefined {
  if (port === undefined) return undefined;
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError(
    `Cannot use \`--metrics ${port}\` as it must be a port from 1 to 65535, or 0 for any free one`,
  );
}

function unknown(
  what: string,
  name: string,
  names: readonly string[],
  whose: string,
): UsageError {
  return new UsageError(`Cannot use ${what} "${name}": it does not exist`, {
    hint: hintForName(name, names, whose),
  });
}

function report(error: unknown, terminal: Terminal): number {
  // Whoever read our output has gone, as `head` does: that is no failure of ours.
  if (isBrokenPipe(error)) return EXIT_PIPE;
  if (error instanceof PipelineFileError) {
    terminal.say(renderDiagnostics(error.diagnostics, { color: terminal.colors }));
    return EXIT_PIPELINE_FILE;
  }
  const lines = [`error: ${nameStep(error)}`];
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

if (import.meta.main) {
  const interactive = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  const terminal = createTerminal({
    writeOut: (bytes) => writeAll(Deno.stdout, bytes),
    writeErr: (text) => void Deno.stderr.writeSync(encoder.encode(text)),
    interactive,
    colors: interactive && !Deno.noColor,
    // Some terminals do not know their size and say 0.
    columns: () => Deno.consoleSize().columns || 80,
    now: () => Date.now(),
  });
  Deno.exit(await main(Deno.args, terminal));
}
