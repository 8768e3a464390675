import { assertEquals } from "@std/assert";
import { COMMANDS, findCommand } from "../../../cli/commands/mod.ts";

Deno.test("findCommand() finds what users may call, and what penstock calls where it is confined", () => {
  assertEquals(findCommand("dry-run", "user"), COMMANDS["dry-run"]);
  assertEquals(findCommand("dry-run", "confined"), COMMANDS["dry-run"]);
  assertEquals(findCommand("claims", "user"), undefined);
  assertEquals(findCommand("claims", "confined")?.usage, []);
});

Deno.test("findCommand() finds nothing by the names that all objects have", () => {
  for (const name of ["constructor", "toString", "__proto__", ""]) {
    assertEquals(findCommand(name, "user"), undefined);
    assertEquals(findCommand(name, "confined"), undefined);
  }
});
