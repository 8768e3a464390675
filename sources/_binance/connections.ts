/**
 * All connections of a source: which streams go where, and where what they send goes.
 *
 * @module
 */

import { hostOf } from "../../engine/address.ts";
import type { Context } from "../../engine/context.ts";
import type { Series } from "../../engine/point.ts";
import { Attempts } from "./attempts.ts";
import type { BinanceClient } from "./client.ts";
import { Connection } from "./connection.ts";
import type { Feed } from "./feed.ts";
import { Liveness } from "./liveness.ts";
import type { StreamCandle } from "./frame.ts";
import { MessageReader } from "./stream_message.ts";

/** Addresses of more than about 8,000 characters are refused. */
const MOST_URL = 7_000;
/** A candle that opens further ahead than this is no candle. */
const AHEAD_MS = 60_000;

/** What connections need. */
export interface ConnectionsParts {
  /** Where the streams are, such as `wss://stream.binance.com:9443`. */
  readonly baseUrl: string;
  /** The series, by their index in the feed. */
  readonly series: readonly Series[];
  /** Takes what comes. */
  readonly feed: Feed;
  /** For questions to REST. */
  readonly client: BinanceClient;
  /** The world. */
  readonly context: Context;
  /** Ends them. */
  readonly signal: AbortSignal;
  /** How many streams share a connection at the most. */
  readonly streamsPerConnection: number;
  /** As for {@linkcode Liveness}. */
  readonly silenceMs: number;
  /** As for {@linkcode Liveness}. */
  readonly firstMs: number;
  /** Told of each candle. */
  heard(candle: StreamCandle, arrival: ReturnType<Feed["hear"]>): void;
  /** Told when streams have opened, as candles may have been missed before. */
  missed(): void;
}

/** The connections of a source. */
export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #connections: Connection[] = [];
  readonly #livenessOf: Liveness[] = [];
  readonly #index: ReadonlyMap<string, number>;
  readonly #messages = new MessageReader();
  readonly #toldUnknown = new Set<string>();

  /** Nothing is opened yet. */
  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
    this.#index = new Map(parts.series.map((series, at) => [nameOf(series), at]));
    const { series, streamsPerConnection, context, baseUrl } = parts;
    const attempts = context.shared(
      `connection attempts at ${hostOf(baseUrl)}`,
      () => new Attempts(),
    );
    for (let first = 0; first < series.length; first += streamsPerConnection) {
      const last = Math.min(series.length, first + streamsPerConnection);
      this.#add(Array.from({ length: last - first }, (_, at) => first + at), attempts);
    }
  }

  /** Keeps all of them open until the signal aborts. */
  async run(): Promise<void> {
    const running = [
      ...this.#connections.map((connection) => connection.run()),
      ...new Set(this.#livenessOf).values().map((liveness) => liveness.run()),
    ];
    for (const run of running) run.catch(() => {});
    await Promise.all(running);
  }

  /** Looks at a series that REST has just been asked for. */
  check(at: number): void {
    this.#livenessOf[at]?.check(at);
  }

  #add(streams: readonly number[], attempts: Attempts): void {
    const { series, context, signal, feed, client, silenceMs, firstMs, missed } = this.#parts;
    const names = streams.flatMap((at) => series[at] ? [streamName(series[at])] : []);
    const connection: Connection = new Connection({
      ...addressOf(this.#parts.baseUrl, names),
      ...{ attempts, context, signal },
      receive: (data) => this.#receive(connection, data),
      opened: () => {
        for (const at of streams) feed.join(at, client.now());
        missed();
      },
      closed: () => {
        for (const at of streams) feed.cut(at);
      },
    });
    this.#connections.push(connection);
    const liveness = new Liveness({
      ...{ connection, streams, series, feed, client, context, signal, silenceMs, firstMs },
    });
    for (const at of streams) this.#livenessOf[at] = liveness;
  }

  #receive(connection: Connection, data: unknown): boolean {
    const { context, feed, client, heard } = this.#parts;
    const message = this.#messages.read(data);
    if (message.kind === "shutdown") connection.replace("shutdown");
    if (message.kind === "unknown") this.#tellUnknown(message.what);
    if (message.kind === "reply" && message.error !== undefined) {
      context.metrics.count("refused_subscriptions");
      context.log.warn("The exchange refused a subscription: REST is asked for what it lacks", {
        reason: message.error,
      });
    }
    if (message.kind !== "candle") return false;
    const at = this.#index.get(nameOf(message));
    if (at === undefined) {
      this.#tellUnknown("candle of a series that was not asked for");
      return false;
    }
    const nowMs = client.now();
    if (message.openMs > nowMs + AHEAD_MS) {
      this.#tellUnknown("candle of the future");
      return false;
    }
    const arrival = feed.hear(at, message, nowMs);
    if (arrival === "doubled" || arrival === "disputed") {
      context.metrics.count(`${arrival}_candles`);
    }
    heard(message, arrival);
    return true;
  }

  #tellUnknown(what: string): void {
    const { log, metrics } = this.#parts.context;
    metrics.count("unknown_messages");
    // What is told once is enough, and names are made up by the other side.
    if (this.#toldUnknown.has(what) || this.#toldUnknown.size >= 100) return;
    this.#toldUnknown.add(what);
    log.warn("A stream sent something unknown: it is passed over", { what });
  }
}

/**
 * Where to connect to for streams: as many in the address as it bears.
 *
 * @param baseUrl The exchange's address.
 * @param names The names of the streams.
 * @returns The address, and the names to subscribe to once it is open.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(addressOf("wss://stream.binance.com:9443/", ["btcusdt@kline_1m"]), {
 *   url: "wss://stream.binance.com:9443/stream?streams=btcusdt@kline_1m",
 *   rest: [],
 * });
 * ```
 */
export function addressOf(
  baseUrl: string,
  names: readonly string[],
): { readonly url: string; readonly rest: readonly string[] } {
  let url = `${baseUrl.replace(/\/+$/, "")}/stream?streams=`;
  let count = 0;
  for (const name of names) {
    const part = `${count > 0 ? "/" : ""}${encodeURIComponent(name).replaceAll("%40", "@")}`;
    if (url.length + part.length > MOST_URL) break;
    url += part;
    count++;
  }
  return { url, rest: names.slice(count) };
}

/** Streams are named in lower case, but the interval keeps its own: `1M` is a month. */
function streamName({ symbol, interval }: Series): string {
  return `${symbol.toLowerCase()}@kline_${interval}`;
}

function nameOf({ symbol, interval }: { readonly symbol: string; readonly interval: string }) {
  return `${symbol}@${interval}`;
}
