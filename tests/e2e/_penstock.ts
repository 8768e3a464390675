/** penstock as a user starts it: a process of its own, against a simulated exchange on loopback. */

import { delay } from "@std/async";
import { fromFileUrl, join } from "@std/path";
import { V8_FLAGS } from "../../cli/confine/flags.ts";
import { systemClock } from "../../engine/clock.ts";
import { createSimulator, type Scenario, serveSimulator } from "../../simulator/mod.ts";

const CLI = fromFileUrl(new URL("../../cli.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** What a process left behind. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What Deno is called with to run penstock with what `deno task run` allows it.
 *
 * @param how What else Deno is told.
 */
export function commandOf(args: readonly string[], how: readonly string[] = []): string[] {
  const flags = ["--quiet", "--no-prompt", V8_FLAGS, `--config=${CONFIG}`, "-P=planner", ...how];
  return ["run", ...flags, CLI, ...args];
}

/** Starts penstock with what `deno task run` allows it. */
export function start(
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: commandOf(args),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  }).spawn();
}

/** How often a confined process is looked for, 10 ms apart: none is there, then. */
const MOST_LOOKS = 6_000;

/**
 * The confined process of a run, by its id: it is the one that reads, writes and saves. Waits until
 * it is there.
 */
export async function confinedOf(child: Deno.ChildProcess): Promise<number> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const pid = await findConfined(child);
    if (pid !== undefined) return pid;
    await delay(10);
  }
  await killRun(child);
  throw new Error("Cannot find the confined process: none was started");
}

async function findConfined(child: Deno.ChildProcess): Promise<number | undefined> {
  // Linux tells without any tool; elsewhere `pgrep` is a part of the system.
  const [program, ...args] = Deno.build.os === "linux"
    ? ["cat", `/proc/${child.pid}/task/${child.pid}/children`]
    : ["pgrep", "-P", String(child.pid)];
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
  return Number.parseInt(new TextDecoder().decode(stdout)) || undefined;
}

/** Kills a run, as a power cut does: the process that runs it, and the one that watches it. */
export async function killRun(child: Deno.ChildProcess): Promise<void> {
  const confined = await findConfined(child);
  // At once, so that neither notices the death of the other.
  for (
    const kill of [() => confined && Deno.kill(confined, "SIGKILL"), () => child.kill("SIGKILL")]
  ) {
    try {
      kill();
    } catch (error) {
      // It has just ended by itself.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Waits for a process to end. */
export async function end(child: Deno.ChildProcess): Promise<Ended> {
  const { code, signal, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs penstock to its end. */
export function penstock(...args: string[]): Promise<Ended> {
  return end(start(args));
}

/** A simulated exchange on loopback, and a call at a request of one's choice. */
export class TestExchange implements AsyncDisposable {
  readonly rest: string;
  readonly #close: () => Promise<void>;
  #asked = 0;
  #first = Infinity;
  #last = -Infinity;
  #call: () => void | Promise<void> = () => {};

  constructor(scenario: Scenario = {}) {
    const simulator = createSimulator(scenario, {
      clock: systemClock,
      onRequest: ({ path }) => {
        if (!path.endsWith("/klines")) return;
        const nth = ++this.#asked;
        if (nth >= this.#first && nth <= this.#last) return this.#call();
      },
    });
    const { rest, close } = serveSimulator(simulator);
    this.rest = rest;
    this.#close = close;
  }

  /** Calls at the nth request for candles from now on; it is answered when the call is over. */
  at(nth: number, call: () => void | Promise<void>): void {
    this.#asked = 0;
    this.#first = this.#last = nth;
    this.#call = call;
  }

  /** Answers no request for candles before that: one that took too long comes again, too. */
  hold(until: Promise<void>, asked: () => void): void {
    this.at(1, () => {
      asked();
      return until;
    });
    this.#last = Infinity;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** A folder of its own that is gone afterwards. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "penstock-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A source of the hourly candles of a symbol: those of one day, or up to another one. */
export function hourly(base_url: string, to = "2024-03-02"): unknown {
  return {
    use: "binance_rest",
    with: { symbols: ["BTCUSDT"], interval: "1h", from: "2024-03-01", to, base_url },
  };
}

/** Writes a pipeline file and gives its path. */
export async function writePipeline(folder: string, pipeline: unknown): Promise<string> {
  const path = join(folder, "pipeline.json");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(pipeline));
  return path;
}
