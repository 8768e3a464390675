/**
 * Faults of streams as a scenario writes them: which handshakes, connections and events go wrong,
 * and how.
 *
 * @module
 */

import { z } from "zod";
import { INTERVALS } from "../engine/interval.ts";
import { time } from "../engine/options.ts";

const times = z.union([z.int().min(1), z.literal("always")]);

const when = {
  from: time().optional().describe("Only at or after this simulated time"),
  to: time().optional().describe("Only before this simulated time"),
  after: z.int().min(0).default(0).describe("How many of those are left alone first"),
};

const which = {
  connection: z.int().min(1).optional()
    .describe("Only the connection with this number, counted from 1"),
  connection_from: z.int().min(1).optional()
    .describe("Only connections from this number on: 2 for all after the first"),
};

const handshake = {
  ...when,
  times: times.default(1).describe("How many of the following handshakes are hit, or `always`"),
};

const connection = {
  ...which,
  at: time().optional().describe("When it happens to all connections that are open then"),
  age_ms: z.int().min(0).optional()
    .describe("How long after a connection was opened it happens; at once without `at` either"),
  after: z.int().min(0).default(0).describe("How many such connections are left alone first"),
  times: times.default("always").describe("How many of the following ones are hit, or `always`"),
};

const event = {
  ...which,
  ...when,
  symbol: z.string().min(1).optional().describe("Only events of this symbol"),
  interval: z.enum(INTERVALS).optional().describe("Only events of this interval"),
};

const once = times.default(1).describe("How many of the following events are hit, or `always`");
const always = times.default("always")
  .describe("How many of the following events are hit, or `always`");
const events = z.enum(["closed", "all"]).default("closed")
  .describe("Whether only closes count and are hit, or snapshots too");

/** A fault of streams: what is hit, and how. */
export const streamFaultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...handshake,
    kind: z.literal("refuse").describe("A handshake is refused"),
    status: z.int().min(400).max(599).default(503).describe("HTTP status"),
  }),
  z.strictObject({
    ...handshake,
    kind: z.literal("slow_handshake").describe("A handshake is answered late"),
    delay_ms: z.int().min(1).describe("How late"),
  }),
  z.strictObject({
    ...connection,
    kind: z.literal("cut").describe("A connection breaks: no close frame, 1006"),
  }),
  z.strictObject({
    ...connection,
    kind: z.literal("close").describe("The exchange closes a connection"),
    code: z.int().min(1_000).max(4_999).default(1_001).describe("Code of the close frame"),
    reason: z.string().default("").describe("Its reason"),
  }),
  z.strictObject({
    ...connection,
    kind: z.literal("half_open").describe(
      "A connection dies unnoticed: it stays open for the client, nothing arrives any more and " +
        "what is sent is lost",
    ),
  }),
  z.strictObject({
    ...connection,
    kind: z.literal("shutdown").describe("The exchange announces that it will end a connection"),
    close_after_ms: z.int().min(0).optional().describe("When it then does; never when left out"),
    code: z.int().min(1_000).max(4_999).default(1_001).describe("Code of that close"),
  }),
  z.strictObject({
    ...event,
    kind: z.literal("mute").describe("Events are not sent; replies to control frames are"),
    times: always,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("omit").describe("An event is not sent"),
    events,
    times: once,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("late").describe("An event is sent late"),
    events,
    delay_ms: z.int().min(1).describe("How late"),
    times: once,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("repeat").describe("An event is sent twice"),
    events,
    gap_ms: z.int().min(0).default(0).describe("How long after it the second one comes"),
    times: once,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("reorder").describe("A close is sent after the first event of a later candle"),
    times: once,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("hold")
      .describe("A close is sent to the next connection that opens the stream, and not before"),
    times: once,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("skew").describe("Events bear a wrong time"),
    skew_ms: z.int().describe("How far it lies after the right one; before it when negative"),
    times: always,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("extra_fields").describe("Events have fields that are not documented"),
    times: always,
  }),
  z.strictObject({
    ...event,
    kind: z.literal("insert").describe("A frame that is no kline comes before an event"),
    frame: z.enum(["unknown_event", "not_json", "binary", "large"]).default("unknown_event")
      .describe("What it is; `large` is an unknown event of `bytes`"),
    bytes: z.int().min(100).max(67_108_864).default(1_048_576).describe("How long `large` is"),
    times: once,
  }),
]);

/** A fault of streams, checked. */
export type StreamFaultRule = z.output<typeof streamFaultSchema>;

/** A fault that hits a handshake. */
export type HandshakeFault = StreamFaultRule & { kind: "refuse" | "slow_handshake" };

/** A fault that hits a connection. */
export type ConnectionFault = StreamFaultRule & {
  kind: "cut" | "close" | "half_open" | "shutdown";
};

/** A fault that hits an event. */
export type EventFault = Exclude<StreamFaultRule, HandshakeFault | ConnectionFault>;
