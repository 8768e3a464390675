/**
 * YAML as nodes, each with its place in the text.
 *
 * @module
 */

import {
  boolCoreTag,
  COLLECTION_STYLE,
  type Event,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  type MappingEvent,
  NOT_RESOLVED,
  nullCoreTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
  YAMLException,
} from "js-yaml";
import type { Mistake, Span } from "./diagnostics.ts";

/** What every node has. */
interface Placed {
  /** Where it stands, without its anchor and tag. Empty for a value that is not there. */
  readonly span: Span;
  /** The name that aliases give it. */
  readonly anchor?: string | undefined;
  /** Whether it has a tag. */
  readonly isTagged?: boolean | undefined;
}

/** A single value. */
export interface Scalar extends Placed {
  readonly kind: "scalar";
  /** What it stands for by the core schema of YAML 1.2; but numbers are finite, or they are text. */
  readonly value: string | number | boolean | null;
}

/** A list. */
export interface List extends Placed {
  readonly kind: "list";
  /** Its items. */
  readonly items: readonly Node[];
}

/** A mapping. */
export interface Mapping extends Placed {
  readonly kind: "mapping";
  /** Its entries, in the order of the text; keys may be there twice. */
  readonly entries: readonly Entry[];
}

/** A key and its value. */
export interface Entry {
  /** The key: text, whatever it looks like. */
  readonly key: string;
  /** Where the key stands. */
  readonly at: Span;
  /** The value. */
  readonly value: Node;
}

/** What stands for a node before it. */
export interface Alias extends Placed {
  readonly kind: "alias";
  /** The anchor of that node. */
  readonly name: string;
}

/** A piece of YAML. */
export type Node = Scalar | List | Mapping | Alias;

/** What a text holds, and all that is wrong with it: plain data, which JSON can carry. */
export interface Yaml {
  /** What it holds; nothing where there is no value. In doubt where there are mistakes. */
  readonly node?: Node | undefined;
  /** The mistakes, in any order, each with its offset. */
  readonly mistakes: readonly (Mistake & { readonly offset: number })[];
  /** Where values stand that must not be shown. */
  readonly secrets: readonly Span[];
}

/**
 * Reads a text as one document of YAML.
 *
 * @returns Nothing where the text holds no value.
 * @throws {YAMLException} If it is none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseYaml("[1e3, 'b']"), {
 *   kind: "list",
 *   span: [0, 10],
 *   items: [
 *     { kind: "scalar", value: 1_000, span: [1, 4] },
 *     { kind: "scalar", value: "b", span: [6, 9] },
 *   ],
 * });
 * ```
 */
export function parseYaml(text: string): Node | undefined {
  return new Reader(text, parseEvents(text, {})).document();
}

/** Puts nodes together from the parser's events, which say where they begin but not where they end. */
class Reader {
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 0;
  /** Where the text ends that was read by now. */
  #end = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  document(): Node | undefined {
    if (this.#events.length === 0) return undefined;
    this.#next++;
    const node = this.#node();
    if (this.#next + 1 < this.#events.length) this.#refuse("expected a single document");
    return node;
  }

  #node(): Node {
    const event = this.#events[this.#next++];
    switch (event?.type) {
      case EVENT_ID.SCALAR: {
        const text = this.#textOf(event);
        const value = event.style === SCALAR_STYLE.PLAIN ? valueOf(text) : text;
        return { ...this.#propertiesOf(event), kind: "scalar", value, span: this.#spanOf(event) };
      }
      case EVENT_ID.SEQUENCE:
        return this.#list(event);
      case EVENT_ID.MAPPING:
        return this.#mapping(event);
      case EVENT_ID.ALIAS: {
        this.#end = event.anchorEnd;
        const name = this.#text.slice(event.anchorStart, event.anchorEnd);
        return { kind: "alias", name, span: [event.anchorStart - 1, event.anchorEnd] };
      }
    }
    return this.#refuse("expected a value");
  }

  #textOf(event: ScalarEvent): string {
    return event.valueStart === -1 ? "" : getScalarValue(this.#text, event);
  }

  /** The parser tells where the content is: quotes and the sign of a block are around it. */
  #spanOf({ style, valueStart, valueEnd }: ScalarEvent): Span {
    if (valueStart === -1) return [this.#end, this.#end];
    const isPlain = style === SCALAR_STYLE.PLAIN;
    const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
    const start = isPlain ? valueStart : isQuoted ? valueStart - 1 : this.#pass("?:");
    this.#end = isQuoted ? valueEnd + 1 : valueEnd;
    return [start, this.#end];
  }

  #list(event: SequenceEvent): List {
    const properties = this.#propertiesOf(event);
    const items: Node[] = [];
    const isBlock = event.style === COLLECTION_STYLE.BLOCK;
    this.#end = isBlock ? event.start : event.start + 1;
    while (!this.#isOver()) {
      const dash = this.#pass("");
      if (isBlock) this.#end = dash + 1;
      const item = this.#node();
      const [from, to] = item.span;
      items.push(from === to ? { ...item, span: [dash, dash] } : item);
    }
    return { ...properties, kind: "list", items, span: this.#close(event, "[") };
  }

  #mapping(event: MappingEvent): Mapping {
    const properties = this.#propertiesOf(event);
    const entries: Entry[] = [];
    this.#end = event.start;
    while (!this.#isOver()) {
      const key = this.#events[this.#next++];
      if (key?.type !== EVENT_ID.SCALAR || key.tagStart !== -1) {
        return this.#refuse("expected text as a key");
      }
      this.#propertiesOf(key);
      entries.push({ key: this.#textOf(key), at: this.#spanOf(key), value: this.#node() });
    }
    return { ...properties, kind: "mapping", entries, span: this.#close(event, "{") };
  }

  /** Whether a collection ends here; its end is then read. */
  #isOver(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next++;
    return true;
  }

  #close({ start }: SequenceEvent | MappingEvent, open: "[" | "{"): Span {
    // A mapping of one entry within a list needs no braces.
    if (this.#text.charAt(start) === open) this.#end = this.#pass(",?:") + 1;
    return [start, this.#end];
  }

  #propertiesOf(
    { anchorStart, anchorEnd, tagStart, tagEnd }: ScalarEvent | SequenceEvent | MappingEvent,
  ): Omit<Placed, "span"> {
    this.#end = Math.max(this.#end, anchorEnd, tagEnd);
    return {
      ...anchorStart === -1 ? {} : { anchor: this.#text.slice(anchorStart, anchorEnd) },
      ...tagStart === -1 ? {} : { isTagged: true },
    };
  }

  /** The place of what comes next, behind blanks, comments and signs that belong to no node. */
  #pass(signs: string): number {
    let at = this.#end;
    for (;; at++) {
      const character = this.#text.charAt(at);
      if (character === "#") at = this.#lineEnd(at);
      else if (character === "" || !` \t\r\n${signs}`.includes(character)) return at;
    }
  }

  #lineEnd(at: number): number {
    const end = this.#text.indexOf("\n", at);
    return end === -1 ? this.#text.length : end;
  }

  #refuse(why: string): never {
    return YAMLException.throwAt(this.#text, this.#end, why);
  }
}

/** What text without quotes stands for. */
function valueOf(text: string): Scalar["value"] {
  for (const { resolve, tagName } of [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag]) {
    const value = resolve(text, false, tagName);
    if (value === NOT_RESOLVED) continue;
    return typeof value === "number" && !Number.isFinite(value) ? text : value;
  }
  return text;
}
