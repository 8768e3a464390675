/**
 * Writing lines: a request each, and when the server refuses one because of its lines, halves of it
 * until the bad lines stand alone.
 *
 * @module
 */

import type { InfluxClient, InfluxRequest } from "../../clients/influxdb/client.ts";
import { type Connection, kindOf } from "../../clients/influxdb/connection.ts";
import { type Answer, nameOf, textOf, wordsOf } from "../../clients/influxdb/failure.ts";
import type { Json, Metrics } from "../../engine/context.ts";
import { describeError, FatalError, OptionsError } from "../../engine/errors.ts";
import type { Chunk, Rejection, SinkWriter } from "../../engine/plugin.ts";

const LINE_FEED = 0x0a;
const STORED = 204;
/** An answer that is about the lines, not about the request. */
const REFUSED = [400, 413, 422];
const SERVER_ERROR = 500;
/** A server that goes on answering with an error of its own will hardly mend itself: some minutes. */
const MAX_SERVER_ERRORS = 12;

/** The unit of the times in the lines. */
export type Precision = "ms" | "s";

/** The request that writes to what a connection names, without its body. */
export function writeRequest(connection: Connection, precision: Precision): InfluxRequest {
  const { database, retention_policy, org, bucket } = connection;
  const common = {
    action: "write points",
    method: "POST",
    headers: { "content-type": "text/plain; charset=utf-8", accept: "application/json" },
  } as const;
  switch (kindOf(connection)) {
    case "v1":
    case "victoria_metrics":
      return {
        ...common,
        path: "/write",
        query: { db: database, rp: retention_policy, precision },
      };
    case "v2":
      return { ...common, path: "/api/v2/write", query: { org, bucket, precision } };
    case "v3":
      return {
        ...common,
        path: "/api/v3/write_lp",
        query: { db: database, precision, accept_partial: "false" },
      };
  }
}

/** Writes chunks, one request at a time. */
export class LineWriter implements SinkWriter<unknown> {
  readonly #client: InfluxClient;
  readonly #request: InfluxRequest;
  readonly #metrics: Pick<Metrics, "count">;
  #serverErrors = 0;

  /** Makes a writer. Nothing is sent. */
  constructor(client: InfluxClient, precision: Precision, metrics: Pick<Metrics, "count">) {
    this.#client = client;
    this.#request = {
      ...writeRequest(client.connection, precision),
      expect: [STORED, ...REFUSED, SERVER_ERROR],
    };
    this.#metrics = metrics;
  }

  /** Sends a chunk; gives the lines that the server refuses. */
  async deliver({ bytes, records }: Chunk<unknown>): Promise<readonly Rejection[]> {
    const answer = await this.#send(bytes);
    if (!answer) return [];
    const ends = endsOf(bytes);
    if (ends.length !== records.length) {
      throw new FatalError(
        `Cannot tell refused lines apart as each record must have one line: ${records.length} have ${ends.length}`,
      );
    }
    return await this.#halve({ bytes, ends, from: 0, to: ends.length }, answer);
  }

  /** All that was delivered is durable already, as far as the server makes it so. */
  flush(): Promise<Json> {
    return Promise.resolve(null);
  }

  /** Holds nothing. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Finds the bad ones among lines that were refused together. */
  async #halve(lines: Lines, refusal: Answer): Promise<Rejection[]> {
    const { from, to } = lines;
    const reason = wordsOf(refusal, this.#client.connection) ||
      `the server answered ${refusal.status}`;
    if (to - from === 1 || droppedIn(refusal) === to - from) {
      return Array.from({ length: to - from }, (_, at) => ({ index: from + at, reason }));
    }
    const middle = Math.ceil((from + to) / 2);
    const rejections: Rejection[] = [];
    for (const half of [{ ...lines, to: middle }, { ...lines, from: middle }]) {
      const answer = await this.#send(bytesOf(half));
      if (answer) rejections.push(...await this.#halve(half, answer));
    }
    return rejections;
  }

  /**
   * Sends lines.
   *
   * @returns Nothing once they are stored, or the answer if some of them are refused.
   * @throws {PenstockError} If it is not about the lines.
   */
  async #send(body: Uint8Array<ArrayBuffer>): Promise<Answer | undefined> {
    this.#metrics.count("requests");
    const answer = await this.#client.request({ ...this.#request, body });
    if (answer.status !== SERVER_ERROR) this.#serverErrors = 0;
    if (answer.status === STORED) return undefined;
    const failure = this.#client.failure(this.#request.action, answer);
    if (failure instanceof OptionsError) throw failure;
    if (answer.status !== SERVER_ERROR) return answer;
    if (++this.#serverErrors < MAX_SERVER_ERRORS) throw failure;
    throw new FatalError(
      `Cannot write points as ${
        nameOf(this.#client.connection)
      } answered with an error ${this.#serverErrors} times in a row: ${describeError(failure)}`,
      { hint: failure.hint ?? "Look at the log of the server, then run it again: nothing is lost" },
    );
  }
}

/** Lines that lie one behind the other. */
interface Lines {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each line ends, exclusive. */
  readonly ends: readonly number[];
  /** The first of them. */
  readonly from: number;
  /** The one after the last of them. */
  readonly to: number;
}

function endsOf(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
    ends.push(at + 1);
  }
  return ends;
}

function bytesOf({ bytes, ends, from, to }: Lines): Uint8Array<ArrayBuffer> {
  return bytes.subarray(from === 0 ? 0 : ends[from - 1], ends[to - 1]);
}

/**
 * How many points a server says it has dropped, each of them for the reason it gives. It does not
 * count lines that it could not read, and says so at the very end: before, it may quote lines.
 */
function droppedIn(answer: Answer): number | undefined {
  const [, count] = / dropped=(\d+)\s*$/.exec(textOf(answer)) ?? [];
  return count === undefined ? undefined : Number(count);
}
