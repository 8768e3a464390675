/**
 * Metrics and health of a run, over HTTP on the loopback address: `--metrics PORT`.
 *
 * - `/metrics`: all metrics, as Prometheus reads them.
 * - `/livez`: 200 as long as this process answers. Restart it when it does not.
 * - `/readyz`: 200 while everything is caught up and the sinks acknowledge, else 503 with the
 *   reasons. See {@linkcode Monitor.unready}.
 *
 * @module
 */

import { FatalError } from "../engine/errors.ts";
import { renderMetrics } from "../engine/monitor/exposition.ts";
import type { Monitor } from "../engine/monitor/monitor.ts";

/** Nothing but this machine can reach it: whoever else is to read it needs a proxy in front. */
const HOSTNAME = "127.0.0.1";
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

/** What serves metrics. */
export interface MetricsServer extends AsyncDisposable {
  /** Where, such as `http://127.0.0.1:9464`. */
  readonly url: string;
}

/**
 * Begins to serve the metrics of a run.
 *
 * @param port The port; 0 for any that is free.
 * @param monitor What watches the run.
 * @param pipeline Name of the pipeline.
 * @throws {FatalError} If the port cannot be had.
 */
export function serveMetrics(port: number, monitor: Monitor, pipeline: string): MetricsServer {
  const server = listen(port, (request) => answer(request, monitor, pipeline));
  return {
    url: `http://${HOSTNAME}:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function listen(port: number, handler: Deno.ServeHandler): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: HOSTNAME, port, onListen: () => {} }, handler);
  } catch (cause) {
    const isTaken = cause instanceof Deno.errors.AddrInUse;
    throw new FatalError(
      `Cannot serve metrics on port ${port}${isTaken ? " as it must be free: it is taken" : ""}`,
      { cause: isTaken ? undefined : cause, hint: "Choose another port, or 0 for any free one" },
    );
  }
}

async function answer(request: Request, monitor: Monitor, pipeline: string): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "Only GET and HEAD are answered\n");
  }
  switch (new URL(request.url).pathname) {
    case "/metrics": {
      const memory = Deno.memoryUsage().rss;
      const metrics = await renderMetrics(monitor, pipeline, { memoryBytes: memory });
      return new Response(metrics, { headers: { "content-type": PROMETHEUS } });
    }
    case "/livez":
      return text(200, "alive\n");
    case "/readyz": {
      const reasons = monitor.unready();
      return reasons.length === 0
        ? text(200, "ready\n")
        : text(503, `not ready: ${reasons.join("\nnot ready: ")}\n`);
    }
    default:
      return text(404, "See /metrics, /livez and /readyz\n");
  }
}

function text(status: number, body: string): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
