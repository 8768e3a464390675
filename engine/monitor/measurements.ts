/**
 * What plugins count and measure in a run, kept by step, name and labels.
 *
 * @module
 */

import type { Labels, Metrics } from "../context.ts";
import { FatalError } from "../errors.ts";

/** Values of one metric that are kept apart; further ones are counted together. */
const MOST_VALUES = 2_000;
const OTHER = "other";
const NAME = /^[a-z][a-z0-9_]*$/;
/** Labels that the engine sets. */
const RESERVED: ReadonlySet<string> = new Set(["pipeline", "step"]);

/** One value of a metric. */
export interface MetricValue {
  /** What tells it apart from the others; empty where there are no others. */
  readonly labels: Labels;
  /** Its value. */
  readonly value: number;
}

/** One metric of one step. */
export interface Metric {
  /** Id of the step. */
  readonly step: string;
  /** Id of its plugin. */
  readonly plugin: string;
  /** Its name, as the plugin has it. */
  readonly name: string;
  /** A counter only grows, a gauge goes up and down. */
  readonly kind: "counter" | "gauge";
  /** Its values, one for each set of labels. */
  readonly values: readonly MetricValue[];
}

/** What was counted, by step and name. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface Kept {
  readonly plugin: string;
  readonly kind: Metric["kind"];
  readonly values: Map<string, { readonly labels: Labels; value: number }>;
}

/**
 * The metrics of all steps of a run.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const measurements = new Measurements();
 * const metrics = measurements.of({ id: "feed", plugin: { id: "binance_websocket" } });
 * metrics.count("reconnects", 1, { cause: "renewal" });
 * metrics.count("reconnects", 2, { cause: "silent" });
 * assertEquals(measurements.totals(), { feed: { reconnects: 3 } });
 * ```
 */
export class Measurements {
  readonly #steps = new Map<string, Map<string, Kept>>();

  /** What a step counts with. */
  of(step: { readonly id: string; readonly plugin: { readonly id: string } }): Metrics {
    const metrics = this.#steps.get(step.id) ?? new Map<string, Kept>();
    this.#steps.set(step.id, metrics);
    const place = (kind: Metric["kind"], name: string, labels: Labels) =>
      valueIn(keptIn(metrics, { kind, name, plugin: step.plugin.id }), name, labels);
    return {
      count: (name, by = 1, labels = {}) => void (place("counter", name, labels).value += by),
      gauge: (name, value, labels = {}) => void (place("gauge", name, labels).value = value),
    };
  }

  /** What was counted, over all labels, by step and name. Gauges are left out. */
  totals(): Record<string, Record<string, number>> {
    return Object.fromEntries(Array.from(this.#steps, ([step, metrics]) => {
      const counters = [...metrics].filter(([, { kind }]) => kind === "counter");
      const sums = counters.map(([name, { values }]) => [
        name,
        values.values().reduce((sum, { value }) => sum + value, 0),
      ]);
      return [step, Object.fromEntries(sums)];
    }));
  }

  /** All metrics as they are now. */
  all(): Metric[] {
    return [...this.#steps].flatMap(([step, metrics]) =>
      Array.from(metrics, ([name, { plugin, kind, values }]) => ({
        ...{ step, plugin, name, kind },
        values: Array.from(values.values(), ({ labels, value }) => ({ labels, value })),
      }))
    );
  }
}

/**
 * Adds counts up, by step and name.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(addCounts({ feed: { holes: 1 } }, { feed: { holes: 2 }, file: { parts: 3 } }), {
 *   feed: { holes: 3 },
 *   file: { parts: 3 },
 * });
 * ```
 */
export function addCounts(before: Counts, now: Counts): Counts {
  const sums: Record<string, Record<string, number>> = {};
  for (const [id, counts] of [...Object.entries(before), ...Object.entries(now)]) {
    const step = sums[id] ??= {};
    for (const [name, count] of Object.entries(counts)) step[name] = (step[name] ?? 0) + count;
  }
  return sums;
}

function keptIn(
  metrics: Map<string, Kept>,
  { name, kind, plugin }: Pick<Metric, "name" | "kind" | "plugin">,
): Kept {
  const known = metrics.get(name);
  if (known?.kind === kind) return known;
  if (known) {
    throw misused(name, `be a ${known.kind} throughout a run: it is used as a ${kind}, too`);
  }
  if (!NAME.test(name) || name.endsWith("_total")) {
    throw misused(name, "be in snake_case, without `_total` at its end");
  }
  const kept: Kept = { plugin, kind, values: new Map() };
  metrics.set(name, kept);
  return kept;
}

function valueIn(kept: Kept, name: string, labels: Labels): { value: number } {
  const { values } = kept;
  const key = keyOf(labels);
  const known = values.get(key);
  if (known) return known;
  const wrong = Object.keys(labels).find((label) => !NAME.test(label) || RESERVED.has(label));
  if (wrong !== undefined) {
    throw misused(name, `have labels in snake_case other than pipeline and step: "${wrong}"`);
  }
  if (values.size >= MOST_VALUES && !Object.values(labels).every((text) => text === OTHER)) {
    const others = Object.keys(labels).map((label) => [label, OTHER]);
    return valueIn(kept, name, Object.fromEntries(others));
  }
  const value = { labels: { ...labels }, value: 0 };
  values.set(key, value);
  return value;
}

/** The same for the same labels, in whatever order they are given. */
function keyOf(labels: Labels): string {
  const names = Object.keys(labels);
  return names.length === 0 ? "" : JSON.stringify(names.sort().map((name) => [name, labels[name]]));
}

function misused(name: string, must: string): FatalError {
  return new FatalError(`Cannot count "${name}" as a metric must ${must}`, {
    hint: "This is a fault of the plugin: see `Metrics`",
  });
}
