import { assertEquals, assertInstanceOf } from "@std/assert";
import { Secret } from "../../../engine/options.ts";
import { load, mistakes } from "./_loading.ts";
import { average, PRICE, printer, store, ticks, toPoint } from "../_plugins.ts";

const GOOD = `# What runs
name: btc
sources:
  - use: ticks
    with: { symbols: [BTC, ETH], interval: 1m }
transforms:
  - use: to_point
  - use: average
    id: slow
    on_error: drop
    with:
      period: 200
sinks:
  - use: printer
`;

Deno.test("loadPipeline() gives checked steps, with defaults, and what reaches the sinks", async () => {
  const pipeline = await load(GOOD, { file: "/home/me/btc.yaml" });
  assertEquals(pipeline, {
    name: "btc",
    folder: "/home/me",
    sources: [{
      plugin: ticks,
      id: "ticks",
      options: { symbols: ["BTC", "ETH"], interval: "1m", base_url: "https://api.example.com" },
      onError: "stop",
    }],
    transforms: [
      { plugin: toPoint, id: "to_point", options: {}, onError: "stop" },
      {
        plugin: average,
        id: "slow",
        options: { period: 200, weight: 1, smooth: false, fields: "close" },
        onError: "drop",
      },
    ],
    sinks: [{ plugin: printer, id: "printer", options: { format: "json" }, onError: "stop" }],
    deadLetter: undefined,
    deadLetterLimit: undefined,
    shapes: [{ ...PRICE, fields: { ...PRICE.fields, average: "float" } }],
    epoch: { records: 50_000, ms: 5_000 },
    placeholders: [],
    secrets: [],
  });
});

Deno.test("loadPipeline() reads JSON as it reads YAML", async () => {
  const text = JSON.stringify({
    name: "btc",
    sources: [{ use: "ticks", with: { symbols: ["BTC", "ETH"], interval: "1m" } }],
    transforms: [
      { use: "to_point" },
      { use: "average", id: "slow", on_error: "drop", with: { period: 200 } },
    ],
    sinks: [{ use: "printer" }],
  });
  assertEquals(await load(text, { file: "btc.json" }), await load(GOOD));
});

Deno.test("loadPipeline() reads the default export of a module, with plugins as they are", async () => {
  const url = `file://${Deno.cwd()}/btc.ts`;
  const pipeline = {
    name: "btc",
    sources: [ticks({ symbols: ["BTC", "ETH"], interval: "1m" })],
    transforms: [
      { use: toPoint },
      { ...average({ period: 200 }), id: "slow", on_error: "drop" },
    ],
    sinks: [printer({})],
  };
  const modules = { [url]: { default: pipeline } };
  assertEquals(await load("…", { file: "btc.ts", modules }), await load(GOOD));
});

Deno.test("loadPipeline() takes a key without a value for one that is not there", async () => {
  const text = "name: a\nsources:\n  - use: points\n    with:\n    id:\ntransforms:\n" +
    "sinks: [{ use: printer }]\ndead_letter:\nepoch:\n";
  const { transforms, deadLetter, epoch } = await load(text);
  assertEquals([transforms, deadLetter, epoch], [[], undefined, { records: 50_000, ms: 5_000 }]);
});

Deno.test("loadPipeline() reads the epoch and the dead-letter sink, whose id is dead_letter", async () => {
  const { deadLetter, epoch } = await load(`name: a
sources: [{ use: points, on_error: dead_letter }]
sinks: [{ use: store, with: { url: "http://a", token: b } }]
dead_letter: { use: store, with: { url: "http://c", token: d } }
epoch: { records: 10 }
`);
  assertEquals([deadLetter?.plugin, deadLetter?.id], [store, "dead_letter"]);
  assertEquals(epoch, { records: 10, ms: 5_000 });
});

Deno.test("loadPipeline() reads how many records may be refused: 100 in 1000 by default", async () => {
  const limitOf = async (max: string) => {
    const { deadLetterLimit } = await load(`name: a
sources: [{ use: points }]
sinks: [{ use: printer }]
dead_letter: { use: store, with: { url: "http://c", token: d }${max} }
`);
    return deadLetterLimit;
  };
  assertEquals(await limitOf(""), { refused: 100, records: 1_000 });
  assertEquals(await limitOf(", max: 10 in 500"), { refused: 10, records: 500 });
  assertEquals(await limitOf(", max: none"), undefined);
});

Deno.test("loadPipeline() fills in variables, and turns them into what the schema wants", async () => {
  const { name, transforms, sinks, epoch } = await load(
    `name: "\${env:NAME}"
sources: [{ use: points }]
transforms:
  - use: average
    with: { period: "\${env:PERIOD}", weight: " \${env:WEIGHT} ", smooth: "\${env:SMOOTH}", fields: "\${env:PERIOD}" }
sinks:
  - use: store
    with: { url: "http://\${env:HOST:-db}:8086", token: "\${file:secrets/token}", version: "\${env:VERSION}" }
epoch: { ms: "\${env:PERIOD}" }
`,
    {
      file: "/p/a.yaml",
      env: { NAME: "btc", PERIOD: "21", WEIGHT: "2.5e1", SMOOTH: "true", VERSION: "1" },
      files: { "/p/secrets/token": "hunter2\n" },
    },
  );
  assertEquals(name, "btc");
  assertEquals(transforms[0]?.options, { period: 21, weight: 25, smooth: true, fields: "21" });
  const { url, token, version } = Object(sinks[0]?.options);
  assertEquals([url, version], ["http://db:8086", 1]);
  assertInstanceOf(token, Secret);
  assertEquals(token.reveal(), "hunter2");
  assertEquals(epoch, { records: 50_000, ms: 21 });
});

Deno.test("loadPipeline() turns no text of the file itself into a number", async () => {
  const text =
    'name: a\nsources: [{ use: points }]\ntransforms: [{ use: average, with: { period: "21" } }]\n' +
    "sinks: [{ use: printer }]\n";
  assertEquals(await mistakes(text), [
    '3:46 Cannot use option "period" of transform "average" as it must be a whole number: it is "21" [Leave out the quotes]',
  ]);
});

Deno.test("loadPipeline() points sources at a simulator, whatever the file says", async () => {
  const simulator = { rest: "http://127.0.0.1:40001", stream: "ws://127.0.0.1:40001" };
  const text = GOOD.replace("interval: 1m", 'interval: 1m, base_url: "https://other.example"');
  const { sources } = await load(text, { simulator });
  assertEquals(Object(sources[0]?.options).base_url, "http://127.0.0.1:40001");
});

Deno.test("loadPipeline() gives the shapes of several sources, each once", async () => {
  const { shapes } = await load(`name: a
sources:
  - { use: points }
  - { use: points, id: again }
  - { use: points, id: other, with: { measurement: other, type: integer } }
sinks: [{ use: printer }]
`);
  assertEquals(shapes, [PRICE, {
    ...PRICE,
    measurement: "other",
    fields: { close: "integer", count: "integer" },
  }]);
});

Deno.test("loadPipeline() reads options written once and used twice", async () => {
  const { sources } = await load(`name: a
sources:
  - use: ticks
    with: &btc { symbols: [BTC], interval: 1m }
  - { use: ticks, id: again, with: *btc }
sinks: [{ use: store, with: { url: "http://a", token: b } }]
transforms: [{ use: to_point }]
`);
  assertEquals(sources[0]?.options, sources[1]?.options);
});
