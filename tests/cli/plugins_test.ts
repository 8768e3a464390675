import { assertEquals } from "@std/assert";
import { registry } from "../../cli/open.ts";
import { exampleStep } from "../../engine/explain/plugins.ts";

for (const plugin of await registry.list()) {
  Deno.test(`the example that \`describe ${plugin.id}\` gives can be pasted`, () => {
    const checked = plugin.options.safeParse(exampleStep(plugin).with ?? {});
    assertEquals(checked.success ? [] : checked.error.issues, []);
  });
}
