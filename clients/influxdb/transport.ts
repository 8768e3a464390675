/**
 * InfluxDB's own client, on top of ours.
 *
 * What is sound in it is used: its query API, its reader of annotated CSV and its escaping of Flux.
 * Its transport is replaced, as that calls the global `fetch`, follows redirects and knows no
 * time-out; its write buffer is not used, as it loses lines.
 *
 * @module
 */

import {
  createTextDecoderCombiner,
  InfluxDB,
  type QueryApi,
  type SendOptions,
  type Transport,
} from "@influxdata/influxdb-client";
import type { InfluxClient, InfluxRequest } from "./client.ts";

/**
 * The query API of version 2, to ask in Flux. Escape values with the `flux` template of the same
 * package.
 *
 * Iterate over rows and leave the loop early as you like. Failures are thrown as those of
 * {@linkcode InfluxClient.request}.
 *
 * @param client The client to ask through.
 * @param action What is asked for, to follow "Cannot" in messages.
 */
export function queryApi(client: InfluxClient, action: string): QueryApi {
  const { url, org = "" } = client.connection;
  return new InfluxDB({ url, transport: transportOf(client, action) }).getQueryApi(org);
}

function transportOf(client: InfluxClient, action: string): Transport {
  const iterate = (path: string, body: unknown, options: SendOptions) =>
    client.stream(requestOf(action, path, body, options));
  return {
    chunkCombiner: createTextDecoderCombiner(),
    iterate,
    send: (path, body, options, callbacks = {}) => {
      const give = async () => {
        for await (const chunk of iterate(path, body, options)) callbacks.next?.(chunk);
      };
      give().then(() => callbacks.complete?.(), (error) => callbacks.error?.(error));
    },
    request: async (path, body, options) =>
      (await client.request(requestOf(action, path, body, options))).body,
  };
}

function requestOf(
  action: string,
  path: string,
  body: unknown,
  { method, headers = {} }: SendOptions,
): InfluxRequest {
  return {
    action,
    method: method === "GET" ? "GET" : "POST",
    path,
    headers: { "content-type": "application/json", ...headers },
    ...(method === "GET" ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}
