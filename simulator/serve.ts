/**
 * The simulator on a port of this machine.
 *
 * @module
 */

import type { Simulator } from "./contract.ts";
import { AwayError } from "./outages.ts";
import { upgrade } from "./serve_streams.ts";

/** A simulator that listens. */
export interface ServedSimulator {
  /** Base of REST URLs, such as `http://127.0.0.1:8080`. */
  readonly rest: string;
  /** Base of stream URLs, such as `ws://127.0.0.1:8080`. */
  readonly stream: string;
  /** Stops listening, breaks connections and drops requests that are under way. */
  close(): Promise<void>;
}

/**
 * Lets a simulator listen.
 *
 * @param simulator The simulator. Requests wait for one that is still to be made.
 * @param options Where to listen: by default on any free port of the loopback address.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { systemClock } from "../engine/clock.ts";
 * import { createSimulator } from "./simulator.ts";
 *
 * const served = serveSimulator(createSimulator({}, { clock: systemClock }));
 * const response = await fetch(`${served.rest}/api/v3/ping`);
 * assertEquals(await response.json(), {});
 * await served.close();
 * ```
 */
export function serveSimulator(
  simulator: Simulator | Promise<Simulator>,
  options: { readonly port?: number; readonly hostname?: string } = {},
): ServedSimulator {
  const { port = 0, hostname = "127.0.0.1" } = options;
  const stop = new AbortController();
  const server = Deno.serve(
    { port, hostname, signal: stop.signal, onListen: () => {} },
    async (request) =>
      request.headers.get("upgrade")?.toLowerCase() === "websocket"
        ? await upgrade(await simulator, request, stop.signal)
        : await answer(await simulator, request, stop.signal),
  );
  const host = `${hostname}:${server.addr.port}`;
  return {
    rest: `http://${host}`,
    stream: `ws://${host}`,
    close: () => {
      stop.abort();
      return server.finished;
    },
  };
}

async function answer(
  simulator: Simulator,
  request: Request,
  stopped: AbortSignal,
): Promise<Response> {
  try {
    // The signal of a served request also aborts once it is answered, so it says nothing here.
    const { url, method, headers } = request;
    const response = await simulator.handle(
      new Request(url, { method, headers, signal: stopped }),
    );
    // Only a body that is going to break has its length announced.
    if (!response.body || !response.headers.has("content-length")) return response;
    return new Response(endEarly(response.body), response);
  } catch (error) {
    // Nothing on the way to a client can refuse its connection here: this is as near as it gets.
    if (stopped.aborted || error instanceof AwayError) return new Response(null, { status: 503 });
    throw error;
  }
}

/**
 * Ends a body where it would break. `Deno.serve` breaks the connection itself when a body is
 * shorter than announced, and prints nothing, which it does when a body fails.
 */
function endEarly(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      const chunk = await reader.read().catch(() => undefined);
      if (chunk?.value) controller.enqueue(chunk.value);
      else controller.close();
    },
  });
}
