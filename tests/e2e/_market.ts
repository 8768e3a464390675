/** A market of three symbols that goes into a real InfluxDB, as users do it, and what is then stored. */

import { join } from "@std/path";
import { systemClock } from "../../engine/clock.ts";
import { createSimulator, type Scenario, serveSimulator } from "../../simulator/mod.ts";
import { type InfluxdbServer, startInfluxdb } from "../servers/influxdb.ts";
import { end, type Ended, start, temporaryFolder, writePipeline } from "./_penstock.ts";

/** The fields that `rsi` adds, in the order of their names. */
export const RSI_FIELDS = ["avg_gain_14", "avg_loss_14", "rsi_14"];

/** A question to the exchange for candles. */
export interface AskedCandles {
  readonly symbol: string;
  /** The first open time asked for, in epoch milliseconds. */
  readonly startMs: number;
}

/** An exchange and a store, with penstock between them. */
export class Market implements AsyncDisposable {
  readonly store: InfluxdbServer;
  /** What the exchange was asked for since it was last cleared. */
  readonly asked: AskedCandles[] = [];
  /** Its addresses. */
  readonly rest: string;
  readonly stream: string;
  readonly folder: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    scenario: Scenario,
    store: InfluxdbServer,
    folder: string,
    stack: AsyncDisposableStack,
  ) {
    const simulator = createSimulator(scenario, {
      clock: systemClock,
      onRequest: ({ path, params: { symbol = "", startTime } }) => {
        if (path.endsWith("/klines")) this.asked.push({ symbol, startMs: Number(startTime) });
      },
    });
    const { rest, stream, close } = serveSimulator(simulator);
    stack.defer(close);
    this.rest = rest;
    this.stream = stream;
    this.store = store;
    this.folder = folder;
    this.#stack = stack;
  }

  /** Opens both. */
  static async open(databases: readonly string[], scenario: Scenario = {}): Promise<Market> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await temporaryFolder());
    const store = stack.use(await startInfluxdb({ databases }));
    return new Market(scenario, store, folder.path, stack.move());
  }

  /** The `influxdb` step of a pipeline, as source or sink. */
  at(database: string, more: Readonly<Record<string, unknown>> = {}): unknown {
    return { use: "influxdb", with: { url: this.store.url, database, ...more } };
  }

  /** A pipeline that reads candles into a database. */
  history(
    database: string,
    source: Readonly<Record<string, unknown>>,
    transforms: readonly unknown[] = [{ use: "rsi" }],
  ): unknown {
    return {
      name: "history",
      sources: [{ use: "binance_rest", with: { base_url: this.rest, ...source } }],
      transforms: [{ use: "kline" }, ...transforms],
      sinks: [this.at(database)],
    };
  }

  /** Starts a run of a pipeline; runs of one name share their checkpoint. */
  async start(name: string, pipeline: unknown): Promise<Deno.ChildProcess> {
    return start(["run", await writePipeline(join(this.folder, name), pipeline)]);
  }

  /** Runs a pipeline to its end, which must be a good one. */
  async run(name: string, pipeline: unknown): Promise<Ended> {
    const ended = await end(await this.start(name, pipeline));
    if (ended.code !== 0) {
      throw new Error(`Run "${name}" ended with ${ended.code}: ${ended.stderr}`);
    }
    return ended;
  }

  /** Removes the checkpoint of the runs of a name. */
  async forget(name: string): Promise<void> {
    await Deno.remove(join(this.folder, name, ".penstock"), { recursive: true });
  }

  /** All that a database has of candles: a row for each point, as the server writes it. */
  async stored(database: string, fields = "*"): Promise<string[]> {
    const series = await this.store.query(`SELECT ${fields} FROM kline GROUP BY *`, database);
    return series.flatMap(({ tags, columns, values }) =>
      values.map((row) =>
        JSON.stringify([
          tags,
          ...columns.map((name, at) => [name, row[at]]).filter(([, value]) => value !== null),
        ])
      )
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
