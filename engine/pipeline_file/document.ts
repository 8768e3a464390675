/**
 * The text of a pipeline file: its value, and where in the text each part of it stands.
 *
 * YAML and JSON go through one parser, as JSON is YAML; so a JSON file may hold comments. The
 * schema is YAML 1.2's core one: `no` and `1:30` are text, and there are no tags and no merge keys. But
 * numbers are finite: `.inf` is text.
 *
 * @module
 */

import { type Diagnostic, excerptOf, type Mistake, type Path, type Span } from "./diagnostics.ts";
import { positionsIn } from "./lines.ts";
import { guessSecrets, looksSecret, secretSpans } from "./masking.ts";
import type { Mapping, Node, Yaml } from "./yaml.ts";

/** A pipeline as it was read, before it is checked. */
export interface Document {
  /** What it holds, in plain values. */
  readonly value: unknown;
  /** What its text was read as, so that it need not be read again. A module has none. */
  readonly yaml?: Yaml | undefined;
  /** Mistakes that leave the value in doubt: it is not worth checking. */
  readonly broken: readonly Diagnostic[];
  /** Mistakes that leave a value that can be checked. */
  readonly mistakes: readonly Mistake[];
  /**
   * Finds the place of each mistake.
   *
   * @param mistakes The mistakes, in any order.
   * @param secrets Values that must not be shown.
   * @returns Diagnostics in the order of the file.
   */
  diagnose(mistakes: readonly Mistake[], secrets: readonly Path[]): Diagnostic[];
  /** Tells a reader where something is, such as `line 5`. */
  whereIs(path: Path): string;
}

/** Where a key and its value stand. */
interface Place {
  readonly key?: Span | undefined;
  readonly value: Span;
}

const DEEPEST = 50;
const MOST_VALUES = 100_000;
const MOST_SYNTAX_MISTAKES = 10;

/**
 * Reads a text as YAML or JSON.
 *
 * @param file The file's name, for messages.
 * @param text Its text.
 * @param yaml What the text was read as before, if it was.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const document = await parseText("btc.yaml", "name: btc\nsources: []\n");
 * assertEquals(document.value, { name: "btc", sources: [] });
 * const [found] = document.diagnose([{ path: ["sources"], message: "Cannot be" }], []);
 * assertEquals([found?.line, found?.column], [2, 10]);
 * ```
 */
export async function parseText(file: string, text: string, yaml?: Yaml): Promise<Document> {
  const positionOf = positionsIn(text);
  const locate = ({ message, hint }: Mistake, at: number, hidden: readonly Span[]): Diagnostic => {
    if (text === "") return { file, line: 1, column: 1, message, hint };
    const offset = backToText(text, at);
    return { file, ...positionOf(offset), message, hint, excerpt: excerptOf(text, offset, hidden) };
  };
  const read = yaml ?? await readYaml(file, text);
  const reader = new Reader();
  const value = reader.read(read.node, []);
  const guessed = secretSpans(text, [...read.secrets, ...guessSecrets(text)]);
  const broken = read.mistakes.map(({ offset, ...mistake }) => locate(mistake, offset, guessed));
  return {
    value,
    yaml: read,
    broken: firstOfEachLine(broken).slice(0, MOST_SYNTAX_MISTAKES),
    mistakes: reader.mistakes,
    diagnose(mistakes, secrets) {
      const known = secrets.map((path) => reader.placeOf(path).value);
      const hidden = secretSpans(text, [...reader.secrets, ...known]);
      return inOrder(mistakes.map((one) => locate(one, reader.offsetOf(one), hidden)));
    },
    whereIs: (path) => `line ${positionOf(reader.offsetOf({ path })).line}`,
  };
}

/** Parsers are loaded where they are needed: the first for a text that nobody has read before. */
async function readYaml(file: string, text: string): Promise<Yaml> {
  const { parseYaml } = await import("./yaml.ts");
  try {
    return { node: parseYaml(text), mistakes: [], secrets: [] };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "YAMLException") throw error;
    const { readWithMistakes } = await import("./syntax.ts");
    return readWithMistakes(file.endsWith(".json") ? "JSON" : "YAML", text);
  }
}

/** Puts diagnostics in the order of the file; the same one twice is kept once. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sorted = diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return firstOfEach(sorted, ({ line, column, message }) => `${line}:${column}:${message}`);
}

/** One slip makes a parser stumble several times: what it says first of a line is worth most. */
function firstOfEachLine(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return firstOfEach(inOrder(diagnostics), ({ line }) => String(line));
}

function firstOfEach<T>(values: readonly T[], keyOf: (value: T) => string): T[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = keyOf(value);
    return !seen.has(key) && seen.add(key);
  });
}

/** The place of something that is not there lies behind the last text: moves it back to that. */
function backToText(text: string, offset: number): number {
  if (/[^\r\n]/.test(text.charAt(offset))) return offset;
  return Math.max(0, text.slice(0, offset).trimEnd().length - 1);
}

/** Turns nodes into plain values and writes down where each one stands. */
class Reader {
  readonly mistakes: Mistake[] = [];
  readonly secrets: Span[] = [];
  readonly #places = new Map<string, Place>();
  readonly #anchors = new Map<string, Node>();
  #values = 0;

  /** The place of a value, or of the nearest thing around it that the file has. */
  placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place) return place;
    }
    return this.#places.get("[]") ?? { value: [0, 0] };
  }

  offsetOf({ path, at }: Pick<Mistake, "path" | "at">): number {
    const { key, value } = this.placeOf(path);
    const isEmpty = value[0] === value[1];
    return key !== undefined && (at === "key" || isEmpty) ? key[0] : value[0];
  }

  read(node: Node | undefined, path: Path, key?: Span): unknown {
    const span = node?.span ?? [0, 0];
    this.#places.set(JSON.stringify(path), { key, value: span });
    const name = path.at(-1);
    if (typeof name === "string" && looksSecret(name)) this.secrets.push(span);
    if (path.length > DEEPEST || ++this.#values > MOST_VALUES) return this.#refuseSize(path);
    const value = this.#readValue(node, path, key);
    // Known from here on, so that a value cannot hold itself.
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node?.isTagged) {
      this.#refuse(path, "Cannot use a tag as values must be plain: it starts with `!`");
    }
    if (node?.kind === "alias") this.#places.set(JSON.stringify(path), { key, value: span });
    return value;
  }

  #readValue(node: Node | undefined, path: Path, key: Span | undefined): unknown {
    switch (node?.kind) {
      case "scalar":
        return node.value;
      case "list":
        return node.items.map((item, index) => this.read(item, [...path, index]));
      case "mapping":
        return this.#readMapping(node, path);
      case "alias":
        return this.#readAlias(node.name, path, key);
    }
    return null;
  }

  #readMapping({ entries }: Mapping, path: Path): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [index, { key: name, at: keySpan, value }] of entries.entries()) {
      const isAgain = Object.hasOwn(values, name);
      const at = [...path, isAgain ? `${name} (${index})` : name];
      const read = this.read(value, at, keySpan);
      if (isAgain) {
        this.#refuse(at, `Cannot use key ${JSON.stringify(name)} twice in one mapping`);
      } else if (name === "__proto__") {
        this.#refuse(at, 'Cannot use key "__proto__": it has a meaning of its own in JavaScript');
      } else {
        values[name] = read;
      }
    }
    return values;
  }

  #readAlias(name: string, path: Path, key: Span | undefined): unknown {
    const node = this.#anchors.get(name);
    if (node !== undefined) return this.read(node, path, key);
    this.#refuse(path, `Cannot use alias "*${name}" as "&${name}" must come before it`, "value");
    return null;
  }

  #refuse(path: Path, message: string, at: "key" | "value" = "key"): void {
    this.mistakes.push({ path, at, message });
  }

  #refuseSize(path: Path): null {
    const message = "Cannot use the file as it must not be nested deeply nor hold many values: " +
      `more than ${DEEPEST} levels or ${MOST_VALUES} values`;
    if (!this.mistakes.some((mistake) => mistake.message === message)) this.#refuse(path, message);
    return null;
  }
}
