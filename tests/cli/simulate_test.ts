import { assertNotEquals } from "@std/assert";
import { startSimulator } from "../../cli/simulate.ts";

Deno.test(
  "a simulated exchange listens elsewhere where the system keeps the port for itself",
  { permissions: { net: ["127.0.0.1:0"] } },
  async () => {
    await using exchange = await startSimulator("", 40_000);
    assertNotEquals(exchange.port, 40_000);
    await exchange.make();
  },
);
