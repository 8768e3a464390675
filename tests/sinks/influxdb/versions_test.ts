/** The sink against each version of InfluxDB: 1 as it is installed, 2 and 3 imitated, and a given one. */

import { testWith } from "../../servers/needs.ts";
import { storeOfEnvironment, storeV1, storeV2, storeV3 } from "./_stores.ts";
import { runSuite } from "./_suite.ts";

testWith("influxd", "influxdb, against a real InfluxDB 1.x,", async (context) => {
  await using store = await storeV1();
  await runSuite(context, store);
});

Deno.test("influxdb, against an imitated InfluxDB 2,", async (context) => {
  await using store = storeV2();
  await runSuite(context, store);
});

Deno.test("influxdb, against an imitated InfluxDB 3,", async (context) => {
  await using store = storeV3();
  await runSuite(context, store);
});

const url = Deno.env.get("INFLUX_URL");

Deno.test({
  name: `influxdb, against the server at ${url ?? "INFLUX_URL, which is not set"},`,
  ignore: url === undefined,
  fn: async (context) => {
    await using store = storeOfEnvironment(url ?? "");
    await runSuite(context, store);
  },
});
