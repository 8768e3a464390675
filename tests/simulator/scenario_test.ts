import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { OptionsError } from "../../engine/errors.ts";
import { loadScenario, parseScenario, scenarioSchema } from "../../simulator/mod.ts";
import { z } from "zod";

const wrong = (scenario: unknown) =>
  assertThrows(() => parseScenario(scenario), OptionsError).message;

async function inFile<T>(
  name: string,
  text: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, name), text);
    return await use(join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("parseScenario() requires nothing and fills in the rest", () => {
  const scenario = parseScenario({});
  assertEquals(scenario.seed, 1);
  assertEquals(scenario.limits, {
    weight_per_minute: 6_000,
    requests_per_5_minutes: 61_000,
    others_per_minute: 0,
    ban_after: 10,
    ban_s: 120,
  });
  assertEquals(scenario.listed, { atMs: Date.UTC(2017, 7, 17, 4) });
  assertEquals(parseScenario(null), scenario);
});

Deno.test("parseScenario() names every mistake at once, with its place", () => {
  assertEquals(
    wrong({ seed: 1.5, halt: [], symbols: [{ symbol: "A", base: "", quote: "B", prize: 1 }] }),
    "Cannot use the scenario: seed: Invalid input: expected int, received number; " +
      "symbols[0].base: Too small: expected string to have >=1 characters; " +
      'symbols[0]: "prize" does not exist; "halt" does not exist, did you mean "halts"?',
  );
});

Deno.test("parseScenario() refuses unknown kinds of fault, missing parts and typos in them", () => {
  assert(wrong({ faults: [{ kind: "slwo" }] }).includes("faults[0].kind"));
  assert(wrong({ faults: [{ kind: "slow" }] }).includes("faults[0].delay_ms"));
  assert(
    wrong({ faults: [{ kind: "reset", tims: 2 }] }).includes('faults[0]: "tims" does not exist'),
  );
  assert(wrong({ faults: [{ kind: "rows", rows: { change: "x" } }] }).includes("rows.change"));
});

Deno.test("parseScenario() refuses times that are none, and says what they look like", () => {
  assertEquals(
    wrong({ now: 1_700_000_000 }),
    "Cannot use the scenario: now: must be epoch milliseconds, not seconds: it has 10 digits",
  );
});

Deno.test("parseScenario() refuses a symbol twice, and series of symbols that are not there", () => {
  const symbol = { symbol: "BTCUSDT", base: "BTC", quote: "USDT" };
  assertEquals(
    wrong({
      symbols: [symbol, symbol],
      files: [{ symbol: "BTCUSD", interval: "1m", path: "x" }],
    }),
    'Cannot use the scenario: symbols[1].symbol: must be another name: "BTCUSDT" is there twice; ' +
      'files[0].symbol: must be one of `symbols`, not "BTCUSD", did you mean "BTCUSDT"?',
  );
});

Deno.test("parseScenario() refuses faults of streams that could hit nothing, and says why", () => {
  assertEquals(
    wrong({
      streams: { close_with_trade: ["BTCUSD"] },
      stream_faults: [{ kind: "mute", symbol: "ETHUSD" }],
    }),
    'Cannot use the scenario: stream_faults[0].symbol: must be one of `symbols`, not "ETHUSD", ' +
      'did you mean "ETHUSDT"?; streams.close_with_trade[0]: must be one of `symbols`, not ' +
      '"BTCUSD", did you mean "BTCUSDT"?',
  );
  assert(wrong({ stream_faults: [{ kind: "cut", from: 1e12 }] }).includes('"from" does not exist'));
  assert(wrong({ stream_faults: [{ kind: "late" }] }).includes("stream_faults[0].delay_ms"));
  assert(wrong({ streams: { snapshot_ms: 0 } }).includes("streams.snapshot_ms"));
});

Deno.test("loadScenario() reads YAML, and takes paths in it from the folder of the file", async () => {
  const text = `
# a halt of an hour
now: 2018-04-01T00:00:00Z
halts:
  - { from: 2018-02-01T00:00:00Z, to: 2018-02-01T01:00:00Z }
files:
  - { symbol: BTCUSDT, interval: 4h, path: data/q1.json }
`;
  await inFile("scenario.yaml", text, async (path) => {
    assertEquals(await loadScenario(path), {
      now: "2018-04-01T00:00:00Z",
      halts: [{ from: "2018-02-01T00:00:00Z", to: "2018-02-01T01:00:00Z" }],
      files: [{ symbol: "BTCUSDT", interval: "4h", path: join(path, "../data/q1.json") }],
    });
  });
});

Deno.test("loadScenario() reads JSON, and takes an empty file for an empty scenario", async () => {
  await inFile("scenario.json", '{"seed": 5}', async (path) => {
    assertEquals(await loadScenario(path), { seed: 5 });
  });
  await inFile("empty.yaml", "", async (path) => assertEquals(await loadScenario(path), {}));
});

Deno.test("loadScenario() names the file that is wrong, unreadable or not there", async () => {
  await inFile("bad.yaml", "sead: 5", async (path) => {
    const error = await assertRejects(() => loadScenario(path), OptionsError);
    assertEquals(
      error.message,
      `Cannot use scenario "${path}": "sead" does not exist, did you mean "seed"?`,
    );
  });
  await inFile("bad.yaml", "a: [", async (path) => {
    await assertRejects(() => loadScenario(path), OptionsError, `Cannot read scenario "${path}"`);
  });
  await assertRejects(() => loadScenario("no/such.yaml"), OptionsError, '"no/such.yaml"');
});

Deno.test("scenarioSchema describes every field", () => {
  const bare: string[] = [];
  const visit = (schema: unknown, path: string) => {
    if (typeof schema !== "object" || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      if (key === "properties") {
        for (const [name, property] of Object.entries(value)) {
          if (!Object.hasOwn(Object(property), "description")) bare.push(`${path}.${name}`);
          visit(property, `${path}.${name}`);
        }
      } else {
        visit(value, path);
      }
    }
  };
  visit(z.toJSONSchema(scenarioSchema, { io: "input" }), "");
  assertEquals(bare, []);
});
