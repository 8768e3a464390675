import { assertEquals } from "@std/assert";
import { GENERATED, generatedPath } from "../../docs/generate.ts";

for (const [name, generate] of Object.entries(GENERATED)) {
  Deno.test(`${name} is what the plugins say (deno task generate)`, async () => {
    const now = await Deno.readTextFile(generatedPath(name));
    assertEquals(now, generate(now));
  });
}
