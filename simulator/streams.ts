/**
 * The stream side of the exchange: handshakes, connections and how they end.
 *
 * @module
 */

import { Broadcast } from "./broadcast.ts";
import { Connection, type Peer } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import type { Clock } from "../engine/context.ts";
import type { CheckedScenario } from "./scenario.ts";
import { Schedule } from "./schedule.ts";
import { ClientSocket } from "./socket.ts";
import { readStreamUrl } from "./stream_names.ts";

const WINDOW_MS = 300_000;

/** What a handshake is answered with. */
export type Handshake =
  | { readonly status: number }
  | {
    readonly status: 101;
    /** Opens the connection, once the client's end is there. */
    readonly open: (peer: Peer) => Connection;
  };

/** What the stream side works with. */
export interface StreamsOptions {
  /** The exchange's clock. */
  readonly clock: Clock;
  /** What is traded. */
  readonly exchange: Exchange;
  /** What may be done and how it is answered. */
  readonly settings: CheckedScenario["streams"];
}

/** All connections. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #schedule: Schedule;
  readonly #broadcast: Broadcast;
  readonly #open = new Map<Connection, () => void>();
  #attempts: number[] = [];
  #opened = 0;

  /** Starts without connections. */
  constructor(options: StreamsOptions) {
    this.#options = options;
    const { clock, exchange, settings } = options;
    this.#schedule = new Schedule(clock);
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
    const later = (run: () => void) => this.#in(latencyMs, run);
    const socket = new ClientSocket({
      url: String(url),
      onSend: (data) =>
        later(() => connection?.receive(typeof data === "string" ? data : undefined)),
      onLeave: (code, reason) =>
        later(() => {
          connection?.left(code);
          socket.end(connection ? code : 1_006, reason);
        }),
    });
    later(() => {
      if (socket.readyState !== socket.CONNECTING) return;
      const handshake = this.handshake(String(url));
      if (!("open" in handshake)) return socket.end(1_006);
      socket.open();
      connection = handshake.open({
        send: (frame) => socket.receive(frame),
        close: (code, reason) => socket.end(code, reason),
      });
    });
    return socket;
  }

  /** Answers a handshake. */
  handshake(url: string): Handshake {
    const nowMs = this.#options.clock.now();
    const { settings } = this.#options;
    this.#attempts = this.#attempts.filter((atMs) => nowMs - atMs < WINDOW_MS);
    this.#attempts.push(nowMs);
    if (this.#attempts.length > settings.attempts_per_5_minutes) {
      this.#attempts.pop();
      return { status: 429 };
    }
    const asked = readStreamUrl(new URL(url));
    if (!asked) return { status: 404 };
    if (url.length > settings.url_length) return { status: 414 };
    if (new Set(asked.names).size > settings.streams_per_connection) return { status: 400 };
    return {
      status: 101,
      open: (peer) => {
        const connection = new Connection({
          number: ++this.#opened,
          url: asked,
          peer,
          broadcast: this.#broadcast,
          limits: {
            streams: settings.streams_per_connection,
            framesPerSecond: settings.frames_per_second,
            errorShape: settings.error_shape,
          },
          now: () => this.#options.clock.now(),
          onEnd: (ended) => this.#ended(ended),
        });
        this.#open.set(connection, this.#limitLife(connection));
        return connection;
      },
    };
  }

  /** Breaks all connections. */
  close(): void {
    for (const connection of [...this.#open.keys()]) connection.close(1_006);
    this.#schedule.clear();
  }

  #ended(connection: Connection): void {
    this.#open.get(connection)?.();
    this.#open.delete(connection);
  }

  #limitLife(connection: Connection): () => void {
    const { lifetime_s: lifetimeS, lifetime_code: code } = this.#options.settings;
    return this.#in(1_000 * lifetimeS, () => connection.close(code));
  }

  #in(ms: number, run: () => void): () => void {
    return this.#schedule.at(this.#options.clock.now() + ms, run);
  }
}
