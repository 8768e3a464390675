import { assertEquals } from "@std/assert";
import {
  findPlaceholders,
  givesSecret,
  keyOf,
} from "../../../engine/pipeline_file/placeholders.ts";

Deno.test("findPlaceholders() finds each in lists and mappings, with its place", () => {
  const value = {
    a: ["${env:A} and ${file:b.txt}", 1, null],
    c: { d: "${command:pass show  x}", e: "$${env:NO}", f: "${env:G:-h}" },
  };
  assertEquals(findPlaceholders(value), [
    { path: ["a", 0], placeholder: { kind: "env", name: "A", fallback: undefined } },
    { path: ["a", 0], placeholder: { kind: "file", name: "b.txt" } },
    { path: ["c", "d"], placeholder: { kind: "command", name: "pass show  x" } },
    { path: ["c", "f"], placeholder: { kind: "env", name: "G", fallback: "h" } },
  ]);
});

Deno.test("findPlaceholders() survives a value inside itself, and leaves what is wrong alone", () => {
  const loop: Record<string, unknown> = { wrong: "${nothing} ${env:} ${file:} ${command: } ${" };
  loop.self = loop;
  assertEquals(findPlaceholders(loop), []);
});

Deno.test("givesSecret() takes files and programs for secrets, variables by their name", () => {
  assertEquals(givesSecret({ kind: "file", name: "a" }), true);
  assertEquals(givesSecret({ kind: "command", name: "a" }), true);
  assertEquals(givesSecret({ kind: "env", name: "INFLUX_TOKEN" }), true);
  assertEquals(givesSecret({ kind: "env", name: "INFLUX_URL" }), false);
});

Deno.test("keyOf() is the same with and without a default", () => {
  assertEquals(keyOf({ kind: "env", name: "A", fallback: "b" }), keyOf({ kind: "env", name: "A" }));
});
