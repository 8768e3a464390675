/**
 * Asks a server of the InfluxDB family over HTTP: one attempt per call, in bounded time.
 *
 * @module
 */

import type { Context } from "../../engine/context.ts";
import {
  describeError,
  FatalError,
  OptionsError,
  type PenstockError,
  RetryableError,
} from "../../engine/errors.ts";
import { authorizationOf, type Connection, isLoopback } from "./connection.ts";
import { type Answer, failureOf, nameOf } from "./failure.ts";

/** The longest body of a failure that is read. */
const FAILURE_BYTES = 65_536;

/** What a client needs of the world. */
export type ClientContext = Pick<Context, "fetch" | "now" | "sleep" | "signal">;

/** One request. */
export interface InfluxRequest {
  /** What it is for, to follow "Cannot" in messages. */
  readonly action: string;
  /** The method. */
  readonly method: "GET" | "POST";
  /** Path from the address of the server, such as `/write`. */
  readonly path: string;
  /** Parameters, none of them secret. An undefined one is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** What is sent. Bytes are compressed where the connection says so; few servers unpack questions. */
  readonly body?: Uint8Array<ArrayBuffer> | string;
  /** Headers beside the credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The status codes that are no failure. 200 alone, where they are left out. */
  readonly expect?: readonly number[];
}

/**
 * A client of one server.
 *
 * It follows no redirect: a POST that is redirected arrives as a GET without its body, which some
 * servers answer with success.
 */
export class InfluxClient {
  /** Where it connects to, and how. */
  readonly connection: Connection;
  readonly #context: ClientContext;
  readonly #authorization: Readonly<Record<string, string>>;
  readonly #compresses: boolean;

  /** Makes a client. Nothing is sent. */
  constructor(connection: Connection, context: ClientContext) {
    this.connection = connection;
    this.#context = context;
    this.#authorization = authorizationOf(connection);
    this.#compresses = connection.gzip ?? !isLoopback(connection.url);
  }

  /**
   * Sends one request and reads the answer to its end.
   *
   * @throws {RetryableError} If it may work later, such as after a time-out.
   * @throws {OptionsError} If it cannot work with these options.
   * @throws {FatalError} If it cannot work.
   * @throws The reason of the context's signal, once it has aborted.
   */
  async request(request: InfluxRequest): Promise<Answer> {
    const attempt = this.#begin();
    try {
      const response = await this.#send(request, attempt);
      const { status, headers } = response;
      const body = await this.#within(attempt, response.text());
      return { status, headers, body };
    } finally {
      attempt.end();
    }
  }

  /**
   * Sends one request and gives the body of the answer as it comes. Each part of it may take as long
   * as the whole of a small one.
   *
   * @throws As {@linkcode InfluxClient.request}, and when the body breaks off.
   */
  async *stream(request: InfluxRequest): AsyncGenerator<Uint8Array> {
    const attempt = this.#begin();
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    try {
      const response = await this.#send(request, attempt);
      reader = response.body?.getReader();
      while (reader) {
        const { value, done } = await this.#within(attempt, reader.read());
        if (done) return;
        yield value;
      }
    } finally {
      await reader?.cancel().catch(() => {});
      attempt.end();
    }
  }

  /**
   * What an answer amounts to that is no success, as {@linkcode failureOf} says.
   *
   * @param action What was asked for, to follow "Cannot".
   * @param answer What was answered.
   * @param meaning The status code it would have, where the server hides a failure behind a 200.
   */
  failure(action: string, answer: Answer, meaning?: number): PenstockError {
    const asked = { action, connection: this.connection, nowMs: this.#context.now() };
    return failureOf(asked, answer, meaning);
  }

  /** One attempt, which the context's signal ends. */
  #begin(): Attempt {
    const { signal } = this.#context;
    signal.throwIfAborted();
    const controller = new AbortController();
    const stop = () => controller.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    return { controller, end: () => signal.removeEventListener("abort", stop) };
  }

  /** Sends a request; gives an answer that is expected, or throws what another one amounts to. */
  async #send(request: InfluxRequest, attempt: Attempt): Promise<Response> {
    const { method, expect = [200], headers, action } = request;
    const { signal } = attempt.controller;
    const { body, encoding } = await this.#bodyOf(request);
    const sent = this.#context.fetch(this.#addressOf(request), {
      method,
      headers: { ...headers, ...encoding, ...this.#authorization },
      redirect: "manual",
      signal,
      ...(body === undefined ? {} : { body }),
    });
    const response = await this.#within(attempt, sent);
    if (expect.includes(response.status)) return response;
    const answer = {
      status: response.status,
      headers: response.headers,
      body: await this.#within(attempt, firstOf(response)),
    };
    throw this.failure(action, answer);
  }

  #addressOf({ path, query = {} }: InfluxRequest): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, value);
    }
    const base = this.connection.url.replace(/\/+$/, "");
    return `${base}${path}${parameters.size === 0 ? "" : `?${parameters}`}`;
  }

  async #bodyOf(
    { body }: InfluxRequest,
  ): Promise<Pick<RequestInit, "body"> & { encoding?: HeadersInit }> {
    if (body === undefined) return {};
    if (typeof body === "string") return { body };
    if (!this.#compresses) return { body };
    const { gzipFast } = await import("./gzip.ts");
    return { body: await gzipFast(body), encoding: { "content-encoding": "gzip" } };
  }

  /** Waits for a part of an attempt, and ends the attempt when that takes too long. */
  async #within<T>(attempt: Attempt, work: Promise<T>): Promise<T> {
    const { timeout_ms } = this.connection;
    const { controller } = attempt;
    const done = new AbortController();
    let isLate = false;
    this.#context.sleep(timeout_ms, done.signal).then(() => {
      isLate = true;
      controller.abort();
    }, () => {});
    try {
      return await work;
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (isLate) {
        throw new RetryableError(`${nameOf(this.connection)} did not answer in ${timeout_ms} ms`);
      }
      throw this.#unreachable(error);
    } finally {
      done.abort();
    }
  }

  #unreachable(error: unknown): Error {
    const reason = reasonOf(error);
    const name = nameOf(this.connection);
    if (error instanceof Error && error.name === "NotCapable") {
      return new FatalError(`Cannot reach ${name} as penstock was started without permission`, {
        cause: error,
      });
    }
    if (
      /certificate|InvalidContentType|corrupt message|UnknownIssuer|HandshakeFailure/.test(reason)
    ) {
      return new OptionsError(`Cannot connect to ${name}: ${reason}`, {
        hint: "Check `url`: whether it must be http or https, and the certificate of the server",
      });
    }
    return new RetryableError(`Cannot reach ${name}: ${reason}`, {
      hint: "Check `url`, and whether the server runs",
    });
  }
}

interface Attempt {
  readonly controller: AbortController;
  end(): void;
}

/** Why a request failed. Deno's own words repeat the whole address. */
function reasonOf(error: unknown): string {
  return describeError(error).replace(/^.*\bfor url \(.*?\):? ?/, "") || "it broke off";
}

/** The beginning of a body, as text; the rest is not read. */
async function firstOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    length += chunk.length;
    if (length >= FAILURE_BYTES) break;
  }
  return text;
}
