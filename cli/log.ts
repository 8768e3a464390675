/**
 * The log: lines for people or JSON for machines, on standard error.
 *
 * @module
 */

import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
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

/** Sets the log up. Called once per process. */
export function configureLog(options: LogOptions): void {
  const format = options.format === "json" ? getJsonLinesFormatter() : getTextFormatter({
    timestamp: "rfc3339",
    level: "full",
    format: ({ timestamp, level, category, message, record }) =>
      `${timestamp} ${level} ${category}: ${message}${detailsOf(record)}`,
    category: (parts) => parts.slice(1).join(".") || "penstock",
  });
  const lowestLevel: LogLevel = options.verbose ? "debug" : "info";
  configureSync({
    reset: true,
    sinks: { stderr: (record: LogRecord) => options.write(format(record)) },
    loggers: [
      { category: "penstock", lowestLevel, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
    ],
  });
}

/**
 * The log of a step.
 *
 * @param pipeline Name of the pipeline.
 * @param step Id of the step; the engine where it is left out.
 */
export function logOf(pipeline: string, step?: string): Log {
  const logger = getLogger(["penstock", pipeline, ...(step === undefined ? [] : [step])]);
  return {
    debug: (message: string, details: LogDetails = {}) => logger.debug(plain(message), details),
    info: (message: string, details: LogDetails = {}) => logger.info(plain(message), details),
    warn: (message: string, details: LogDetails = {}) => logger.warn(plain(message), details),
  };
}

/** The terminal, with all that is said on it as messages of the log: machines read nothing else. */
export function loggingTerminal(terminal: Terminal, level: "info" | "error"): Terminal {
  const logger = getLogger(["penstock"]);
  return { ...terminal, say: (text) => logger[level](plain(text.trimEnd())) };
}

/** Messages quote replies and names: braces in them are no placeholders. */
function plain(message: string): string {
  return message.replaceAll("{", "{{").replaceAll("}", "}}");
}

function detailsOf(record: LogRecord): string {
  return Object.entries(record.properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${String(value)}`).join("");
}
