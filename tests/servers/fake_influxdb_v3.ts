/**
 * An imitated InfluxDB 3 Core, as its documentation and its source describe it: what a sink asks of
 * it, with its status codes and bodies.
 *
 * @module
 */

import { bodyOf, type FakeServer, json } from "./_fake_server.ts";
import type { Line } from "../sinks/_decode_line_protocol.ts";
import { type Parsed, parseLines, PointStore } from "./_point_store.ts";

/** How an imitated InfluxDB 3 is set up. */
export interface FakeV3 {
  /** Its token. All tokens of Core may do anything. */
  readonly token: string;
  /** A token without rights, as Enterprise has them. */
  readonly readToken?: string;
  /** Databases that are there. */
  readonly databases?: readonly string[];
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, ms: 1, s: 1_000 },
  ...{ nanosecond: 1e-6, microsecond: 1e-3, millisecond: 1, second: 1_000 },
};
const ARROW: Readonly<Record<string, string>> = {
  float: "Float64",
  integer: "Int64",
  boolean: "Boolean",
  string: "Utf8",
};
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** Makes one. */
export function fakeInfluxdbV3(setup: FakeV3): FakeServer {
  const databases = new Map((setup.databases ?? []).map((name) => [name, new PointStore()]));
  const created: unknown[] = [];
  return {
    created,
    lines: (name) => databases.get(name)?.lines() ?? "",
    async answer(request) {
      const url = new URL(request.url);
      const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
      const isKnown = token === setup.token || token !== undefined && token === setup.readToken;
      if ((scheme !== "Bearer" && scheme !== "Token") || !isKnown) {
        return json(401, { error: "the request was not authenticated" });
      }
      const mayWrite = token === setup.token;
      switch (`${request.method} ${url.pathname}`) {
        case "GET /api/v3/configure/database":
          return json(200, Array.from(databases.keys(), (name) => ({ "iox::database": name })));
        case "POST /api/v3/configure/database":
          return mayWrite ? await create(request) : forbidden();
        case "POST /api/v3/write_lp":
          return mayWrite ? await write(request, url) : forbidden();
        case "GET /api/v3/query_sql":
          return columns(url);
        default:
          return new Response("not found", { status: 404 });
      }
    },
  };

  async function create(request: Request): Promise<Response> {
    const asked = JSON.parse(await bodyOf(request));
    if (databases.has(asked.db)) {
      return json(409, { error: "attempted to create a resource that already exists" });
    }
    databases.set(asked.db, new PointStore());
    created.push(asked);
    return json(200, null);
  }

  async function write(request: Request, url: URL): Promise<Response> {
    const query = url.searchParams;
    const unitMs = UNITS[query.get("precision") ?? "ns"];
    if (unitMs === undefined) return json(400, { error: "unknown variant of precision" });
    const body = await bodyOf(request);
    if (body.length > MAX_BODY_BYTES) return json(413, { error: "request body too large" });
    const parsed = parseLines(body);
    if (parsed.length === 0) return json(400, { error: "no lines to write" });
    const name = query.get("db") ?? "";
    const database = databases.get(name) ?? new PointStore();
    databases.set(name, database);
    return store(database, parsed, { unitMs, isPartial: query.get("accept_partial") !== "false" });
  }

  function columns(url: URL): Response {
    const [, name = ""] = /table_name = '(.*)'$/.exec(url.searchParams.get("q") ?? "") ?? [];
    const types = databases.get(url.searchParams.get("db") ?? "")?.types(name) ?? [];
    return json(200, types.map(([column_name, type]) => ({ column_name, data_type: ARROW[type] })));
  }
}

/** Where a request may not be stored in part, one bad line keeps all others out. */
function store(
  database: PointStore,
  parsed: readonly Parsed[],
  { unitMs, isPartial }: { readonly unitMs: number; readonly isPartial: boolean },
): Response {
  const trial = database.copy();
  const data: unknown[] = [];
  const good: Line[] = [];
  for (const [at, each] of parsed.entries()) {
    const fault = "fault" in each ? each.fault : trial.put(each.line, unitMs);
    if (fault === undefined && "line" in each) good.push(each.line);
    else data.push({ original_line: each.text, line_number: at + 1, error_message: fault });
  }
  if (data.length === 0 || isPartial) { for (const line of good) database.put(line, unitMs); }
  if (data.length === 0) return new Response(null, { status: 204 });
  return isPartial
    ? json(400, { error: "partial write of line protocol occurred", data })
    : json(400, { error: "parsing failed for write_lp endpoint", data: data[0] });
}

function forbidden(): Response {
  return json(403, { error: "the request was not authorized" });
}
