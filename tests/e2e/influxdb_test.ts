/** penstock as a user starts it, writing to real servers that fail, lack something or are killed. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { hasProgram, testWith } from "../servers/needs.ts";
import { ADMIN, startInfluxdb } from "../servers/influxdb.ts";
import { startVictoriaMetrics } from "../servers/victoria_metrics.ts";
import { runIntoInfluxdb } from "./_into_influxdb.ts";
import { type Ended, penstock, start, temporaryFolder, writePipeline } from "./_penstock.ts";

const CANDLES = fromFileUrl(new URL("./_generated_candles.ts", import.meta.url));
const EXIT_PIPELINE_FILE = 78;

/** A pipeline of so many candles into a sink with these options. */
function pipelineOf(sink: Readonly<Record<string, unknown>>, minutes = 100) {
  return {
    name: "market",
    sources: [{ use: CANDLES, with: { symbols: ["BTCUSDT"], minutes } }],
    transforms: [{ use: "kline" }],
    sinks: [{ use: "influxdb", with: sink }],
  };
}

/** Runs such a pipeline, in a folder that is gone afterwards. */
async function runInto(sink: Readonly<Record<string, unknown>>, minutes?: number): Promise<Ended> {
  await using folder = await temporaryFolder();
  return await penstock("run", await writePipeline(folder.path, pipelineOf(sink, minutes)));
}

testWith(
  "influxd",
  "candles are stored once, whatever is killed, and writing them again changes nothing",
  async () => {
    const shared = { minutes: 6_000, epochRecords: 1_500 };
    await runIntoInfluxdb({ ...shared, processKills: 3, serverKills: 0 });
    await runIntoInfluxdb({ ...shared, processKills: 0, serverKills: 2 });
  },
);

testWith("influxd", "a run that cannot write says why in one message and one hint", async () => {
  await using server = await startInfluxdb({ auth: true, databases: ["market"] });
  await server.query("CREATE USER reader WITH PASSWORD 'reads only'");
  await server.query("GRANT READ ON market TO reader");
  const right = { url: server.url, database: "market", ...ADMIN };
  const host = server.url.replace("http://", "");
  const said = `Cannot write to database "market": InfluxDB at ${host} answered`;
  const cases: [Readonly<Record<string, unknown>>, string, string][] = [
    [
      { ...right, password: "a wrong password" },
      `${said} 401, "authorization failed"`,
      "Check `username` and `password`, and that `version` is that of the server",
    ],
    [
      { url: server.url, database: "market", token: "a wrong token" },
      `${said} 401, "unable to parse authentication credentials"`,
      "Check `token`, and that `version` is that of the server",
    ],
    [
      { ...right, database: "markt" },
      `Cannot write to database "markt": InfluxDB at ${host} must have database "markt", found market`,
      "Check `database`, or set `create: true` to have it made",
    ],
    [
      { ...right, username: "reader", password: "reads only" },
      `${said} 403, ""reader" user is not authorized to write to database "market""`,
      'Let the user do it: GRANT ALL ON "market" TO "reader", or name another `username`',
    ],
    [
      { url: server.url, org: "home", bucket: "market", token: "a token" },
      `Cannot write to bucket "market": InfluxDB at ${host} answered 404, "404 page not found"`,
      "Check `url`, `server` and `version`: the server has nothing at that path, and says that it is of version 1.",
    ],
    [
      { url: server.url, version: 3, database: "market", token: "a token" },
      `${said} 404, "404 page not found"`,
      "Check `url`, `server` and `version`: the server has nothing at that path, and says that it is of version 1.",
    ],
    [
      { url: server.url, server: "victoria_metrics", database: "market" },
      `Cannot write to label db="market": VictoriaMetrics at ${host} answered 404`,
      "Check `url`, `server` and `version`: the server has nothing at that path, and says that it is of version 1.",
    ],
    [
      { ...right, url: server.url.replace("http:", "https:") },
      `Cannot connect to InfluxDB at ${host}:`,
      "Check `url`: whether it must be http or https, and the certificate of the server",
    ],
  ];
  for (const [sink, message, hint] of cases) {
    const { code, stderr } = await runInto(sink);
    assertEquals(code, EXIT_PIPELINE_FILE, stderr);
    assertMatch(stderr, /^error: .*\n {2}hint: .*\n$/);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, `  hint: ${hint}`);
  }
  assertEquals(await server.query("SHOW SERIES", "market"), []);
});

testWith(
  "influxd",
  "a run waits for a server that is down at its start, and for one that goes away for long",
  async () => {
    await using server = await startInfluxdb({ databases: ["market"] });
    await using folder = await temporaryFolder();
    const sink = { url: server.url, database: "market" };
    const file = await writePipeline(folder.path, pipelineOf(sink, 40_000));
    await server.kill();
    const child = start(["run", file]);
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    const until = async (text: string) => {
      while (!said.includes(text)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`penstock ended before it said "${text}": ${said}`);
        said += value;
      }
    };
    await until("Cannot open sink");
    assertStringIncludes(said, "Cannot reach InfluxDB at");
    assertStringIncludes(said, "next_attempt_ms=");
    await server.start();
    await until("Could open sink");
    await server.kill();
    await until("Cannot deliver");
    await server.start();
    await until("the ledger balances");
    while (!(await reader.read()).done);
    await child.stdout.cancel();
    assertEquals((await child.status).code, 0, said);
    const [series] = await server.query("SELECT count(close) FROM kline", "market");
    assertEquals(series?.values[0]?.[1], 40_000);
  },
);

testWith(
  "influxd",
  "of 5,000 lines with 7 bad ones 4,993 are stored and exactly 7 become dead letters",
  async () => {
    await using server = await startInfluxdb({ databases: ["market"] });
    await using folder = await temporaryFolder();
    const bad = [0, 77, 1_234, 2_499, 2_500, 4_000, 4_999];
    await Deno.writeTextFile(join(folder.path, "mixed.ts"), mixedSource(bad));
    const file = await writePipeline(folder.path, {
      name: "mixed",
      sources: [{ use: "./mixed.ts" }],
      sinks: [{
        use: "influxdb",
        with: { url: server.url, database: "market" },
        on_error: "dead_letter",
      }],
      dead_letter: { use: "file", with: { path: "rejected.jsonl" } },
    });
    // Points outside of what the policy keeps are refused by the server alone.
    await server.query(
      "ALTER RETENTION POLICY autogen ON market DURATION 100w SHARD DURATION 7d DEFAULT",
    );
    const { code, stderr } = await penstock("run", file);
    assertEquals(code, 0, stderr);
    const [series] = await server.query("SELECT count(value) FROM mixed", "market");
    assertEquals(series?.values[0]?.[1], 4_993);
    const letters = (await Deno.readTextFile(join(folder.path, "rejected.jsonl"))).trimEnd()
      .split("\n").map((line) => JSON.parse(line));
    assertEquals(letters.map(({ record }) => Number(record.fields.value)), bad);
    for (const { reason } of letters) {
      assertStringIncludes(reason, "partial write: points beyond retention policy dropped=1");
    }
    assertMatch(stderr, /sink +influxdb +in 5,000 +acknowledged 4,993 +filtered 0 +rejected 7/);
  },
);

/** A source of 5,000 points of now, some of them of long ago. */
function mixedSource(bad: readonly number[]): string {
  const mod = new URL("../../mod.ts", import.meta.url).href;
  return `import { z } from "zod";
import { defineSource } from ${JSON.stringify(mod)};
const bad = new Set(${JSON.stringify(bad)});
export default defineSource({
  id: "mixed",
  summary: "Gives points of now and of long ago",
  options: z.strictObject({}),
  replay: "exact",
  shape: () => ({ kind: "point", measurement: "mixed", tags: ["series"], fields: { value: "integer" } }),
  async *read(_options, from, context) {
    const nowMs = context.now();
    const tags = { series: "a" };
    const records = Array.from({ length: 5_000 }, (_, at) => ({
      measurement: "mixed", tags, fields: { value: at },
      timeMs: bad.has(at) ? ${Date.UTC(2001, 0, 1)} + at : nowMs + at,
    }));
    yield { records: from.done ? [] : records, position: { done: true } };
  },
});
`;
}

/** A folder on a disk of three megabytes; nothing where that may not be made. */
async function tinyDisk(): Promise<({ readonly path: string } & AsyncDisposable) | undefined> {
  const path = await Deno.makeTempDir({ prefix: "penstock-disk-" });
  const mount = await run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path);
  if (!mount) {
    await Deno.remove(path);
    return undefined;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" })
      .output();
    return success;
  } catch {
    return false;
  }
}

const disk = hasProgram("influxd") ? await tinyDisk() : undefined;
await disk?.[Symbol.asyncDispose]();

Deno.test({
  name:
    "a run into a server whose disk is full stops at once, and goes on once it has been mended" +
    (disk ? "" : " (needs influxd, and the right to mount a disk)"),
  ignore: disk === undefined,
  fn: async () => {
    await using disk = await tinyDisk();
    await using server = await startInfluxdb({ databases: ["market"], folder: disk?.path ?? "" });
    await using folder = await temporaryFolder();
    const sink = { url: server.url, database: "market" };
    const file = await writePipeline(folder.path, {
      ...pipelineOf(sink, 90_000),
      epoch: { records: 10_000 },
    });
    const full = await penstock("run", file);
    assertEquals(full.code, 1, full.stderr);
    assertMatch(
      full.stderr,
      /error: .*Cannot write points: InfluxDB at .* answered 500, "engine: error writing WAL entry: .* no space left on device"\n {2}hint: Free some space on the disk of the server, restart it twice, then run it again: nothing is lost\n/,
    );
    await run("mount", "-o", "remount,size=100m", disk?.path ?? "");
    for (let restart = 1; restart <= 2; restart++) {
      await server.kill("SIGTERM");
      await server.start();
    }
    const { code, stderr } = await penstock("run", file);
    assertEquals(code, 0, stderr);
    for (let restart = 1; restart <= 2; restart++) {
      const [series] = await server.query("SELECT count(close) FROM kline", "market");
      assertEquals(series?.values[0]?.[1], 90_000);
      await server.kill();
      await server.start();
    }
  },
});

testWith(
  "victoria-metrics",
  "candles go into VictoriaMetrics, and its weaker promise is told",
  async () => {
    await using server = await startVictoriaMetrics();
    const sink = { url: server.url, server: "victoria_metrics", database: "market" };
    const { code, stderr } = await runInto(sink, 5_000);
    assertEquals(code, 0, stderr);
    const samples = await server.export('{db="market",__name__="kline_close"}');
    assertEquals(samples.length, 1);
    assertEquals(samples[0]?.timestamps.length, 5_000);
    assertEquals(samples[0]?.metric.symbol, "BTCUSDT");
    await using folder = await temporaryFolder();
    const file = await writePipeline(folder.path, pipelineOf(sink));
    const { stdout } = await penstock("check", file, "--probe");
    assertStringIncludes(stdout, "guarantee  influxdb: at least once");
    assertStringIncludes(stdout, "VictoriaMetrics acknowledges before points are on its disk");
    assertStringIncludes(stdout, 'probe      influxdb: label db="market" of VictoriaMetrics at');
  },
);

testWith("influxd", "check --probe tries a pipeline's servers, and writes nothing", async () => {
  await using server = await startInfluxdb({ databases: ["market"] });
  await using folder = await temporaryFolder();
  const good = await writePipeline(
    folder.path,
    pipelineOf({ url: server.url, database: "market" }),
  );
  const found = await penstock("check", good, "--probe");
  assertEquals(found.code, 0, found.stderr);
  assertMatch(found.stdout, /probe +influxdb: database "market" of .* can be written to; no field/);
  assertEquals(await server.query("SHOW SERIES", "market"), []);
  await server.write("market", "kline close=1i 1000");
  const wrong = await penstock("check", good, "--probe");
  assertEquals(wrong.code, 1, wrong.stdout);
  assertStringIncludes(wrong.stdout, '"close" of "kline" must be integer: it is declared as float');
  const plain = await penstock("check", good);
  assertEquals(plain.code, 0);
  assert(!plain.stdout.includes("probe"));
});
