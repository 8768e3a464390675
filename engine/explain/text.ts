/**
 * An explanation as text.
 *
 * @module
 */

import { guaranteeSentence } from "./guarantee.ts";
import type { Reach } from "../permissions.ts";
import { describeBytes, describeCount, describeSpan } from "../words.ts";
import type { Backfill, ExplainedStep, Explanation } from "./explanation.ts";

/**
 * Writes an explanation as text: graph, steps, guarantee, costs, places, permissions.
 *
 * @param explanation What is to be said.
 */
export function explanationText(explanation: Explanation): string {
  const { pipeline, steps, guarantees, backfills, kept, permissions } = explanation;
  return [
    `pipeline ${pipeline}`,
    ...section("graph", graphLines(explanation)),
    ...section("steps", steps.flatMap(stepLines)),
    ...section("guarantee", guarantees.map(guaranteeSentence)),
    ...section("backfill, from the beginning up to now", backfills.map(backfillLine)),
    ...section("kept", kept.map(({ what, where }) => `${what}: ${where.join(", ") || "not kept"}`)),
    ...section("permissions", permissionLines(permissions)),
  ].map((line) => `${line}\n`).join("");
}

/**
 * The graph alone, one step on a line.
 *
 * @param explanation What is to be said.
 */
export function graphLines({ steps, edges }: Pick<Explanation, "steps" | "edges">): string[] {
  const lines: string[] = [];
  let before: string | undefined;
  for (const { kind, id } of steps) {
    if (kind === "dead letter") continue;
    if (before !== undefined && (kind !== before || kind === "transform")) lines.push("  │");
    before = kind;
    const refused = edges.find((edge) => edge.from === id && edge.refused);
    lines.push(`${kind} ${id}${refused ? ` ┄┄ refused ┄┄▶ ${refused.to}` : ""}`);
  }
  return lines;
}

function section(title: string, lines: readonly string[]): string[] {
  return ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function stepLines({ kind, id, plugin, summary, facts, onError }: ExplainedStep): string[] {
  const name = plugin === id ? id : `${id} (${plugin})`;
  const shown = Object.entries(onError ? { ...facts, on_error: onError } : facts);
  return [
    `${kind} ${name}: ${summary}`,
    ...shown.map(([fact, value]) => `  ${fact}: ${value}`),
  ];
}

function backfillLine({ source, cost, endless }: Backfill): string {
  const then = endless ? ", then what comes up" : "";
  if (!cost) return `${source}: it does not say what it costs${then}`;
  if (cost.records === 0) return `${source}: nothing${then}`;
  const { series, records, requests, bytes, ms, uses = {} } = cost;
  const used = Object.entries(uses).map(([name, count]) => `, ${name} ${describeCount(count)}`);
  return `${source}: ${describeCount(records)} records of ${describeCount(series)} series in ${
    describeCount(requests)
  } requests${used.join("")}, about ${describeBytes(bytes)}, ${describeSpan(ms)} at least${then}`;
}

function permissionLines(reach: Reach): string[] {
  const lines = Object.entries(reach).filter(([, places]) => places.length > 0)
    .map(([name, places]) => `${name}: ${places.join(", ")}`);
  return lines.length > 0 ? lines : ["none"];
}
