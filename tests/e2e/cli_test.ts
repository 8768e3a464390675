/** The command line as a user meets it: exit codes, messages, and what goes where. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { end, penstock, start, temporaryFolder, TestExchange, writePipeline } from "./_penstock.ts";

const CUSTOM = fromFileUrl(new URL("../../pipelines/custom/csv_file.ts", import.meta.url));
const QUICKSTART = fromFileUrl(new URL("../../pipelines/quickstart.yaml", import.meta.url));

function history(rest: string, sinks: readonly unknown[], more: object = {}): unknown {
  return {
    name: "history",
    sources: [{
      use: "binance_rest",
      with: {
        symbols: ["BTCUSDT", "ETHUSDT"],
        interval: "1h",
        from: "2024-03-01",
        to: "2024-03-11",
        base_url: rest,
      },
    }],
    transforms: [{ use: "kline" }, { use: "rsi" }],
    sinks,
    ...more,
  };
}

Deno.test("dry-run prints the very bytes that run writes to the file", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const sinks = [{ use: "file", with: { path: "out.lp" } }];
  const file = await writePipeline(temporary.path, history(exchange.rest, sinks));
  const dry = await penstock("dry-run", file);
  assertEquals(dry.code, 0, dry.stderr);
  const names = await Array.fromAsync(Deno.readDir(temporary.path), ({ name }) => name);
  assertEquals(names, ["pipeline.json"]);
  const wet = await penstock("run", file);
  assertEquals(wet.code, 0, wet.stderr);
  assertEquals(wet.stdout, "");
  assertEquals(await Deno.readTextFile(join(temporary.path, "out.lp")), dry.stdout);
  assertEquals(dry.stdout.split("\n").length - 1, 2 * 240);
});

Deno.test("dry-run works where nothing may be written", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const sinks = [{ use: "file", with: { path: "/nowhere/out.lp" } }];
  const file = await writePipeline(temporary.path, history(exchange.rest, sinks));
  const { code, stderr } = await penstock("dry-run", file, "--limit", "5");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "5 records in this run");
});

Deno.test("dry-run --limit reads that many records and no more", async () => {
  const { code, stdout, stderr } = await penstock(
    "dry-run",
    QUICKSTART,
    "--simulate",
    "--limit",
    "7",
  );
  assertEquals(code, 0, stderr);
  assertEquals(stdout.split("\n").length - 1, 7);
});

Deno.test("run again goes on where the last run ended, and adds nothing to finished work", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const sinks = [{ use: "file", with: { path: "out.lp" } }];
  const file = await writePipeline(temporary.path, history(exchange.rest, sinks));
  await penstock("run", file);
  const before = await Deno.readTextFile(join(temporary.path, "out.lp"));
  const again = await penstock("run", file);
  assertEquals(again.code, 0, again.stderr);
  assertStringIncludes(again.stderr, "Going on from the last checkpoint");
  assertStringIncludes(again.stderr, "0 records in this run");
  assertEquals(await Deno.readTextFile(join(temporary.path, "out.lp")), before);
});

Deno.test("run ends with the line of its ledger, and sends data to standard output alone", async () => {
  const { code, stdout, stderr } = await penstock("run", QUICKSTART, "--simulate");
  assertEquals(code, 0, stderr);
  for (const line of stdout.trimEnd().split("\n")) {
    assertMatch(line, /^kline,base=(BTC|ETH|SOL),exchange=binance,interval=1m,/);
  }
  assertStringIncludes(stderr, "the ledger balances: every record is accounted for");
});

Deno.test("a refused record ends the run with its place and what to do", async () => {
  await using exchange = new TestExchange({
    faults: [{ kind: "rows", path: "/api/v3/klines", rows: { change: "short", row: 3 } }],
  });
  await using temporary = await temporaryFolder();
  const file = await writePipeline(
    temporary.path,
    history(exchange.rest, [{ use: "file", with: { path: "out.lp" } }]),
  );
  const { code, stderr } = await penstock("run", file);
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'Step "kline" refused a record');
  assertStringIncludes(stderr, "on_error: dead_letter");
});

Deno.test("a wrong pipeline file is exit code 78, with every mistake and its place", async () => {
  await using temporary = await temporaryFolder();
  const file = join(temporary.path, "wrong.yaml");
  await Deno.writeTextFile(
    file,
    `name: wrong
sources:
  - use: binance_rst
transforms:
  - use: rsi
    with: { perod: 14 }
sinks:
  - use: stdout
    with: { format: xml }
`,
  );
  for (const command of ["run", "dry-run", "check"]) {
    const { code, stdout, stderr } = await penstock(command, file);
    assertEquals(code, 78);
    assertEquals(stdout, "");
    assertStringIncludes(stderr, `${file}:3:10: `);
    assertStringIncludes(stderr, 'Did you mean "binance_rest"?');
    assertStringIncludes(stderr, `${file}:6:13: `);
    assertStringIncludes(stderr, 'Did you mean "period"?');
    assertStringIncludes(stderr, `${file}:9:21: `);
  }
});

Deno.test("an option that only the exchange can refuse is exit code 78 as well", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writePipeline(
    temporary.path,
    history(exchange.rest, [{ use: "stdout" }], {
      sources: [{
        use: "binance_rest",
        with: { symbols: ["BTCUSTD"], interval: "1h", from: "2024-03-01", base_url: exchange.rest },
      }],
    }),
  );
  const { code, stdout, stderr } = await penstock("run", file);
  assertEquals([code, stdout], [78, ""]);
  assertStringIncludes(stderr, 'Did you mean "BTCUSDT"');
});

Deno.test("wrong usage is exit code 2, with the nearest name", async () => {
  const cases: [string[], string][] = [
    [["runn", "x.yaml"], 'Did you mean "run"?'],
    [["run"], "it must have one FILE: it has 0"],
    [["run", "a", "b"], "it must have one FILE: it has 2"],
    [["run", "a", "--simulat"], 'Did you mean "--simulate"?'],
    [["check", "a", "--simulate"], 'Cannot use option of `check` "--simulate"'],
    [["dry-run", "a", "--limit", "0"], "must be a whole number above 0"],
    [["dry-run", "a", "--limit"], "must be a whole number above 0"],
    [["run", "a", "--log", "xml"], "must be text or json"],
    [["run", "a", "--state"], "must name a folder"],
    [["describe"], "it must have one NAME: it has 0"],
    [["run", QUICKSTART, "--simulate=nowhere.yaml"], 'Cannot read scenario "nowhere.yaml"'],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await penstock(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, message);
  }
});

Deno.test("--help is exit code 0 and names every command", async () => {
  const { code, stderr } = await penstock("--help");
  assertEquals(code, 0);
  for (const name of ["run", "dry-run", "check", "plugins", "describe", "schema"]) {
    assertStringIncludes(stderr, `penstock ${name}`);
  }
});

Deno.test("describe and schema come from the same zod object", async () => {
  const described = await penstock("describe", "rsi");
  const schema = JSON.parse((await penstock("schema")).stdout);
  assertStringIncludes(described.stdout, "Number of candles the averages go over");
  assertStringIncludes(JSON.stringify(schema), "Number of candles the averages go over");
  const custom = await penstock("describe", CUSTOM);
  assertStringIncludes(custom.stdout, "source csv_file: ");
  const missing = await penstock("describe", "./nowhere.ts");
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, 'Cannot describe "./nowhere.ts" as ');
  const unknown = await penstock("describe", "rsj");
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, 'Did you mean "rsi"?');
});

Deno.test("check says what a pipeline promises without asking anyone", async () => {
  await using temporary = await temporaryFolder();
  const file = await writePipeline(
    temporary.path,
    history("http://127.0.0.1:9", [{ use: "file", with: { path: "out.lp" } }]),
  );
  const { code, stdout } = await penstock("check", file);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "guarantee  file: exactly once");
});

Deno.test("--log json writes one JSON object a line", async () => {
  await using exchange = new TestExchange({ halts: [{ from: "2024-03-03", to: "2024-03-04" }] });
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, history(exchange.rest, [{ use: "stdout" }]));
  const { stderr } = await penstock("run", file, "--log", "json");
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(lines.some(({ message }) => String(message).includes("Hole in BTCUSDT")), stderr);
  assertStringIncludes(lines.at(-1).message, "the ledger balances");
  const wrong = await penstock("run", `${file}.not`, "--log", "json");
  assertEquals(wrong.code, 78);
  const { level, message } = JSON.parse(wrong.stderr);
  assertEquals(level, "ERROR");
  assertStringIncludes(message, "Cannot read the pipeline file: it is not there");
});

Deno.test("two runs of one pipeline at once: the second refuses", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writePipeline(
    temporary.path,
    history(exchange.rest, [{ use: "file", with: { path: "out.lp" } }]),
  );
  const first = start(["run", file]);
  const asked = Promise.withResolvers<void>();
  // The exchange lets the first one wait until the second one has been refused.
  const refused = Promise.withResolvers<void>();
  exchange.hold(refused.promise, asked.resolve);
  await asked.promise;
  const second = await penstock("run", file);
  refused.resolve();
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, "another run uses");
  assertEquals((await end(first)).code, 0);
});

Deno.test("a folder that cannot be written ends the run with its name and what to do", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  await Deno.writeTextFile(join(temporary.path, "taken"), "");
  const file = await writePipeline(
    temporary.path,
    history(exchange.rest, [{ use: "file", with: { path: "taken/out.lp" } }]),
  );
  const { code, stderr } = await penstock("run", file);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "taken");
  assert(!stderr.includes("    at "), stderr);
});

Deno.test("output that nobody reads any more ends the run quietly", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, history(exchange.rest, [{ use: "stdout" }]));
  const child = start(["dry-run", file]);
  await child.stdout.cancel();
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals([code, stderr], [141, ""]);
});

Deno.test("an error of a plugin's own is told with the name of its step", async () => {
  await using temporary = await temporaryFolder();
  const mod = new URL("../../mod.ts", import.meta.url).href;
  await Deno.writeTextFile(
    join(temporary.path, "broken.ts"),
    `import { defineSource, FatalError } from "${mod}";
import { z } from "${import.meta.resolve("zod")}";

export default defineSource({
  id: "broken",
  summary: "Fails",
  options: z.strictObject({}),
  replay: "exact",
  shape: () => ({ kind: "raw", format: "item" }),
  async *read() {
    throw new FatalError("The store is gone", { hint: "Bring it back" });
  },
});
`,
  );
  const file = await writePipeline(temporary.path, {
    name: "broken",
    sources: [{ use: "./broken.ts", id: "shop" }],
    sinks: [{ use: "stdout", with: { format: "json" } }],
  });
  const { code, stderr } = await penstock("run", file);
  assertEquals(code, 1);
  assertStringIncludes(stderr, 'error: Source "shop": The store is gone\n  hint: Bring it back\n');
});
