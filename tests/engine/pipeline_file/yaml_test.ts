import { assertEquals, assertThrows } from "@std/assert";
import { YAMLException } from "js-yaml";
import { type Node, parseYaml } from "../../../engine/pipeline_file/yaml.ts";

/** Each scalar and alias as the text has it, and each collection as its text from start to end. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  const walk = (node: Node) => {
    pieces.push(text.slice(...node.span));
    if (node.kind === "list") node.items.forEach(walk);
    if (node.kind !== "mapping") return;
    for (const { at, value } of node.entries) {
      pieces.push(text.slice(...at));
      walk(value);
    }
  };
  const root = parseYaml(text);
  if (root) walk(root);
  return pieces;
}

const PLACES: readonly (readonly [name: string, text: string, ...pieces: string[]])[] = [
  ["plain text", "a: b c\n   d # no\n", "a: b c\n   d", "a", "b c\n   d"],
  ["quotes", `a: "b"\nc: 'd''e'\n`, `a: "b"\nc: 'd''e'`, "a", '"b"', "c", "'d''e'"],
  ["a block of text", "a: &x | # b | c\n  d\n", "a: &x | # b | c\n  d\n", "a", "| # b | c\n  d\n"],
  ["a block in a list", "- # >\n  >-\n  d\n- e", "- # >\n  >-\n  d\n- e", ">-\n  d\n", "e"],
  ["brackets", "[a, {b: c,} # ]\n ]\n", "[a, {b: c,} # ]\n ]", "a", "{b: c,}", "b", "c"],
  ["an entry within brackets", "[a: b, c]", "[a: b, c]", "a: b", "a", "b", "c"],
  ["an alias", "- &x a\n- *x\n", "- &x a\n- *x", "a", "*x"],
  ["a value that is not there", "a:\nb: c", "a:\nb: c", "a", "", "b", "c"],
  ["lists in lists", "- - a\n  -\n- b", "- - a\n  -\n- b", "- a\n  -", "a", "", "b"],
];

for (const [name, text, ...pieces] of PLACES) {
  Deno.test(`parseYaml() tells the place of ${name}`, () => assertEquals(piecesOf(text), pieces));
}

Deno.test("parseYaml() puts an item that is not there at its dash", () => {
  const root = parseYaml("- a\n-\n- # b\n");
  assertEquals(root?.kind === "list" && root.items.map(({ span }) => span), [
    [2, 3],
    [4, 4],
    [6, 6],
  ]);
});

Deno.test("parseYaml() gives anchors, and tells what has a tag", () => {
  const root = parseYaml("&a !t [&b b, !u c]");
  assertEquals([root?.anchor, root?.isTagged, root?.span], ["a", true, [6, 18]]);
  const items = root?.kind === "list" ? root.items : [];
  assertEquals(items.map(({ anchor, isTagged }) => [anchor, isTagged]), [["b", undefined], [
    undefined,
    true,
  ]]);
});

Deno.test("parseYaml() gives nothing for a text without a value", () => {
  assertEquals(["", "# a\n"].map(parseYaml), [undefined, undefined]);
});

for (const text of ["a: b: c", "a: 1\n---\nb: 2", "? [a]\n: 1", "? !t a\n: 1", "[".repeat(1_000)]) {
  Deno.test(`parseYaml() refuses ${JSON.stringify(text).slice(0, 20)}`, () => {
    assertThrows(() => parseYaml(text), YAMLException);
  });
}

Deno.test("parseYaml() takes what is in quotes for text, and what is no finite number, too", () => {
  const root = parseYaml("[1, '1', true, \"true\", ~, '', no, .5, 0o17, 1_0, .inf, -.INF, .nan]");
  assertEquals(
    root?.kind === "list" && root.items.map((one) => one.kind === "scalar" && one.value),
    [1, "1", true, "true", null, "", "no", 0.5, 15, "1_0", ".inf", "-.INF", ".nan"],
  );
});

Deno.test("parseYaml() takes every key for text", () => {
  const root = parseYaml("1: a\n~: b\n'c': d\n: e\n");
  const entries = root?.kind === "mapping" ? root.entries : [];
  assertEquals(entries.map(({ key, at }) => [key, ...at]), [
    ["1", 0, 1],
    ["~", 5, 6],
    ["c", 10, 13],
    ["", 16, 16],
  ]);
});
