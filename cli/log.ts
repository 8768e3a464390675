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
  // Messages quote replies and names: braces in them are no placeholders.
  const plain = (message: string) => message.replaceAll("{", "{{").replaceAll("}", "}}");
  return {
    debug: (message: string, details: LogDetails = {}) => logger.debug(plain(message), details),
    info: (message: string, details: LogDetails = {}) => logger.info(plain(message), details),
    warn: (message: string, details: LogDetails = {}) => logger.warn(plain(message), details),
  };
}

function detailsOf(record: LogRecord): string {
  return Object.entries(record.properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${String(value)}`).join("");
}
