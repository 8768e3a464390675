/**
 * Reads what a stream sends: candles, replies, notices, and whatever else comes along.
 *
 * A message is read by its shape, never by the address it came from, as a connection can be turned
 * from raw to combined messages while it is open.
 *
 * @module
 */

import { oneLine, textOf } from "../../engine/text.ts";
import { FrameReader, type StreamCandle } from "./frame.ts";
import { isTime } from "./holes.ts";

/** What a message may be. */
export type StreamMessage =
  | StreamCandle
  /** The exchange will close this connection soon. */
  | { readonly kind: "shutdown" }
  /** The answer to a control frame; `error` says why it was refused. */
  | { readonly kind: "reply"; readonly error?: string }
  /** Anything else: an event of another type, or no event at all. */
  | { readonly kind: "unknown"; readonly what: string };

/**
 * Reads messages.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new MessageReader();
 * assertEquals(reader.read('{"result":null,"id":1}'), { kind: "reply" });
 * assertEquals(reader.read('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}'), {
 *   kind: "shutdown",
 * });
 * assertEquals(reader.read("<html>"), { kind: "unknown", what: "not JSON" });
 * ```
 */
export class MessageReader {
  readonly #frames = new FrameReader();

  /**
   * Reads a message.
   *
   * @param data What came: only text can be read.
   */
  read(data: unknown): StreamMessage {
    if (typeof data !== "string") return { kind: "unknown", what: "binary" };
    return this.#frames.read(data) ?? readJson(data);
  }
}

function readJson(text: string): StreamMessage {
  const value = parse(text);
  if (value === undefined) return { kind: "unknown", what: "not JSON" };
  if (!isObject(value)) return { kind: "unknown", what: "not an object" };
  const event = isObject(value.data) ? value.data : value;
  if (event.e === "kline") return readCandle(event);
  if (event.e === "serverShutdown" || value.stream === "!serverShutdown") {
    return { kind: "shutdown" };
  }
  return typeof event.e === "string"
    ? { kind: "unknown", what: `event ${oneLine(event.e, 40)}` }
    : readReply(value);
}

function readCandle(event: Readonly<Record<string, unknown>>): StreamMessage {
  const { k } = event;
  if (!isObject(k)) return { kind: "unknown", what: "candle without values" };
  const { t, o, h, l, c, v, T, q, n, V, Q, B, s, i, x } = k;
  if (typeof s !== "string" || typeof i !== "string" || typeof x !== "boolean" || !isTime(t)) {
    return { kind: "unknown", what: "candle without a name, a time or a state" };
  }
  return {
    kind: "candle",
    symbol: s,
    interval: i,
    openMs: t,
    closed: x,
    trades: typeof n === "number" ? n : 0,
    row: [t, o, h, l, c, v, T, q, n, V, Q, B ?? "0"],
  };
}

/** Refusals come flat as documented, or within `error` as seen on the wire. */
function readReply(value: Readonly<Record<string, unknown>>): StreamMessage {
  const error = isObject(value.error) ? value.error : value;
  if (typeof error.code === "number") {
    return {
      kind: "reply",
      error: `${error.code} ${oneLine(textOf(error.msg ?? ""), 100)}`.trim(),
    };
  }
  return "result" in value ? { kind: "reply" } : { kind: "unknown", what: "no event" };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
