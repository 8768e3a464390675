/**
 * The log: lines for people or JSON for machines, on standard error.
 *
 * @module
 */

import type { Log, LogDetails } from "../engine/context.ts";
import type { Terminal } from "./terminal.ts";

/** How to log. */
export interface LogOptions {
  /** Lines for people, or JSON lines. */
  readonly format: "text" | "json";
  /** Whether debug messages are shown. */
  readonly verbose: boolean;
  /** Writes a line, its end included. */
  write(line: string): void;
}

type Level = "debug" | "info" | "warning" | "error";

/** There is one log to a process, and none before it is set up. */
let configured: LogOptions | undefined;

/** Sets the log up. Called once per process. */
export function configureLog(options: LogOptions): void {
  configured = options;
}

/**
 * The log of a step.
 *
 * @param pipeline Name of the pipeline.
 * @param step Id of the step; the engine where it is left out.
 */
export function logOf(pipeline: string, step?: string): Log {
  const source = [pipeline, ...step === undefined ? [] : [step]];
  return {
    debug: (message, details) => write("debug", source, message, details),
    info: (message, details) => write("info", source, message, details),
    warn: (message, details) => write("warning", source, message, details),
  };
}

/** The terminal, with all that is said on it as messages of the log: machines read nothing else. */
export function loggingTerminal(terminal: Terminal, level: "info" | "error"): Terminal {
  return { ...terminal, say: (text) => write(level, [], text.trimEnd()) };
}

function write(
  level: Level,
  source: readonly string[],
  message: string,
  details: LogDetails = {},
): void {
  if (!configured || level === "debug" && !configured.verbose) return;
  const time = new Date().toISOString();
  const line = configured.format === "json"
    ? JSON.stringify({
      "@timestamp": time,
      level: level === "warning" ? "WARN" : level.toUpperCase(),
      message,
      logger: ["penstock", ...source].join("."),
      properties: details,
    })
    : `${time} ${level} ${source.join(".") || "penstock"}: ${message}${textOf(details)}`;
  configured.write(`${visible(line)}\n`);
}

function textOf(details: LogDetails): string {
  return Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${value}`).join("");
}

/** A message may quote a server: it must not move the cursor, nor pass for a line of its own. */
function visible(line: string): string {
  return line.replace(
    // deno-lint-ignore no-control-regex -- control characters are what it looks for
    /[\x00-\x1f\x7f-\x9f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
