/**
 * The command line: arguments in, exit code out.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { createTerminal, sayWhileItLasts, type Terminal } from "./cli/terminal.ts";
import { UsageError } from "./cli/usage.ts";
import { PipelineFileError, renderDiagnostics } from "./engine/pipeline_file/diagnostics.ts";
import { describeError, OptionsError, PenstockError } from "./engine/errors.ts";
import { writeAll } from "./engine/world.ts";
import { hintForName } from "./engine/nearest.ts";

const USAGE = `penstock runs pipelines of market data.

usage:
  penstock run FILE        runs a pipeline; a later run goes on from the last checkpoint
  penstock dry-run FILE    prints what its sinks would be sent; writes nothing
  penstock replay FILE     puts dead letters through again, once what refused them is mended
  penstock audit FILE      says what is missing or odd in the stores of a pipeline; repairs it
  penstock check FILE      says what a pipeline does, or all that is wrong with its file
  penstock plugins         lists sources, transforms and sinks
  penstock describe NAME   says all about a plugin and its options; NAME may be the path of your own
  penstock schema          prints the JSON schema of pipeline files, for editors

options of run, dry-run and replay:
  --simulate[=FILE]        reads from a simulated exchange on loopback; FILE is its scenario
  --state DIR              keeps checkpoints there (default: .penstock beside the pipeline file)
  --limit N                reads N records, then stops (dry-run)
  --file PATH              takes dead letters from there (replay)
  --drain SECONDS          ends a stop that takes longer, and says what was not delivered (default: 30)
  --log text|json          how to log to standard error (default: text)
  --verbose                shows debug messages

options of audit, beside --simulate, --state, --log and --verbose:
  --from T, --to T         looks at that time only (default: all that must be stored)
  --repair                 fetches and writes just what is missing; the pipeline must not run
  --format text|json       how the report is printed (default: text)

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
    flags: ["simulate", "state", "drain", "log", "verbose"],
    operand: "FILE",
    run: runFile(false),
  },
  "dry-run": {
    flags: ["simulate", "limit", "log", "verbose"],
    operand: "FILE",
    run: runFile(true),
  },
  "replay": {
    flags: ["state", "file", "log", "verbose"],
    operand: "FILE",
    run: withLog(async ({ operand, flags }, terminal) => {
      const { replay } = await import("./cli/replay.ts");
      return await replay({
        file: operand,
        letters: textOf(flags.file),
        state: stateOf(flags),
      }, terminal);
    }),
  },
  "audit": {
    flags: ["simulate", "state", "from", "to", "repair", "format", "log", "verbose"],
    operand: "FILE",
    run: withLog(auditFile),
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
    string: ["simulate", "state", "drain", "limit", "log", "file", "from", "to", "format"],
    boolean: ["verbose", "repair"],
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
  return withLog(async ({ operand, flags }, terminal) => {
    const runFlags = {
      file: operand,
      simulate: textOf(flags.simulate),
      state: stateOf(flags),
      drainMs: parseDrain(textOf(flags.drain)),
      limit: parseLimit(textOf(flags.limit)),
      dry,
    };
    const { run } = await import("./cli/run.ts");
    return await run(runFlags, terminal);
  });
}

/** Sets the log up as `--log` and `--verbose` say. As JSON, all that is said is part of it. */
function withLog(run: Command["run"]): Command["run"] {
  return async (call, terminal) => {
    const { log = "text", verbose } = call.flags;
    if (log !== "text" && log !== "json") {
      throw new UsageError(`Cannot use \`--log ${log}\` as it must be text or json`);
    }
    const { configureLog, loggingTerminal } = await import("./cli/log.ts");
    configureLog({ format: log, verbose: verbose === true, write: terminal.say });
    if (log === "text") return await run(call, terminal);
    return await run(call, loggingTerminal(terminal, "info"))
      .catch((error) => report(error, loggingTerminal(terminal, "error")));
  };
}

function stateOf({ state }: Call["flags"]): string | undefined {
  if (state === "") throw new UsageError("Cannot use `--state` as it must name a folder");
  return textOf(state);
}

async function auditFile({ operand, flags }: Call, terminal: Terminal): Promise<number> {
  const format = flags.format ?? "text";
  if (format !== "text" && format !== "json") {
    throw new UsageError(`Cannot use \`--format ${format}\` as it must be text or json`);
  }
  const { audit } = await import("./cli/audit.ts");
  return await audit({
    file: operand,
    simulate: textOf(flags.simulate),
    state: stateOf(flags),
    from: textOf(flags.from),
    to: textOf(flags.to),
    repair: flags.repair === true,
    format,
  }, terminal);
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

/** Milliseconds of a number of seconds. A timer of the system holds a day, and not much more. */
function parseDrain(drain: string | undefined): number | undefined {
  if (drain === undefined) return undefined;
  const seconds = drain === "" ? NaN : Number(drain);
  if (seconds >= 0 && seconds <= 86_400) return 1_000 * seconds;
  throw new UsageError(
    `Cannot use \`--drain ${drain}\` as it must be a number of seconds from 0 to 86,400`,
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
  const terminal = createTerminal({
    writeOut: (bytes) => writeAll(Deno.stdout, bytes),
    writeErr: sayWhileItLasts((bytes) => Deno.stderr.writeSync(bytes)),
    interactive,
    colors: interactive && !Deno.noColor,
    // Some terminals do not know their size and say 0.
    columns: () => Deno.consoleSize().columns || 80,
    now: () => Date.now(),
  });
  Deno.exit(await main(Deno.args, terminal));
}
