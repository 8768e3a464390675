/**
 * All that can be said of a pipeline without running it: its graph, the facts of its steps, what it
 * promises, what it costs, what is kept where, and what it must be allowed to reach.
 *
 * @module
 */

import { resolve } from "@std/path";
import { FACTS } from "./plugins.ts";
import { type Guarantee, guaranteesOf } from "./guarantee.ts";
import { permissionsOf, type Reach } from "../permissions.ts";
import type { CheckedStep, Pipeline } from "../pipeline.ts";
import { deliveryOf, type OnError, type Plugin, replayOf, type SourceCost } from "../plugin.ts";

/** One step, with what its plugin says of itself. */
export interface ExplainedStep {
  /** Its place in the graph. */
  readonly kind: "source" | "transform" | "sink" | "dead letter";
  /** Its id. */
  readonly id: string;
  /** Its plugin. */
  readonly plugin: string;
  /** What it does. */
  readonly summary: string;
  /** What is true of it, by name: `replay`, `delivery`, `state`. */
  readonly facts: Readonly<Record<string, string>>;
  /** What happens to a record it refuses; nothing for a source, which refuses none. */
  readonly onError: OnError | undefined;
}

/** A way that records take, between two steps by id. */
export interface Edge {
  /** Where they come from. */
  readonly from: string;
  /** Where they go. */
  readonly to: string;
  /** Whether these are records that were refused. */
  readonly refused: boolean;
}

/** What reading everything from the beginning takes. */
export interface Backfill {
  /** The source. */
  readonly source: string;
  /** What it takes; undefined for a source that does not say. */
  readonly cost: SourceCost | undefined;
  /** Whether it goes on after that. */
  readonly endless: boolean;
}

/** What is kept, and where. */
export interface Kept {
  /** What. */
  readonly what: string;
  /** The folder, file or host. */
  readonly where: readonly string[];
}

/** All that can be said of a pipeline. */
export interface Explanation {
  /** Its name. */
  readonly pipeline: string;
  /** Its steps, in the order of the file. */
  readonly steps: readonly ExplainedStep[];
  /** Their connections. */
  readonly edges: readonly Edge[];
  /** What is promised of each sink. */
  readonly guarantees: readonly Guarantee[];
  /** What a backfill costs, source by source. */
  readonly backfills: readonly Backfill[];
  /** What is kept where. */
  readonly kept: readonly Kept[];
  /** What it must be allowed to reach. */
  readonly permissions: Reach;
}

/** What an explanation takes beside the pipeline. */
export interface ExplainOptions {
  /** Epoch milliseconds. */
  readonly nowMs: number;
  /** The folder of its checkpoints. */
  readonly checkpoints: string;
}

/**
 * Explains a pipeline. Nothing is asked of anyone.
 *
 * @param pipeline A checked pipeline.
 */
export function explainPipeline(pipeline: Pipeline, options: ExplainOptions): Explanation {
  return {
    pipeline: pipeline.name,
    steps: stepsOf(pipeline),
    edges: edgesOf(pipeline),
    guarantees: guaranteesOf(pipeline),
    backfills: pipeline.sources.map((step) => ({
      source: step.id,
      cost: step.plugin.cost?.(step.options, options.nowMs),
      endless: step.plugin.endless === true,
    })),
    kept: keptBy(pipeline, options.checkpoints),
    permissions: permissionsOf(pipeline),
  };
}

function stepsOf({ sources, transforms, sinks, deadLetter, deadLetterLimit }: Pipeline) {
  const limit: Readonly<Record<string, string>> = deadLetterLimit
    ? { max: `${deadLetterLimit.refused} in ${deadLetterLimit.records}` }
    : { max: "none" };
  const letters = deadLetter && explainStep("dead letter", deadLetter);
  return [
    ...[...sources, ...transforms, ...sinks].map((step) => explainStep(step.plugin.kind, step)),
    ...letters ? [{ ...letters, facts: { ...letters.facts, ...limit } }] : [],
  ];
}

function explainStep(kind: ExplainedStep["kind"], step: CheckedStep): ExplainedStep {
  const { id, plugin, options, onError } = step;
  return {
    ...{ kind, id, plugin: plugin.id, summary: plugin.summary },
    facts: factsOf(plugin, options),
    onError: kind === "source" ? undefined : onError,
  };
}

function factsOf(plugin: Plugin, options: unknown): Readonly<Record<string, string>> {
  switch (plugin.kind) {
    case "source": {
      const replay = replayOf(plugin, options);
      const end = plugin.endless ? { end: "none: it goes on until it is told to stop" } : {};
      return { replay: `${replay} (${FACTS[replay]})`, ...end };
    }
    case "transform":
      return {
        state: !plugin.state
          ? "none"
          : plugin.key
          ? "for each key, saved with each checkpoint"
          : "one, saved with each checkpoint",
      };
    case "sink": {
      const delivery = deliveryOf(plugin, options);
      return { delivery: `${delivery} (${FACTS[delivery]})` };
    }
  }
}

/** All sources feed the first transform, the last one all sinks. */
function edgesOf({ sources, transforms, sinks, deadLetter }: Pipeline): Edge[] {
  const edge = (refused: boolean) => (from: CheckedStep, to: CheckedStep) => ({
    ...{ from: from.id, to: to.id, refused },
  });
  const [first] = transforms;
  const last = transforms.at(-1);
  const between = transforms.slice(1).flatMap((to, index) => {
    const from = transforms[index];
    return from ? [edge(false)(from, to)] : [];
  });
  return [
    ...sources.flatMap((source) => (first ? [first] : sinks).map((to) => edge(false)(source, to))),
    ...between,
    ...last ? sinks.map((sink) => edge(false)(last, sink)) : [],
    ...deadLetter
      ? [...transforms, ...sinks].filter(({ onError }) => onError === "dead_letter")
        .map((step) => edge(true)(step, deadLetter))
      : [],
  ];
}

function keptBy({ folder, sinks, deadLetter }: Pipeline, checkpoints: string): Kept[] {
  const places = ({ plugin, options }: CheckedStep) => {
    const { write = [], net = [] } = plugin.permissions?.(options) ?? {};
    return [...write.map((path) => resolve(folder, path)), ...net];
  };
  return [
    { what: "checkpoints: positions, states, tokens, ledger", where: [resolve(checkpoints)] },
    ...sinks.map((sink) => ({ what: `records of sink ${sink.id}`, where: places(sink) })),
    ...deadLetter ? [{ what: "dead letters", where: places(deadLetter) }] : [],
  ];
}
