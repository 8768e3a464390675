/**
 * A real VictoriaMetrics for tests.
 *
 * @module
 */

import { startServer, type TestServer } from "./server_process.ts";

/** Samples of one series. */
export interface Samples {
  /** Its labels; `__name__` is the measurement and the field, joined by `_`. */
  readonly metric: Readonly<Record<string, string>>;
  /** The values. */
  readonly values: readonly number[];
  /** Their times, in epoch milliseconds. */
  readonly timestamps: readonly number[];
}

/** How a VictoriaMetrics is set up. */
export interface VictoriaMetricsSetup {
  /** More arguments, such as `-dedup.minScrapeInterval=1ms`. */
  readonly args?: readonly string[];
  /** Where its data goes: a temporary folder by default. */
  readonly folder?: string;
}

/** A running VictoriaMetrics. */
export interface VictoriaMetricsServer extends TestServer {
  /** The raw samples of all series that match, such as `{db="market"}`, also those of just now. */
  export(match: string): Promise<readonly Samples[]>;
}

/** Starts VictoriaMetrics with a retention of a century; resolves once it answers. */
export async function startVictoriaMetrics(
  { args = [], folder }: VictoriaMetricsSetup = {},
): Promise<VictoriaMetricsServer> {
  const server = await startServer({
    program: "victoria-metrics",
    args: (address, folder) => [
      `-httpListenAddr=${address}`,
      `-storageDataPath=${folder}/data`,
      "-retentionPeriod=100y",
      "-search.latencyOffset=0s",
      "-loggerLevel=ERROR",
      ...args,
    ],
    readyPath: "/health",
  }, { folder });
  return {
    url: server.url,
    folder: server.folder,
    kill: (signal) => server.kill(signal),
    start: () => server.start(),
    export: (match) => exportSamples(server.url, match),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function exportSamples(url: string, match: string): Promise<readonly Samples[]> {
  // Samples of just now are not seen before they are flushed.
  await textOf(`${url}/internal/force_flush`);
  // Which series match is kept for a while, new ones or not: each question is one of its own.
  const own = match.replace(/\}$/, `,asked!="${crypto.randomUUID()}"}`);
  const query = new URLSearchParams({ "match[]": own, start: "0" });
  const lines = (await textOf(`${url}/api/v1/export?${query}`)).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`VictoriaMetrics answered ${response.status}: ${text}`);
  return text;
}
