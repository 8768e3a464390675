import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { serveMetrics } from "../../cli/serve_metrics.ts";
import { FatalError } from "../../engine/errors.ts";
import { Monitor } from "../../engine/monitor/monitor.ts";

async function get(url: string, init?: RequestInit): Promise<[status: number, body: string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

Deno.test("serveMetrics() answers for metrics and health, on the loopback address alone", async () => {
  const monitor = new Monitor();
  monitor.measurements.of({ id: "feed", plugin: { id: "binance_rest" } }).count("requests");
  await using server = serveMetrics(0, monitor, "btc");
  assertEquals(new URL(server.url).hostname, "127.0.0.1");
  const response = await fetch(`${server.url}/metrics`);
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const metrics = await response.text();
  assertStringIncludes(
    metrics,
    'penstock_binance_rest_requests_total{step="feed",pipeline="btc"} 1',
  );
  assertStringIncludes(metrics, "\nprocess_resident_memory_bytes{");
  assertEquals(await get(`${server.url}/livez`), [200, "alive\n"]);
  assertEquals(await get(`${server.url}/readyz`), [
    503,
    "not ready: the run has not begun, or has ended\n",
  ]);
  assertEquals((await get(`${server.url}/`))[0], 404);
  assertEquals((await get(`${server.url}/metrics`, { method: "POST" }))[0], 405);
});

Deno.test("serveMetrics() is ready when nothing speaks against it", async () => {
  const monitor = new Monitor();
  monitor.unready = () => [];
  await using server = serveMetrics(0, monitor, "btc");
  assertEquals(await get(`${server.url}/readyz`), [200, "ready\n"]);
});

Deno.test("serveMetrics() says that a port is taken", async () => {
  await using server = serveMetrics(0, new Monitor(), "btc");
  const port = Number(new URL(server.url).port);
  assertThrows(
    () => serveMetrics(port, new Monitor(), "btc"),
    FatalError,
    `Cannot serve metrics on port ${port} as it must be free: it is taken`,
  );
});
