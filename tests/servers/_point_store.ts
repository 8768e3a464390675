/**
 * The points of a server that is imitated: merged by series and time, with the type of each field.
 *
 * @module
 */

import { decodeLineProtocol, type Line } from "../sinks/_decode_line_protocol.ts";

/** What a line came to: its line if it parses, else what is wrong with it. */
export type Parsed =
  & { readonly text: string }
  & ({ readonly line: Line } | { readonly fault: string });

/** Takes the lines of a body apart, each for itself. */
export function parseLines(body: string): Parsed[] {
  return body.split("\n").filter((text) => text !== "").map((text) => {
    try {
      const [line] = decodeLineProtocol(new TextEncoder().encode(`${text}\n`));
      if (!line) throw new Error("missing fields");
      return { text, line };
    } catch (error) {
      return { text, fault: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** Points of one database or bucket. */
export class PointStore {
  readonly #types = new Map<string, Map<string, string>>();
  readonly #points = new Map<string, Map<string, string>>();

  /** Stores a line. Gives the reason instead, where a field has another type already. */
  put({ measurement, tags, fields, time }: Line, unitMs: number): string | undefined {
    const types = this.#types.get(measurement) ?? new Map<string, string>();
    for (const [name, value] of fields) {
      const known = types.get(name) ?? typeOf(value);
      if (known === typeOf(value)) continue;
      return `input field "${name}" on measurement "${measurement}" is type ${
        typeOf(value)
      }, already exists as type ${known}`;
    }
    this.#types.set(measurement, types);
    const series = [measurement, ...tags.map((tag) => tag.join("="))].join(",");
    const key = `${series} ${Number(time) * unitMs}`;
    const point = this.#points.get(key) ?? new Map<string, string>();
    this.#points.set(key, point);
    for (const [name, value] of fields) {
      types.set(name, typeOf(value));
      point.set(name, textOf(value));
    }
  }

  /** A copy, to try out what would be refused. */
  copy(): PointStore {
    const copy = new PointStore();
    for (const [name, types] of this.#types) copy.#types.set(name, new Map(types));
    for (const [key, point] of this.#points) copy.#points.set(key, new Map(point));
    return copy;
  }

  /** The types of the fields of a measurement, by name. */
  types(measurement: string): [string, string][] {
    return [...this.#types.get(measurement) ?? []].sort();
  }

  /** Each point as `measurement,tag=value milliseconds field=value,…`, sorted, floats as numbers. */
  lines(): string {
    return Array.from(this.#points, ([key, fields]) => {
      const values = Array.from(fields, ([name, value]) => `${name}=${value}`).sort();
      return `${key} ${values.join(",")}\n`;
    }).sort().join("");
  }
}

function textOf(value: Line["fields"][number][1]): string {
  if (typeof value !== "string") return JSON.stringify(value.text);
  return typeOf(value) === "float" ? String(Number(value)) : value;
}

function typeOf(value: Line["fields"][number][1]): string {
  if (typeof value !== "string") return "string";
  if (value.endsWith("i")) return "integer";
  return value === "true" || value === "false" ? "boolean" : "float";
}
