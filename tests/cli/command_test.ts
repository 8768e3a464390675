import { assertEquals, assertThrows } from "@std/assert";
import { choiceOf, type Command, parseCall } from "../../cli/command.ts";
import { COMMANDS } from "../../cli/commands/mod.ts";
import { describeCommand, describeCommands } from "../../cli/help.ts";
import { UsageError } from "../../cli/usage.ts";

const command: Command = {
  usage: [["count FILE", "counts"]],
  flags: {
    limit: { value: "N", help: "counts up to N" },
    simulate: { value: "FILE", alone: "", help: "counts what is made up" },
    verbose: { help: "counts aloud" },
  },
  load: () => Promise.resolve(() => Promise.resolve(0)),
};
const parse = (...args: string[]) => parseCall("count", command, args);

Deno.test("parseCall() gives arguments and options as text, whatever they look like", () => {
  assertEquals(parse("007", "--limit", "5"), {
    operand: "007",
    operands: ["007"],
    flags: { limit: "5", verbose: false },
  });
});

Deno.test("parseCall() does not take the file as the value of an option that needs none", () => {
  assertEquals(parse("--simulate", "a.yaml").operand, "a.yaml");
  assertEquals(parse("--simulate", "a.yaml").flags.simulate, "");
  assertEquals(parse("--simulate=s.yaml", "a.yaml").flags.simulate, "s.yaml");
});

Deno.test("parseCall() names the nearest option, and what must be there", () => {
  const error = assertThrows(() => parse("a.yaml", "--limt=5"), UsageError, '"--limt"');
  assertEquals(error.hint, 'Did you mean "--limit"?');
  assertThrows(() => parse("a", "b"), UsageError, "must have one FILE: it has 2");
  assertThrows(
    () => parseCall("plugins", { ...command, operands: [] }, ["x"]),
    UsageError,
    "must have no argument: it has 1",
  );
});

Deno.test("choiceOf() gives the first word by default, and refuses what is none", () => {
  const call = parse("a");
  assertEquals(choiceOf(call, "format", ["text", "json"]), "text");
  assertThrows(
    () => choiceOf({ ...call, flags: { format: "xml" } }, "format", ["text", "json"]),
    UsageError,
    "Cannot use `--format xml` as it must be text or json",
  );
});

Deno.test("help lists every command, and every option of one", () => {
  const all = describeCommands(COMMANDS);
  for (const [name, { usage }] of Object.entries(COMMANDS)) {
    for (const [call] of usage) {
      assertEquals([call.startsWith(name), all.includes(`  penstock ${call} `)], [true, true]);
    }
  }
  assertEquals(
    describeCommand(command),
    `usage:
  penstock count FILE  counts

options:
  --limit N          counts up to N
  --simulate[=FILE]  counts what is made up
  --verbose          counts aloud
`,
  );
});
