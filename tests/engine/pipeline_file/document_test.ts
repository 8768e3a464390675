import { assertEquals } from "@std/assert";
import { parseText } from "../../../engine/pipeline_file/document.ts";

async function broken(text: string, file = "a.yaml"): Promise<string[]> {
  return (await parseText(file, text)).broken.map(({ line, column, message }) =>
    `${line}:${column} ${message}`
  );
}

async function refused(text: string): Promise<string[]> {
  const document = await parseText("a.yaml", text);
  assertEquals(document.broken, []);
  return document.diagnose(document.mistakes, []).map(({ line, column, message }) =>
    `${line}:${column} ${message}`
  );
}

const BROKEN: readonly (readonly [name: string, text: string, ...expected: string[]])[] = [
  [
    "a tab",
    "name: a\nsources:\n\t- use: b\n",
    "3:1 Cannot read YAML as lines must be indented with spaces: this one has a tab",
  ],
  [
    "a quote that is left open",
    'name: "btc\nsinks: []\n',
    "1:7 Cannot read YAML as a text that starts with a quote must end with one",
  ],
  [
    "a bracket that is left open",
    "name: a\nsources: [1, 2\nsinks: []\n",
    "3:1 Cannot read YAML as a list that starts with `[` must end with `]`",
  ],
  [
    "a brace that is left open",
    "name: a\nepoch: { ms: 1\n",
    "2:14 Cannot read YAML as a mapping that starts with `{` must end with `}`",
  ],
  [
    "a key that is indented too little",
    "sources:\n  - use: a\n    with:\n      b: 1\n     c: 2\n",
    "5:1 Cannot read YAML as what belongs together must start at the same column",
  ],
  [
    "a key that stands below the dash of its item",
    "sources:\n  - use: a\n   with: b\n",
    "3:1 Cannot read YAML as each item of a list must start with `- `, and its keys must stand below each other",
  ],
  [
    "a colon in plain text",
    "name: a: b\n",
    "1:7 Cannot read YAML as a value must not be followed by another key",
  ],
  [
    "a key without a colon",
    "name: a\nsources\nsinks: []\n",
    "2:1 Cannot read YAML as a key must be on one line and be followed by `:`",
  ],
  [
    "a key without a value at the end",
    "name: a\nsources\n",
    "2:1 Cannot read YAML as a key must be followed by `:` and a space",
  ],
  [
    "text that starts with @",
    "name: @btc\n",
    "1:7 Cannot read YAML as text that starts with `@` must be in quotes",
  ],
  [
    "an unknown escape",
    'name: "a\\qb"\n',
    "1:9 Cannot read YAML as a backslash in double quotes must start an escape such as `\\n`",
  ],
  [
    "a bracket that closes nothing",
    "name: ]\n",
    "1:7 Cannot read YAML as nothing of this kind may stand here",
  ],
  [
    "a list on the line of its key",
    "sources: - stdout\n",
    "1:10 Cannot read YAML as a list must start on the line below its key",
  ],
  [
    "a list of lines in brackets",
    "name: {\n  a:\n    - b\n}\n",
    "3:5 Cannot read YAML as what stands in `[ ]` or `{ }` must be parted by commas, not by lines",
  ],
  [
    "a list without an end",
    "[a, b",
    "1:5 Cannot read YAML as a list that starts with `[` must end with `]`",
  ],
  [
    "text behind a text in quotes",
    "name: 'a' b\n",
    "1:11 Cannot read YAML as nothing but a comment must follow a value that is complete",
  ],
  [
    "an alias with an anchor",
    "a: &x 1\nb: &y *x\n",
    "2:7 Cannot read YAML as an alias must stand alone, without an anchor or a tag",
  ],
  [
    "another version of YAML",
    "%YAML 2.0\n---\nname: a\n",
    "1:7 Cannot read YAML as a line that starts with `%` must be `%YAML 1.2`",
  ],
  [
    "two documents",
    "name: a\n---\nname: b\n",
    "2:1 Cannot read YAML as a file must hold one pipeline: another document starts here",
  ],
  ["a list as a key", "? [a]\n: 1\n", "1:3 Cannot read YAML as a key must be text"],
  [
    "mistakes on several lines",
    "name: a: b\nsinks: @x\nepoch: `y`\n",
    "1:7 Cannot read YAML as a value must not be followed by another key",
    "2:8 Cannot read YAML as text that starts with `@` must be in quotes",
    "3:8 Cannot read YAML as text that starts with ``` must be in quotes",
  ],
];

for (const [name, text, ...expected] of BROKEN) {
  Deno.test(`parseText() tells the place of ${name}`, async () =>
    assertEquals(await broken(text), expected));
}

Deno.test("parseText() speaks of JSON where the file is JSON", async () => {
  assertEquals(await broken('{\n  "name": "a",\n  "sinks": [\n}\n', "a.json"), [
    "4:1 Cannot read JSON as a list that starts with `[` must end with `]`",
  ]);
});

Deno.test("parseText() reads JSON that is indented with tabs", async () => {
  const text = '{\n\t"name": "\\ud83d\\ude00\\/",\n\t"list": [\n\t\t1.5e3,\n\t\tnull\n\t]\n}\n';
  const document = await parseText("a.json", text);
  assertEquals(document.broken, []);
  assertEquals(document.value, { name: "😀/", list: [1_500, null] });
});

Deno.test("parseText() reads YAML 1.2: `no`, dates and sexagesimals are text", async () => {
  const { value, broken, mistakes } = await parseText(
    "a.yaml",
    "%YAML 1.1\n---\na: no\nb: 2024-01-01\nc: 1:30\nd: 0o14\ne: 1e3\nf: ~\n1: x\n<<: { y: 1 }\n",
  );
  assertEquals([broken, mistakes], [[], []]);
  assertEquals(value, {
    a: "no",
    b: "2024-01-01",
    c: "1:30",
    d: 12,
    e: 1_000,
    f: null,
    1: "x",
    "<<": { y: 1 },
  });
});

Deno.test("parseText() reads aliases, and gives what they stand for its own place", async () => {
  const document = await parseText("a.yaml", "a: &x { b: 1 }\nc: *x\n");
  assertEquals(document.value, { a: { b: 1 }, c: { b: 1 } });
  const found = document.diagnose([{ path: ["c"], message: "c" }, {
    path: ["c", "b"],
    at: "key",
    message: "b",
  }], []);
  assertEquals(found.map(({ line, column, message }) => [line, column, message]), [
    [1, 9, "b"],
    [2, 4, "c"],
  ]);
});

Deno.test("parseText() refuses an alias of nothing, or of what it is a part of", async () => {
  assertEquals(await refused("a: *x\nb: &y [*y]\n"), [
    '1:4 Cannot use alias "*x" as "&x" must come before it',
    '2:8 Cannot use alias "*y" as "&y" must come before it',
  ]);
});

Deno.test("parseText() refuses a key that is there twice, at the second, and keeps the first", async () => {
  const text = "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n";
  assertEquals((await parseText("a.yaml", text)).value, { a: 1, b: { c: 1 } });
  assertEquals(await refused(text), [
    '4:3 Cannot use key "c" twice in one mapping',
    '5:1 Cannot use key "a" twice in one mapping',
  ]);
});

Deno.test("parseText() refuses tags, known and unknown", async () => {
  assertEquals(await refused("a: !!binary aGk=\nb: !mine 1\nc: !!str 1\n"), [
    "1:1 Cannot use a tag as values must be plain: it starts with `!`",
    "2:1 Cannot use a tag as values must be plain: it starts with `!`",
    "3:1 Cannot use a tag as values must be plain: it starts with `!`",
  ]);
});

Deno.test("parseText() refuses the key __proto__, and no prototype changes", async () => {
  assertEquals(await refused("__proto__: { polluted: 1 }\na: 1\n"), [
    '1:1 Cannot use key "__proto__": it has a meaning of its own in JavaScript',
  ]);
  assertEquals(Reflect.get({}, "polluted"), undefined);
});

Deno.test("parseText() refuses what is nested too deeply, whoever notices first", async () => {
  assertEquals(await refused(`a: ${"[".repeat(60)}${"]".repeat(60)}\n`), [
    "1:54 Cannot use the file as it must not be nested deeply nor hold many values: more than 50 levels or 100000 values",
  ]);
  assertEquals(
    (await broken("[".repeat(100_000)))[0]?.replace(/^1:\d+ /, ""),
    "Cannot read YAML as values must not be nested so deeply",
  );
});

Deno.test("parseText() refuses aliases that multiply without end", async () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i <= 9; i++) {
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`);
  }
  const [first] = await refused(`${lines.join("\n")}\n`);
  assertEquals(first?.replace(/^\d+:\d+ /, "").slice(0, 24), "Cannot use the file as i");
});

Deno.test("diagnose() puts what has no value under its key, and what the file lacks under what is around it", async () => {
  const document = await parseText("a.yaml", "a:\nb: { c: , d: 1 }\ne:\n  -\n  - x\n");
  const places = document.diagnose([
    { path: ["a"], message: "a" },
    { path: ["b", "c"], message: "c" },
    { path: ["b", "zzz", 3], message: "zzz" },
    { path: ["e", 0], message: "e0" },
    { path: ["f"], message: "f" },
  ], []).map(({ line, column, message }) => `${line}:${column} ${message}`);
  assertEquals(places, ["1:1 a", "1:1 f", "2:4 zzz", "2:6 c", "4:3 e0"]);
});

Deno.test("diagnose() shows no secret: not by its place, not by its name, not over several lines", async () => {
  const text = "a: { token: hunter2, x: 1, list: [s1, s2] }\nkey: |\n  line1\n  line2\nz: 1\n";
  const document = await parseText("a.yaml", text);
  const shown = document.diagnose(
    [{ path: ["a", "x"], message: "x" }, { path: ["key"], message: "key" }],
    [["a", "list", 1], ["key"]],
  ).map(({ excerpt }) => excerpt);
  assertEquals(shown, [
    { text: "a: { token: ***, x: 1, list: [s1, ***] }", caret: 20 },
    { text: "key: ***", caret: 5 },
  ]);
});

Deno.test("parseText() shows no secret where the text cannot be read", async () => {
  const [first] = (await parseText("a.yaml", 'sinks:\n  - token: "hunter2\n    url: x\n')).broken;
  assertEquals(first?.excerpt, { text: "  - token: ***", caret: 11 });
  const [second] =
    (await parseText("a.yaml", "sinks:\n  - { url: @x, api_key: hunter2 }\n")).broken;
  assertEquals(second?.excerpt?.text, "  - { url: @x, api_key: ***");
});

Deno.test("parseText() reads brackets that close below the key, although the standard wants them deeper", async () => {
  const { value, broken, mistakes } = await parseText(
    "a.yaml",
    "with: {\n  list: [\n    0x1f,\n    'b',\n    ~,\n  ],\n}\nother: &a { n: 1.5 }\nagain: *a\n",
  );
  assertEquals([broken, mistakes], [[], []]);
  assertEquals(value, { with: { list: [31, "b", null] }, other: { n: 1.5 }, again: { n: 1.5 } });
});

Deno.test("parseText() refuses the same, whichever parser reads the file", async () => {
  const text = "a: !t 1\nb: *x\nb: { c: 1, c: 2 }\n";
  const lenient = `list: [\n]\n`;
  assertEquals(
    (await refused(lenient + text)).map((one) => one.replace(/^\d+/, (line) => `${+line - 2}`)),
    await refused(text),
  );
});

Deno.test("parseText() goes on with what was read before, when it went through JSON", async () => {
  const text = "a: &x { token: b }\nc:\n  - *x\n  - !t 1.5\nc: ~\n";
  const first = await parseText("a.yaml", text);
  const again = await parseText("a.yaml", text, JSON.parse(JSON.stringify(first.yaml)));
  assertEquals([again.value, again.mistakes], [first.value, first.mistakes]);
  const mistakes = [["a"], ["c", 0, "token"], ["c", 1]].map((path) => ({ path, message: "no" }));
  assertEquals(again.diagnose(mistakes, []), first.diagnose(mistakes, []));
  const other = await parseText("a.yaml", text, (await parseText("b.yaml", "d: 1\n")).yaml);
  assertEquals(other.value, { d: 1 });
});
