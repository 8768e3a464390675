/**
 * Starts a confined process, passes signals on to it, and waits for its end.
 *
 * @module
 */

import type { Handover } from "../inputs.ts";
import { STOP_SIGNALS } from "../signals.ts";
import { ALLOCATOR, type Confined, denoFlags } from "./flags.ts";

const PROGRAM = new URL("./program.ts", import.meta.url).href;
const AUDIT = "DENO_AUDIT_PERMISSIONS";
/** Exit codes as shells give them for the end by a signal: 128 and its number. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/** What a process is started with: what it is to run, and how far it may reach. */
export interface Start extends Confined {
  /** The command and its arguments, as behind `penstock`. */
  readonly args: readonly string[];
}

/** A process, and what it is handed over. */
export interface Launch extends Start {
  /** What the process is given, as it can read none of it. */
  readonly handover: Handover;
}

/**
 * Runs a command in a confined process that shares our terminal.
 *
 * @param started The process, where it was started ahead.
 * @returns Its exit code; that of a shell where a signal ended it.
 */
export async function launch(launched: Launch, started?: Deno.ChildProcess): Promise<number> {
  const child = started ?? spawn(launched, "inherit");
  const writer = child.stdin.getWriter();
  const tell = (line: string) =>
    // A process that has just ended needs to be told nothing.
    writer.write(new TextEncoder().encode(`${line}\n`)).catch(() => {});
  const listeners = STOP_SIGNALS.map((signal) => [signal, () => void tell(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  try {
    await tell(JSON.stringify(launched.handover));
    return exitCodeOf(await child.status);
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
    await writer.close().catch(() => {});
  }
}

/** A process that was asked has ended without an answer, and has said why. */
export class NoAnswerError extends Error {
  /** Its exit code. */
  readonly code: number;

  /** Makes an error of an exit code. */
  constructor(code: number) {
    super(`The pipeline could not be loaded: exit code ${code}`);
    this.code = code;
  }
}

/**
 * Runs a command in a confined process.
 *
 * @returns What it prints.
 * @throws {NoAnswerError} If it fails.
 */
export async function ask(launched: Launch): Promise<string> {
  const child = spawn(launched, "piped");
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${JSON.stringify(launched.handover)}\n`))
    .catch(() => {});
  const [status, stdout] = await Promise.all([child.status, new Response(child.stdout).text()]);
  await writer.close().catch(() => {});
  const code = exitCodeOf(status);
  if (code !== 0) throw new NoAnswerError(code);
  return stdout;
}

/**
 * The Deno to start: this very one where we may, else the one that the shell finds. A package of
 * npm has the program twice, and may allow the one on the path alone.
 */
export function denoPath(): string {
  const path = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command: path });
  return state === "granted" ? path : "deno";
}

/** Starts the program of confined processes. It waits for what it is handed over. */
export function spawn(start: Start, stdout: "inherit" | "piped"): Deno.ChildProcess {
  return new Deno.Command(denoPath(), {
    args: [...denoFlags(start), PROGRAM, ...start.args],
    env: { ...ALLOCATOR, ...auditFile() },
    stdin: "piped",
    stdout,
    stderr: "inherit",
  }).spawn();
}

/** Where Deno writes down what is reached: a file of its own for what is confined. */
function auditFile(): Record<string, string> {
  const file = Deno.env.get(AUDIT) ?? "";
  return file === "" || file === "otel" ? {} : { [AUDIT]: `${file}.confined` };
}

function exitCodeOf({ code, signal }: Deno.CommandStatus): number {
  return signal === null ? code : 128 + (SIGNAL_NUMBERS[signal] ?? 0);
}
