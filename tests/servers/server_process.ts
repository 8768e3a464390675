/**
 * A real server as a process of its own, on a free loopback port, with its data in a temporary
 * folder that is gone afterwards.
 *
 * @module
 */

const READY_MS = 30_000;
const POLL_MS = 20;
/** How many ports are tried: another process may take a free one first. */
const ATTEMPTS = 5;
const TAIL_CHARACTERS = 2_000;

/** How a server is started. */
export interface ServerSpec {
  /** The program, which must be on the path. */
  readonly program: string;
  /** Its arguments, given where to listen, as `host:port`, and where its data goes. */
  args(address: string, folder: string): readonly string[];
  /** Its environment, beside the path. */
  env?(address: string, folder: string): Readonly<Record<string, string>>;
  /** The path that answers with a success once it is ready. */
  readonly readyPath: string;
}

/** A running server. */
export interface TestServer extends AsyncDisposable {
  /** Its address, such as `http://127.0.0.1:40001`. The same after it is started again. */
  readonly url: string;
  /** The folder with its data. */
  readonly folder: string;
  /** Ends it: at once, unless another signal is named. Resolves once it is gone. */
  kill(signal?: Deno.Signal): Promise<void>;
  /** Starts it again with the same data at the same address. Resolves once it answers. */
  start(): Promise<void>;
}

/**
 * Starts a server; resolves once it answers.
 *
 * @param spec What to start.
 * @param given A folder for its data; by default a temporary one, which is removed in the end.
 */
export async function startServer(
  spec: ServerSpec,
  given: { readonly folder?: string | undefined } = {},
): Promise<TestServer> {
  const folder = given.folder ?? await Deno.makeTempDir({ prefix: `penstock-${spec.program}-` });
  for (let attempt = 1;; attempt++) {
    const server = new ServerProcess(spec, folder, given.folder === undefined);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.kill();
      if (attempt < ATTEMPTS) continue;
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }
}

class ServerProcess implements TestServer {
  readonly url: string;
  readonly folder: string;
  readonly #spec: ServerSpec;
  readonly #isTemporary: boolean;
  readonly #address: string;
  #child: Deno.ChildProcess | undefined;
  #log: Promise<void> = Promise.resolve();
  #tail = "";

  constructor(spec: ServerSpec, folder: string, isTemporary: boolean) {
    this.#spec = spec;
    this.folder = folder;
    this.#isTemporary = isTemporary;
    this.#address = `127.0.0.1:${freePort()}`;
    this.url = `http://${this.#address}`;
  }

  async start(): Promise<void> {
    const { program, args, env } = this.#spec;
    const child = this.#child = new Deno.Command(program, {
      args: [...args(this.#address, this.folder)],
      env: { ...env?.(this.#address, this.folder), HOME: this.folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#log = this.#follow(child.stderr);
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    for (let waitedMs = 0; waitedMs < READY_MS; waitedMs += POLL_MS) {
      if (hasEnded) throw new Error(`${program} ended at once: ${this.#tail}`);
      if (await this.#isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`${program} was not ready in ${READY_MS} ms: ${this.#tail}`);
  }

  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    try {
      child?.kill(signal);
    } catch (error) {
      // It may have ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
    await child?.status;
    await this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#isTemporary) await Deno.remove(this.folder, { recursive: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}${this.#spec.readyPath}`);
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  /** Reads on, as a full pipe would stop the server; keeps the end for messages. */
  async #follow(stderr: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stderr) {
      const text = this.#tail + decoder.decode(chunk, { stream: true });
      this.#tail = text.slice(-TAIL_CHARACTERS);
    }
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
