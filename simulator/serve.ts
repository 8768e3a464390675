/**
 * The simulator on a port of this machine.
 *
 * @module
 */

import type { Simulator } from "./simulator.ts";

/** A simulator that listens. */
export interface ServedSimulator {
  /** Base of REST URLs, such as `http://127.0.0.1:8080`. */
  readonly rest: string;
  /** Base of stream URLs, such as `ws://127.0.0.1:8080`. */
  readonly stream: string;
  /** Stops listening and drops requests that are under way. */
  close(): Promise<void>;
}

/**
 * Lets a simulator listen.
 *
 * @param simulator The simulator.
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
  simulator: Simulator,
  options: { readonly port?: number; readonly hostname?: string } = {},
): ServedSimulator {
  const { port = 0, hostname = "127.0.0.1" } = options;
  const stop = new AbortController();
  const server = Deno.serve(
    { port, hostname, signal: stop.signal, onListen: () => {} },
    (request) => simulator.handle(request),
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
