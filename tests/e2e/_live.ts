/** Live runs as a user has them: penstock in one process, the exchange in another. */

import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { fromFileUrl, join } from "@std/path";
import type { Scenario } from "../../simulator/mod.ts";
import { end, type Ended, start, writePipeline } from "./_penstock.ts";

const SIMULATOR = fromFileUrl(new URL("../../simulator/main.ts", import.meta.url));
/** Whether the long form runs: `deno task prove`. */
export const IS_LONG = Deno.env.get("PROVE") === "long";
/** Until then a file must be complete, however slow the machine is. */
const PATIENCE_MS = 60_000;
const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

/** Where a simulated exchange listens. */
export interface Urls {
  readonly rest: string;
  readonly stream: string;
}

/** A simulated exchange in a process of its own. */
export class ExchangeProcess implements AsyncDisposable {
  readonly urls: Urls;
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, urls: Urls) {
    this.#child = child;
    this.urls = urls;
    this.port = Number(new URL(urls.rest).port);
  }

  /** Starts one; its market is the same whenever it is started. */
  static async start(folder: string, scenario: Scenario = {}, port = 0): Promise<ExchangeProcess> {
    const path = join(folder, `scenario-${crypto.randomUUID()}.json`);
    await Deno.writeTextFile(path, JSON.stringify(scenario));
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-env"],
        ...["--allow-net=127.0.0.1", SIMULATOR, "--port", `${port}`, "--scenario", path],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream());
    let said = "";
    for await (const text of lines) {
      said += text;
      if (said.includes("\n")) break;
    }
    return new ExchangeProcess(child, JSON.parse(said));
  }

  /** Kills it, as a power cut does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#child);
  }
}

async function kill(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It is dead already.
  }
  await child.status;
}

/** A live pipeline into a file, in a folder of its own. */
export class LivePipeline implements AsyncDisposable {
  /** The pipeline file. */
  readonly path: string;
  #child: Deno.ChildProcess | undefined;
  readonly #out: string;
  readonly #fromMs: number;

  private constructor(path: string, out: string, fromMs: number) {
    this.path = path;
    this.#out = out;
    this.#fromMs = fromMs;
  }

  /** Writes the file of a pipeline that begins at a moment: seconds of three symbols, with RSI. */
  static async write(folder: string, { rest, stream }: Urls, fromMs: number) {
    const path = await writePipeline(folder, {
      name: "live",
      sources: [{
        use: "binance_websocket",
        with: {
          ...{ symbols: SYMBOLS, interval: "1s", from: fromMs, base_url: stream, rest_url: rest },
          ...{ late_s: 1, silence_s: 2 },
        },
      }],
      transforms: [{ use: "kline" }, { use: "rsi" }],
      sinks: [{ use: "file", with: { path: "out.lp" } }],
      epoch: { records: 10, ms: 400 },
    });
    return new LivePipeline(path, join(folder, "out.lp"), fromMs);
  }

  /** Starts a run of it. */
  start(): Deno.ChildProcess {
    this.#child = start(["run", this.path]);
    return this.#child;
  }

  /** Waits until a run has written all candles that open before a moment, and stops it. */
  async finish(child: Deno.ChildProcess, untilMs: number): Promise<string> {
    const ended = end(child);
    const deadlineMs = Date.now() + PATIENCE_MS;
    while (!await this.#hasReached(untilMs) && Date.now() < deadlineMs) await delay(200);
    child.kill("SIGINT");
    const { code, stderr }: Ended = await ended;
    assertEquals(code, 130, stderr);
    assert(stderr.includes("the ledger balances"), stderr);
    const lines = (await Deno.readTextFile(this.#out)).split("\n");
    const after = lines.findIndex((line) => line === "" || timeOf(line) >= untilMs);
    const before = lines.slice(0, after);
    assertEquals(before.length, SYMBOLS.length * (untilMs - this.#fromMs) / 1_000, stderr);
    return before.join("\n");
  }

  /** Kills what still runs, after a test that failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await kill(this.#child);
  }

  async #hasReached(untilMs: number): Promise<boolean> {
    const text = await Deno.readTextFile(this.#out).catch(() => "");
    const last = text.trimEnd().split("\n").at(-1) ?? "";
    // The last line may be half written.
    return text.endsWith("\n") && timeOf(last) > untilMs;
  }
}

/** The time of a line, in epoch milliseconds. */
function timeOf(line: string): number {
  return Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** A whole second, some time ago. */
export function secondsAgo(seconds: number): number {
  return 1_000 * (Math.floor(Date.now() / 1_000) - seconds);
}

/** One address behind which another server may be put. */
export class Relay implements Disposable {
  /** Where the next connection goes. */
  target: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** Listens, and carries each connection on to a port of this machine. */
  constructor(target: number) {
    this.target = target;
    void this.#accept();
  }

  /** Its address. */
  get urls(): Urls {
    const host = `127.0.0.1:${this.#listener.addr.port}`;
    return { rest: `http://${host}`, stream: `ws://${host}` };
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      void this.#carry(client).catch(() => {});
    }
  }

  async #carry(client: Deno.TcpConn): Promise<void> {
    try {
      using server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      await Promise.race([
        client.readable.pipeTo(server.writable, { preventClose: true }),
        server.readable.pipeTo(client.writable, { preventClose: true }),
      ]);
    } finally {
      client.close();
    }
  }
}
