/**
 * A reader of line protocol, written from its rules and sharing no code with the encoder.
 *
 * It reads strictly: what servers may read differently is an error.
 *
 * @module
 */

/** A line, taken apart. Numbers are kept as they are written, strings without quotes and escapes. */
export interface Line {
  readonly measurement: string;
  readonly tags: readonly (readonly [string, string])[];
  readonly fields: readonly (readonly [string, string | { readonly text: string }])[];
  readonly time: string;
}

/** Takes the lines of a body apart. */
export function decodeLineProtocol(bytes: Uint8Array): Line[] {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error("The last line must end with a line feed");
  return text.slice(0, -1).split("\n").map((line) => new Reader(line).line());
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  line(): Line {
    const measurement = this.#name(", ", ", ");
    const tags: [string, string][] = [];
    while (this.#take(",")) {
      const key = this.#name("=", ", =");
      this.#must("=");
      tags.push([key, this.#name(", ", ", =")]);
    }
    this.#must(" ");
    const fields: [string, string | { text: string }][] = [];
    do {
      const key = this.#name("=", ", =");
      this.#must("=");
      fields.push([key, this.#text[this.#at] === '"' ? { text: this.#string() } : this.#bare()]);
    } while (this.#take(","));
    this.#must(" ");
    const time = this.#text.slice(this.#at);
    if (!/^-?[1-9]\d*$/.test(time)) throw new Error(`The time must be an integer, found "${time}"`);
    return { measurement, tags, fields, time };
  }

  /** Reads up to an unescaped character of `ends`; `special` ones must be escaped within. */
  #name(ends: string, special: string): string {
    let name = "";
    for (; this.#at < this.#text.length; this.#at++) {
      let character = this.#text[this.#at] ?? "";
      if (ends.includes(character)) break;
      if (character === "\\") {
        character = this.#text[++this.#at] ?? "";
        if (!special.includes(character) || character === "") throw new Error("A lone backslash");
      } else if (special.includes(character)) {
        throw new Error(`"${character}" must be escaped at ${this.#at} in "${this.#text}"`);
      }
      name += character;
    }
    if (name === "") throw new Error(`An empty name at ${this.#at} in "${this.#text}"`);
    return name;
  }

  #string(): string {
    let value = "";
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#text[this.#at] === "\\") this.#at++;
      if (this.#at >= this.#text.length) throw new Error("A string must end");
      value += this.#text[this.#at];
    }
    this.#at++;
    return value;
  }

  #bare(): string {
    const value = /^[^, ]*/.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += value.length;
    const isValue = /^(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|-?\d+i|true|false)$/.test(value);
    if (!isValue) throw new Error(`"${value}" is no value that all servers read alike`);
    return value;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #must(character: string): void {
    if (this.#take(character)) return;
    throw new Error(`"${character}" must come at ${this.#at} in "${this.#text}"`);
  }
}
