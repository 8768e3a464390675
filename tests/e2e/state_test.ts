/** `penstock state` as a user meets it. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { fileCheckpoints } from "../../engine/checkpoint/checkpoint.ts";
import { penstock, temporaryFolder, TestExchange, writePipeline } from "./_penstock.ts";

function pipeline(rest: string): unknown {
  return {
    name: "history",
    sources: [{
      use: "binance_rest",
      with: {
        symbols: ["BTCUSDT", "ETHUSDT"],
        interval: "1h",
        from: "2024-03-01",
        to: "2024-03-03",
        base_url: rest,
      },
    }],
    transforms: [{ use: "kline" }, { use: "rsi" }],
    sinks: [{ use: "stdout" }],
  };
}

Deno.test("state show tells how far each series is, state export prints all of it", async () => {
  await using exchange = new TestExchange({
    halts: [{ from: "2024-03-01T05:00Z", to: "2024-03-01T08:00Z" }],
  });
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, pipeline(exchange.rest));
  const before = await penstock("state", "show", file);
  assertEquals(before.code, 1);
  assertStringIncludes(before.stderr, 'Cannot find a checkpoint of pipeline "history"');
  await penstock("run", file);
  const { code, stdout } = await penstock("state", "show", file);
  assertEquals(code, 0);
  assertMatch(stdout, /^pipeline history: checkpoint \d+, saved \S+Z \(\d+\.\d s ago\)/);
  assertMatch(stdout, /\n {2}BTCUSDT 1h {2}last 2024-03-02T23:00:00Z \(.* ago\), up to date\n/);
  assertStringIncludes(stdout, "holes 2, missing_candles 6");
  assertStringIncludes(stdout, "transform rsi: remembers 2 keys");
  const exported = JSON.parse((await penstock("state", "export", file)).stdout);
  assertEquals(exported.positions.binance_rest["BTCUSDT@1h"].after, Date.UTC(2024, 2, 2, 23));
});

Deno.test("state reset --series reads that series once more, and keeps the checkpoint as it was", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, pipeline(exchange.rest));
  const first = await penstock("run", file);
  const reset = await penstock("state", "reset", file, "--series", "ETHUSDT@1h");
  assertEquals([reset.code, reset.stdout], [0, ""]);
  assertStringIncludes(reset.stderr, "removed source binance_rest: ETHUSDT@1h\n");
  assertStringIncludes(reset.stderr, "or it will be there twice");
  const [, backup = ""] = /kept as it was: (.*)\n/.exec(reset.stderr) ?? [];
  assertStringIncludes(await Deno.readTextFile(backup), "ETHUSDT@1h");
  const again = await penstock("run", file);
  const lines = first.stdout.split("\n").filter((line) => line.includes("symbol=ETHUSDT"));
  assertEquals(again.stdout, lines.map((line) => `${line}\n`).join(""));
  await penstock("state", "reset", file);
  assertEquals((await penstock("run", file)).stdout, first.stdout);
});

Deno.test("state reset refuses while a run holds the checkpoint, and a step that is not there", async () => {
  await using exchange = new TestExchange();
  await using temporary = await temporaryFolder();
  const file = await writePipeline(temporary.path, pipeline(exchange.rest));
  await penstock("run", file);
  const folder = join(temporary.path, ".penstock/history");
  const before = await Deno.readTextFile(join(folder, "checkpoint"));
  const wrong = await penstock("state", "reset", file, "--step", "rsj");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, 'Did you mean "rsi"?');
  const held = await fileCheckpoints(folder, () => {});
  const refused = await penstock("state", "reset", file);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "another run uses");
  assertEquals((await penstock("state", "show", file)).code, 0);
  held.close();
  assertEquals(await Deno.readTextFile(join(folder, "checkpoint")), before);
});
