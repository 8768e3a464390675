import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClientSocket, type Sent } from "../../simulator/socket.ts";

function connect() {
  const sent: Sent[] = [];
  const left: string[] = [];
  const happened: string[] = [];
  const socket = new ClientSocket({
    url: "ws://localhost/ws",
    onSend: (data) => sent.push(data),
    onLeave: (code, reason) => left.push(`${code} ${reason}`),
  });
  for (const type of ["open", "message", "error", "close"] as const) {
    socket.addEventListener(type, () => happened.push(type));
  }
  return { socket, sent, left, happened };
}

Deno.test("a socket goes through the states of the standard one", () => {
  const { socket, happened } = connect();
  assertEquals([socket.readyState, socket.url], [WebSocket.CONNECTING, "ws://localhost/ws"]);
  socket.open();
  assertEquals(socket.readyState, WebSocket.OPEN);
  socket.close();
  assertEquals(socket.readyState, WebSocket.CLOSING);
  socket.end(1_005);
  assertEquals([socket.readyState, happened], [WebSocket.CLOSED, ["open", "close"]]);
});

Deno.test("a socket calls its handlers with themselves as `this`, until they are taken away", () => {
  const { socket } = connect();
  const seen: string[] = [];
  socket.onopen = function () {
    seen.push(`open ${this === socket}`);
  };
  socket.onmessage = ({ data }) => seen.push(data);
  socket.onclose = ({ code, reason, wasClean }) => seen.push(`${code} ${reason} ${wasClean}`);
  socket.open();
  socket.receive("one");
  socket.onmessage = null;
  socket.receive("two");
  socket.end(1_001, "Bye");
  assertEquals(seen, ["open true", "one", "1001 Bye true"]);
});

Deno.test("send() throws before a socket is open, and is lost after it closes", () => {
  const { socket, sent } = connect();
  assertEquals(assertThrows(() => socket.send("x"), DOMException).name, "InvalidStateError");
  socket.open();
  socket.send("y");
  socket.close();
  socket.send("z");
  socket.end(1_005);
  socket.send("z");
  assertEquals(sent, ["y"]);
});

Deno.test("nothing arrives once a socket closes, and nothing happens after its end", () => {
  const { socket, happened } = connect();
  socket.open();
  socket.close();
  socket.receive("late");
  socket.end(1_000);
  socket.receive("later");
  socket.open();
  socket.end(1_006);
  assertEquals(happened, ["open", "close"]);
});

Deno.test("a connection that breaks is an error and a close that is not clean", () => {
  const { socket, happened } = connect();
  let clean: boolean | undefined;
  socket.onclose = ({ wasClean }) => clean = wasClean;
  socket.end(1_006);
  assertEquals([happened, clean], [["error", "close"], false]);
});

Deno.test("a client may close once, with a code of its own", () => {
  const { socket, left } = connect();
  socket.open();
  assertEquals(assertThrows(() => socket.close(1_001), DOMException).name, "InvalidAccessError");
  socket.close(4_321, "Done");
  socket.close();
  assertEquals(left, ["4321 Done"]);
});

Deno.test("binary messages are blobs unless buffers are asked for", async () => {
  const { socket } = connect();
  const got: unknown[] = [];
  socket.onmessage = ({ data }) => got.push(data);
  socket.open();
  const bytes = new Uint8Array([7, 8, 9]).subarray(1);
  socket.receive(bytes);
  socket.binaryType = "arraybuffer";
  socket.receive(bytes);
  const [blob, buffer] = got;
  assert(blob instanceof Blob && buffer instanceof ArrayBuffer);
  assertEquals(await blob.bytes(), new Uint8Array([8, 9]));
  assertEquals(new Uint8Array(buffer), new Uint8Array([8, 9]));
});
