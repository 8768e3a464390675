/** Every pipeline that comes along uses the permissions it declares, and no others: Deno itself tells. */

import { assert, assertEquals } from "@std/assert";
import { copy, isWithin, usedBy } from "./_audit.ts";
import { join } from "@std/path";
import { end, start, temporaryFolder, TestExchange, writePipeline } from "./_penstock.ts";
import { CountingServer, ROOT } from "./_spy.ts";

const PIPELINES = (await Array.fromAsync(Deno.readDir(join(ROOT, "pipelines"))))
  .filter(({ name }) => /\.(yaml|ts)$/.test(name)).map(({ name }) => name).sort();

Deno.test("there are pipelines to look at", () => assert(PIPELINES.length >= 8, String(PIPELINES)));

for (const name of PIPELINES) {
  Deno.test(`${name} uses no permission but those it declares`, async () => {
    // Beside the originals, as their plugins import penstock by its place.
    await using pipelines = await copy(join(ROOT, "pipelines"), ROOT);
    await using store = new CountingServer(answer);
    const log = join(pipelines.path, "audit.jsonl");
    const url = `http://127.0.0.1:${store.port}`;
    const variables = {
      NO_COLOR: "1",
      INFLUX_URL: url,
      VICTORIA_METRICS_URL: url,
      INFLUX_TOKEN: "a-token",
    };
    const child = start(
      ["run", join(pipelines.path, name), "--simulate", "--state", pipelines.path, "--verbose"],
      { env: { ...variables, DENO_AUDIT_PERMISSIONS: log } },
    );
    const printed = new Response(child.stdout).arrayBuffer();
    let said = "";
    let isStopped = false;
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      // Live ones go on for ever, and the store that is none makes others try for ever.
      if (isStopped || !/epoch=2\b|attempt=2\b/.test(said)) continue;
      isStopped = true;
      child.kill("SIGTERM");
    }
    await Promise.all([printed, child.status]);
    const [, declared = ""] = /It may reach:\n((?: {2}.*\n)+)/.exec(said) ?? [];
    const allowed = declared.trim().split("\n").map((line) => line.trim().split(/ +/).join(" "));
    const explained = await explain(join(pipelines.path, name), variables);
    const [host] = /127\.0\.0\.1:\d+/.exec(allowed.find((one) => !explained.includes(one)) ?? "") ??
      [];
    // The simulated exchange takes the place of the real one; checkpoints are no step's.
    const real = explained.filter((one) => !/^net .*\.binance\.com:/.test(one));
    const planned = allowed.filter((one) =>
      one !== `net ${host}` && !one.endsWith(`${pipelines.path}/${name.split(".")[0]}`)
    );
    assertEquals(planned, real, "What is planned must be what `explain` prints");
    const used = await usedBy(`${log}.confined`);
    assert(used.some((one) => one.startsWith("net ") || one.startsWith("read ")), said);
    assertEquals(
      used.filter((one) => !allowed.some((by) => isWithin(one, by))),
      [],
      `${said}\nallowed: ${allowed.join(", ")}`,
    );
  });
}

/** The permissions that `explain` prints. */
async function explain(file: string, env: Record<string, string>): Promise<string[]> {
  const { code, stdout, stderr } = await end(start(["explain", file, "--format", "json"], { env }));
  assertEquals(code, 0, stderr);
  const { permissions } = JSON.parse(stdout);
  return ["net", "read", "write", "env"].flatMap((kind) =>
    permissions[kind].map((value: string) => `${kind} ${value}`)
  );
}

/** As much of a store as lets a run begin. */
function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname.endsWith("/query")) return Response.json({ results: [{ statement_id: 0 }] });
  return new Response(null, { status: 204, headers: { "x-influxdb-version": "1.8.10" } });
}

Deno.test("what only looks may write nowhere: check --probe, audit without --repair", async () => {
  await using exchange = new TestExchange();
  await using store = new CountingServer(answer);
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, {
    name: "looked_at",
    sources: [{
      use: "binance_rest",
      with: { symbols: ["BTCUSDT"], interval: "1h", from: "1 day ago", base_url: exchange.rest },
    }],
    transforms: [{ use: "kline" }],
    sinks: [
      { use: "file", with: { path: "out.lp" } },
      { use: "influxdb", with: { url: `http://127.0.0.1:${store.port}`, database: "market" } },
    ],
    dead_letter: { use: "file", with: { path: "refused.jsonl", format: "json" } },
  });
  const reachOf = async (...args: string[]) => {
    const { stderr } = await end(start([...args, "--verbose"]));
    const [, reach = stderr] = /It may reach:\n((?: {2}.*\n)+)/.exec(stderr) ?? [];
    return reach.trim().split("\n").map((line) => line.trim().split(/ +/).join(" "));
  };
  const hosts = [exchange.rest.slice("http://".length), `127.0.0.1:${store.port}`].sort();
  const looked = [
    ...hosts.map((host) => `net ${host}`),
    ...["out.lp", "refused.jsonl"].map((name) => `read ${join(temporary.path, name)}`),
  ];
  const state = `read ${join(temporary.path, ".penstock/looked_at")}`;
  assertEquals(await reachOf("check", file, "--probe"), looked);
  assertEquals((await reachOf("audit", file)).toSorted(), [...looked, state].toSorted());
  const repairing = await reachOf("audit", file, "--repair");
  assert(repairing.includes(`write ${join(temporary.path, "out.lp")}`), repairing.join());
});
