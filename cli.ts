/**
 * The command line: arguments in, exit code out.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { resolve } from "@std/path";
import { checkpointFolder, keepsCheckpoints, type PipelinePlace } from "./cli/checkpoints.ts";
import { GrantError, renderDifferences } from "./cli/confine/grant_error.ts";
import type { Need } from "./cli/confine/mod.ts";
import type { Host } from "./cli/host.ts";
import { machineInputs } from "./cli/inputs.ts";
import type { AuditFlags } from "./cli/audit.ts";
import { EXPLAIN_FORMATS, type ExplainFlags } from "./cli/explain_flags.ts";
import { NEW_KINDS, NEW_THINGS, type NewFlags } from "./cli/new_flags.ts";
import type { ReplayFlags } from "./cli/replay.ts";
import type { RunFlags } from "./cli/run.ts";
import { STATE_ACTIONS, type StateFlags } from "./cli/state_flags.ts";
import { machineTerminal, type Terminal } from "./cli/terminal.ts";
import { UsageError } from "./cli/usage.ts";
import { PipelineFileError, renderDiagnostics } from "./engine/pipeline_file/diagnostics.ts";
import { isSpecifier } from "./engine/pipeline_file/modules.ts";
import { describeError, OptionsError, PenstockError } from "./engine/errors.ts";
import { hintForName } from "./engine/nearest.ts";
import { unite } from "./engine/permissions.ts";
import type { Permissions } from "./engine/plugin.ts";

const USAGE = `penstock runs pipelines of market data.

usage:
  penstock run FILE        runs a pipeline; a later run goes on from the last checkpoint
  penstock dry-run FILE    prints what its sinks would be sent; writes nothing
  penstock replay FILE     puts dead letters through again, once what refused them is mended
  penstock audit FILE      says what is missing or odd in the stores of a pipeline; repairs it
  penstock check FILE      says what a pipeline does, or all that is wrong with its file
  penstock explain FILE    says all of it: graph, guarantee, costs, what is kept where, permissions
  penstock state show FILE    says what a pipeline remembers: how far each series is, states, tokens
  penstock state export FILE  prints it as JSON
  penstock state reset FILE   forgets all of it, or what --step and --series name; keeps a backup
  penstock accept FILE     grants the code of a pipeline what it asks for, in penstock.lock
  penstock new pipeline NAME  makes NAME.yaml, which runs at once
  penstock new plugin NAME    makes NAME.ts and its test, of --kind source|transform|sink
  penstock plugins         lists sources, transforms and sinks
  penstock describe NAME   says all about a plugin and its options; NAME may be the path of your own
  penstock schema          prints the JSON schema of pipeline files, for editors

options of check:
  --probe                  tries the endpoints, too; changes nothing there

options of run, dry-run and replay:
  --simulate[=FILE]        reads from a simulated exchange on loopback; FILE is its scenario
  --state DIR              keeps checkpoints there (default: .penstock beside the pipeline file)
  --limit N                reads N records, then stops (dry-run)
  --file PATH              takes dead letters from there (replay)
  --step ID, --series KEY  forgets that step alone, or that series, such as BTCUSDT@1h (state reset)
  --format text|mermaid|json  how to write it (explain)
  --drain SECONDS          ends a stop that takes longer, and says what was not delivered (default: 30)
  --metrics PORT           serves /metrics for Prometheus, /livez and /readyz on 127.0.0.1 (run)
  --log text|json          how to log to standard error (default: text)
  --verbose                shows debug messages, and what the run may reach

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
    flags: ["simulate", "state", "drain", "metrics", "log", "verbose"],
    need: (call) => needOfRun(runFlagsOf(call, false), call),
    run: async (call, host, terminal) =>
      (await import("./cli/run.ts")).run(runFlagsOf(call, false), host, terminal),
  },
  "dry-run": {
    flags: ["simulate", "limit", "log", "verbose"],
    need: (call) => needOfRun(runFlagsOf(call, true), call),
    run: async (call, host, terminal) =>
      (await import("./cli/run.ts")).run(runFlagsOf(call, true), host, terminal),
  },
  "replay": {
    flags: ["state", "file", "log", "verbose"],
    need: (call) => needOfReplay(replayFlagsOf(call)),
    run: async (call, host, terminal) =>
      (await import("./cli/replay.ts")).replay(replayFlagsOf(call), host, terminal),
  },
  "audit": {
    flags: ["simulate", "state", "from", "to", "repair", "format", "log", "verbose"],
    need: (call) => needOfAudit(auditFlagsOf(call), call),
    run: async (call, host, terminal) =>
      (await import("./cli/audit.ts")).audit(auditFlagsOf(call), host, terminal),
  },
  "check": {
    flags: ["probe", "log", "verbose"],
    need: ({ operand, flags }) => ({ file: operand, steps: flags.probe ? "all" : "none" }),
    run: async ({ operand, flags }, { inputs }, terminal) =>
      (await import("./cli/check.ts")).check(
        { file: operand, probe: flags.probe === true },
        inputs,
        terminal,
      ),
  },
  "explain": {
    flags: ["state", "format"],
    need: ({ operand }) => ({ file: operand, steps: "none" }),
    run: async (call, { inputs }, terminal) => {
      const { explain } = await import("./cli/explain.ts");
      const flags = {
        file: call.operand,
        state: stateOf(call.flags),
        format: formatOf(call.flags),
      };
      return await explain(flags, inputs, terminal);
    },
  },
  "state": {
    flags: ["state", "step", "series"],
    operands: ["ACTION", "FILE"],
    need: (call) => needOfState(stateFlagsOf(call)),
    run: async (call, { inputs }, terminal) =>
      (await import("./cli/state.ts")).state(stateFlagsOf(call), inputs, terminal),
  },
  "accept": {
    flags: [],
    run: async ({ operand }, _host, terminal) =>
      (await import("./cli/accept.ts")).accept(operand, terminal),
  },
  "new": {
    flags: ["kind"],
    operands: ["pipeline|plugin", "NAME"],
    run: async (call, _host, terminal) =>
      (await import("./cli/new.ts")).create(newFlagsOf(call), Deno.cwd(), terminal),
  },
  "plugins": {
    flags: [],
    operands: [],
    run: async (_call, _host, terminal) => (await import("./cli/plugins.ts")).plugins(terminal),
  },
  "describe": {
    flags: [],
    operands: ["NAME"],
    need: ({ operand }) => isSpecifier(operand) ? { module: operand } : undefined,
    run: async ({ operand }, _host, terminal) =>
      (await import("./cli/plugins.ts")).describe(operand, terminal),
  },
  "schema": {
    flags: [],
    operands: [],
    run: async (_call, _host, terminal) => (await import("./cli/plugins.ts")).schema(terminal),
  },
};

/** What only a process does that penstock has started. */
const CONFINED_COMMANDS: Readonly<Record<string, Command>> = {
  "claims": {
    flags: [],
    run: async ({ operand }, host, terminal) =>
      (await import("./cli/confine/claims.ts")).tellClaims(operand, host, terminal),
  },
  "keep": {
    flags: [],
    operands: [],
    run: async (_call, host) => (await import("./cli/accept.ts")).keep(host),
  },
};

interface Command {
  readonly flags: readonly string[];
  /** Names of its arguments; FILE alone where they are left out. */
  readonly operands?: readonly string[];
  /** The process it needs. None, where it loads nothing of the user's. */
  need?(call: Call): Need | undefined;
  run(call: Call, host: Host, terminal: Terminal): Promise<number>;
}

interface Call {
  /** The first argument. */
  readonly operand: string;
  readonly operands: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

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
    if (name === undefined || name === "help" || args.includes("--help")) {
      terminal.say(USAGE);
      return name === undefined ? EXIT_USAGE : 0;
    }
    const command = COMMANDS[name] ?? (host && CONFINED_COMMANDS[name]);
    if (!command) throw unknown("command", name, Object.keys(COMMANDS), "The commands");
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

function parseCall(name: string, command: Command, args: readonly string[]): Call {
  // Without a value it stands for itself, so it must not take the file as its value.
  const given = args.map((arg) => arg === "--simulate" ? "--simulate=" : arg);
  const flags = parseArgs(given, {
    string: [
      ...["simulate", "state", "drain", "limit", "metrics", "log", "format"],
      ...["file", "step", "series", "from", "to", "kind"],
    ],
    boolean: ["verbose", "repair", "probe"],
  });
  for (const [key, value] of Object.entries(flags)) {
    if (key === "_" || command.flags.includes(key) || value === false) continue;
    const names = command.flags.map((flag) => `--${flag}`);
    throw unknown(`option of \`${name}\``, `--${key}`, names, "Its options");
  }
  const operands = flags._.map(String);
  const { operands: wanted = ["FILE"] } = command;
  if (operands.length !== wanted.length) {
    const must = wanted.length === 0 ? "no argument" : `one ${wanted.join(" and one ")}`;
    throw new UsageError(
      `Cannot run \`penstock ${name}\` as it must have ${must}: it has ${operands.length}`,
      { hint: "See `penstock --help`" },
    );
  }
  return { operand: operands[0] ?? "", operands, flags };
}

/** What a run is told by its flags. Whatever is wrong with them is said before anything starts. */
function runFlagsOf({ operand, flags }: Call, dry: boolean): RunFlags {
  return {
    file: operand,
    simulated: flags.simulate !== undefined,
    state: stateOf(flags),
    drainMs: parseDrain(textOf(flags.drain)),
    limit: parseLimit(textOf(flags.limit)),
    metrics: parsePort(textOf(flags.metrics)),
    dry,
  };
}

function needOfRun(runFlags: RunFlags, { flags }: Call): Need {
  return {
    file: runFlags.file,
    steps: runFlags.dry ? "dry" : "all",
    simulate: textOf(flags.simulate),
    extra: (pipeline) =>
      unite([
        keepsCheckpoints(runFlags) ? reachOfState(pipeline, runFlags.state) : {},
        runFlags.metrics === undefined ? {} : { net: [`127.0.0.1:${runFlags.metrics}`] },
      ]),
  };
}

/** What a replay is told by its flags. */
function replayFlagsOf({ operand, flags }: Call): ReplayFlags {
  return { file: operand, letters: textOf(flags.file), state: stateOf(flags) };
}

function needOfReplay({ file, letters, state }: ReplayFlags): Need {
  const read = letters === undefined ? [] : [resolve(letters)];
  return {
    file,
    steps: "all",
    extra: (pipeline) => unite([{ read }, reachOfState(pipeline, state)]),
  };
}

/** What an audit is told by its flags. */
function auditFlagsOf({ operand, flags }: Call): AuditFlags {
  const format = flags.format ?? "text";
  if (format !== "text" && format !== "json") {
    throw new UsageError(`Cannot use \`--format ${format}\` as it must be text or json`);
  }
  return {
    file: operand,
    simulated: flags.simulate !== undefined,
    state: stateOf(flags),
    from: textOf(flags.from),
    to: textOf(flags.to),
    repair: flags.repair === true,
    format,
  };
}

/** Without a repair nothing is written beside the pipeline file. */
function needOfAudit(auditFlags: AuditFlags, { flags }: Call): Need {
  const { file, simulated, state, repair } = auditFlags;
  return {
    file,
    steps: "all",
    simulate: textOf(flags.simulate),
    extra: (pipeline) => {
      if (!keepsCheckpoints({ dry: false, simulated, state })) return {};
      const { read = [], write = [] } = reachOfState(pipeline, state);
      return repair ? { read, write } : { read };
    },
  };
}

function formatOf({ format = "text" }: Call["flags"]): ExplainFlags["format"] {
  const known = EXPLAIN_FORMATS.find((one) => one === format);
  if (known) return known;
  throw unknown("format", String(format), EXPLAIN_FORMATS, "The formats");
}

/** What `new` is told by its arguments. */
function newFlagsOf({ operands: [given = "", name = ""], flags }: Call): NewFlags {
  const thing = NEW_THINGS.find((one) => one === given);
  if (!thing) throw unknown("thing to make", given, NEW_THINGS, "The things");
  const asked = textOf(flags.kind) ?? "transform";
  const kind = NEW_KINDS.find((one) => one === asked);
  if (!kind) throw unknown("kind", asked, NEW_KINDS, "The kinds");
  return { thing, name, kind };
}

/** What `state` is told by its arguments. */
function stateFlagsOf({ operands: [given = "", file = ""], flags }: Call): StateFlags {
  const action = STATE_ACTIONS.find((one) => one === given);
  if (!action) throw unknown("action of `state`", given, STATE_ACTIONS, "The actions");
  const { step, series } = { step: textOf(flags.step), series: textOf(flags.series) };
  if (action !== "reset" && (step ?? series) !== undefined) {
    throw new UsageError(`Cannot use --step or --series with \`state ${action}\``);
  }
  return { action, file, state: stateOf(flags), step, series };
}

/** Looking at it changes nothing. */
function needOfState({ action, file, state }: StateFlags): Need {
  return {
    file,
    steps: "none",
    extra: (pipeline) => {
      const { read = [], write = [] } = reachOfState(pipeline, state);
      return action === "reset" ? { read, write } : { read };
    },
  };
}

function reachOfState(pipeline: PipelinePlace, state: string | undefined): Permissions {
  const folder = resolve(checkpointFolder(pipeline, state));
  return { read: [folder], write: [folder] };
}

/** Where a command says what it says: on the terminal, or, for machines, in the log. */
async function logTo(
  terminal: Terminal,
  { flags }: Call,
  command: Command,
  host: Host | undefined,
): Promise<{ readonly info: Terminal; readonly error: Terminal }> {
  const format = flags.log ?? "text";
  if (format !== "text" && format !== "json") {
    throw new UsageError(`Cannot use \`--log ${format}\` as it must be text or json`);
  }
  const plain = { info: terminal, error: terminal };
  // The process that watches has nothing to log but what it says itself.
  if (!command.flags.includes("log") || format === "text" && !host) return plain;
  const { configureLog, loggingTerminal } = await import("./cli/log.ts");
  configureLog({ format, verbose: flags.verbose === true, write: terminal.say });
  if (format === "text") return plain;
  return { info: loggingTerminal(terminal, "info"), error: loggingTerminal(terminal, "error") };
}

function stateOf({ state }: Call["flags"]): string | undefined {
  if (state === "") throw new UsageError("Cannot use `--state` as it must name a folder");
  return textOf(state);
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
