/** Stores of every kind with the same points in them: real servers where there are, else imitated ones. */

import type { InfluxClient } from "../../../clients/influxdb/client.ts";
import type { ServerKind } from "../../../clients/influxdb/connection.ts";
import type { FieldType, Point, PointShape } from "../../../engine/point.ts";
import { encodeLineProtocol } from "../../../sinks/_line_protocol.ts";
import type { FakeContext } from "../../contracts/context.ts";
import { startInfluxdb } from "../../servers/influxdb.ts";
import { type Program, testWith } from "../../servers/needs.ts";
import { startVictoriaMetrics } from "../../servers/victoria_metrics.ts";
import { clientOf, realContext } from "./_client.ts";
import { imitate } from "./_imitated.ts";

/** A store with points. */
export interface Store extends AsyncDisposable {
  readonly client: InfluxClient;
  readonly context: FakeContext;
  /** Adds points of a shape. */
  write(shape: PointShape, points: readonly Point[]): Promise<void>;
  /** How often it was asked. */
  requests(): number;
}

/** A kind of store. */
export interface StoreKind {
  readonly name: string;
  readonly kind: ServerKind;
  start(): Promise<Store>;
  readonly needs?: Program;
}

/** All kinds. */
export const STORES: readonly StoreKind[] = [
  { name: "InfluxDB 1.6.7", kind: "v1", needs: "influxd", start: startV1 },
  {
    name: "VictoriaMetrics",
    kind: "victoria_metrics",
    needs: "victoria-metrics",
    start: startVictoria,
  },
  { name: "an imitated InfluxDB 1", kind: "v1", start: () => startImitated("v1") },
  { name: "an imitated InfluxDB 2", kind: "v2", start: () => startImitated("v2") },
  { name: "an imitated InfluxDB 3", kind: "v3", start: () => startImitated("v3") },
  {
    name: "an imitated VictoriaMetrics",
    kind: "victoria_metrics",
    start: () => startImitated("victoria_metrics"),
  },
];

/** Registers a test for every kind of store. */
export function testStores(
  name: string,
  fn: (store: Store, kind: ServerKind) => Promise<void>,
  kinds: readonly StoreKind[] = STORES,
): void {
  for (const { name: server, kind, start, needs } of kinds) {
    const run = async () => {
      await using store = await start();
      await fn(store, kind);
    };
    if (needs) testWith(needs, `${name}: ${server}`, run);
    else Deno.test(`${name}: ${server}`, run);
  }
}

/** Points as line protocol with times in milliseconds, whatever tags they have. */
export function linesOf(shape: PointShape, points: readonly Point[]): string {
  const bySeries = Map.groupBy(points, ({ tags }) => tags);
  const texts = Array.from(bySeries, ([tags, own]) => {
    const bytes = encodeLineProtocol(own, {
      shapes: [{ ...shape, tags: Object.keys(tags) }],
      reject: (_index, error) => {
        throw error;
      },
    }, "ms");
    return new TextDecoder().decode(bytes);
  });
  return texts.join("");
}

function counting(): { readonly context: FakeContext; requests(): number } {
  let requests = 0;
  const context = realContext((url, init) => {
    requests++;
    return fetch(url, init);
  });
  return { context, requests: () => requests };
}

async function startV1(): Promise<Store> {
  const server = await startInfluxdb({ databases: ["market"] });
  const { context, requests } = counting();
  return {
    client: clientOf({ url: server.url, database: "market" }, context),
    context,
    requests,
    write: (shape, points) => server.write("market", linesOf(shape, points)),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function startVictoria(): Promise<Store> {
  const server = await startVictoriaMetrics();
  const { context, requests } = counting();
  const options = { url: server.url, server: "victoria_metrics", database: "market" } as const;
  return {
    client: clientOf(options, context),
    context,
    requests,
    async write(shape, points) {
      const body = linesOf(shape, points);
      await text(`${server.url}/write?db=market&precision=ms`, { method: "POST", body });
      await text(`${server.url}/internal/force_flush`);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function startImitated(kind: ServerKind): Promise<Store> {
  const points: Point[] = [];
  const types: Record<string, FieldType> = {};
  const { fetch, asked } = imitate({ kind, points, types });
  const context = realContext(fetch);
  return Promise.resolve({
    client: clientOf(OPTIONS[kind], context),
    context,
    requests: () => asked.length,
    write(shape, added) {
      Object.assign(types, shape.fields);
      points.push(...added);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** Options of imitated servers. */
export const OPTIONS = {
  v1: { url: "http://store.test:8086", database: "market" },
  v2: { url: "http://store.test:8086", org: "home", bucket: "market", token: "a-token" },
  v3: { url: "http://store.test:8181", version: 3, database: "market", token: "a-token" },
  victoria_metrics: {
    url: "http://store.test:8428",
    server: "victoria_metrics",
    database: "market",
  },
} as const;

async function text(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const body = await response.text();
  if (!response.ok) throw new Error(`The server answered ${response.status}: ${body}`);
  return body;
}
