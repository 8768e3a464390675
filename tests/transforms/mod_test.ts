import { assertEquals } from "@std/assert";
import { TRANSFORMS } from "../../transforms/mod.ts";

Deno.test("TRANSFORMS has each file and folder of transforms/, by its name", () => {
  const found = Array.from(
    Deno.readDirSync(new URL("../../transforms/", import.meta.url)),
    ({ name }) => name.replace(/\.ts$/, ""),
  ).filter((name) => name !== "mod" && !name.startsWith("_"));
  assertEquals(Object.keys(TRANSFORMS).sort(), found.sort());
});
