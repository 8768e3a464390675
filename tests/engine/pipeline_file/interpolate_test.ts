import { assertEquals } from "@std/assert";
import { interpolate } from "../../../engine/pipeline_file/interpolate.ts";

const LOOKUPS = {
  env: (name: string) => ({ HOST: "db", PORT: "8086", EMPTY: "" })[name],
  readText: (path: string) =>
    path === "/run/token"
      ? Promise.resolve("hunter2\r\n\n")
      : Promise.reject(new Error("it is not there")),
};

async function fill(text: string): Promise<unknown> {
  const { value, mistakes } = await interpolate(text, LOOKUPS);
  assertEquals(mistakes, []);
  return value;
}

async function refuse(text: string): Promise<readonly string[]> {
  const { mistakes } = await interpolate(text, LOOKUPS);
  return mistakes.map(({ message, hint }) => hint === undefined ? message : `${message} [${hint}]`);
}

Deno.test("interpolate() fills in variables, defaults and files", async () => {
  assertEquals(await fill("http://${env:HOST}:${env:PORT}/"), "http://db:8086/");
  assertEquals(await fill("${env:NONE:-a:-b}"), "a:-b");
  assertEquals(await fill("${env:NONE:-}"), "");
  assertEquals(await fill("${env:HOST:-other}"), "db");
  assertEquals(await fill("${env:EMPTY}"), "");
});

Deno.test("interpolate() takes a default also for a variable that is set to nothing", async () => {
  assertEquals(await fill("${env:EMPTY:-x}"), "x");
});

Deno.test("interpolate() takes one line break from the end of a file", async () => {
  assertEquals(await fill("${file:/run/token}"), "hunter2\r\n");
});

Deno.test("interpolate() leaves `$${`, `$` and `}` as text", async () => {
  assertEquals(await fill("$${env:HOST} $5 } $$ {x}"), "${env:HOST} $5 } $$ {x}");
  assertEquals(await fill("$$${env:HOST}"), "$${env:HOST}");
});

Deno.test("interpolate() does not look into what it filled in", async () => {
  const { value } = await interpolate("${env:A}", { ...LOOKUPS, env: () => "${env:B}" });
  assertEquals(value, "${env:B}");
});

Deno.test("interpolate() goes through lists and mappings, leaves keys and objects of a class", async () => {
  const date = new Date(0);
  const { value } = await interpolate(
    { "${env:HOST}": ["${env:HOST}", 1, null, { a: "${env:PORT}" }], date },
    LOOKUPS,
  );
  assertEquals(value, { "${env:HOST}": ["db", 1, null, { a: "8086" }], date });
});

Deno.test("interpolate() says what is wrong with a placeholder", async () => {
  const hint = "[Write `$${` where the text itself is meant]";
  assertEquals(await refuse("${env:NONE}"), [
    'Cannot fill in "${env:NONE}" as the variable must be set: it is not [Set NONE, or write "${env:NONE:-default}"]',
  ]);
  assertEquals(await refuse("${file:/run/none}"), [
    'Cannot fill in "${file:/run/none}": it is not there',
  ]);
  assertEquals(await refuse("${HOST}"), [
    `Cannot fill in a \`\${\` as it must be followed by \`env:\`, \`file:\` or \`command:\` ${hint}`,
  ]);
  assertEquals(await refuse("a ${env:HOST"), [
    `Cannot fill in a \`\${\` as it must end with \`}\` ${hint}`,
  ]);
  assertEquals(await refuse("${env:A:-${env:HOST}}"), [
    `Cannot fill in a \`\${\` inside another ${hint}`,
  ]);
  assertEquals(await refuse("${env:1A}"), [
    "Cannot fill in a `${env:` as it must be followed by the name of a variable",
  ]);
  assertEquals(await refuse("${file:}"), [
    "Cannot fill in a `${file:` as it must be followed by a path",
  ]);
});

Deno.test("interpolate() tells every placeholder that fails, and where", async () => {
  const { mistakes } = await interpolate({ a: ["${env:X} ${env:Y}"], b: "${env:Z}" }, LOOKUPS);
  assertEquals(mistakes.map(({ path, message }) => [path, message.slice(16, 24)]), [
    [["a", 0], "${env:X}"],
    [["a", 0], "${env:Y}"],
    [["b"], "${env:Z}"],
  ]);
});

Deno.test("interpolate() survives a variable that may not be read, and a value inside itself", async () => {
  const { mistakes } = await interpolate("${env:A}", {
    ...LOOKUPS,
    env: () => {
      throw new Deno.errors.NotCapable("Requires env access");
    },
  });
  assertEquals(mistakes[0]?.message, 'Cannot fill in "${env:A}": Requires env access');
  const loop: Record<string, unknown> = { other: {} };
  loop.self = { loop };
  const looped = await interpolate(loop, LOOKUPS);
  assertEquals(looped.mistakes, [
    { path: ["self", "loop"], message: "Cannot use a value that holds itself" },
  ]);
});

Deno.test("scrub() puts the placeholder in place of what it gave, unless that is too short to be a secret", async () => {
  const env = (name: string) => ({ A: "hunter2", B: "hunter2-long", C: "1" })[name];
  const filled = await interpolate("${env:A} ${env:B} ${env:C}", { ...LOOKUPS, env });
  assertEquals(
    filled.scrub("got hunter2 and hunter2-long in 1 try"),
    "got ${env:A} and ${env:B} in 1 try",
  );
});
