/**
 * Connections for streams on a port of this machine.
 *
 * @module
 */

import type { Peer } from "./connection.ts";
import type { Simulator } from "./contract.ts";
import type { Handshake } from "./streams.ts";

/**
 * Answers a handshake, and carries the frames of the connection that comes of it.
 *
 * @param simulator The simulator.
 * @param request The request that asks for a connection.
 * @param stopped Aborts when serving ends, which breaks the connection.
 */
export async function upgrade(
  simulator: Simulator,
  request: Request,
  stopped: AbortSignal,
): Promise<Response> {
  const { status, delayMs, open } = simulator.handshake(request.url);
  if (delayMs > 0) await simulator.clock.sleep(delayMs, stopped).catch(() => {});
  if (!open || stopped.aborted) return new Response(null, { status: open ? 503 : status });
  // Pings are no measure of life here: a client is gone when its connection is.
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.addEventListener("open", () => carry(socket, open, stopped));
  return response;
}

function carry(
  socket: WebSocket,
  open: NonNullable<Handshake["open"]>,
  stopped: AbortSignal,
): void {
  const connection = open(peerOf(socket));
  const breakOff = () => {
    connection.left(1_006);
    end(socket, 1_006, "");
  };
  stopped.addEventListener("abort", breakOff);
  socket.addEventListener("message", ({ data }) => {
    connection.receive(typeof data === "string" ? data : undefined);
  });
  socket.addEventListener("close", ({ code }) => {
    stopped.removeEventListener("abort", breakOff);
    connection.left(code);
  });
}

function peerOf(socket: WebSocket): Peer {
  return {
    send: (frame) => {
      if (socket.readyState === socket.OPEN) socket.send(frame);
    },
    close: (code, reason) => end(socket, code, reason),
  };
}

/**
 * Ends a connection. A close frame with 1006, which none may bear, is an error to the client: to
 * it the connection has broken. There is no other way to break one that `Deno.serve` holds.
 */
function end(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState === socket.OPEN) socket.close(code, reason);
}
