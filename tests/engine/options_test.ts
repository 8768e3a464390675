import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import { address, type Schema, Secret, secret, time } from "../../engine/options.ts";
import type { Time } from "../../engine/time.ts";
import { ENGINE, inFolder, runProgram } from "./_folder.ts";

const VALUE = "hunter2-Zx9";

/** Options as a plugin has them. */
function tokenAndTimes() {
  return z.strictObject({
    token: secret().describe("API token"),
    from: time().describe("First open time"),
    to: time().optional().describe("Last open time"),
    since: time().prefault("30 days ago").describe("How far back"),
    password: secret().optional().describe("Password"),
  });
}

function issuesOf(value: unknown): { path: string; code: string | undefined; message: string }[] {
  const result = tokenAndTimes().safeParse(value);
  return (result.error?.issues ?? []).map(({ path, code, message }) => ({
    path: path.join("."),
    code,
    message,
  }));
}

Deno.test("Secret gives its value back to who asks for it", () => {
  assertEquals(new Secret(VALUE).reveal(), VALUE);
  assertEquals(new Secret("").reveal(), "");
});

Deno.test("Secret is *** wherever it becomes text", () => {
  const value = new Secret(VALUE);
  assertEquals(String(value), "***");
  assertEquals(`Bearer ${value}`, "Bearer ***");
  assertEquals("Bearer " + value, "Bearer ***");
  assertEquals([value, value].join(","), "***,***");
  assertEquals(new Error(`Cannot use ${value}`).message, "Cannot use ***");
  assertEquals(encodeURIComponent(String(value)), "***");
  assertEquals(new URL(`http://host/?token=${value}`).search, "?token=***");
  assertEquals(Number(value), NaN);
});

Deno.test("Secret is *** in JSON, however deep", () => {
  const value = new Secret(VALUE);
  assertEquals(JSON.stringify(value), '"***"');
  assertEquals(JSON.stringify({ a: [{ token: value }] }, null, 1).includes("hunter2"), false);
  assertEquals(JSON.stringify({ a: [{ token: value }] }), '{"a":[{"token":"***"}]}');
});

Deno.test("Secret is *** wherever Deno shows it", () => {
  const value = new Secret(VALUE);
  const shown: unknown[] = [
    value,
    [value],
    { token: value },
    { a: { b: { c: { d: { e: { f: value } } } } } },
    new Map([[value, value]]),
    new Set([value]),
    new Error("It failed", { cause: value }),
    new AggregateError([new Error("a", { cause: { token: value } })]),
    Object.assign(new Error("It failed"), { options: { token: value } }),
    new (class extends Secret {})(VALUE),
    Promise.resolve(value),
  ];
  for (const thing of shown) {
    for (
      const how of [
        { depth: 20 },
        { depth: 20, colors: true },
        { depth: 20, showHidden: true },
        { depth: 20, getters: true, compact: false },
        { depth: 20, iterableLimit: 1, strAbbreviateSize: 3 },
      ]
    ) {
      const text = Deno.inspect(thing, how);
      assertEquals(text.includes("hunter2"), false, text);
      assertStringIncludes(text, "***");
    }
  }
});

Deno.test("Secret cannot be listed, copied or cloned", () => {
  const value = new Secret(VALUE);
  assertEquals(Object.keys(value), []);
  assertEquals(Reflect.ownKeys(value), []);
  assertEquals(Object.entries({ ...value }), []);
  assertEquals(Object.keys(Object.assign({}, value)), []);
  assertEquals(JSON.stringify(structuredClone(value)), "{}");
  assertEquals(Deno.inspect(structuredClone({ value })).includes("hunter2"), false);
});

Deno.test("Secret is *** on the console, of Deno as of Node", () =>
  inFolder(async (folder) => {
    const program = `
      import { format, inspect } from "node:util";
      import { Secret } from "${ENGINE}options.ts";
      const token = new Secret(${JSON.stringify(VALUE)});
      for (const say of [console.log, console.error, console.info, console.debug, console.dir]) {
        say(token);
        say({ deep: { down: [token] } });
      }
      console.log("%s %o %O %j %d %c", token, token, token, token, token, token);
      console.table([{ token }]);
      console.log(inspect({ token }, { depth: 9, showHidden: true, customInspect: false }));
      console.log(format("%s %o %O %j", token, token, token, token));
      throw new Error(\`Cannot use \${token}\`, { cause: { token } });`;
    const { stdout, stderr } = await runProgram(folder, program);
    const text = stdout + stderr;
    assertEquals(text.includes("hunter2"), false, text);
    assertStringIncludes(text, "Error: Cannot use ***");
    assertEquals(text.split("***").length - 1, 21, text);
  }));

Deno.test("secret() takes a text of one character at least and gives a Secret", () => {
  const checked = secret().parse(VALUE);
  assert(checked instanceof Secret);
  assertEquals(checked.reveal(), VALUE);
  for (const value of ["", 12_345, null, undefined, true, [VALUE], { token: VALUE }]) {
    assertEquals(secret().safeParse(value).success, false, String(value));
  }
});

Deno.test("secret() tells nobody the value that is wrong", () => {
  const strict = z.strictObject({ token: z.union([secret(), z.number()]), other: z.string() });
  for (const value of [{ token: [VALUE] }, { token: { [VALUE]: VALUE } }, { token: VALUE }]) {
    const { error } = strict.safeParse(value);
    assert(error);
    for (const text of [JSON.stringify(error.issues), error.message, Deno.inspect(error)]) {
      assertEquals(text.includes("hunter2"), false, text);
    }
  }
});

Deno.test("time() gives what parseTime() gives", () => {
  assertEquals(time().parse("2024-01-31"), { atMs: 1_706_659_200_000 });
  assertEquals(time().parse(1_706_659_200_000), { atMs: 1_706_659_200_000 });
  assertEquals(time().parse("30 days ago"), { ago: 30, unit: "day" });
});

Deno.test("time() says what must hold", () => {
  assertEquals(issuesOf({ token: VALUE, from: 1_706_659_200, to: "1969-12-31" }), [
    {
      path: "from",
      code: "custom",
      message: "must be epoch milliseconds, not seconds: it has 10 digits",
    },
    { path: "to", code: "custom", message: "must not lie before 1970-01-01" },
  ]);
  for (const value of [true, null, {}, [], new Date(0), NaN, Infinity]) {
    assertEquals(time().safeParse(value).success, false, String(value));
  }
});

Deno.test("time() and secret() work in a strict object: defaults, optional ones, unknown ones", () => {
  const { data } = tokenAndTimes().safeParse({ token: VALUE, from: "now" });
  assertEquals(data?.token.reveal(), VALUE);
  assertEquals(data?.from, { ago: 0, unit: "second" });
  assertEquals(data?.since, { ago: 30, unit: "day" });
  assertEquals([data?.to, data?.password], [undefined, undefined]);
  assertEquals(
    issuesOf({ from: "soon", form: 1 }).map(({ path, code }) => [path, code]),
    [["token", "invalid_type"], ["from", "custom"], ["", "unrecognized_keys"]],
  );
});

Deno.test("the options of a plugin fit the engine's own view of a schema, types included", () => {
  const schema: Schema<
    {
      token: Secret;
      from: Time;
      since: Time;
      to?: Time | undefined;
      password?: Secret | undefined;
    },
    {
      token: string;
      from: string | number;
      since?: string | number | undefined;
      to?: string | number | undefined;
      password?: string | undefined;
    }
  > = tokenAndTimes();
  const checked = schema.safeParse({ token: VALUE, from: "2024-01-31" });
  assert(checked.success);
  assertEquals(checked.data.from, { atMs: 1_706_659_200_000 });
});

Deno.test("time() and secret() turn into JSON Schema as a file writes them", () => {
  const { properties, required } = z.toJSONSchema(tokenAndTimes(), { io: "input" });
  assertEquals(required, ["token", "from"]);
  assertEquals(properties?.token, {
    description: "API token",
    format: "password",
    minLength: 1,
    type: "string",
  });
  const from = properties?.from;
  assert(typeof from === "object");
  assertEquals([from.description, from.type], ["First open time", ["string", "number"]]);
  const since = properties?.since;
  assert(typeof since === "object");
  assertEquals(since.default, "30 days ago");
});

Deno.test("address() takes what a host can be called, and nothing else", () => {
  const right = [
    "http://a.test",
    "https://127.0.0.1:1",
    "https://a.test.",
    "http://[::1]:8086/x",
    "http://ü.test",
  ];
  const wrong = [
    "http://a..b",
    "http://.a",
    "http://",
    "ftp://a.test",
    "a.test",
    "http://a.test?x=1",
  ];
  const taken = (text: string) => address("http://host").safeParse(text).success;
  assertEquals(right.filter((text) => !taken(text)), []);
  assertEquals(wrong.filter(taken), []);
});
