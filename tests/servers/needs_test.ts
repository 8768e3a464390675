/** The real servers that tests run against: this test's name says which are there. */

import { assertEquals } from "@std/assert";
import { startInfluxdb } from "./influxdb.ts";
import { hasProgram, installHint, type Program, PROGRAMS, testWith } from "./needs.ts";
import { startVictoriaMetrics } from "./victoria_metrics.ts";

const programs = Object.keys(PROGRAMS) as Program[];
const missing = programs.filter((program) => !hasProgram(program));

Deno.test({
  name: missing.length === 0
    ? `tests run against real servers: ${programs.join(", ")}`
    : `SKIPPED: all tests against ${
      missing.map((program) => `${program} (${installHint(program)})`).join(", ")
    }`,
  ignore: missing.length > 0,
  fn: () => {},
});

testWith(
  "influxd",
  "startInfluxdb() keeps what was written when it is killed and started again",
  async () => {
    await using server = await startInfluxdb({ auth: true, databases: ["market"] });
    await server.write("market", "price,symbol=A close=1.5 1514764800000");
    await server.kill();
    await server.start();
    assertEquals(await server.query("SELECT close FROM price WHERE symbol = 'A'", "market"), [
      { name: "price", columns: ["time", "close"], values: [[1_514_764_800_000, 1.5]] },
    ]);
  },
);

testWith(
  "victoria-metrics",
  "startVictoriaMetrics() gives the samples that were written",
  async () => {
    await using server = await startVictoriaMetrics();
    const response = await fetch(`${server.url}/write?db=market&precision=ms`, {
      method: "POST",
      body: "price,symbol=A close=1.5 1514764800000",
    });
    assertEquals(response.status, 204);
    assertEquals(await server.export('{db="market"}'), [{
      metric: { __name__: "price_close", db: "market", symbol: "A" },
      values: [1.5],
      timestamps: [1_514_764_800_000],
    }]);
  },
);
