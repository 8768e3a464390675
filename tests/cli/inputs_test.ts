import { assertEquals, assertRejects } from "@std/assert";
import { handedInputs, handing } from "../../cli/inputs.ts";

const FILE = { path: "/p/a.yaml", content: { text: "name: a" } };

Deno.test("handedInputs() gives what was handed over, and takes nothing from the machine", async () => {
  const { env, readText, command, missing } = handedInputs({
    file: FILE,
    values: {
      "env:A": { text: "1" },
      "env:B": { unset: true },
      "file:/p/t.txt": { text: "token" },
      "command:pass x": { fault: '"pass" ended with exit code 1' },
    },
  });
  assertEquals([env("A"), env("B"), env("PATH"), env("constructor")], [
    "1",
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(await readText("/p/a.yaml"), "name: a");
  assertEquals(await readText("/p/./t.txt"), "token");
  await assertRejects(() => readText("/etc/hostname"), Error, "no permission to read it");
  await assertRejects(async () => await command?.("pass x"), Error, "exit code 1");
  await assertRejects(async () => await command?.("pass y"), Error, "it was not run");
  assertEquals([...missing ?? []], [
    "env:PATH",
    "env:constructor",
    "file:/etc/hostname",
    "command:pass y",
  ]);
});

Deno.test("handing() keeps the reason why there is no text", async () => {
  assertEquals(await handing(() => Promise.resolve("a")), { text: "a" });
  assertEquals(await handing(() => Promise.reject(new Deno.errors.NotFound())), {
    fault: "it is not there",
  });
});
