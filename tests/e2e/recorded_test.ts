/** Recorded candles of a real exchange through the whole of penstock. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { penstock, temporaryFolder, writePipeline } from "./_penstock.ts";

const RECORDED = fromFileUrl(
  new URL("../../../shared/data/rest-BTCUSDT-4h-2018-q1.json", import.meta.url),
);
const present = await Deno.stat(RECORDED).then(() => true, () => false);

Deno.test({
  name:
    "a dry run of the candles of early 2018 prints all 533, every digit, and names the one hole" +
    (present ? "" : " (skipped: needs ../shared)"),
  ignore: !present,
  fn: async () => {
    await using temporary = await temporaryFolder();
    const file = await writePipeline(temporary.path, {
      name: "recorded",
      sources: [{
        use: "binance_rest",
        with: { symbols: ["BTCUSDT"], interval: "4h", from: "2018-01-01", to: "2018-04-01" },
      }],
      transforms: [{ use: "kline" }, { use: "rsi" }],
      sinks: [{ use: "stdout" }],
    });
    const scenario = join(temporary.path, "scenario.json");
    await Deno.writeTextFile(
      scenario,
      JSON.stringify({ files: [{ symbol: "BTCUSDT", interval: "4h", path: RECORDED }] }),
    );
    const { code, stdout, stderr } = await penstock("dry-run", file, `--simulate=${scenario}`);
    assertEquals(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n");
    assertEquals(lines.length, 533);
    lines.forEach((line, index) => assertEquals(line.includes("rsi_14="), index >= 14, line));
    assertStringIncludes(
      stderr,
      "Hole in BTCUSDT 4h: the exchange has no candles symbol=BTCUSDT interval=4h " +
        "from=2018-02-08T04:00:00.000Z to=2018-02-09T08:00:00.000Z missing_candles=7",
    );
    assertStringIncludes(stderr, "holes 1, missing_candles 7");
    assertStringIncludes(stderr, "the ledger balances");
    const rows = JSON.parse(await Deno.readTextFile(RECORDED));
    lines.forEach((line, index) => assertDigits(line, rows[index]));
  },
});

/** A line must hold the digits of its row, one for one. */
function assertDigits(line: string, row: readonly (string | number)[]): void {
  const fields = new Map(
    line.split(" ")[1]?.split(",").map((field) => field.split("=") as [string, string]),
  );
  const names = ["open", "high", "low", "close", "volume", , "quote_volume"] as const;
  names.forEach((name, index) => name && assertEquals(fields.get(name), row[index + 1]));
  assertEquals(fields.get("trades"), `${row[8]}i`);
  assertEquals(fields.get("taker_buy_volume"), row[9]);
  assertEquals(fields.get("taker_buy_quote_volume"), row[10]);
  assert(line.endsWith(` ${row[0]}`));
}
