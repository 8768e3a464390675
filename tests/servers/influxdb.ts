/**
 * A real InfluxDB 1.x for tests.
 *
 * @module
 */

import { type ServerSpec, startServer, type TestServer } from "./server_process.ts";

/** Who asks. */
export interface User {
  /** The name. */
  readonly username: string;
  /** The password. */
  readonly password: string;
}

/** How an InfluxDB is set up. */
export interface InfluxdbSetup {
  /** Whether it asks who one is. There is then one user, {@linkcode ADMIN}. */
  readonly auth?: boolean;
  /** Databases to make. */
  readonly databases?: readonly string[];
  /** Settings as environment variables without their `INFLUXDB_`: `{ HTTP_MAX_BODY_SIZE: "1000" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where its data goes: a temporary folder by default. */
  readonly folder?: string;
}

/** One series of an answer. */
export interface Series {
  /** The measurement. */
  readonly name?: string;
  /** The tags it was grouped by. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The columns. */
  readonly columns: readonly string[];
  /** The rows. */
  readonly values: readonly (readonly unknown[])[];
}

/** A running InfluxDB. */
export interface InfluxdbServer extends TestServer {
  /** Asks in InfluxQL as the admin, with times in milliseconds; throws what the server complains of. */
  query(q: string, database?: string): Promise<readonly Series[]>;
  /** Writes lines as the admin, with times in milliseconds. */
  write(database: string, lines: string): Promise<void>;
}

/** The admin of a server that asks who one is. */
export const ADMIN: User = { username: "admin", password: "admin's password" };

/**
 * Starts InfluxDB; resolves once it answers.
 *
 * @example
 * ```ts ignore
 * await using server = await startInfluxdb({ databases: ["market"] });
 * await server.write("market", "price close=1 1514764800000");
 * const [series] = await server.query("SELECT close FROM price", "market");
 * ```
 */
export async function startInfluxdb(setup: InfluxdbSetup = {}): Promise<InfluxdbServer> {
  const server = await startServer(specOf(setup), { folder: setup.folder });
  const ask = new Asker(server.url, setup.auth ? ADMIN : undefined);
  try {
    const { username, password } = ADMIN;
    if (setup.auth) await ask.makeAdmin(username, password);
    for (const name of setup.databases ?? []) await ask.query(`CREATE DATABASE "${name}"`);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    url: server.url,
    folder: server.folder,
    kill: (signal) => server.kill(signal),
    start: () => server.start(),
    query: (q, database) => ask.query(q, database),
    write: (database, lines) => ask.write(database, lines),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function specOf({ auth = false, settings = {} }: InfluxdbSetup): ServerSpec {
  return {
    program: "influxd",
    // No configuration file but these settings.
    args: () => ["run", "-config", "/dev/null"],
    env: (address, folder) => ({
      INFLUXDB_REPORTING_DISABLED: "true",
      INFLUXDB_BIND_ADDRESS: "127.0.0.1:0",
      INFLUXDB_META_DIR: `${folder}/meta`,
      INFLUXDB_DATA_DIR: `${folder}/data`,
      INFLUXDB_DATA_WAL_DIR: `${folder}/wal`,
      INFLUXDB_DATA_QUERY_LOG_ENABLED: "false",
      INFLUXDB_MONITOR_STORE_ENABLED: "false",
      INFLUXDB_CONTINUOUS_QUERIES_ENABLED: "false",
      INFLUXDB_HTTP_BIND_ADDRESS: address,
      INFLUXDB_HTTP_LOG_ENABLED: "false",
      INFLUXDB_HTTP_AUTH_ENABLED: String(auth),
      INFLUXDB_LOGGING_LEVEL: "warn",
      ...Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [`INFLUXDB_${name}`, value]),
      ),
    }),
    readyPath: "/ping",
  };
}

class Asker {
  readonly #url: string;
  readonly #headers: HeadersInit;

  constructor(url: string, user: User | undefined) {
    this.#url = url;
    this.#headers = user
      ? { authorization: `Basic ${btoa(`${user.username}:${user.password}`)}` }
      : {};
  }

  /** A server without users lets anyone make the first one. */
  async makeAdmin(username: string, password: string): Promise<void> {
    const text = password.replaceAll("'", "\\'");
    await this.query(`CREATE USER "${username}" WITH PASSWORD '${text}' WITH ALL PRIVILEGES`);
  }

  async query(q: string, database?: string): Promise<readonly Series[]> {
    const query = new URLSearchParams({ q, epoch: "ms", ...(database ? { db: database } : {}) });
    const text = await this.#send(`/query?${query}`, "");
    const { error, results: [result] } = JSON.parse(text);
    const reason = error ?? result?.error;
    if (reason) throw new Error(`InfluxDB says of "${q}": ${reason}`);
    return result?.series ?? [];
  }

  async write(database: string, lines: string): Promise<void> {
    const query = new URLSearchParams({ db: database, precision: "ms" });
    await this.#send(`/write?${query}`, lines);
  }

  async #send(path: string, body: string): Promise<string> {
    const response = await fetch(`${this.#url}${path}`, {
      method: "POST",
      headers: this.#headers,
      body,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`InfluxDB answered ${response.status}: ${text}`);
    return text;
  }
}
