import { assertEquals } from "@std/assert";
import { SOURCES } from "../../sources/mod.ts";

Deno.test("SOURCES names each file of the folder, by the id of the source in it", async () => {
  const folder = new URL("../../sources/", import.meta.url);
  const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const plugins = files.filter((name) => !name.startsWith("_") && name !== "mod.ts")
    .map((name) => name.replace(/\.ts$/, ""));
  assertEquals(Object.keys(SOURCES).sort(), plugins.sort());
});
