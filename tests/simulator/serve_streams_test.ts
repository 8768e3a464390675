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

/** Asks for what a connection carries, and waits for the answer. */
async function list(socket: WebSocket): Promise<string> {
  socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
  return await next(socket);
}

Deno.test("control frames work on loopback", async () => {
  const { served, simulator } = serve();
  const socket = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(socket), "open");
  socket.send('{"method":"SUBSCRIBE","params":["ethusdt@kline_1m"],"id":9}');
  assertEquals(await next(socket), '{"result":null,"id":9}');
  assertEquals(await list(socket), '{"result":["ethusdt@kline_1m"],"id":1}');
  assertEquals(simulator.counters.streams.framesReceived, 2);
  socket.send(new Uint8Array([1]));
  assertEquals(JSON.parse(await next(socket)).code, 3);
  socket.close();
  await next(socket);
  await served.close();
});

Deno.test("a simulator that stops serving breaks its connections, and can serve again", async () => {
  const { served, simulator } = serve();
  const socket = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(socket), "open");
  await list(socket);
  const end = next(socket);
  await served.close();
  assertEquals((await end).split(" ")[0], "break");
  const again = serveSimulator(simulator, { port: Number(new URL(served.rest).port) });
  const second = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(second), "open");
  assertEquals(await list(second), '{"result":[],"id":1}');
  assertEquals(simulator.connections.map(({ number, code }) => [number, code ?? 0]), [
    [1, 1_006],
    [2, 0],
  ]);
  second.close();
  await next(second);
  await again.close();
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

Deno.test("a late handshake opens when its time has come", async () => {
  const { served, clock, simulator } = serve({
    stream_faults: [{ kind: "slow_handshake", delay_ms: 5_000 }],
  });
  const socket = new WebSocket(`${served.stream}/ws`);
  const opened = next(socket);
  // It comes in in its own time.
  while (simulator.counters.streams.handshakes === 0) await clock.advance(0);
  assertEquals(socket.readyState, WebSocket.CONNECTING);
  await clock.advance(5_000);
  assertEquals(await opened, "open");
  socket.close();
  await next(socket);
  await served.close();
});

Deno.test("a cut reaches a client as a connection that breaks", async () => {
  const { served, clock } = serve({ stream_faults: [{ kind: "cut", age_ms: 1_000 }] });
  const socket = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(socket), "open");
  await list(socket);
  const end = next(socket);
  await clock.advance(1_000);
  assertEquals((await end).split(" ")[0], "break");
  await served.close();
});

for (const code of [1_001, 1_008, 1_012]) {
  Deno.test(`a close with ${code} reaches a client`, async () => {
    const { served, clock } = serve({ stream_faults: [{ kind: "close", code, age_ms: 1_000 }] });
    const socket = new WebSocket(`${served.stream}/ws`);
    assertEquals(await next(socket), "open");
    await list(socket);
    const end = next(socket);
    await clock.advance(1_000);
    assertEquals(await end, `close ${code}`);
    await served.close();
  });
}

Deno.test("a half-open connection answers nothing any more", async () => {
  const { served, clock, simulator } = serve({
    stream_faults: [{ kind: "half_open", age_ms: 1_000 }],
  });
  const [dead, alive] = [
    new WebSocket(`${served.stream}/ws/btcusdt@kline_1m`),
    new WebSocket(`${served.stream}/ws`),
  ];
  await Promise.all([next(dead), next(alive)]);
  await list(dead);
  const heard: unknown[] = [];
  await clock.advance(1_000);
  dead.onmessage = ({ data }) => heard.push(data);
  dead.send('{"method":"LIST_SUBSCRIPTIONS","id":2}');
  await clock.advance(30_000);
  // What the other connection hears comes after all that was sent before.
  const late = new WebSocket(`${served.stream}/ws`);
  assertEquals(await next(late), "open");
  await list(late);
  assertEquals([heard, dead.readyState], [[], WebSocket.OPEN]);
  assertEquals(simulator.counters.streams.open, 1);
  for (const socket of [dead, alive, late]) {
    const end = next(socket);
    socket.close();
    await end;
  }
  await served.close();
});

Deno.test("binary and very large frames reach a client", async () => {
  const { served, clock } = serve({
    streams: { snapshot_ms: "never" },
    stream_faults: [
      { kind: "insert", frame: "binary" },
      { kind: "insert", frame: "large", bytes: 3_000_000 },
    ],
  });
  const socket = new WebSocket(`${served.stream}/ws/btcusdt@kline_1m`);
  assertEquals(await next(socket), "open");
  await list(socket);
  const sizes: unknown[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    sizes.push(typeof data === "string" ? data.length > 1_000 ? data.length : "kline" : "binary");
    if (sizes.length === 3) resolve();
  };
  await clock.advance(31_000);
  await done;
  assertEquals(sizes, ["binary", 3_000_000, "kline"]);
  socket.close();
  await next(socket);
  await served.close();
});

Deno.test("a client whose connection breaks is gone", async () => {
  const { served, simulator } = serve();
  const { hostname, port } = new URL(served.rest);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(
    new TextEncoder().encode(
      `GET /ws/btcusdt@kline_1m HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ),
  );
  const answer = new Uint8Array(1_024);
  const count = await connection.read(answer);
  assertEquals(new TextDecoder().decode(answer.subarray(0, count ?? 0)).slice(9, 12), "101");
  connection.close();
  while (simulator.connections[0]?.code === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(simulator.counters.streams.open, 0);
  await served.close();
});

Deno.test("while the exchange is away all is refused on loopback too", async () => {
  const { served } = serve({ outages: [{ from: NOW, to: NOW + 1_000 }] });
  const response = await fetch(`${served.rest}/api/v3/ping`);
  await response.body?.cancel();
  assertEquals(response.status, 503);
  const socket = new WebSocket(`${served.stream}/ws`);
  assertEquals((await next(socket)).split(" ")[0], "break");
  await served.close();
});
