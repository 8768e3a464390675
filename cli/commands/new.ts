/**
 * `penstock new`.
 *
 * @module
 */

import { type Call, choiceOf, type Command, wordOf } from "../command.ts";
import type { NewFlags } from "../new.ts";

/** Makes a pipeline or a plugin. */
export const create: Command = {
  usage: [
    ["new pipeline NAME", "makes NAME.yaml, which runs at once"],
    ["new plugin NAME", "makes NAME.ts and its test, of --kind source|transform|sink"],
  ],
  operands: ["pipeline|plugin", "NAME"],
  flags: {
    kind: { value: "source|transform|sink", help: "which kind of plugin (default: transform)" },
  },
  async load() {
    const { create } = await import("../new.ts");
    return (call, _host, terminal) => create(flagsOf(call), Deno.cwd(), terminal);
  },
};

function flagsOf(call: Call): NewFlags {
  const [thing, name = ""] = call.operands;
  return {
    thing: wordOf("thing to make", thing, ["pipeline", "plugin"]),
    name,
    kind: choiceOf(call, "kind", ["transform", "source", "sink"]),
  };
}
