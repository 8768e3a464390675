/**
 * Options that name a server of the InfluxDB family: one shape for the sink and the source.
 *
 * @module
 */

import { z } from "zod";
import { hostOf } from "../../engine/address.ts";
import { address, secret } from "../../engine/options.ts";
import type { Permissions } from "../../engine/plugin.ts";

/** Options of a connection, to be spread into a `z.strictObject` that {@linkcode checkConnection} refines. */
export const connectionShape = {
  url: address("http://host:8086").describe(
    "Address of the server. Credentials have options of their own",
  ).meta({ examples: ["http://localhost:8086"] }),
  server: z.enum(["influxdb", "victoria_metrics"]).default("influxdb").describe(
    "What it is: `influxdb`, or the compatible `victoria_metrics`",
  ),
  version: z.literal([1, 2, 3]).optional().describe(
    "Major version of InfluxDB. By default 2 with `bucket`, else 1",
  ),
  database: z.string().min(1).optional().describe(
    "Database of version 1 and 3. With `victoria_metrics`, the value of the label `db`",
  ).meta({ examples: ["market"] }),
  retention_policy: z.string().min(1).optional().describe(
    "Retention policy of version 1. The default one of the database where it is left out",
  ),
  org: z.string().min(1).optional().describe("Organization of version 2, by name"),
  bucket: z.string().min(1).optional().describe("Bucket of version 2, by name"),
  token: secret().optional().describe(
    "Token of version 2 or 3; a JSON Web Token with version 1. Write `${env:INFLUX_TOKEN}`",
  ),
  username: z.string().min(1).optional().describe("User of version 1, or of `victoria_metrics`"),
  password: secret().optional().describe("Password of that user"),
  timeout_ms: z.int().min(100).default(30_000).describe(
    "Milliseconds that a request may take without an answer",
  ),
  gzip: z.boolean().optional().describe(
    "Whether what is sent is compressed. By default it is, unless the server is on this machine",
  ),
};

const connectionSchema = z.strictObject(connectionShape);

/** A checked connection. */
export type Connection = z.output<typeof connectionSchema>;

/** What a server is, as far as its requests differ. */
export type ServerKind = "v1" | "v2" | "v3" | "victoria_metrics";

/** What kind of server the options name. */
export function kindOf(
  { server, version, bucket }: Pick<Connection, "server" | "version" | "bucket">,
): ServerKind {
  if (server === "victoria_metrics") return server;
  return `v${version ?? (bucket === undefined ? 1 : 2)}`;
}

type NamingOption =
  | "version"
  | "database"
  | "retention_policy"
  | "org"
  | "bucket"
  | "token"
  | "username"
  | "password";

/** Which options each kind of server must have, and which mean nothing to it. */
const OPTIONS: Readonly<Record<ServerKind, Record<"needs" | "not", readonly NamingOption[]>>> = {
  v1: { needs: ["database"], not: ["org", "bucket"] },
  v2: {
    needs: ["org", "bucket", "token"],
    not: ["database", "retention_policy", "username", "password"],
  },
  v3: {
    needs: ["database"],
    not: ["org", "bucket", "retention_policy", "username", "password"],
  },
  victoria_metrics: { needs: [], not: ["version", "org", "bucket", "retention_policy"] },
};

const NAMES: Readonly<Record<ServerKind, string>> = {
  v1: "version 1",
  v2: "version 2",
  v3: "version 3",
  victoria_metrics: "`server: victoria_metrics`",
};

/**
 * Refines the options of a connection: what its kind of server needs, and nothing it does not know.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "zod";
 *
 * const options = z.strictObject(connectionShape).superRefine(checkConnection);
 * const { error } = options.safeParse({ url: "http://localhost:8086", version: 3 });
 * assertEquals(error?.issues.map(({ path, message }) => [...path, message]), [
 *   ["database", "must be set with version 3"],
 * ]);
 * ```
 */
export function checkConnection(connection: Connection, context: z.RefinementCtx): void {
  const kind = kindOf(connection);
  const refuse = (option: NamingOption, message: string) =>
    context.addIssue({ code: "custom", path: [option], message });
  for (const option of OPTIONS[kind].needs) {
    if (connection[option] === undefined) refuse(option, `must be set with ${NAMES[kind]}`);
  }
  for (const option of OPTIONS[kind].not) {
    if (connection[option] !== undefined) refuse(option, `must be left out with ${NAMES[kind]}`);
  }
  const { token, username, password } = connection;
  if (token && username !== undefined) refuse("username", "must be left out with `token`");
  if (password && username === undefined && !token) {
    refuse("username", "must be set with `password`");
  }
}

/** What a plugin with such a connection must be allowed to reach. */
export function permissionsOf({ url }: Pick<Connection, "url">): Permissions {
  return { net: [hostOf(url)] };
}

/**
 * Whether a server is on this machine, where compressing costs more than it saves.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert(isLoopback("http://127.0.0.1:8086"));
 * assert(!isLoopback("https://metrics.example.org"));
 * ```
 */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/**
 * The header that carries the credentials; none where there are none. They go nowhere else: what is
 * in an address ends up in the logs of servers and proxies.
 */
export function authorizationOf(connection: Connection): Readonly<Record<string, string>> {
  const { token, username, password } = connection;
  if (token) {
    const scheme = kindOf(connection) === "v2" ? "Token" : "Bearer";
    return { authorization: `${scheme} ${token.reveal()}` };
  }
  if (username === undefined) return {};
  const bytes = new TextEncoder().encode(`${username}:${password?.reveal() ?? ""}`);
  return { authorization: `Basic ${bytes.toBase64()}` };
}
