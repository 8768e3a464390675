import { assertEquals } from "@std/assert";
import { SINKS } from "../../sinks/mod.ts";

Deno.test("SINKS has each file and folder of sinks/, by its name", () => {
  const found = Array.from(
    Deno.readDirSync(new URL("../../sinks/", import.meta.url)),
    ({ name }) => name.replace(/\.ts$/, ""),
  ).filter((name) => name !== "mod" && !name.startsWith("_"));
  assertEquals(Object.keys(SINKS).sort(), found.sort());
});
