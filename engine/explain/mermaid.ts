/**
 * The graph of a pipeline as Mermaid, for documents.
 *
 * @module
 */

import type { ExplainedStep, Explanation } from "./explanation.ts";

/** How each kind of step is drawn. */
const FORMS: Readonly<Record<ExplainedStep["kind"], readonly [string, string]>> = {
  "source": ["([", "])"],
  "transform": ["[", "]"],
  "sink": ["[(", ")]"],
  "dead letter": ["[(", ")]"],
};

/**
 * Draws the graph.
 *
 * @param explanation Its steps and edges.
 * @returns Lines of text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const step = { summary: "", facts: {}, onError: undefined };
 * assertEquals(
 *   mermaid({
 *     steps: [
 *       { ...step, kind: "source", id: "feed", plugin: "binance_rest" },
 *       { ...step, kind: "sink", id: "file", plugin: "file" },
 *     ],
 *     edges: [{ from: "feed", to: "file", refused: false }],
 *   }),
 *   'flowchart LR\n  s0(["feed<br>binance_rest"])\n  s1[("file")]\n  s0 --> s1\n',
 * );
 * ```
 */
export function mermaid({ steps, edges }: Pick<Explanation, "steps" | "edges">): string {
  // Ids of steps may be words of Mermaid's own, such as `end`.
  const names = new Map(steps.map(({ id }, index) => [id, `s${index}`]));
  const nodes = steps.map(({ kind, id, plugin }) => {
    const [open, close] = FORMS[kind];
    return `${names.get(id)}${open}"${id === plugin ? id : `${id}<br>${plugin}`}"${close}`;
  });
  const arrows = edges.map(({ from, to, refused }) =>
    `${names.get(from)} ${refused ? "-. refused .->" : "-->"} ${names.get(to)}`
  );
  return ["flowchart LR", ...[...nodes, ...arrows].map((line) => `  ${line}`)]
    .map((line) => `${line}\n`).join("");
}
