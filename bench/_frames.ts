/**
 * Sends closes of candles over websockets as fast as a client takes them: `_frames.ts SERIES MINUTES`.
 *
 * Frames are made beforehand and written as plain bytes, so that the client is what is measured.
 * Prints its port once it listens, and ends when its standard input does.
 */

import { candleAt, START_MS, symbolOf } from "./_market.ts";

const ACCEPT_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT_FRAME = 0x81;
const LENGTH_16 = 126;

const [seriesCount = 1, minutes = 1] = Deno.args.map(Number);
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const frames = Array.from({ length: minutes }, (_, minute) => framesOf(minute));
await Deno.stdout.write(new TextEncoder().encode(`${listener.addr.port}\n`));
void Deno.stdin.readable.pipeTo(new WritableStream()).then(() => Deno.exit(0));
for await (const connection of listener) void serve(connection).catch(() => {});

async function serve(connection: Deno.TcpConn): Promise<void> {
  using client = connection;
  await client.write(new TextEncoder().encode(await answerTo(await readHead(client))));
  const writer = client.writable.getWriter();
  for (const bytes of frames) await writer.write(bytes);
  // The client closes when it has had enough.
  await client.read(new Uint8Array(1_000));
}

async function readHead(client: Deno.TcpConn): Promise<string> {
  let head = "";
  const bytes = new Uint8Array(16_384);
  while (!head.includes("\r\n\r\n")) {
    const size = await client.read(bytes);
    if (size === null) break;
    head += new TextDecoder().decode(bytes.subarray(0, size));
  }
  return head;
}

async function answerTo(head: string): Promise<string> {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? "";
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + ACCEPT_KEY));
  const accept = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** One close of each series. */
function framesOf(minute: number): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let at = 0; at < seriesCount; at++) {
    const payload = encoder.encode(eventOf(at, minute));
    bytes.push(TEXT_FRAME, LENGTH_16, payload.length >> 8, payload.length & 0xff, ...payload);
  }
  return Uint8Array.from(bytes);
}

function eventOf(at: number, minute: number): string {
  const symbol = symbolOf(at);
  const t = START_MS + 60_000 * minute;
  const T = t + 59_999;
  const k = { t, T, s: symbol, i: "1m", f: 1, L: 100, ...candleAt(at, minute) };
  const data = { e: "kline", E: T + 4, s: symbol, k };
  return JSON.stringify({ stream: `${symbol.toLowerCase()}@kline_1m`, data });
}
