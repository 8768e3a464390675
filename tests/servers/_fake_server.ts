/**
 * What imitated servers have in common.
 *
 * @module
 */

/** An imitated server. */
export interface FakeServer {
  /** Answers a request. */
  answer(request: Request): Promise<Response>;
  /** What a database or bucket holds: each point as a line, sorted. */
  lines(name: string): string;
  /** What was asked to be made, in order, as the server was told it. */
  readonly created: readonly unknown[];
}

/** The `fetch` of a context that reaches an imitated server and nothing else. */
export function fetchFrom(server: FakeServer): typeof fetch {
  return async (url, init) => {
    init?.signal?.throwIfAborted();
    return await server.answer(new Request(url, init));
  };
}

/** The text of a body, decompressed. */
export async function bodyOf(request: Request): Promise<string> {
  if (request.headers.get("content-encoding") !== "gzip") return await request.text();
  const stream = request.body?.pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

/** An answer in JSON. */
export function json(status: number, value: unknown, headers: HeadersInit = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}
