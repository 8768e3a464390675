/** A run that is stopped or killed anywhere and resumed leaves the very file of an uninterrupted one. */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import {
  confinedOf,
  end,
  penstock,
  start,
  temporaryFolder,
  TestExchange,
  writePipeline,
} from "./_penstock.ts";

const PLACES = 20;

function backfill(rest: string): unknown {
  return {
    name: "backfill",
    sources: [{
      use: "binance_rest",
      with: {
        symbols: ["BTCUSDT", "ETHUSDT", "SOLUSDT"],
        interval: "1m",
        from: "2024-03-01",
        to: "2024-03-06",
        base_url: rest,
      },
    }],
    transforms: [{ use: "kline" }, { use: "rsi" }],
    sinks: [{ use: "file", with: { path: "out.lp" } }],
    epoch: { records: 1_500 },
  };
}

async function filesIn(folder: string): Promise<Record<string, string>> {
  return { "out.lp": await Deno.readTextFile(join(folder, "out.lp")) };
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 } as const;

/** How a run is ended: by a signal to the process that watches, or by the death of one of the two. */
const ENDS = {
  "SIGINT": (child) => child.kill("SIGINT"),
  "SIGTERM": (child) => child.kill("SIGTERM"),
  "SIGKILL of the process that runs it": async (child) =>
    Deno.kill(await confinedOf(child), "SIGKILL"),
  "SIGKILL of the process that watches it": (child) => child.kill("SIGKILL"),
} satisfies Record<string, (child: Deno.ChildProcess) => void | Promise<void>>;

for (const [name, endOne] of Object.entries(ENDS)) {
  Deno.test(`a run ended by ${name} at ${PLACES} places and resumed leaves the same file`, async () => {
    await using exchange = new TestExchange();
    await using temporary = await temporaryFolder();
    const whole = await writePipeline(join(temporary.path, "whole"), backfill(exchange.rest));
    assertEquals((await penstock("run", whole)).code, 0);
    const expected = await filesIn(join(temporary.path, "whole"));
    assertEquals(expected["out.lp"]?.trimEnd().split("\n").length, 3 * 5 * 1_440);
    let interrupted = 0;
    for (let place = 1; place <= PLACES; place++) {
      const folder = join(temporary.path, String(place));
      const file = await writePipeline(folder, backfill(exchange.rest));
      const child = start(["run", file]);
      exchange.at(place, () => endOne(child));
      // Resolves once nobody holds its output any more: when both processes are gone.
      const first = await end(child);
      if (first.code !== 0) interrupted++;
      const [signal] = name.split(" ");
      assertEquals(first.code, EXIT_CODES[signal as keyof typeof EXIT_CODES], first.stderr);
      const second = await penstock("run", file);
      assertEquals(second.code, 0, second.stderr);
      assert(second.stderr.includes("the ledger balances"), second.stderr);
      assertEquals(await filesIn(folder), expected, `killed at request ${place}`);
    }
    assertEquals(interrupted, PLACES);
  });
}
