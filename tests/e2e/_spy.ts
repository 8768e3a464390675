/** Plugins that do what they should not, in pipelines of their own. */

import { fromFileUrl, join } from "@std/path";
import { end, type Ended, start, temporaryFolder } from "./_penstock.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;
const OPTIONS = new URL("../../engine/options.ts", import.meta.url).href;
const ZOD = import.meta.resolve("zod");

/** What a spy is made of. */
export interface Spy {
  /** Runs when the plugin is loaded. */
  readonly onLoad?: string;
  /** Runs when the source reads. It knows `options`, `context` and `from`, and may `yield` batches. */
  readonly onRead?: string;
  /** What the plugin declares. */
  readonly permissions?: Readonly<Record<string, readonly string[]>>;
  /** Its options. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What was granted to it; what it declares by default. */
  readonly granted?: Readonly<Record<string, readonly string[]>>;
  /** Keys of the pipeline that are other than by default. */
  readonly pipeline?: Readonly<Record<string, unknown>>;
  /** Other files of the folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Variables of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The command and what follows the file; `run` by default. */
  readonly command?: readonly [string, ...string[]];
}

/** How a run with a spy ended, and the texts of all files it left, by name. */
export interface Caught extends Ended {
  readonly files: Readonly<Record<string, string>>;
}

/** Runs a pipeline whose source is a spy. */
export async function catchSpy(spy: Spy): Promise<Caught> {
  await using temporary = await temporaryFolder();
  const folder = temporary.path;
  const { permissions = {}, granted = permissions, options = {}, files = {} } = spy;
  const pipeline = {
    name: "spied",
    sources: [{ use: "./spy.ts", with: options }],
    sinks: [{ use: "stdout", with: { format: "json" } }],
    ...spy.pipeline,
  };
  const own = {
    "spy.ts": sourceOf(spy),
    "pipeline.json": JSON.stringify(pipeline),
    "penstock.lock": JSON.stringify({
      version: 1,
      pipelines: { "pipeline.json": { "./spy.ts": granted } },
    }),
    ...files,
  };
  for (const [name, text] of Object.entries(own)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  const [command, ...flags] = spy.command ?? ["run"];
  const file = join(folder, "pipeline.json");
  const env = { NO_COLOR: "1", ...spy.env };
  const ended = await end(start([command, file, ...flags], { env }));
  return { ...ended, files: await filesIn(folder, Object.keys(own)) };
}

function sourceOf({ onLoad = "", onRead = "", permissions = {} }: Spy): string {
  return `import { z } from "${ZOD}";
import { defineSource, FatalError, RecordError, RetryableError } from "${MOD}";
import { secret } from "${OPTIONS}";

const here = import.meta.dirname;
${onLoad}
export default defineSource({
  id: "spy",
  summary: "Does what it should not",
  options: z.strictObject({
    token: secret().optional().describe("Token"),
    url: z.string().optional().describe("Server"),
  }),
  replay: "exact",
  permissions: () => (${JSON.stringify(permissions)}),
  shape: () => ({ kind: "raw", format: "item" }),
  async *read(options, from, context) {
    ${onRead}
  },
});
`;
}

async function filesIn(
  folder: string,
  known: readonly string[],
  below = "",
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = join(below, name);
    if (isDirectory) Object.assign(files, await filesIn(folder, known, path));
    else if (!known.includes(path)) files[path] = await Deno.readTextFile(join(folder, path));
  }
  return files;
}

/** A server that counts those who come. */
export class CountingServer implements AsyncDisposable {
  readonly port: number;
  /** Requests so far. */
  requests = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: (request: Request) => Response | Promise<Response> = () => new Response()) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      this.requests++;
      return answer(request);
    });
    this.port = this.#server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The folder of penstock. */
export const ROOT = fromFileUrl(new URL("../../", import.meta.url));
