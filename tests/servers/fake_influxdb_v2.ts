/**
 * An imitated InfluxDB 2, as its documentation and its source describe it: what a sink asks of it,
 * with its status codes, headers and bodies.
 *
 * @module
 */

import { bodyOf, type FakeServer, json } from "./_fake_server.ts";
import { parseLines, PointStore } from "./_point_store.ts";

/** How an imitated InfluxDB 2 is set up. */
export interface FakeV2 {
  /** The organization. */
  readonly org: string;
  /** A token that may do anything. */
  readonly token: string;
  /** A token that may read only. */
  readonly readToken?: string;
  /** Buckets that are there. */
  readonly buckets?: readonly string[];
  /** The longest body in bytes, after decompression. */
  readonly maxBodyBytes?: number;
}

/** Milliseconds per unit. 2.x reads no other names; on `/write` it takes them for nanoseconds. */
const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1_000 };
const VERSION = { "x-influxdb-build": "OSS", "x-influxdb-version": "v2.7.12" };

/** Makes one. */
export function fakeInfluxdbV2(setup: FakeV2): FakeServer {
  const buckets = new Map((setup.buckets ?? []).map((name) => [name, new PointStore()]));
  const created: unknown[] = [];
  return {
    created,
    lines: (bucket) => buckets.get(bucket)?.lines() ?? "",
    async answer(request) {
      const url = new URL(request.url);
      if (url.pathname === "/ping") return new Response(null, { status: 204, headers: VERSION });
      const token = /^(?:Token|Bearer) (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      const mayWrite = token === setup.token;
      if (token === undefined || !mayWrite && token !== setup.readToken) {
        return fail(401, "unauthorized", "unauthorized access");
      }
      switch (`${request.method} ${url.pathname}`) {
        case "POST /api/v2/write":
          return await write(request, url);
        case "GET /api/v2/orgs":
          return url.searchParams.get("org") === setup.org
            ? json(200, { orgs: [{ id: "0f0f", name: setup.org }] }, VERSION)
            : noOrg(url);
        case "POST /api/v2/buckets":
          return mayWrite ? await create(request) : forbidden();
        case "GET /query":
          return fieldKeys(url);
        default:
          return fail(404, "not found", "path not found");
      }

      async function write(request: Request, url: URL): Promise<Response> {
        const query = url.searchParams;
        if (query.get("org") !== setup.org) return noOrg(url);
        const unitMs = UNITS[query.get("precision") ?? "ns"];
        if (unitMs === undefined) {
          return fail(
            400,
            "invalid",
            "invalid precision; valid precision units are ns, us, ms, and s",
          );
        }
        const name = query.get("bucket") ?? "";
        const bucket = buckets.get(name);
        if (!bucket) return fail(404, "not found", `bucket "${name}" not found`);
        if (!mayWrite) return forbidden();
        const body = await bodyOf(request);
        if (body.length > (setup.maxBodyBytes ?? Infinity)) {
          return fail(413, "request too large", "unable to read data: points batch is too large");
        }
        return store(bucket, body, unitMs);
      }
    },
  };

  async function create(request: Request): Promise<Response> {
    const asked = JSON.parse(await bodyOf(request));
    if (buckets.has(asked.name)) {
      return fail(422, "conflict", `bucket with name ${asked.name} already exists`);
    }
    buckets.set(asked.name, new PointStore());
    created.push(asked);
    return json(201, { id: "0b0b", ...asked }, VERSION);
  }

  /** InfluxQL, as far as a sink needs it. A bucket is mapped to a database of its name. */
  function fieldKeys(url: URL): Response {
    const [, db = "", name = ""] =
      /^SHOW FIELD KEYS ON "(.*)" FROM "(.*)"$/.exec(url.searchParams.get("q") ?? "") ?? [];
    const values = buckets.get(db)?.types(name) ?? [];
    const series = values.length === 0
      ? {}
      : { series: [{ name, columns: ["fieldKey", "fieldType"], values }] };
    return json(200, { results: [{ statement_id: 0, ...series }] }, VERSION);
  }
}

/** A line that does not parse keeps all others out; one that conflicts does not. */
function store(bucket: PointStore, body: string, unitMs: number): Response {
  const parsed = parseLines(body);
  if (parsed.length === 0) return fail(400, "invalid", "writing requires points");
  const bad = parsed.filter((each) => "fault" in each);
  if (bad.length > 0) {
    const reasons = bad.map(({ text, ...each }) =>
      `unable to parse '${text}': ${"fault" in each ? each.fault : ""}`
    );
    return fail(400, "invalid", reasons.join("\n"));
  }
  const conflicts = parsed.flatMap((each) =>
    "line" in each ? bucket.put(each.line, unitMs) ?? [] : []
  );
  if (conflicts.length === 0) return new Response(null, { status: 204, headers: VERSION });
  return fail(
    422,
    "unprocessable entity",
    `failure writing points to database: partial write: field type conflict: ${
      conflicts[0]
    } dropped=${conflicts.length}`,
  );
}

function noOrg(url: URL): Response {
  return fail(404, "not found", `organization name "${url.searchParams.get("org")}" not found`);
}

function forbidden(): Response {
  return fail(403, "forbidden", "insufficient permissions for write");
}

function fail(status: number, code: string, message: string): Response {
  return json(status, { code, message }, { ...VERSION, "x-platform-error-code": code });
}
