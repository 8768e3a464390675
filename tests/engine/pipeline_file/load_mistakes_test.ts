import { assertEquals, assertRejects } from "@std/assert";
import { PipelineFileError, renderDiagnostics } from "../../../engine/pipeline_file/diagnostics.ts";
import { diagnose, load, mistakes, type Surroundings } from "./_loading.ts";

/** A file that is right but for what is put into it. */
function file(
  { name = "name: a", sources = "  - use: points", transforms = "[]", sinks = "  - use: printer" }:
    {
      name?: string;
      sources?: string;
      transforms?: string;
      sinks?: string;
    },
): string {
  return `${name}\nsources:\n${sources}\ntransforms: ${transforms}\nsinks:\n${sinks}\n`;
}

interface Case extends Surroundings {
  readonly text: string;
  readonly expected: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  "an empty file": {
    text: " \n",
    expected: [
      '1:1 Cannot use the file as a pipeline as it must have "name", "sources" and "sinks": it is empty',
    ],
  },
  "a file of comments": {
    text: "# name: a\n# sources: []\n",
    expected: [
      '1:1 Cannot use the file as a pipeline as it must have "name", "sources" and "sinks": it is without any value',
    ],
  },
  "a list": {
    text: "# steps\n- use: points\n",
    expected: [
      '2:1 Cannot use the file as a pipeline as it must have "name", "sources" and "sinks": it is a list',
    ],
  },
  "a text": {
    text: "hello\n",
    expected: [
      '1:1 Cannot use the file as a pipeline as it must have "name", "sources" and "sinks": it is a single value',
    ],
  },
  "YAML that does not parse": {
    text: 'name: a\nsources:\n\t- use: points\nsinks: [{ use: printer, with: "x }]\n',
    expected: [
      "3:1 Cannot read YAML as lines must be indented with spaces: this one has a tab [Put spaces in place of the tab]",
      "4:31 Cannot read YAML as a text that starts with a quote must end with one",
    ],
  },
  "JSON that does not parse": {
    file: "a.json",
    text: '{\n  "name": "a",\n  "sources": [{ "use": "points" ],\n  "sinks": []\n}\n',
    expected: [
      "3:33 Cannot read JSON as a mapping that starts with `{` must end with `}`",
      "5:1 Cannot read JSON as a list that starts with `[` must end with `]`",
    ],
  },
  "a file of another kind": {
    file: "a.toml",
    text: "name = 1",
    expected: [
      '1:1 Cannot use the file as a pipeline as its name must end in ".yaml", ".yml", ".json", ".ts", ".mts", ".js" or ".mjs"',
    ],
  },
  "a file that is not text": {
    text: "name: a\nid: \0\n",
    expected: ["2:5 Cannot read the pipeline file as it must be text in UTF-8"],
  },
  "bytes that are no UTF-8": {
    text: "name: a\ufffd\n",
    expected: ["1:8 Cannot read the pipeline file as it must be text in UTF-8"],
  },
  "a file that is too large": {
    text: "a".repeat(1_048_577),
    expected: ["1:1 Cannot read the pipeline file: it must have at most 1 MiB"],
  },
  "nothing but a name": {
    text: "# my first\nname: a\n",
    expected: [
      '2:1 Cannot use the pipeline without key "sources" [Add "sources": Where records come from; several are merged]',
      '2:1 Cannot use the pipeline without key "sinks" [Add "sinks": Where records go; each sink gets every record]',
    ],
  },
  "unknown keys": {
    text: file({ name: "nmae: a\nfoo: 1", sources: "  - use: points\n    wiht: {}" }),
    expected: [
      '1:1 Cannot use the pipeline without key "name" [Add "name": Names the pipeline and what is kept for it]',
      '1:1 Cannot use key "nmae" of the pipeline: it does not exist [Did you mean "name"?]',
      '2:1 Cannot use key "foo" of the pipeline: it does not exist [Its keys are "name", "sources", "transforms", "sinks", "dead_letter" and "epoch"]',
      '5:5 Cannot use key "wiht" of source "points": it does not exist [Did you mean "with"?]',
    ],
  },
  "an invalid name": {
    text: file({ name: "name: my pipeline" }),
    expected: [
      '1:7 Cannot use key "name" of the pipeline as it must begin with a letter and be made of letters, digits, "_" and "-": it is "my pipeline"',
    ],
  },
  "a name that is no text": {
    text: file({ name: "name: 2024" }),
    expected: [
      '1:7 Cannot use key "name" of the pipeline as it must be text: it is 2024 [Put it in quotes]',
    ],
  },
  "empty lists": {
    text: "name: a\nsources: []\nsinks: []\n",
    expected: [
      '2:10 Cannot use key "sources" of the pipeline as it must not be empty',
      '3:8 Cannot use key "sinks" of the pipeline as it must not be empty',
    ],
  },
  "steps of the wrong type": {
    text: "name: a\nsources:\n  use: points\nsinks: [printer, 3, [x]]\ntransforms: average\n",
    expected: [
      '3:3 Cannot use key "sources" of the pipeline as it must be a list: it is a mapping [Start each item with `- `]',
      '4:9 Cannot use sinks[0] as it must be a mapping: it is "printer" [Write `use:` before the name of the plugin]',
      "4:18 Cannot use sinks[1] as it must be a mapping: it is 3",
      "4:21 Cannot use sinks[2] as it must be a mapping: it is a list",
      '5:13 Cannot use key "transforms" of the pipeline as it must be a list: it is "average" [Put it in brackets: `[…]`]',
    ],
  },
  "a step without a plugin": {
    text: file({ sources: "  - id: x\n  - use:\n  - use: ''\n  - use: [points]" }),
    expected: [
      '3:5 Cannot use sources[0] without key "use" [Add "use": The plugin: its id, or the path or specifier of a custom one, such as ./my_source.ts]',
      '4:5 Cannot use sources[1] without key "use" [Add "use": The plugin: its id, or the path or specifier of a custom one, such as ./my_source.ts]',
      '5:10 Cannot use key "use" of sources[2] as it must not be empty',
      '6:10 Cannot use key "use" of sources[3] as it must be text: it is a list',
    ],
  },
  "an unknown plugin": {
    text: file({ sources: "  - use: point\n  - use: zzz\n  - use: average\n  - use: points.ts" }),
    expected: [
      '3:10 Cannot use source "point": it does not exist [Did you mean "points"?]',
      '4:10 Cannot use source "zzz": it does not exist [The sources are "ticks" and "points"]',
      '5:10 Cannot use source "average": it does not exist [There is a transform of this name, but no source]',
      '6:10 Cannot use source "points.ts": it does not exist [Did you mean "./points.ts"?]',
    ],
  },
  "unknown, missing and wrong options": {
    text: file({
      sources: "  - use: ticks\n    with:\n      symbol: BTC\n      intervall: 1m\n      from: 5",
      transforms: "[{ use: to_point, with: { x: 1 } }]",
    }),
    expected: [
      '4:5 Cannot use source "ticks" without option "symbols" [Add "symbols": Symbols to read]',
      '4:5 Cannot use source "ticks" without option "interval" [Add "interval": Length of a candle]',
      '5:7 Cannot use option "symbol" of source "ticks": it does not exist [Did you mean "symbols"?]',
      '6:7 Cannot use option "intervall" of source "ticks": it does not exist [Did you mean "interval"?]',
      '7:13 Cannot use option "from" of source "ticks" as it must be epoch milliseconds (13 digits), or a time such as `2024-01-31`: it is 5',
      '8:39 Cannot use option "x" of transform "to_point": it does not exist',
    ],
  },
  "a missing `with`": {
    text: file({ sources: "  - id: x\n    use: ticks" }),
    expected: [
      '3:5 Cannot use source "ticks" without option "symbols" [Add "symbols": Symbols to read]',
      '3:5 Cannot use source "ticks" without option "interval" [Add "interval": Length of a candle]',
    ],
  },
  "a `with` that is no mapping": {
    text: file({ sources: "  - use: points\n    with: [type, float]" }),
    expected: [
      '4:11 Cannot use key "with" of source "points" as it must be a mapping: it is a list',
    ],
  },
  "options of the wrong type or out of range": {
    text: file({
      transforms: `
  - use: average
    with: { period: 1.5, weight: 0, smooth: 1, fields: 3 }
  - { use: average, id: b, with: { period: 1001, weight: "2", smooth: "true", fields: } }
  - { use: average, id: c, with: { period: x, weight: .nan } }`,
    }),
    expected: [
      '6:21 Cannot use option "period" of transform "average" as it must be a whole number: it is 1.5',
      '6:34 Cannot use option "weight" of transform "average" as it must be more than 0: it is 0',
      '6:45 Cannot use option "smooth" of transform "average" as it must be true or false: it is 1',
      '6:56 Cannot use option "fields" of transform "average" as it must be text or a list: it is 3 [Put it in brackets: `[…]`]',
      '7:44 Cannot use option "period" of transform "average" as it must be at most 1000: it is 1001',
      '7:58 Cannot use option "weight" of transform "average" as it must be a number: it is "2" [Leave out the quotes]',
      '7:71 Cannot use option "smooth" of transform "average" as it must be true or false: it is "true" [Leave out the quotes]',
      '7:79 Cannot use option "fields" of transform "average" as it must be text or a list: it is empty',
      '8:44 Cannot use option "period" of transform "average" as it must be a whole number: it is "x"',
      '8:55 Cannot use option "weight" of transform "average" as it must be a number: it is ".nan"',
    ],
  },
  "options inside lists and mappings": {
    text: file({
      sources:
        "  - use: ticks\n    with:\n      interval: 1mm\n      base_url: example\n      symbols:\n        - BTC\n        - btc\n        - 5",
      sinks:
        "  - use: store\n    with:\n      url: ftp://x\n      token: ''\n      version: 3\n      tags: { Host: a, b: 1 }\n      login: { usr: me, pin: a }",
    }),
    expected: [
      '5:17 Cannot use option "interval" of source "ticks" as it must be one of "1m", "5m" or "1h": it is "1mm" [Did you mean "1m"?]',
      '6:17 Cannot use option "base_url" of source "ticks" as it must be a URL: it is "example"',
      '9:11 Cannot use option "symbols[1]" of source "ticks" as it must be upper case: it is "btc"',
      '10:11 Cannot use option "symbols[2]" of source "ticks" as it must be text: it is 5 [Put it in quotes]',
      '15:12 Cannot use option "url" of sink "store" as it must start with "http": it is "ftp://x"',
      '16:14 Cannot use option "token" of sink "store" as it must not be empty',
      '17:16 Cannot use option "version" of sink "store" as it must be 1 or 2: it is 3',
      '18:15 Cannot use option "tags.Host" of sink "store" as its name must match /^[a-z]+$/',
      '18:27 Cannot use option "tags.b" of sink "store" as it must be text: it is 1 [Put it in quotes]',
      '19:7 Cannot use sink "store" without option "login.user" [Add "user": Name]',
      '19:16 Cannot use option "login.usr" of sink "store": it does not exist [Did you mean "user"?]',
    ],
  },
  "variables and files that are missing": {
    file: "/p/a.yaml",
    text: file({
      transforms: '[{ use: average, with: { period: "${env:PERIOD}", fields: ["${file:f}"] } }]',
      sinks: "  - use: store\n    with: { url: '${env:URL}', token: '${env:TOKEN:-x}', typo: 1 }",
    }),
    expected: [
      '4:46 Cannot fill in "${env:PERIOD}" as the variable must be set: it is not [Set PERIOD, or write "${env:PERIOD:-default}"]',
      '4:72 Cannot fill in "${file:f}": it is not there',
      '7:18 Cannot fill in "${env:URL}" as the variable must be set: it is not [Set URL, or write "${env:URL:-default}"]',
      '7:58 Cannot use option "typo" of sink "store": it does not exist [Its options are "url", "token", "version", "tags" and "login"]',
    ],
  },
  "filled-in text that does not fit": {
    env: { PERIOD: "s3cret-period", NAME: "s3cret name", USE: "s3cret-plugin", ID: "s3cret id" },
    text: file({
      name: 'name: "${env:NAME}"',
      sources: '  - use: "${env:USE}"\n  - use: points\n    id: "${env:ID}"',
      transforms: '[{ use: average, with: { period: "${env:PERIOD}" } }]',
    }),
    expected: [
      '1:7 Cannot use key "name" of the pipeline as it must begin with a letter and be made of letters, digits, "_" and "-": "${env:NAME}" gives something else',
      '3:10 Cannot use source "${env:USE}": it does not exist [The sources are "ticks" and "points"]',
      '5:9 Cannot use key "id" of source "points" as it must begin with a letter and be made of letters, digits, "_" and "-": "${env:ID}" gives something else',
      '6:46 Cannot use option "period" of transform "average" as it must be a whole number: "${env:PERIOD}" gives something else',
    ],
  },
  "duplicate ids": {
    env: { ID: "twice" },
    text: file({
      sources: "  - use: points\n  - use: points\n  - use: points\n    id: twice",
      transforms: '[{ use: average, id: "${env:ID}" }]',
    }),
    expected: [
      '4:5 Cannot use id "points" for source "points" as ids must be unique: source "points" at line 3 has it [Give one of them an "id" of its own]',
      '7:34 Cannot use id "${env:ID}" for transform "average" as ids must be unique: source "points" at line 5 has it [Give one of them an "id" of its own]',
    ],
  },
  "a wrong `on_error`": {
    text: file({
      sources:
        "  - use: points\n    on_error: ignore\n  - use: points\n    id: b\n    on_error: drp",
    }),
    expected: [
      '4:15 Cannot use key "on_error" of source "points" as it must be one of "stop", "dead_letter" or "drop": it is "ignore"',
      '7:15 Cannot use key "on_error" of source "points" as it must be one of "stop", "dead_letter" or "drop": it is "drp" [Did you mean "drop"?]',
    ],
  },
  "dead letters that have nowhere to go": {
    text: file({ transforms: "[{ use: average, on_error: dead_letter, with: { perod: 2 } }]" }),
    expected: [
      '4:40 Cannot use "on_error: dead_letter" of transform "average" as the pipeline must have "dead_letter": it has none [Add a sink as "dead_letter", or use "on_error: drop"]',
      '4:61 Cannot use option "perod" of transform "average": it does not exist [Did you mean "period"?]',
    ],
  },
  "dead letters of the dead-letter sink": {
    text: file({}) +
      'dead_letter: { use: store, on_error: dead_letter, with: { url: "http://a", token: b } }\n',
    expected: [
      '7:38 Cannot use "on_error: dead_letter" of sink "store" as it is where dead letters go [Use "drop"]',
    ],
  },
  "a wrong limit of dead letters, and one where there are none": {
    text: file({ transforms: "[{ use: average, max: 10 in 1000 }]" }) +
      'dead_letter: { use: store, max: 10 of 1000, with: { url: "http://a", token: b } }\n',
    expected: [
      '4:30 Cannot use key "max" of transform "average": it does not exist [Its keys are "use", "with", "id" and "on_error"]',
      '7:33 Cannot use key "max" of sink "store" as it must be such as `10 in 1000`, or `none`: it is "10 of 1000"',
    ],
  },
  "a wrong epoch": {
    text: `${file({})}epoch: { records: 0, ms: 1.5, m: 1 }\n`,
    expected: [
      '7:19 Cannot use key "epoch.records" of the pipeline as it must be at least 1: it is 0',
      '7:26 Cannot use key "epoch.ms" of the pipeline as it must be a whole number: it is 1.5',
      '7:31 Cannot use key "epoch.m" of the pipeline: it does not exist [The keys of "epoch" are "records" and "ms"]',
    ],
  },
  "a key that is there twice, beside other mistakes": {
    text: file({ sources: "  - use: points\n    use: ticks\n    wth: 1" }),
    expected: [
      '4:5 Cannot use key "use" twice in one mapping',
      '5:5 Cannot use key "wth" of source "points": it does not exist [Did you mean "with"?]',
    ],
  },
};

for (const [name, { text, expected, ...surroundings }] of Object.entries(CASES)) {
  Deno.test(`loadPipeline() tells place, reason and remedy of ${name}`, async () => {
    assertEquals(await mistakes(text, surroundings), expected);
  });
}

Deno.test("loadPipeline() tells all mistakes of a file at once, in its order, each with its line", async () => {
  const text = `# Bitcoin
name: btc
source:
  - use: ticks
sources:
  - use: tick
  - use: ticks
    with: { symbols: [BTC], intervall: 1m, token: hunter2 }
transforms:
  - use: to_point
  - use: average
    id: to_point
    with:
      period: "\${env:PERIOD}"
      weight: heavy
sinks:
  - use: store
    on_error: dead_letter
    with:
      token: "\${env:TOKEN}"
epoch: { ms: 0 }
`;
  assertEquals(
    renderDiagnostics(await diagnose(text, { env: { PERIOD: "short" } })),
    `btc.yaml:3:1: Cannot use key "source" of the pipeline: it does not exist
  3 | source:
    | ^
  hint: Did you mean "sources"?
btc.yaml:6:10: Cannot use source "tick": it does not exist
  6 |   - use: tick
    |          ^
  hint: Did you mean "ticks"?
btc.yaml:8:5: Cannot use source "ticks" without option "interval"
  8 |     with: { symbols: [BTC], intervall: ***, token: *** }
    |     ^
  hint: Add "interval": Length of a candle
btc.yaml:8:29: Cannot use option "intervall" of source "ticks": it does not exist
  8 |     with: { symbols: [BTC], intervall: ***, token: *** }
    |                             ^
  hint: Did you mean "interval"?
btc.yaml:12:9: Cannot use id "to_point" for transform "average" as ids must be unique: transform "to_point" at line 10 has it
  12 |     id: to_point
     |         ^
  hint: Give one of them an "id" of its own
btc.yaml:14:15: Cannot use option "period" of transform "average" as it must be a whole number: "\${env:PERIOD}" gives something else
  14 |       period: "\${env:PERIOD}"
     |               ^
btc.yaml:15:15: Cannot use option "weight" of transform "average" as it must be a number: it is "heavy"
  15 |       weight: heavy
     |               ^
btc.yaml:18:15: Cannot use "on_error: dead_letter" of sink "store" as the pipeline must have "dead_letter": it has none
  18 |     on_error: dead_letter
     |               ^
  hint: Add a sink as "dead_letter", or use "on_error: drop"
btc.yaml:19:5: Cannot use sink "store" without option "url"
  19 |     with:
     |     ^
  hint: Add "url": Address of the server
btc.yaml:20:14: Cannot fill in "\${env:TOKEN}" as the variable must be set: it is not
  20 |       token: "\${env:TOKEN}"
     |              ^
  hint: Set TOKEN, or write "\${env:TOKEN:-default}"
btc.yaml:21:14: Cannot use key "epoch.ms" of the pipeline as it must be at least 1: it is 0
  21 | epoch: { ms: 0 }
     |              ^
`,
  );
});

Deno.test("loadPipeline() shows no secret: not in a message, not in a line, not by a typo", async () => {
  const text = `name: a
sources: [{ use: ticks, with: { symbols: [A], interval: 1m, token: [hunter2], tokn: hunter2 } }]
transforms: [{ use: to_point }]
sinks:
  - { use: store, with: { url: hunter, token: hunter2, login: { user: x, pin: 12345 } } }
  - { use: stor, with: { password: hunter2 } }
`;
  const shown = renderDiagnostics(await diagnose(text));
  assertEquals([shown.includes("hunter2"), shown.includes("12345")], [false, false]);
  assertEquals((await mistakes(text)).filter((line) => /token|pin/.test(line)), [
    '2:68 Cannot use option "token" of source "ticks" as it must be text: it is a list',
    '2:79 Cannot use option "tokn" of source "ticks": it does not exist [Did you mean "token"?]',
    '5:79 Cannot use option "login.pin" of sink "store" as it must be text: it is a number [Put it in quotes]',
  ]);
});

Deno.test("loadPipeline() says why a file cannot be read", async () => {
  const reasons: [Error, string][] = [
    [new Deno.errors.NotFound("x"), "it is not there"],
    [new Deno.errors.IsADirectory("x"), "it is a folder"],
    [new Deno.errors.PermissionDenied("x"), "you have no permission to read it"],
    [new Deno.errors.NotCapable("x"), "this process has no permission to read it"],
    [new Error("disk on fire"), "disk on fire"],
  ];
  const { registry } = await import("../_plugins.ts");
  const { loadPipeline } = await import("../../../engine/pipeline_file/load.ts");
  for (const [error, reason] of reasons) {
    await assertRejects(
      () =>
        loadPipeline("pipelines/none.yaml", {
          registry,
          env: () => undefined,
          readText: () => Promise.reject(error),
        }),
      PipelineFileError,
      `pipelines/none.yaml:1:1: Cannot read the pipeline file: ${reason}`,
    );
  }
});

Deno.test("PipelineFileError names the first mistake and how many there are", async () => {
  await assertRejects(
    () => load("name: a\nsorces: []\n"),
    PipelineFileError,
    'btc.yaml:1:1: Cannot use the pipeline without key "sources" (and 2 more)',
  );
});
