import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../engine/clock.ts";
import { createSimulator, type Scenario, serveSimulator } from "../../simulator/mod.ts";
import { NOW } from "./_ask.ts";

function serve(scenario: Scenario = {}) {
  const clock = new VirtualClock(NOW, { manual: true });
  const simulator = createSimulator(scenario, { clock });
  return { simulator, clock, served: serveSimulator(simulator) };
}

/** The next thing that happens on a socket: the message, or how it ended. */
function next(socket: WebSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.onopen = () => resolve("open");
  socket.onmessage = ({ data }) => resolve(typeof data === "string" ? data : "binary");
  socket.onclose = ({ code, wasClean }) => resolve(`${wasClean ? "close" : "break"} ${code}`);
  socket.onerror = () => {};
  return promise;
}

Deno.test("streams are served on loopback: events, replies and a clean end", async () => {
  const { served, clock } = serve();
  const socket = new WebSocket(`${served.stream}/stream?streams=btcusdt@kline_1m`);
  assertEquals(await next(socket), "open");
  socket.send(JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id: 1 }));
  assertEquals(await next(socket), '{"result":["btcusdt@kline_1m"],"id":1}');
  const event = next(socket);
  await clock.advance(3);
  const { stream, data } = JSON.parse(await event);
  assertEquals([stream, data.e, data.E], ["btcusdt@kline_1m", "kline", NOW + 3]);
  socket.close(1_000);
  assertEquals(await next(socket), "close 1000");
  await served.close();
});

Deno.test("a simulator that stops serving breaks its connections", async () => {
  const { served } = serve();
  const socket = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(socket), "open");
  socket.send(JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id: 1 }));
  await next(socket);
  const end = next(socket);
  await served.close();
  assertEquals((await end).split(" ")[0], "break");
});

Deno.test("a refused handshake is an error and a close", async () => {
  const { served } = serve({ streams: { handshakes_per_5_minutes: 1 } });
  const first = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(first), "open");
  const second = new WebSocket(`${served.stream}/ws`);
  assertEquals((await next(second)).split(" ")[0], "break");
  first.close();
  await next(first);
  await served.close();
});
