/**
 * The stream side of the exchange: handshakes, connections and how they end.
 *
 * @module
 */

import type { Clock } from "../engine/context.ts";
import { Broadcast } from "./broadcast.ts";
import { Connection, type Peer } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import type { Outages } from "./outages.ts";
import type { CheckedScenario } from "./scenario.ts";
import { Schedule } from "./schedule.ts";
import { ClientSocket } from "./socket.ts";
import type { ConnectionFault } from "./stream_fault_rule.ts";
import type { StreamFaults } from "./stream_faults.ts";
import { readStreamUrl, type StreamUrl } from "./stream_names.ts";
import { StreamRecords } from "./stream_records.ts";

const WINDOW_MS = 300_000;
/** How long a client waits for the answer to its close, from an exchange that does not hear it. */
const DEAD_CLOSE_MS = 30_000;

/** What a handshake is answered with. */
export interface Handshake {
  /** HTTP status: 101 where it is accepted. */
  readonly status: number;
  /** How long the answer is held back. */
  readonly delayMs: number;
  /** Opens the connection, once the client's end is there; nothing where it is refused. */
  readonly open?: (peer: Peer) => Connection;
}

/** What the stream side works with. */
export interface StreamsOptions {
  /** The exchange's clock. */
  readonly clock: Clock;
  /** What is traded. */
  readonly exchange: Exchange;
  /** What may be done and how it is answered. */
  readonly settings: CheckedScenario["streams"];
  /** What goes wrong. */
  readonly faults: StreamFaults;
  /** When all is away. */
  readonly outages: Outages;
  /** How many of the closes that were sent are kept. */
  readonly keptCloses: number;
}

/** All connections. */
export class Streams {
  /** What happened. */
  readonly records: StreamRecords;
  readonly #options: StreamsOptions;
  readonly #schedule: Schedule;
  readonly #broadcast: Broadcast;
  readonly #open = new Set<Connection>();
  readonly #sockets = new Set<ClientSocket>();
  #handshakes: number[] = [];
  #opened = 0;

  /** Starts without connections. */
  constructor(options: StreamsOptions) {
    this.#options = options;
    const { clock, exchange, settings } = options;
    this.#schedule = new Schedule(clock);
    this.records = new StreamRecords(() => clock.now(), options.keptCloses);
    this.#broadcast = new Broadcast({
      exchange,
      schedule: this.#schedule,
      now: () => clock.now(),
      snapshotMs: settings.snapshot_ms === "never" ? Infinity : settings.snapshot_ms,
      closesWithTrade: new Set(settings.close_with_trade),
    });
  }

  /** Connects within the process. */
  connect(url: string | URL): WebSocket {
    let connection: Connection | undefined;
    const { latency_ms: latencyMs } = this.#options.settings;
    const socket = new ClientSocket({
      url: new URL(url).href,
      onSend: (data) =>
        void this.#in(
          latencyMs,
          () => connection?.receive(typeof data === "string" ? data : undefined),
        ),
      onLeave: (code, reason) => {
        const waitMs = connection?.isDead ? DEAD_CLOSE_MS : latencyMs;
        this.#in(waitMs, () => {
          socket.end(connection && !connection.isDead ? code : 1_006, reason);
          connection?.left(code);
        });
      },
    });
    this.#sockets.add(socket);
    socket.addEventListener("close", () => this.#sockets.delete(socket));
    this.#in(latencyMs, () => {
      const handshake = this.handshake(socket.url);
      this.#in(handshake.delayMs, () => {
        if (socket.readyState !== socket.CONNECTING) return;
        if (!handshake.open) return socket.end(1_006);
        socket.open();
        connection = handshake.open({
          send: (frame) => socket.receive(frame),
          close: (code, reason) => socket.end(code, reason),
        });
      });
    });
    return socket;
  }

  /** Answers a handshake. */
  handshake(url: string): Handshake {
    const { clock, faults } = this.#options;
    const asked = readStreamUrl(new URL(url));
    const status = this.#refusal(url, asked);
    const fault = status === undefined ? faults.handshake(clock.now()) : undefined;
    const delayMs = fault?.kind === "slow_handshake" ? fault.delay_ms : 0;
    const refusal = fault?.kind === "refuse" ? fault.status : status;
    if (refusal === undefined && asked) {
      return { status: 101, delayMs, open: (peer) => this.#accept(url, asked, peer) };
    }
    this.records.refuse();
    return { status: refusal ?? 404, delayMs };
  }

  /** Breaks all connections and forgets all that is under way. */
  close(): void {
    for (const connection of [...this.#open]) connection.close(1_006);
    for (const socket of [...this.#sockets]) socket.end(1_006);
    this.#schedule.clear();
  }

  #refusal(url: string, asked: StreamUrl | undefined): number | undefined {
    const { clock, outages, settings } = this.#options;
    const nowMs = clock.now();
    this.#handshakes = this.#handshakes.filter((atMs) => nowMs - atMs < WINDOW_MS);
    const lately = this.#handshakes.length + 1;
    this.records.handshake(lately);
    if (outages.isAway(nowMs)) return 503;
    if (lately > settings.handshakes_per_5_minutes) return 429;
    this.#handshakes.push(nowMs);
    if (url.length > settings.url_length) return 414;
    if (new Set(asked?.names).size > settings.streams_per_connection) return 400;
    return undefined;
  }

  #accept(url: string, asked: StreamUrl, peer: Peer): Connection {
    const { clock, faults, settings } = this.#options;
    const connection = new Connection({
      number: ++this.#opened,
      url: asked,
      peer,
      broadcast: this.#broadcast,
      faults,
      limits: {
        streams: settings.streams_per_connection,
        framesPerSecond: settings.frames_per_second,
        errorShape: settings.error_shape,
      },
      now: () => clock.now(),
      later: (ms, run) => this.#in(ms, run),
      onClose: (news, sender) => this.records.close(news, sender),
      onEnd: (ended, code, streams) => {
        this.#open.delete(ended);
        this.records.end(ended, code, streams);
      },
    });
    this.#open.add(connection);
    this.records.open(connection, url);
    this.#plan(connection);
    return connection;
  }

  /** What lies ahead of a connection, however quiet its life is. */
  #plan(connection: Connection): void {
    const { clock, faults, outages, settings } = this.#options;
    const nowMs = clock.now();
    connection.later(1_000 * settings.lifetime_s, () => connection.close(settings.lifetime_code));
    connection.later(outages.nextMs(nowMs) - nowMs, () => connection.close(1_006));
    for (const { atMs, strike } of faults.ahead(connection.number, nowMs)) {
      connection.later(atMs - nowMs, () => strike().forEach((fault) => hit(connection, fault)));
    }
  }

  #in(ms: number, run: () => void): () => void {
    return this.#schedule.at(this.#options.clock.now() + ms, run);
  }
}

function hit(connection: Connection, fault: ConnectionFault): void {
  switch (fault.kind) {
    case "cut":
      return connection.close(1_006);
    case "close":
      return connection.close(fault.code, fault.reason);
    case "half_open":
      return connection.die();
    case "shutdown":
      connection.announceEnd();
      if (fault.close_after_ms === undefined) return;
      return connection.later(fault.close_after_ms, () => connection.close(fault.code));
  }
}
