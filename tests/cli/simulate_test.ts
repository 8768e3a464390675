import { assertEquals, assertNotEquals } from "@std/assert";
import { startSimulator } from "../../cli/simulate.ts";

Deno.test("a simulated exchange listens where it is told, or elsewhere if another one does", async () => {
  // No system gives such ports to those who ask for any, and no other process has our id.
  const port = 20_000 + Deno.pid % 10_000;
  await using first = await startSimulator("", port);
  await using second = await startSimulator("", port);
  await Promise.all([first.make(), second.make()]);
  assertEquals(first.port, port);
  assertNotEquals(second.port, port);
});

Deno.test(
  "a simulated exchange listens elsewhere where it may not listen",
  { permissions: { net: ["127.0.0.1:0"] } },
  async () => {
    await using exchange = await startSimulator("", 40_000);
    assertNotEquals(exchange.port, 40_000);
    await exchange.make();
  },
);
