/**
 * What is wrong with a text that is no YAML, in words that say what must hold.
 *
 * The parser of `yaml.ts` loads in no time, but it stops at the first mistake, says little of it, and
 * wants the end of a list in brackets to be indented as the standard has it. The one here goes on, is
 * as lenient as people are, and takes longer to load than an empty program: it has the last word on
 * what the other one refuses.
 *
 * @module
 */

import {
  isAlias,
  isCollection,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import type { Mistake, Span } from "./diagnostics.ts";
import { looksSecret } from "./masking.ts";
import type { Node, Scalar, Yaml } from "./yaml.ts";

interface Saying {
  /** What must hold, to follow "as". */
  readonly must: string;
  readonly hint?: string;
}

const OPEN_LIST = { must: "a list that starts with `[` must end with `]`" };
const OPEN_MAPPING = { must: "a mapping that starts with `{` must end with `}`" };

/** By the parser's code, or by its code and the start of its message. The first that fits counts. */
const SAYINGS: readonly (readonly [code: string, start: string, saying: Saying])[] = [
  ["TAB_AS_INDENT", "", {
    must: "lines must be indented with spaces: this one has a tab",
    hint: "Put spaces in place of the tab",
  }],
  ["MISSING_CHAR", "Missing closing", {
    must: "a text that starts with a quote must end with one",
  }],
  ["MISSING_CHAR", "Sequence item", {
    must: "each item of a list must start with `- `, and its keys must stand below each other",
  }],
  ["MISSING_CHAR", "Flow sequence", OPEN_LIST],
  ["MISSING_CHAR", "Flow map", OPEN_MAPPING],
  ["MISSING_CHAR", "", { must: "a key must be followed by `:` and a space" }],
  ["BAD_INDENT", "Flow sequence", OPEN_LIST],
  ["BAD_INDENT", "Flow map", OPEN_MAPPING],
  ["BAD_INDENT", "", { must: "what belongs together must start at the same column" }],
  ["BLOCK_AS_IMPLICIT_KEY", "", {
    must: "a value must not be followed by another key",
    hint: "Put text that has a `: ` in it in quotes, or check how the next line is indented",
  }],
  ["MULTILINE_IMPLICIT_KEY", "", { must: "a key must be on one line and be followed by `:`" }],
  ["BAD_DQ_ESCAPE", "", {
    must: "a backslash in double quotes must start an escape such as `\\n`",
    hint: "Put the text in single quotes, or write the backslash twice",
  }],
  ["BAD_ALIAS", "", { must: "`*` must be followed by the name of an anchor" }],
  ["MULTIPLE_DOCS", "", { must: "a file must hold one pipeline: another document starts here" }],
  ["NON_STRING_KEY", "", { must: "a key must be text" }],
  ["KEY_OVER_1024_CHARS", "", { must: "a key must have at most 1024 characters" }],
  ["RESOURCE_EXHAUSTION", "", { must: "values must not be nested so deeply" }],
  ["BLOCK_IN_FLOW", "", {
    must: "what stands in `[ ]` or `{ }` must be parted by commas, not by lines",
    hint: "Write `[a, b]` and `{ a: 1, b: 2 }`, or leave the brackets out",
  }],
  ["ALIAS_PROPS", "", { must: "an alias must stand alone, without an anchor or a tag" }],
  ["MULTIPLE_ANCHORS", "", { must: "a value must have at most one anchor" }],
  ["MULTIPLE_TAGS", "", { must: "a value must have at most one tag" }],
  ["BAD_DIRECTIVE", "", { must: "a line that starts with `%` must be `%YAML 1.2`" }],
  ["UNEXPECTED_TOKEN", "Unexpected block-seq-ind", {
    must: "a list must start on the line below its key",
    hint: "Put the `- ` on the next line, or write the list as `[a, b]`",
  }],
  ["UNEXPECTED_TOKEN", "Unexpected scalar", {
    must: "nothing but a comment must follow a value that is complete",
  }],
  ["UNEXPECTED_TOKEN", "", { must: "nothing of this kind may stand here" }],
];

/**
 * Reads a text to its end, however many mistakes it has.
 *
 * @param kind What the text should be: `YAML` or `JSON`.
 * @param text The text.
 */
export function readWithMistakes(kind: string, text: string): Yaml {
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
  });
  const quotes: Span[] = [];
  const secrets: Span[] = [];
  visit(document, {
    Scalar: (_, scalar) => {
      if (scalar.type?.startsWith("QUOTE")) quotes.push(spanOf(scalar));
    },
    Pair: (_, { key, value }) => {
      if (isScalar(key) && looksSecret(String(key.value))) secrets.push(spanOf(value));
    },
  });
  const mistakes = [...document.errors, ...document.warnings]
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED") // tags are refused where values are read
    .map((error) => {
      const [at] = error.pos;
      // A quote that is left open is noticed at the end of the file: its beginning says more.
      const isOpen = error.message.startsWith("Missing closing");
      const begun = isOpen ? quotes.find(([, to]) => to === at)?.[0] : undefined;
      return { ...inOurWords(kind, error, text.charAt(at)), offset: begun ?? at };
    });
  return { node: document.contents ? nodeOf(document.contents) : undefined, mistakes, secrets };
}

/** None of our words holds a piece of the text, which may be a secret. */
function inOurWords(kind: string, { code, message }: YAMLError, char: string): Mistake {
  if (code === "BAD_SCALAR_START") {
    const must = `text that starts with \`${char}\` must be in quotes`;
    return { path: [], message: `Cannot read ${kind} as ${must}` };
  }
  const known = SAYINGS.find((saying) => saying[0] === code && message.startsWith(saying[1]));
  // What the parser says may have a piece of the text in it.
  const { must, hint }: Saying = known?.[2] ??
    { must: "what stands here must be written otherwise" };
  return { path: [], message: `Cannot read ${kind} as ${must}`, hint };
}

function nodeOf(node: unknown): Node {
  if (isAlias(node)) return { kind: "alias", name: node.source, span: spanOf(node) };
  if (!isCollection(node)) return scalarOf(node);
  const placed = { span: spanOf(node), anchor: node.anchor, isTagged: node.tag !== undefined };
  if (isSeq(node)) return { ...placed, kind: "list", items: node.items.map(nodeOf) };
  const entries = node.items.filter(isPair).map(({ key, value }) => ({
    key: isScalar(key) ? String(key.value) : "",
    at: spanOf(key),
    value: nodeOf(value),
  }));
  return { ...placed, kind: "mapping", entries };
}

function scalarOf(node: unknown): Scalar {
  const span = spanOf(node);
  if (!isScalar(node)) return { kind: "scalar", value: null, span };
  const { value, source = "", anchor, tag } = node;
  const isKnown = typeof value === "string" || typeof value === "boolean" || value === null ||
    typeof value === "number" && Number.isFinite(value);
  return {
    kind: "scalar",
    value: isKnown ? value : source,
    ...{ anchor, isTagged: tag !== undefined, span },
  };
}

function spanOf(node: unknown): Span {
  const [from = 0, to = 0] = isNode(node) && node.range || [];
  return [from, to];
}
