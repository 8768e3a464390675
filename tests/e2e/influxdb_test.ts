/** penstock as a user starts it, writing to real servers that fail, lack something or are killed. */

import { testWith } from "../servers/needs.ts";
import { runIntoInfluxdb } from "./_into_influxdb.ts";

testWith(
  "influxd",
  "candles are stored once, whatever is killed, and writing them again changes nothing",
  async () => {
    const shared = { minutes: 12_000, epochRecords: 3_000 };
    await runIntoInfluxdb({ ...shared, processKills: 3, serverKills: 0 });
    await runIntoInfluxdb({ ...shared, processKills: 0, serverKills: 2 });
  },
);
